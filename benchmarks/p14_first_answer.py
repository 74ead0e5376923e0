"""P14: a new process that loads an exported model and predicts one photo, against what cannot be left out.

That is: importing torch and timm, building the network, loading its weights from the same file, decoding and resizing
the photo, and a bare forward pass. Both are fresh Python processes, in turn, timed from their first line.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.harness import Result, quiet, run, side_by_side, spread
from benchmarks.photos import ARCH, our_loaders, save_jpegs, solar_table
from coursekit.export.folder import WEIGHTS_FILE
from coursekit.training.learner import vision_learner

CLOCK = "import time; start = time.perf_counter()\n{}\nprint(time.perf_counter() - start)"
OURS = """
from coursekit import load_learner
load_learner({folder!r}).predict({photo!r})
"""
LIMIT = """
import numpy as np
import timm
import torch
from PIL import Image
from safetensors.torch import load_file

tensors = load_file({file!r})
body = timm.create_model("tf_efficientnet_lite0", num_classes=0, global_pool="")
body.load_state_dict({{name[5:]: tensor for name, tensor in tensors.items() if name.startswith("body.")}})
body.eval().to(memory_format=torch.channels_last)
photo = Image.open({photo!r}).convert("RGB").resize(({size}, {size}), Image.Resampling.BILINEAR)
with torch.inference_mode():
    maps = body(torch.from_numpy(np.array(photo)).permute(2, 0, 1)[None].float() / 255)
    hidden = torch.relu(torch.cat([maps.amax((2, 3)), maps.mean((2, 3))], 1) @ tensors["head.linear1.weight"].T)
    (hidden @ tensors["head.linear2.weight"].T).softmax(1).tolist()
"""


def seconds(program: str) -> float:
    """How long a program takes in a fresh Python, from its first line."""
    command = [sys.executable, "-W", "ignore", "-c", CLOCK.format(program)]
    return float(subprocess.check_output(command, text=True).splitlines()[-1])


def measure(size: int = 224, pairs: int = 7) -> list[Result]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "export"
        photo = str(save_jpegs(Path(name) / "photos", 1)[0])
        with quiet():
            vision_learner(our_loaders(solar_table(16, 8), size, 8), ARCH).export(folder)
        ours = OURS.format(folder=str(folder), photo=photo)
        limit = LIMIT.format(file=str(folder / WEIGHTS_FILE), photo=photo, size=size)
        found = side_by_side(lambda: seconds(ours), lambda: seconds(limit), pairs)
    times = [median(side) for side in zip(*found, strict=True)]
    notes = [f"{times[0]:.2f} s, bare {times[1]:.2f} s; {spread(found)}"]
    ratio = median(mine / bare for mine, bare in found)
    what, against = "new process, load_learner and first predict", "imports, weights and a bare forward"
    return [Result("P14", what, against, ratio, "x the time", 1.15, True, found, notes, "fp32 / fp32")]


if __name__ == "__main__":
    run(measure)
