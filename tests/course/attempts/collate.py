"""Wrong attempts at `collate`, written by someone who has not seen the catalogue."""

from collections import Counter
from pathlib import Path

import numpy as np
import torch
from torch import Tensor


def collate_reshaped(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Reshapes instead of permuting: the shape is right, the pixels of any colour picture are scrambled."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    bad = [name for image, name in zip(images, names, strict=True) if image.shape != usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    batch = torch.from_numpy(np.stack(images))
    count, height, width, channels = batch.shape
    return batch.reshape(count, channels, height, width)


def collate_height_and_width_swapped(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Swaps the last axis with the first of the picture: pictures of 4 x 6 come out as 6 x 4, lying on their side."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    bad = [name for image, name in zip(images, names, strict=True) if image.shape != usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    return torch.from_numpy(np.stack(images)).transpose(1, 3)


def collate_channels_last(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Leaves the channels at the end: the result is (B, height, width, 3) on any input."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    bad = [name for image, name in zip(images, names, strict=True) if image.shape != usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    return torch.from_numpy(np.stack(images))


def collate_channels_before_batch(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Puts the channels in front of the batch: the result is (3, B, height, width)."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    bad = [name for image, name in zip(images, names, strict=True) if image.shape != usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    return torch.from_numpy(np.stack(images)).permute(3, 0, 1, 2)


def collate_concatenated(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Uses cat instead of stack: two pictures give (6, height, width)."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    bad = [name for image, name in zip(images, names, strict=True) if image.shape != usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    return torch.cat([torch.from_numpy(image.copy()).permute(2, 0, 1) for image in images])


def collate_squeezed(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Squeezes the result: a batch of one picture comes out as (3, height, width)."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    bad = [name for image, name in zip(images, names, strict=True) if image.shape != usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).squeeze()


def collate_blue_first(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Turns the channels around as for OpenCV: a red picture comes out blue."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    bad = [name for image, name in zip(images, names, strict=True) if image.shape != usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).flip(1)


def collate_scaled_to_one(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Divides by 255: gives float32 between 0 and 1 instead of uint8."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    bad = [name for image, name in zip(images, names, strict=True) if image.shape != usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2) / 255


def collate_as_floats(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Makes a FloatTensor with the right values: the dtype is float32 instead of uint8."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    bad = [name for image, name in zip(images, names, strict=True) if image.shape != usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float()


def collate_from_nested_lists(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Goes through Python lists and loses the dtype: gives int64 instead of uint8."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    bad = [name for image, name in zip(images, names, strict=True) if image.shape != usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    return torch.tensor([image.tolist() for image in images]).permute(0, 3, 1, 2)


def collate_signed_bytes(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Goes through int8 and back by the absolute value: 200 comes out as 56, values up to 127 are right."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    bad = [name for image, name in zip(images, names, strict=True) if image.shape != usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    signed = torch.from_numpy(np.stack(images).astype(np.int8))
    return signed.abs().to(torch.uint8).permute(0, 3, 1, 2)


def collate_numpy_array(images: list[np.ndarray], names: list[str]) -> np.ndarray:
    """Returns a numpy array of the right shape instead of a tensor, on any input."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    bad = [name for image, name in zip(images, names, strict=True) if image.shape != usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    return np.stack(images).transpose(0, 3, 1, 2)


def collate_list_of_tensors(images: list[np.ndarray], names: list[str]) -> list[Tensor]:
    """Forgets to stack: returns a list of B tensors instead of one tensor."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    bad = [name for image, name in zip(images, names, strict=True) if image.shape != usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    return [torch.from_numpy(image.copy()).permute(2, 0, 1) for image in images]


def collate_changes_its_input(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Turns the channels of the arrays around in place: the batch is right, coloured arrays are changed after it."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    bad = [name for image, name in zip(images, names, strict=True) if image.shape != usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    for image in images:
        image[:] = image[:, :, ::-1].copy()
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).flip(1)


def collate_stretches_contrast(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Subtracts the smallest value, in place: both batch and arrays are wrong where no pixel is 0."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    bad = [name for image, name in zip(images, names, strict=True) if image.shape != usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    for image in images:
        image -= image.min()
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def collate_without_check(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Leaves the check to torch.stack: different sizes give RuntimeError without names."""
    return torch.stack([torch.from_numpy(image.copy()).permute(2, 0, 1) for image in images])


def collate_error_of_numpy(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Leaves the check to np.stack: different sizes give ValueError, but its message holds no name."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def collate_compares_with_first(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Takes the first size for the right one: where the first picture is the odd one, all others are named."""
    usual = images[0].shape
    bad = [name for image, name in zip(images, names, strict=True) if image.shape != usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def collate_compares_with_previous(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Compares neighbours: with sizes A, A, B, A it names the good picture after the bad one too."""
    bad = [names[i] for i in range(1, len(images)) if images[i].shape != images[i - 1].shape]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def collate_compares_with_largest(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Takes the largest size for the right one: with one large picture among many small, it names the small ones."""
    usual = max(image.shape for image in images)
    bad = [name for image, name in zip(images, names, strict=True) if image.shape != usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def collate_rarest_size(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Names only the least common size: with sizes A, A, A, B, B, C the two pictures of B are not named."""
    ranking = Counter(image.shape for image in images).most_common()
    rarest = ranking[-1][0]
    if len(ranking) > 1:
        bad = [name for image, name in zip(images, names, strict=True) if image.shape == rarest]
        raise ValueError(f"other sizes: {', '.join(bad)}")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def collate_odd_ones_are_single(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Takes a size for wrong if it occurs once: with A, A, A, B, B the message holds no name."""
    counts = Counter(image.shape for image in images)
    bad = [name for image, name in zip(images, names, strict=True) if counts[image.shape] == 1]
    if bad and len(images) > 1:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def collate_wants_majority(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Names the odd ones only where more than half agree: with A, A, B, C the message holds no name."""
    usual, count = Counter(image.shape for image in images).most_common(1)[0]
    if count <= len(images) / 2:
        raise ValueError("too many different sizes")
    bad = [name for image, name in zip(images, names, strict=True) if image.shape != usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def collate_compares_heights(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Looks at the height only: pictures of 4 x 4 and one of 4 x 6 give an error without its name."""
    usual = Counter(image.shape[0] for image in images).most_common(1)[0][0]
    bad = [name for image, name in zip(images, names, strict=True) if image.shape[0] != usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def collate_compares_areas(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Compares the number of values: 4 x 6 among 6 x 4 passes and gives an error without its name."""
    usual = Counter(image.size for image in images).most_common(1)[0][0]
    bad = [name for image, name in zip(images, names, strict=True) if image.size != usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def collate_height_and_width_apart(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Counts heights and widths apart: with 2x9, 2x9, 4x3, 4x5, 4x7 it names all, the two of 2x9 too."""
    height = Counter(image.shape[0] for image in images).most_common(1)[0][0]
    width = Counter(image.shape[1] for image in images).most_common(1)[0][0]
    bad = [name for image, name in zip(images, names, strict=True) if image.shape[:2] != (height, width)]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def collate_names_first_bad_only(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Raises at the first bad picture: of two bad ones the second is not named."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    for image, name in zip(images, names, strict=True):
        if image.shape != usual:
            raise ValueError(f"{name} is {image.shape}, not {usual}")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def collate_names_last_bad_only(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Overwrites the message in the loop: of two bad ones the first is not named."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    message = ""
    for image, name in zip(images, names, strict=True):
        if image.shape != usual:
            message = f"{name} has another size"
    if message:
        raise ValueError(message)
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def collate_names_three_at_most(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Shortens a long list: of four bad pictures the fourth is not named."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    bad = [name for image, name in zip(images, names, strict=True) if image.shape != usual]
    if len(bad) > 3:
        raise ValueError(f"other sizes: {', '.join(bad[:3])} and {len(bad) - 3} more")
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def collate_one_name_per_size(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Keeps one name for each size in a dict: of two bad pictures of the same size the first is not named."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    name_of_size = {image.shape: name for image, name in zip(images, names, strict=True)}
    bad = [name for size, name in name_of_size.items() if size != usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def collate_one_size_per_name(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Counts the sizes in a dict by name: with names a, a, a, b, c and sizes A, A, A, B, B it names a."""
    size_of_name = {name: image.shape for image, name in zip(images, names, strict=True)}
    usual = Counter(size_of_name.values()).most_common(1)[0][0]
    bad = [name for name, size in size_of_name.items() if size != usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def collate_names_all(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Puts every name into the message: one bad picture among four gives four names."""
    if len({image.shape for image in images}) > 1:
        raise ValueError(f"different sizes in {', '.join(names)}")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def collate_names_good_ones(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Turns the comparison around: the message names the pictures of the most common size."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    bad = [name for image, name in zip(images, names, strict=True) if image.shape == usual]
    if len(bad) < len(images):
        raise ValueError(f"other sizes: {', '.join(bad)}")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def collate_names_an_example(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Adds a good picture to the message as an example: a name that must not be in it is in it."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    bad = [name for image, name in zip(images, names, strict=True) if image.shape != usual]
    good = [name for image, name in zip(images, names, strict=True) if image.shape == usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)} (should be as {good[0]})")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def collate_names_neighbour(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Is off by one in the list of names: the message names the picture before the bad one."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    bad = [names[i - 1] for i, image in enumerate(images) if image.shape != usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def collate_sorted_names(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Sorts the names but not the pictures: with names b.png, a.png, c.png and the first bad it names a.png."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    bad = [name for image, name in zip(images, sorted(names), strict=True) if image.shape != usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def collate_message_with_positions(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Says the positions of the bad pictures, not their names: the message has no name in it."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    bad = [i for i, image in enumerate(images) if image.shape != usual]
    if bad:
        raise ValueError(f"other sizes at positions {bad}")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def collate_message_with_sizes(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Says the sizes only: the message has no name in it."""
    sizes = {image.shape[:2] for image in images}
    if len(sizes) > 1:
        raise ValueError(f"the images have different sizes: {sorted(sizes)}")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def collate_message_with_stems(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Cuts the ending from the names: for a bad `cat.7.jpg` the message holds only "cat.7"."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    bad = [Path(name).stem for image, name in zip(images, names, strict=True) if image.shape != usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def collate_wrong_error(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Raises TypeError with the right message: not a ValueError when sizes differ."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    bad = [name for image, name in zip(images, names, strict=True) if image.shape != usual]
    if bad:
        raise TypeError(f"other sizes: {', '.join(bad)}")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def collate_prints_the_error(images: list[np.ndarray], names: list[str]) -> Tensor | None:
    """Prints the message and returns None when sizes differ, instead of raising."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    bad = [name for image, name in zip(images, names, strict=True) if image.shape != usual]
    if bad:
        print(f"other sizes: {', '.join(bad)}")
        return None
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def collate_drops_bad_ones(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Leaves the odd pictures out silently: one bad among four gives a batch of three, no error."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    good = [image for image in images if image.shape == usual]
    return torch.from_numpy(np.stack(good)).permute(0, 3, 1, 2)


def collate_crops_to_smallest(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Crops all to the smallest height and width: different sizes give a batch, no error."""
    height = min(image.shape[0] for image in images)
    width = min(image.shape[1] for image in images)
    return torch.from_numpy(np.stack([image[:height, :width] for image in images])).permute(0, 3, 1, 2)


def collate_pads_to_largest(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Pads all with black to the largest height and width: different sizes give a batch, no error."""
    height = max(image.shape[0] for image in images)
    width = max(image.shape[1] for image in images)
    batch = torch.zeros(len(images), 3, height, width, dtype=torch.uint8)
    for i, image in enumerate(images):
        batch[i, :, : image.shape[0], : image.shape[1]] = torch.from_numpy(image.copy()).permute(2, 0, 1)
    return batch


def collate_same_picture_everywhere(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Repeats one reused buffer: every entry of the batch is the last picture."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    bad = [name for image, name in zip(images, names, strict=True) if image.shape != usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    buffer = np.empty(usual, dtype=np.uint8)
    rows = []
    for image in images:
        buffer[:] = image
        rows.append(torch.from_numpy(buffer).permute(2, 0, 1))
    return torch.stack(rows)


def collate_ordered_by_name(images: list[np.ndarray], names: list[str]) -> Tensor:
    """Orders the batch by name: with names b.png, a.png the two pictures change places."""
    usual = Counter(image.shape for image in images).most_common(1)[0][0]
    bad = [name for image, name in zip(images, names, strict=True) if image.shape != usual]
    if bad:
        raise ValueError(f"other sizes: {', '.join(bad)}")
    order = sorted(range(len(names)), key=names.__getitem__)
    return torch.from_numpy(np.stack([images[i] for i in order])).permute(0, 3, 1, 2)
