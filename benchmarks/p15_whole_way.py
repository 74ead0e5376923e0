"""P15: from a folder of photos never seen to an exported model, in coursekit and in fastai.

Both sides read the folder, look for a learning rate, train, report on every class and export; both start from the same
weights. Nothing is decoded before: the presize cache begins empty each time. Ours trains the head on features that are
kept and then everything for one epoch; fastai gets its usual `fine_tune(3)`. Every pair is another split, and the
errors of all count together: a side that is faster and has the higher error counts as 0.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import mean

import pandas as pd
from fastai.vision import all as fastai

from benchmarks.harness import Result, Timer, precisions, quiet, run, side_by_side, spread, times_as_fast
from benchmarks.p03_fine_tune import recipe
from benchmarks.peers import fastai_learner, fastai_loaders
from benchmarks.photos import ARCH, our_loaders, solar_table
from coursekit.metrics import error_rate
from coursekit.results.interpret import ClassificationInterpretation
from coursekit.training.learner import vision_learner


@contextlib.contextmanager
def empty_home(folder: Path) -> Iterator[None]:
    """coursekit's caches begin empty inside the block; what was there before is there again after it."""
    before = os.environ.get("COURSEKIT_HOME")
    os.environ["COURSEKIT_HOME"] = str(folder)
    try:
        yield
    finally:
        os.environ.pop("COURSEKIT_HOME")
        if before is not None:
            os.environ["COURSEKIT_HOME"] = before


def our_way(table: pd.DataFrame, size: int, bs: int, seed: int) -> tuple[float, float]:
    """Seconds of the whole way, and the error at its end."""
    with tempfile.TemporaryDirectory() as name, empty_home(Path(name) / "home"), quiet(), Timer() as timer:
        learn = vision_learner(our_loaders(table, size, bs, seed=seed), ARCH, error_rate, seed=seed)
        rate = learn.lr_find(show_plot=False, cache_features=True).valley
        recipe(learn, rate)
        interp = ClassificationInterpretation.from_learner(learn)
        interp.print_classification_report()
        interp.plot_confusion_matrix().savefig(Path(name) / "matrix.png")
        learn.export(Path(name) / "export")
    return timer.seconds, learn.recorder.values[-1][-1]


def fastai_way(table: pd.DataFrame, size: int, bs: int, seed: int) -> tuple[float, float]:
    """The same with fastai; the weights that it starts from are there before the clock starts."""
    with quiet():
        model = vision_learner(our_loaders(table, size, bs), ARCH, seed=seed).model
    with tempfile.TemporaryDirectory() as name, quiet(), Timer() as timer:
        learn = fastai_learner(fastai_loaders(table, size, bs), model, seed)
        learn.path = Path(name)
        with learn.no_bar(), learn.no_logging():
            learn.fine_tune(3, learn.lr_find(show_plot=False).valley)
            interp = fastai.ClassificationInterpretation.from_learner(learn)
            interp.print_classification_report()
            interp.plot_confusion_matrix()
            fastai.plt.savefig(Path(name) / "matrix.png")
            fastai.plt.close("all")
        learn.export("export.pkl")
    return timer.seconds, float(learn.recorder.values[-1][-1])


def measure(train: int = 576, valid: int = 256, size: int = 96, bs: int = 32, seeds: int = 3) -> list[Result]:
    fastai.plt.switch_backend("agg")
    tables = [solar_table(train, valid, seed) for seed in range(seeds)]
    errors: dict[str, list[float]] = {"coursekit": [], "fastai": []}

    def side(name: str, way) -> float:
        seed = len(errors[name])
        seconds, error = way(tables[seed], size, bs, seed)
        errors[name].append(error)
        return seconds

    found = side_by_side(lambda: side("coursekit", our_way), lambda: side("fastai", fastai_way), seeds, warm_up=False)
    means = {name: mean(values) for name, values in errors.items()}
    listed = "; ".join(f"{name} " + ", ".join(f"{e:.1%}" for e in values) for name, values in errors.items())
    notes = [
        f"{ARCH} at {size} px, {train} photos to train on and {valid} to judge by, {seeds} splits",
        f"errors: {listed}; mean {means['coursekit']:.1%} and {means['fastai']:.1%}",
        f"{mean(a for a, _ in found):.3g} s, fastai {mean(b for _, b in found):.3g} s; {spread(found)}",
    ]
    value = times_as_fast(found)
    if means["coursekit"] > means["fastai"]:
        notes.append(f"{value:.3g}x as fast, but with a higher error: that does not count")
        value = 0.0
    what = "from a folder to an exported model"
    return [Result("P15", what, "fastai", value, "x", 5, False, found, notes, precisions())]


if __name__ == "__main__":
    run(measure)
