"""The images that both sides get: solar cells with a fixed split, and JPEG files of the size of holiday photos."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from coursekit.augment.pipeline import aug_transforms
from coursekit.augment.resize import Resize
from coursekit.data.block import CategoryBlock, DataBlock, DataLoaders, ImageBlock
from coursekit.data.files import get_image_files, parent_label
from coursekit.data.splits import ColSplitter, StratifiedSplitter
from coursekit.data.tables_in import ColReader
from coursekit.datasets.catalogue import solar_cells

ARCH = "efficientnet_lite0"
STATS = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))  # mean and standard deviation that its weights expect


def solar_table(train: int, valid: int, seed: int = 0) -> pd.DataFrame:
    """So many solar cells for training and validation, drawn at random: columns image (a path), label, is_valid."""
    folder = solar_cells()
    table = pd.read_csv(folder / "labels.csv").sample(train + valid, random_state=seed).reset_index(drop=True)
    images = [str(folder / name) for name in table["image"]]
    return pd.DataFrame({"image": images, "label": table["label"], "is_valid": table.index >= train})


def folder_table(folder: Path, seed: int = 0, valid_pct: float = 0.4) -> pd.DataFrame:
    """The photos in and below `folder`, each labelled by the folder that it lies in, and a stratified split of them."""
    files = get_image_files(folder)
    labels = [parent_label(file) for file in files]
    _, held = StratifiedSplitter(valid_pct, seed=seed)(files, labels)
    table = pd.DataFrame({"image": [str(file) for file in files], "label": labels})
    return table.assign(is_valid=table.index.isin(held))


def our_loaders(table: pd.DataFrame, size: int, bs: int, augment: bool = True, seed: int = 42) -> DataLoaders:
    """coursekit's batches of such a table: a random crop of `size`, and the usual augmentation."""
    cells = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_x=ColReader("image"),
        get_y=ColReader("label"),
        splitter=ColSplitter("is_valid"),
        item_tfms=Resize(size),
        batch_tfms=aug_transforms() if augment else [],
    )
    return cells.dataloaders(table, bs=bs, seed=seed)


def save_jpegs(folder: Path, n: int, size: tuple[int, int] = (500, 375), seed: int = 0) -> list[Path]:
    """`n` JPEG files with the detail of photos: about 60 kB each at 500 x 375 pixels, quality 90."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{i:05d}.jpg" for i in range(n)]
    for path in paths:
        _photo(rng, size).save(path, quality=90)
    return paths


def _photo(rng: np.random.Generator, size: Sequence[int]) -> Image.Image:
    "Coloured noise with as much power in each octave, as in photos: from broad shapes down to single pixels."
    width, height = size
    total = np.zeros((height, width, 3))
    for octave in range(8):
        cells = rng.normal(size=(max(2, height >> (7 - octave)), max(2, width >> (7 - octave)), 3))
        layer = Image.fromarray((cells * 40 + 128).clip(0, 255).astype(np.uint8)).resize((width, height))
        total += (np.asarray(layer, dtype=np.float64) - 128) * 0.7**octave
    return Image.fromarray((total + 128).clip(0, 255).astype(np.uint8))
