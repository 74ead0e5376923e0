"""P3: the same call, `fine_tune(1)` and `fine_tune(3)`, in coursekit and in fastai: time and validation error.

    python -m benchmarks.p03_fine_tune [--photos FOLDER]

Both sides train from the same weights, with the same head, on the same photos, each with its own defaults. Every seed
is another split, and the errors of all seeds count together: a single split of some hundred photos is chance. With
`--photos` the same is measured on a folder of yours, whose photos lie in a folder for each class.
"""

from collections.abc import Callable
from pathlib import Path
from statistics import mean

import pandas as pd

from benchmarks.harness import Pair, Result, Timer, precisions, quiet, run, side_by_side, spread, times_as_fast
from benchmarks.peers import fastai_learner, fastai_loaders
from benchmarks.photos import ARCH, folder_table, our_loaders, solar_table
from coursekit.metrics import error_rate
from coursekit.training.learner import Learner, vision_learner

Errors = dict[str, list[float]]


def recipe(learn: Learner, base_lr: float = 2e-3) -> None:
    """Many epochs for the head on kept features, which cost next to nothing, then one for everything."""
    learn.fine_tune(1, base_lr, freeze_epochs=8, cache_features=True)


def compare(
    tables: list[pd.DataFrame], size: int, bs: int, ours: Callable, theirs: Callable
) -> tuple[list[Pair], Errors]:
    """Trains both sides on every table, which has a seed of its own: the seconds of training, and the errors."""
    errors: Errors = {"coursekit": [], "fastai": []}

    def our_run() -> float:
        seed = len(errors["coursekit"])
        with quiet():
            learn = vision_learner(our_loaders(tables[seed], size, bs, seed=seed), ARCH, error_rate, seed=seed)
            with Timer() as timer:
                ours(learn)
        errors["coursekit"].append(learn.recorder.values[-1][-1])
        return timer.seconds

    def fastai_run() -> float:
        seed = len(errors["fastai"])
        with quiet():
            model = vision_learner(our_loaders(tables[seed], size, bs), ARCH, seed=seed).model
        learn = fastai_learner(fastai_loaders(tables[seed], size, bs), model, seed)
        with quiet(), learn.no_bar(), learn.no_logging(), Timer() as timer:
            theirs(learn)
        errors["fastai"].append(float(learn.recorder.values[-1][-1]))
        return timer.seconds

    return side_by_side(our_run, fastai_run, len(tables), warm_up=False), errors


def as_results(what: str, found: list[Pair], errors: Errors, setting: str, aim: float) -> list[Result]:
    """Makes two rows of a comparison: how many times as fast it is, and its error in percent of fastai's."""
    means = {side: mean(values) for side, values in errors.items()}
    listed = "; ".join(f"{side} " + ", ".join(f"{e:.1%}" for e in values) for side, values in errors.items())
    notes = [setting, f"errors: {listed}; mean {means['coursekit']:.1%} and {means['fastai']:.1%}", spread(found)]
    share = 100 * means["coursekit"] / means["fastai"] if means["fastai"] else 100.0 * (means["coursekit"] > 0)
    speed = Result("P3", f"{what}: time", "fastai", times_as_fast(found), "x", aim, False, found, notes, precisions())
    return [speed, Result("P3", f"{what}: error", "fastai's", share, "%", 50, True, found, notes[:2], precisions())]


def measure(
    train: int = 576,
    valid: int = 256,
    size: int = 96,
    bs: int = 32,
    seeds: int = 3,
    epochs: tuple[int, ...] = (1, 3),
    photos: Path | None = None,
) -> list[Result]:
    if photos:
        where, tables = photos.resolve().name, [folder_table(photos, seed) for seed in range(seeds)]
    else:
        where, tables = "solar cells", [solar_table(train, valid, seed) for seed in range(seeds)]
    held = int(tables[0]["is_valid"].sum())
    setting = f"{ARCH} at {size} px, {len(tables[0]) - held} photos to train on and {held} to judge by, {seeds} splits"
    results = []
    for n in epochs:
        call = f"fine_tune({n}) on {where}"
        found, errors = compare(tables, size, bs, lambda learn, n=n: learn.fine_tune(n), lambda f, n=n: f.fine_tune(n))
        results += as_results(call, found, errors, setting, 3.5)
    n = max(epochs)
    found, errors = compare(tables, size, bs, recipe, lambda learn: learn.fine_tune(n))
    rows = as_results(f"to the error of fine_tune({n}) on {where}", found, errors, setting, 10)
    if mean(errors["coursekit"]) > mean(errors["fastai"]):
        rows[0].notes.append(f"{rows[0].value:.3g}x as fast, but with a higher error: that does not count")
        rows[0].value = 0.0
    return [*results, rows[0]]


if __name__ == "__main__":
    run(measure, {"photos": Path})
