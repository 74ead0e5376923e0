"""P10: what `import coursekit` costs beyond `import torch`, and what share of that `import fastai.vision.all` costs.

Every statement is timed in fresh Python processes, in turn. The share is measured if fastai is installed.
"""

import subprocess
import sys
from importlib.util import find_spec
from statistics import median

from benchmarks.harness import Result, run

BASE = "import torch"
STATEMENTS = (BASE, f"{BASE}; import coursekit", f"{BASE}; import fastai.vision.all")
PROGRAM = "import time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"


def seconds(statement: str) -> float:
    """How long `statement` takes in a fresh Python."""
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM.format(statement)]
    return float(subprocess.check_output(command, text=True, stderr=subprocess.DEVNULL))


def measure(rounds: int = 5, statements: tuple[str, ...] | None = None) -> list[Result]:
    statements = statements or STATEMENTS[: 3 if find_spec("fastai") else 2]
    times: dict[str, list[float]] = {statement: [] for statement in statements}
    for i in range(rounds + 1):  # the first round warms the disk's cache
        for statement in statements if i % 2 else reversed(statements):
            times[statement].append(seconds(statement))
    base, ours, *theirs = (times[statement][1:] for statement in statements)
    beyond = [b - a for a, b in zip(base, ours, strict=True)]
    pairs = list(zip(ours, base, strict=True))
    what, note = "import coursekit", f"torch alone: {median(base):.2f} s"
    results = [Result("P10", what, "torch alone", median(beyond), "s", 0.3, True, pairs, [note])]
    for whole in theirs:
        fastai = [b - a for a, b in zip(base, whole, strict=True)]
        share, note = 100 * median(beyond) / median(fastai), f"fastai beyond torch: {median(fastai):.2f} s"
        pairs = list(zip(beyond, fastai, strict=True))
        results.append(Result("P10", f"{what}, as a share", "fastai.vision.all", share, "%", 10, True, pairs, [note]))
    return results


if __name__ == "__main__":
    run(measure)
