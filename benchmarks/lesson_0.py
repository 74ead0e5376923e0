"""The recipe of lesson 0 on three stratified splits: validation error, and seconds for each part.

`python benchmarks/lesson_0.py [SIZE]` (image size, 112 as in the lesson). Needs the packages of `make lab`.
"""

import itertools
import sys
import time
from statistics import mean

import pandas as pd

from coursekit.augment.resize import Resize
from coursekit.data.block import CategoryBlock, DataBlock, ImageBlock
from coursekit.data.splits import StratifiedSplitter
from coursekit.data.tables_in import ColReader
from coursekit.datasets.catalogue import solar_cells
from coursekit.metrics import error_rate
from coursekit.training.learner import vision_learner


def run(size: int, seed: int) -> tuple[float, dict[str, float]]:
    """Validation error of the split `seed`, and the seconds that data, finding the rate, and training took."""
    marks = [time.perf_counter()]
    path = solar_cells()
    cells = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_x=ColReader("image", pref=path),
        get_y=ColReader("label"),
        splitter=StratifiedSplitter(valid_pct=0.25, seed=seed),
        item_tfms=Resize(size),
    )
    dls = cells.dataloaders(pd.read_csv(path / "labels.csv"), bs=32)
    learn = vision_learner(dls, "efficientnet_lite0", metrics=error_rate)
    marks.append(time.perf_counter())
    rate = learn.lr_find(cache_features=True, show_plot=False).valley
    marks.append(time.perf_counter())
    learn.fit_one_cycle(5, rate, cache_features=True)
    marks.append(time.perf_counter())
    seconds = [after - before for before, after in itertools.pairwise(marks)]
    return learn.recorder.values[-1][-1], dict(zip(("data", "lr_find", "training"), seconds, strict=True))


def main(size: int) -> None:
    errors = []
    for seed in range(3):
        error, seconds = run(size, seed)
        errors.append(error)
        print(f"split {seed}: error {error:.1%}; " + ", ".join(f"{name} {s:.1f} s" for name, s in seconds.items()))
    print(f"mean error of {len(errors)} splits at {size} pixels: {mean(errors):.1%} (the aim: 18% or less)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 112)
