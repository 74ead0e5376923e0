"""P11: memory and time per image when a data set grows from a thousand images to a hundred thousand.

The files are links to a few small photos: each is decoded, cached and read as its own. Every size has a fresh
process for its memory; times are taken in one process, the two sets in turn.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.harness import Result, Timer, quiet, run, side_by_side
from benchmarks.photos import save_jpegs
from coursekit.augment.pipeline import aug_transforms
from coursekit.augment.resize import Resize
from coursekit.data.block import DataBlock
from coursekit.data.files import parent_label
from coursekit.data.splits import RandomSplitter

SIDE = 64


def link_photos(folder: Path, n: int, classes: int = 2) -> list[Path]:
    """`n` paths in a folder per class, which lead to sixteen photos."""
    photos = save_jpegs(folder / "photos", 16, (96, 80))
    paths = [folder / f"class_{i % classes}" / f"{i:06d}.jpg" for i in range(n)]
    for i in range(classes):
        (folder / f"class_{i}").mkdir()
    for i, path in enumerate(paths):
        path.symlink_to(photos[i % len(photos)])
    return paths


def resident() -> float:
    """This process's resident memory now, in MB."""
    import psutil  # of the course's environment; needed here only

    return psutil.Process().memory_info().rss / 2**20


class Growth:
    """Loaders over the first images of `paths`, with their cache built, and how long that took."""

    def __init__(self, paths: list[Path]):
        block = DataBlock(get_y=parent_label, splitter=RandomSplitter(0.1), item_tfms=Resize(SIDE))
        block.batch_tfms = aug_transforms()
        with quiet(), Timer() as timer:
            self.dls = block.dataloaders(paths, bs=64, device="cpu")
        self.first_pass = timer.seconds
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


def memory(folder: str, n: int, read: int) -> dict[str, float]:
    """Resident memory after `read` images of a set of `n` were read."""
    growth = Growth(link_photos(Path(folder), n))
    growth.read(read)
    return {"memory": resident(), "first": growth.first_pass / n}


def memory_and_times(folder: str, n: int, read: int, small: int, pairs: int) -> dict[str, Any]:
    """The same, and then seconds per image of this set and of one of its first `small` images, in turn."""
    paths = link_photos(Path(folder), n)
    many = Growth(paths)
    many.read(read)
    found = {"memory": resident(), "first": many.first_pass / n}
    few = Growth(paths[:small])
    return found | {"pairs": side_by_side(lambda: many.read(small), lambda: few.read(small), pairs)}


def in_fresh_process(call: str) -> dict[str, Any]:
    """What a function of this module returns for `call`, in a process, and with a folder, of its own."""
    with tempfile.TemporaryDirectory() as folder:
        program = f"import json, benchmarks.p11_scale as p11; folder = {folder!r}; print(json.dumps(p11.{call}))"
        environment = os.environ | {"COURSEKIT_HOME": folder}  # the cache goes with the folder
        output = subprocess.check_output([sys.executable, "-c", program], text=True, env=environment)
        return json.loads(output.splitlines()[-1])


def measure(small: int = 1000, large: int = 100_000, read: int = 10_000, pairs: int = 9) -> list[Result]:
    few = in_fresh_process(f"memory(folder, {small}, {read})")
    many = in_fresh_process(f"memory_and_times(folder, {large}, {read}, {small}, {pairs})")
    found = [(ours, theirs) for ours, theirs in many["pairs"]]
    sizes = f"{small:,} -> {large:,} images"
    memory_row = Result("P11", f"resident memory, {sizes}", "the small set", 0.0, "% more", 10, True)
    memory_row.value = 100 * (many["memory"] / few["memory"] - 1)
    memory_row.notes = [f"{few['memory']:.0f} MB -> {many['memory']:.0f} MB after {read:,} images were read"]
    time_row = Result("P11", f"time per image, {sizes}", "the small set", 0.0, "% more", 10, True, found)
    time_row.value = 100 * (median(ours / theirs for ours, theirs in found) - 1)
    time_row.notes = [
        "{:.2g} ms, small set {:.2g} ms".format(*(1000 * median(side) for side in zip(*found, strict=True))),
        f"first pass {1000 * many['first']:.2g} ms an image, small set {1000 * few['first']:.2g} ms",
    ]
    return [memory_row, time_row]


if __name__ == "__main__":
    run(measure)
