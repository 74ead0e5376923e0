"""P7: the learning-rate finder on a frozen body, against fastai's: a hundred batches, or fewer where the loss explodes.

Ours runs once on augmented images as fastai's does, and once on features of the frozen body, which it has to compute
first: that is part of its time.
"""

from statistics import median

from benchmarks.harness import Result, Timer, precisions, quiet, run, side_by_side, spread, times_as_fast
from benchmarks.peers import fastai_learner, fastai_loaders
from benchmarks.photos import ARCH, our_loaders, solar_table
from coursekit.training.learner import vision_learner


def measure(
    train: int = 576, valid: int = 192, size: int = 128, bs: int = 32, pairs: int = 3, num_it: int = 100
) -> list[Result]:
    table = solar_table(train, valid)
    with quiet():
        dls = our_loaders(table, size, bs)
    fastai_dls = fastai_loaders(table, size, bs)
    rates: dict[str, list[float]] = {"coursekit": [], "cached": [], "fastai": []}
    plain: list[float] = []

    def sweep(cache_features: bool) -> float:
        with quiet():
            learn = vision_learner(dls, ARCH)
            with Timer() as timer:
                rate = learn.lr_find(num_it=num_it, show_plot=False, cache_features=cache_features)[0]
        rates["cached" if cache_features else "coursekit"].append(rate)
        return timer.seconds

    def ours() -> float:
        plain.append(sweep(cache_features=False))
        return sweep(cache_features=True)

    def theirs() -> float:
        learn = fastai_learner(fastai_dls, vision_learner(dls, ARCH).model)
        with quiet(), learn.no_bar(), learn.no_logging(), Timer() as timer:
            rates["fastai"].append(learn.lr_find(num_it=num_it, show_plot=False).valley)
        return timer.seconds

    found = side_by_side(ours, theirs, pairs, warm_up=False)
    images = list(zip(plain, (b for _, b in found), strict=True))
    valleys = ", ".join(f"{side} {median(values):.1e}" for side, values in rates.items())
    notes = [
        f"{ARCH} at {size}, {train} training images, batches of {bs}; suggested rates: {valleys}",
        f"{spread(found)}; a pair takes minutes, so there are {pairs}",
    ]
    value, both = times_as_fast(found), precisions()
    cached = Result("P7", "lr_find, frozen, features kept", "fastai", value, "x", 20, False, found, notes, both)
    what, value = "lr_find, frozen, augmented images", times_as_fast(images)
    return [cached, Result("P7", what, "fastai", value, "x", 10, False, images, [spread(images)], both)]


if __name__ == "__main__":
    run(measure)
