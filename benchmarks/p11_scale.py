"""P11: memory and time per image when a data set grows from a thousand images to a hundred thousand.

The files are links to a few small photos: each is decoded, cached and read as its own. Every size runs in a fresh
process, which tells its own peak of resident memory.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.harness import Result, Timer, quiet, run
from benchmarks.photos import save_jpegs
from coursekit.augment import Resize, aug_transforms
from coursekit.data import DataBlock
from coursekit.files import RandomSplitter, parent_label

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


def grow(folder: str, n: int, epoch: int) -> dict[str, float]:
    """Build loaders for `n` images, and read `epoch` of them: seconds per image for both, and resident memory after."""
    paths = link_photos(Path(folder), n)
    block = DataBlock(get_y=parent_label, splitter=RandomSplitter(0.1), item_tfms=Resize(SIDE))
    block.batch_tfms = aug_transforms()
    with quiet(), Timer() as first:
        dls = block.dataloaders(paths, bs=64, device="cpu")
    read = 0
    with Timer() as later:
        while read < epoch:
            for x, _ in dls.train:
                read += len(x)
                if read >= epoch:
                    break
    return {"first": first.seconds / n, "later": later.seconds / read, "memory": resident()}


def in_fresh_process(n: int, epoch: int) -> dict[str, float]:
    """`grow` in a process and a folder of its own; the cache goes with the folder."""
    with tempfile.TemporaryDirectory() as folder:
        program = (
            f"import json; from benchmarks.p11_scale import grow; print(json.dumps(grow({folder!r}, {n}, {epoch})))"
        )
        environment = os.environ | {"COURSEKIT_HOME": folder}
        output = subprocess.check_output([sys.executable, "-c", program], text=True, env=environment)
        return json.loads(output.splitlines()[-1])


def measure(small: int = 1000, large: int = 100_000, epoch: int = 20_000) -> list[Result]:
    few, many = in_fresh_process(small, epoch), in_fresh_process(large, epoch)
    what = f"{small:,} -> {large:,} images"
    rows = []
    for key, name, unit in (("memory", "resident memory", "MB"), ("later", "time per image, cached", "ms")):
        factor = 1 if unit == "MB" else 1000
        notes = [f"{few[key] * factor:.3g} {unit} -> {many[key] * factor:.3g} {unit}"]
        growth = 100 * (many[key] / few[key] - 1)
        rows.append(Result("P11", f"{name}, {what}", f"{small:,} images", growth, "% more", 10, True, [], notes))
    rows[1].notes.append(f"first pass {few['first'] * 1000:.3g} ms -> {many['first'] * 1000:.3g} ms an image")
    return rows


if __name__ == "__main__":
    run(measure)
