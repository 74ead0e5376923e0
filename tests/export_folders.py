"""Exports that tests write, read and spoil; shared by the test files whose names begin with test_export."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import torch

from coursekit.augment.pipeline import BatchPipeline
from coursekit.augment.resize import Resize
from coursekit.export.folder import TEXT_FILE, export_model
from coursekit.models.model import VisionModel, build_model

ARCH = "test_resnet"
VOCAB = ["cat", "dog", "hörnchen"]
PREPROCESSING = {"item_tfms": Resize(64).spec(), "batch": BatchPipeline().spec()}


def trained(arch: str = ARCH, n: int = len(VOCAB), seed: int = 1, size: int = 64) -> VisionModel:
    """A model with statistics that are not those of a new one, as after training."""
    model = build_model(arch, n, seed=seed)
    with torch.no_grad():
        model.train()(torch.rand(8, 3, size, size, generator=torch.Generator().manual_seed(seed)))
    return model.eval()


def write_to(folder: Path, **changes) -> Path:
    settings = {"arch": ARCH, "vocab": VOCAB, "preprocessing": PREPROCESSING} | changes
    model = settings.pop("model", None) or trained(settings["arch"], len(settings["vocab"]))
    return export_model(folder, model, **settings)


def edit(folder: Path, change) -> None:
    text = json.loads((folder / TEXT_FILE).read_text("utf-8"))
    text = change(text) or text
    (folder / TEXT_FILE).write_text(json.dumps(text), "utf-8")


def run_python(code: str, *arguments: object) -> str:
    """The output of a new Python process; its working directory and module path are this one's."""
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout
