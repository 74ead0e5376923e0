"""P10: what `import coursekit` costs beyond torch, torchvision and timm, and what `import fastai.vision.all` does.

Every statement is timed in fresh Python processes, one after the other in turn.
"""

import subprocess
import sys
from statistics import median

from benchmarks.harness import Result, run

BASE = "import torch, torchvision, timm"
STATEMENTS = (BASE, f"{BASE}; import coursekit", f"{BASE}; import fastai.vision.all")
PROGRAM = "import time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"


def seconds(statement: str) -> float:
    """How long `statement` takes in a fresh Python."""
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM.format(statement)]
    return float(subprocess.check_output(command, text=True, stderr=subprocess.DEVNULL))


def measure(rounds: int = 5, statements: tuple[str, ...] = STATEMENTS) -> list[Result]:
    times: dict[str, list[float]] = {statement: [] for statement in statements}
    for i in range(rounds + 1):  # the first round warms the disk's cache
        for statement in statements if i % 2 else reversed(statements):
            times[statement].append(seconds(statement))
    base, ours, theirs = (times[statement][1:] for statement in statements)
    beyond = [b - a for a, b in zip(base, ours, strict=True)]
    fastai = [b - a for a, b in zip(base, theirs, strict=True)]
    pairs = list(zip(beyond, fastai, strict=True))
    note = f"torch, torchvision and timm: {median(base):.2f} s; fastai beyond them: {median(fastai):.2f} s"
    share = 100 * median(beyond) / median(fastai)
    what, torch_timm = "import coursekit", "torch, torchvision and timm alone"
    return [
        Result("P10", what, torch_timm, median(beyond), "s", 0.3, True, pairs, [note]),
        Result("P10", f"{what}, as a share", "fastai.vision.all", share, "%", 33, True, pairs),
    ]


if __name__ == "__main__":
    run(measure)
