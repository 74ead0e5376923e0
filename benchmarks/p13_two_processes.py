"""P13: two processes that train as one, against one process with the same batches.

Both are whole programs, started by torchrun: on the processor each process gets one core, and two talk through gloo;
where there are two GPUs, each process gets one. The losses of all batches of an epoch on a frozen body and of one with
all layers are compared, and the seconds of the second. Dropout is off, since each process draws its own.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import torch

from benchmarks.harness import Pair, Result, run, spread, times_as_fast
from benchmarks.photos import ARCH

PROGRAM = """
import json, sys, time
from pathlib import Path
from torch import nn
from coursekit import *

items = lambda folder: get_image_files(folder)[::{every}]
block = DataBlock(get_items=items, get_y=parent_label, splitter=StratifiedSplitter(0.25, seed=0), item_tfms=Resize(128))
dls = block.dataloaders(solar_cells("folders", classes=2), bs=64, device={device!r})
learn = vision_learner(dls, {arch!r}, precision="fp32")
for layer in learn.model.modules():
    if isinstance(layer, nn.Dropout):
        layer.p = 0.0
with learn.distrib_ctx():
    learn.fit_one_cycle(1, 3e-4)
    frozen = learn.recorder.losses.tolist()
    learn.unfreeze()
    start = time.perf_counter()
    learn.fit_one_cycle(1, slice(1e-6, 1e-4))
    found = {{"seconds": time.perf_counter() - start, "frozen": frozen, "unfrozen": learn.recorder.losses.tolist()}}
    if learn.engine.is_main:
        Path(sys.argv[1]).write_text(json.dumps(found))
"""


def train(size: int, every: int) -> dict:
    """What the program found with `size` processes: the losses of its batches, and the seconds of an epoch."""
    device = None if torch.accelerator.device_count() > 1 else "cpu"
    with tempfile.TemporaryDirectory() as name:
        script, found = Path(name) / "train.py", Path(name) / "found.json"
        script.write_text(PROGRAM.format(every=every, device=device, arch=ARCH))
        launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(size)]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        subprocess.run([*launcher, str(script), str(found)], env=environment, check=True, capture_output=True)
        return json.loads(found.read_text())


def furthest(one: list[float], two: list[float]) -> float:
    """The largest difference between the losses of the same batches."""
    return max(abs(a - b) for a, b in zip(one, two, strict=True))


def measure(pairs: int = 3, every: int = 4) -> list[Result]:
    times: list[Pair] = []
    apart = {"frozen": 0.0, "unfrozen": 0.0}
    for _ in range(pairs):
        two, one = train(2, every), train(1, every)
        times.append((two["seconds"], one["seconds"]))
        apart = {part: max(so_far, furthest(one[part], two[part])) for part, so_far in apart.items()}
    several = torch.accelerator.device_count() > 1
    seconds = [median(side) for side in zip(*times, strict=True)]
    notes = [f"two {seconds[0]:.1f} s, one {seconds[1]:.1f} s; {spread(times)}"]
    against = "one process, the same global batch"
    beyond = [f"in the epoch after it, with all layers: {apart['unfrozen']:.1g}; rounding grows in every step"]
    what = "two processes: largest difference of a loss, frozen epoch"
    return [
        Result("P13", what, against, apart["frozen"], "apart", 1e-5, True, times, beyond, "fp32"),
        Result(
            "P13",
            f"two processes on {'two devices' if several else 'a core each'}",
            against,
            times_as_fast(times),
            "x",
            1.9 if several else None,
            pairs=times,
            notes=notes,
            precision="fp32",
        ),
    ]


if __name__ == "__main__":
    run(measure, {"pairs": int, "every": int})
