"""What `import coursekit` costs beyond torch, torchvision and timm: five pairs of fresh processes, in turn."""

import subprocess
import sys
from statistics import median

BASE = "import torch, torchvision, timm"
PROGRAM = "import time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"


def seconds(statement: str) -> float:
    """How long `statement` takes in a fresh Python."""
    return float(subprocess.check_output([sys.executable, "-c", PROGRAM.format(statement)], text=True))


def main() -> None:
    pairs = []
    for i in range(6):
        order = [BASE, f"{BASE}; import coursekit"]
        times = {statement: seconds(statement) for statement in (order if i % 2 else order[::-1])}
        if i:  # the first pair warms the disk's cache
            pairs.append((times[order[0]], times[order[1]]))
    extra = median(b - a for a, b in pairs)
    print(f"torch, torchvision, timm: {median(a for a, _ in pairs):.2f} s; coursekit on top: {extra:.2f} s")


if __name__ == "__main__":
    main()
