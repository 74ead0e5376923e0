"""P9: augmenting a batch of uint8 images of 460 pixels to float32 of 224, against fastai's `aug_transforms`.

Both get `size=224, min_scale=0.75` and draw new random numbers for every batch. fastai crops all images of a batch
alike and interpolates twice; ours crops each image in its own way and interpolates once.
"""

from statistics import median

import torch
from fastai.vision import all as fastai

from benchmarks.harness import Result, Timer, run, side_by_side, spread, times_as_fast
from benchmarks.photos import our_loaders, solar_table
from coursekit.augment.pipeline import BatchPipeline, aug_transforms


def measure(bs: int = 32, before: int = 460, after: int = 224, batches: int = 3, pairs: int = 7) -> list[Result]:
    photos = (255 * our_loaders(solar_table(bs, 8), before, bs, augment=False).one_batch()[0]).to(torch.uint8)
    arguments = {"size": after, "min_scale": 0.75}
    ours = BatchPipeline(aug_transforms(**arguments))
    theirs = fastai.Pipeline([fastai.IntToFloatTensor(), *fastai.aug_transforms(**arguments)])
    theirs.split_idx = 0  # training
    as_fastai = fastai.TensorImage(photos.contiguous())

    def our_batches() -> float:
        with Timer() as timer:
            for epoch in range(batches):
                out = ours(photos, ours.draw(epoch, range(bs)))
        assert out.shape[-1] == after
        return timer.seconds

    def their_batches() -> float:
        with Timer() as timer:
            for _ in range(batches):
                out = theirs(as_fastai)
        assert out.shape[-1] == after
        return timer.seconds

    found = side_by_side(our_batches, their_batches, pairs)
    each = "per image {:.2g} ms, fastai {:.2g} ms".format(
        *(1000 * median(side) / bs / batches for side in zip(*found, strict=True))
    )
    what = f"augmentation, {before} to {after}"
    notes, value = [each, spread(found)], times_as_fast(found)
    return [Result("P9", what, "fastai", value, "x", 9, False, found, notes, "fp32 / fp32")]


if __name__ == "__main__":
    run(measure)
