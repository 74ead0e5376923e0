"""P11: what grows when a data set grows: memory, time per image, start-up, the audit; and with many classes.

    python -m benchmarks.p11_scale [--sizes 1000,10000]

The images are small JPEG files, all different, made once for a run. Every size has a fresh process, so that its memory
is its own. Times of reading are taken in one process, the smallest and the largest set in turn. `growth.png` shows
everything against the size: what is flat there grows in proportion, or does not grow.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image

from benchmarks.harness import Result, Timer, quiet, run, side_by_side
from coursekit.augment.pipeline import aug_transforms
from coursekit.augment.resize import Resize
from coursekit.core import progress
from coursekit.data.audit import audit
from coursekit.data.block import DataBlock
from coursekit.data.files import parent_label
from coursekit.data.splits import RandomSplitter
from coursekit.results.confusion import confused_order
from coursekit.results.interpret import ClassificationInterpretation

SIDE, CLASSES = 64, 10
PICTURE = Path(__file__).resolve().parent / "growth.png"


def make_images(folder: Path, n: int, classes: int = CLASSES, seed: int = 0) -> list[Path]:
    """Makes `n` different JPEG files of 64 x 64 pixels and 1.3 kB, in a folder per class; returns their paths."""
    rng = np.random.default_rng(seed)
    for label in range(classes):
        (folder / f"class_{label}").mkdir(parents=True, exist_ok=True)
    paths = [folder / f"class_{i % classes}" / f"{i:06d}.jpg" for i in range(n)]
    for path in progress(paths, desc="making images"):
        blobs = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
        blobs.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(path, quality=80)
    return paths


def list_images(folder: str, n: int) -> list[Path]:
    """Returns the paths of the first `n` images that `make_images` made in `folder`."""
    return [Path(folder) / f"class_{i % CLASSES}" / f"{i:06d}.jpg" for i in range(n)]


def resident() -> float:
    """This process's resident memory now, in MB: its own, and the parts of files that it has mapped."""
    import psutil  # of the course's environment; needed here only

    return psutil.Process().memory_info().rss / 2**20


def own_memory() -> float:
    """The part of it that is no file's, in MB: pages of the cache file belong to the system, which takes them back."""
    import psutil

    found = psutil.Process().memory_info()
    return (found.rss - getattr(found, "shared", 0)) / 2**20


class Growth:
    """Loaders over `paths`, and how long it took to make them: `seconds`."""

    def __init__(self, paths: Sequence[Path]):
        block = DataBlock(get_y=parent_label, splitter=RandomSplitter(0.1), item_tfms=Resize(SIDE))
        block.batch_tfms = aug_transforms()
        with quiet(), Timer() as timer:
            self.dls = block.dataloaders(paths, bs=64, device="cpu")
        self.seconds = timer.seconds
        self.batches = self.endless()

    def endless(self) -> Iterator[int]:
        """The sizes of batches, epoch after epoch."""
        for epoch in itertools.count():
            self.dls.train.set_epoch(epoch)
            yield from (len(x) for x, _ in self.dls.train)

    def read(self, n: int) -> float:
        """Seconds per image of the next `n` or so, decoded long ago, augmented now."""
        done = 0
        with Timer() as timer:
            while done < n:
                done += next(self.batches)
        return timer.seconds / done


def costs(folder: str, n: int, read: int) -> dict[str, float]:
    """What a set of `n` images costs: memory in MB after `read` images; times in seconds, of all images together."""
    paths = list_images(folder, n)
    first = Growth(paths).seconds
    growth = Growth(paths)
    with Timer() as start:
        growth.read(1)
    growth.read(read)
    found = {
        "memory": resident(),
        "own memory": own_memory(),
        "first pass": first,
        "DataBlock": growth.seconds,
        "first batch": start.seconds,
    }
    with quiet(), Timer() as timer:
        audit(paths, parent_label, RandomSplitter(0.1))
    return found | {"audit": timer.seconds}


def reading(folder: str, few: int, many: int, read: int, pairs: int) -> list[tuple[float, float]]:
    """Seconds per image, of the large set and of the small one, in turn."""
    large, small = Growth(list_images(folder, many)), Growth(list_images(folder, few))
    return side_by_side(lambda: large.read(read), lambda: small.read(read), pairs)


def confusions(n_classes: int, images: int) -> dict[str, float]:
    """Seconds of what lesson 9 does, with this many classes: of 100 images, 20 are taken for a class nearby."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, n_classes, images)
    answers = np.where(rng.random(images) < 0.8, targets, (targets + rng.geometric(0.3, images)) % n_classes)
    probs = torch.zeros(images, n_classes).index_put_((torch.arange(images), torch.from_numpy(answers)), torch.ones(()))
    names = [f"class {i}" for i in range(n_classes)]
    interp = ClassificationInterpretation(probs, torch.from_numpy(targets), names)
    work = {
        "matrix": interp.confusion_matrix,
        "most confused": interp.most_confused,
        "report": interp.classification_report,
        "order": lambda: confused_order(interp.confusion_matrix()),
        "picture": lambda: interp.plot_confusion_matrix().draw_without_rendering(),
    }
    found = {}
    for name, function in work.items():
        with Timer() as timer:
            function()
        found[name] = timer.seconds
    return found | {"memory": resident()}


def in_fresh_process(call: str, home: str) -> Any:
    """What a function of this module returns for `call`, in a process of its own, whose caches lie in `home`."""
    program = f"import json, benchmarks.p11_scale as p11; print(json.dumps(p11.{call}))"
    environment = os.environ | {"COURSEKIT_HOME": home}
    output = subprocess.check_output([sys.executable, "-W", "ignore", "-c", program], text=True, env=environment)
    return json.loads(output.splitlines()[-1])


def sizes_of(text: str) -> tuple[int, ...]:
    """Reads sizes from the command line: "1000,10000"."""
    return tuple(int(size) for size in text.split(","))


def measure(
    sizes: tuple[int, ...] = (1000, 10_000, 100_000),
    read: int = 10_000,
    pairs: int = 9,
    classes: tuple[int, ...] = (1000, 10_000),
    images: int = 20_000,
    picture: Path | None = PICTURE,
) -> list[Result]:
    few, many = sizes[0], sizes[-1]
    with tempfile.TemporaryDirectory() as name:
        folder = str(Path(name) / "images")
        make_images(Path(folder), many)
        found = {}
        for n in sizes:
            with tempfile.TemporaryDirectory(dir=name) as home:
                found[n] = in_fresh_process(f"costs({folder!r}, {n}, {read})", home)
        turns = in_fresh_process(f"reading({folder!r}, {few}, {many}, {min(few, read)}, {pairs})", name)
    by_classes = {n: in_fresh_process(f"confusions({n}, {images})", name) for n in classes}
    if picture:
        draw_growth(found, by_classes).savefig(picture, dpi=110)
    return [*growth_rows(found, [(ours, theirs) for ours, theirs in turns], read), class_row(by_classes, images)]


def growth_rows(found: dict[int, dict[str, float]], turns: list[tuple[float, float]], read: int) -> list[Result]:
    """Rows of what may not grow: memory, time per image of reading, of start-up and of the audit."""
    few, many = min(found), max(found)
    sizes, small = f"{few:,} -> {many:,} images", "the small set"
    memory = Result("P11", f"resident memory, {sizes}", small, 0.0, "% more", 10, True)
    memory.value = 100 * (found[many]["memory"] / found[few]["memory"] - 1)
    listed = ", ".join(f"{n:,}: {costs['memory']:.0f} MB" for n, costs in found.items())
    own = ", ".join(f"{n:,}: {costs['own memory']:.0f} MB" for n, costs in found.items())
    memory.notes = [f"after {read:,} images were read, {listed}; without pages of files {own}"]
    time = Result("P11", f"time per image, {sizes}", small, 0.0, "% more", 5, True, turns)
    time.value = 100 * (median(ours / theirs for ours, theirs in turns) - 1)
    time.notes = ["{:.2g} ms, small set {:.2g} ms".format(*(1000 * median(s) for s in zip(*turns, strict=True)))]
    rows = [memory, time]
    for what in ("first pass", "DataBlock", "audit"):
        each = {n: 1e3 * costs[what] / n for n, costs in found.items()}
        row = Result("P11", f"{what} per image, {sizes}", small, 0.0, "% more", 0, True)
        row.value, row.aim = 100 * (each[many] / each[few] - 1), 25  # one run each; what grows with n log n has 20
        row.notes = [", ".join(f"{n:,}: {ms:.2g} ms an image" for n, ms in each.items())]
        rows.append(row)
    return rows


def class_row(by_classes: dict[int, dict[str, float]], images: int) -> Result:
    """The row of many classes: seconds of all that lesson 9 does with a confusion matrix."""
    most = max(by_classes)
    seconds = {n: sum(s for what, s in found.items() if what != "memory") for n, found in by_classes.items()}
    notes = []
    for n, found in by_classes.items():
        words = (f"{what} {value:.2g} {'MB' if what == 'memory' else 's'}" for what, value in found.items())
        notes.append(f"{n:,} classes: {', '.join(words)}")
    what = f"confusions of {most:,} classes, {images:,} images"
    return Result("P11", what, f"{min(by_classes):,} classes", seconds[most], "s", None, True, [], notes)


def draw_growth(found: dict[int, dict[str, float]], by_classes: dict[int, dict[str, float]]) -> Figure:
    """Everything against the size, both on logarithmic scales: per image, so what is flat grows in proportion."""
    figure = Figure(figsize=(12, 4), layout="constrained")
    times, memory, classes = figure.subplots(1, 3)
    for what, marker in (("first pass", "o"), ("DataBlock", "s"), ("audit", "^"), ("first batch", "v")):
        per_image = what != "first batch"
        points = [1e3 * costs[what] / (n if per_image else 1) for n, costs in found.items()]
        times.plot(list(found), points, marker + "-", label=f"{what}, an image" if per_image else what)
    times.set(title="Time", ylabel="ms", xlabel="images", yscale="log")
    for what, marker in (("memory", "o"), ("own memory", "s")):
        memory.plot(list(found), [costs[what] for costs in found.values()], marker + "-", label=what)
    memory.set(title="Resident memory, and without pages of files", ylabel="MB", xlabel="images")
    memory.set_ylim(0, 1.3 * max(costs["memory"] for costs in found.values()))
    for what in next(iter(by_classes.values())).keys() - {"memory"}:
        classes.plot(list(by_classes), [costs[what] for costs in by_classes.values()], "o-", label=what)
    classes.set(title="Confusions", ylabel="seconds", xlabel="classes", yscale="log")
    for axes in (times, memory, classes):
        axes.set_xscale("log")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(fontsize=8)
    figure.suptitle("What grows with the number of images, and of classes")
    return figure


if __name__ == "__main__":
    run(measure, {"sizes": sizes_of})
