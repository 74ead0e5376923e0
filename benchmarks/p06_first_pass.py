"""P6: the first pass over a folder of JPEG files (decode, resize, write the cache), against Pillow doing no more than
decoding and resizing, in as many processes as there are processors. Those are running before the clock starts."""

import json
import multiprocessing
import os
import tempfile
from pathlib import Path

from PIL import Image

from benchmarks.harness import Result, Timer, quiet, run, share_of_limit, side_by_side, spread
from benchmarks.photos import save_jpegs
from coursekit.augment.resize import Resize
from coursekit.data.cache import PresizeCache

SIDE = 224
START = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"


def decode_and_resize(path: Path) -> None:
    """What has to be done for every photo, whoever does it: the short side comes to `SIDE` pixels."""
    with Image.open(path) as img:
        factor = SIDE / min(img.size)
        img.resize((round(img.width * factor), round(img.height * factor)), Image.Resampling.BILINEAR)


def measure(images: int = 600, size: tuple[int, int] = (500, 375), pairs: int = 7) -> list[Result]:
    processes = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    resize = Resize(SIDE)
    with tempfile.TemporaryDirectory() as name, multiprocessing.get_context(START).Pool(processes) as pool:
        paths = save_jpegs(Path(name) / "photos", images, size)
        pool.map(decode_and_resize, paths[: 4 * processes])  # so that they have imported Pillow

        def ours() -> float:
            with tempfile.TemporaryDirectory(dir=name) as folder, quiet(), Timer() as timer:
                cache = PresizeCache.open(paths, resize.prepared_size, json.dumps(resize.spec()), folder)
            assert len(cache) == images
            return timer.seconds

        def pillow() -> float:
            with Timer() as timer:
                pool.map(decode_and_resize, paths, chunksize=16)
            return timer.seconds

        found = side_by_side(ours, pillow, pairs)
        kilobytes = sum(path.stat().st_size for path in paths) / images / 1000
    rate = images / min(theirs for _, theirs in found)
    notes = [f"{images} JPEG files of {size[0]} x {size[1]}, {kilobytes:.0f} kB each; Pillow alone: {rate:.0f} img/s"]
    limit = f"Pillow decode + resize in {processes} processes"
    value = share_of_limit(found)
    return [Result("P6", "first pass over JPEGs", limit, value, "%", 95, False, found, [*notes, spread(found)])]


if __name__ == "__main__":
    run(measure)
