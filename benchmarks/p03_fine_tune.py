"""P3: fine-tuning to the validation error that fastai's `fine_tune(3)` reaches, or a lower one; three seeds.

The errors of all seeds together are compared: with a few hundred images to validate, those of one seed are chance.
"""

from collections.abc import Callable
from statistics import mean

from benchmarks.harness import Result, Timer, quiet, run, side_by_side, spread, times_as_fast
from benchmarks.peers import fastai_learner, fastai_loaders
from benchmarks.photos import ARCH, our_loaders, solar_table
from coursekit.metrics import error_rate
from coursekit.training.learner import Learner, vision_learner


def same_call(learn: Learner) -> None:
    """What fastai is asked for, too."""
    learn.fine_tune(3)


def recipe(learn: Learner) -> None:
    """Many epochs for the head on kept features, which cost next to nothing, then one for everything."""
    learn.fine_tune(1, freeze_epochs=8, cache_features=True)


def measure(
    train: int = 576, valid: int = 256, size: int = 96, bs: int = 32, seeds: int = 3, ours: Callable = recipe
) -> list[Result]:
    errors: dict[str, list[float]] = {"coursekit": [], "fastai": []}
    seed_of = {"coursekit": 0, "fastai": 0}

    def table_of_next_seed(side: str):
        seed_of[side] += 1
        return solar_table(train, valid, seed_of[side] - 1)

    def our_run() -> float:
        with quiet():
            learn = vision_learner(our_loaders(table_of_next_seed("coursekit"), size, bs), ARCH, error_rate)
            with Timer() as timer:
                ours(learn)
        errors["coursekit"].append(learn.recorder.values[-1][-1])
        return timer.seconds

    def fastai_run() -> float:
        table = table_of_next_seed("fastai")
        with quiet():
            model = vision_learner(our_loaders(table, size, bs), ARCH).model
        learn = fastai_learner(fastai_loaders(table, size, bs), model)
        with quiet(), learn.no_bar(), learn.no_logging(), Timer() as timer:
            learn.fine_tune(3)
        errors["fastai"].append(float(learn.recorder.values[-1][-1]))
        return timer.seconds

    found = side_by_side(our_run, fastai_run, seeds, warm_up=False)
    mean_errors = {side: mean(values) for side, values in errors.items()}
    listed = "; ".join(f"{side} " + ", ".join(f"{e:.1%}" for e in values) for side, values in errors.items())
    notes = [
        f"{ARCH} at {size}, {train} + {valid} images, three splits; a pair takes minutes, so there are {seeds}",
        f"validation errors: {listed}; mean {mean_errors['coursekit']:.1%}, fastai {mean_errors['fastai']:.1%}",
        spread(found),
    ]
    fast_enough = times_as_fast(found) if mean_errors["coursekit"] <= mean_errors["fastai"] else 0.0
    if not fast_enough:
        notes.append(f"{times_as_fast(found):.3g}x as fast, but with a higher error: that does not count")
    return [
        Result("P3", "fine_tune to fastai's error or a lower one", "fastai", fast_enough, "x", 3, False, found, notes)
    ]


if __name__ == "__main__":
    run(measure)
