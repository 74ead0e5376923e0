"""P1 and P2: an epoch on a frozen body, augmented, and a later epoch on features that were kept, against fastai's.

An epoch is training and validation. fastai does what it does by default: it trains the BatchNorm layers of the frozen
body, and so computes gradients all the way down. Both start from the same weights, and validate the same images.
"""

from statistics import median

import pandas as pd

from benchmarks.harness import Result, Timer, precisions, quiet, run, side_by_side, spread, times_as_fast
from benchmarks.peers import fastai_learner, fastai_loaders
from benchmarks.photos import ARCH, our_loaders, solar_table
from coursekit.core import default_device
from coursekit.metrics import error_rate
from coursekit.training.learner import Learner, vision_learner
from coursekit.training.precision import Precision, choose_precision

LR = 3e-3
CACHED_EPOCHS = 4


class Contest:
    """The two sides, and the validation errors that they reached."""

    def __init__(self, table: pd.DataFrame, size: int, bs: int):
        with quiet():
            self.dls = our_loaders(table, size, bs)
        self.fastai_dls = fastai_loaders(table, size, bs)
        self.errors: dict[str, list[float]] = {"coursekit": [], "fastai": [], "cached": []}
        self.cached_seconds: list[float] = []

    def learner(self) -> Learner:
        """A fresh learner with a pretrained, frozen body."""
        return vision_learner(self.dls, ARCH, error_rate)

    def our_epoch(self) -> float:
        """Seconds of one augmented epoch; then, beside it, those of an epoch on features that are there already."""
        with quiet():
            learn = self.learner()
            with Timer() as timer:
                learn.fit_one_cycle(1, LR)
            self.errors["coursekit"].append(learn.recorder.values[-1][-1])
            learn = self.learner()
            learn.fit_one_cycle(1, LR, cache_features=True)
            with Timer() as cached:
                learn.fit_one_cycle(CACHED_EPOCHS, LR, cache_features=True)
        self.errors["cached"].append(learn.recorder.values[-1][-1])
        self.cached_seconds.append(cached.seconds / CACHED_EPOCHS)
        return timer.seconds

    def fastai_epoch(self) -> float:
        """Seconds of fastai's epoch."""
        learn = fastai_learner(self.fastai_dls, self.learner().model)
        with quiet(), learn.no_bar(), learn.no_logging(), Timer() as timer:
            learn.fit_one_cycle(1, LR)
        self.errors["fastai"].append(float(learn.recorder.values[-1][-1]))
        return timer.seconds


def measure(train: int = 576, valid: int = 192, size: int = 128, bs: int = 32, pairs: int = 5) -> list[Result]:
    contest = Contest(solar_table(train, valid), size, bs)
    found = side_by_side(contest.our_epoch, contest.fastai_epoch, pairs, warm_up=False)
    cached = list(zip(contest.cached_seconds, (theirs for _, theirs in found), strict=True))
    error = {side: f"{median(errors):.1%}" for side, errors in contest.errors.items()}
    setting = f"{ARCH} at {size}, {train} + {valid} images, batches of {bs}"
    seconds = [f"{median(side):.3g} s" for side in zip(*found, strict=True)]
    aim = 5 if choose_precision(default_device()) is Precision.FP32 else 10
    frozen = Result("P1", "frozen epoch, augmented", "fastai", times_as_fast(found), "x", aim, False, found)
    frozen.precision = precisions()
    frozen.notes = [
        setting,
        f"validation error after one epoch: {error['coursekit']}, fastai {error['fastai']}",
        f"{seconds[0]}, fastai {seconds[1]}; {spread(found)}",
    ]
    kept = Result("P2", "later frozen epoch, cached features", "fastai", times_as_fast(cached), "x", 150, False, cached)
    kept.precision = precisions()
    kept.notes = [
        f"validation error after {1 + CACHED_EPOCHS} epochs: {error['cached']}, fastai after one {error['fastai']}",
        f"{median(ours for ours, _ in cached):.3g} s; {spread(cached)}",
    ]
    return [frozen, kept]


if __name__ == "__main__":
    run(measure)
