"""Records what lesson 8 tells of fine-tuning: one fitted head, and five ways to go on from it, on three splits.

    .venv/bin/python -m tools.record_fine_tuning

The head of `efficientnet_lite0` is fitted on kept features. From there each way trains for as many epochs, with the
same augmentation, in float32. The result is package data, `coursekit/course/recorded/fine_tuning.json`; no lesson
runs this.
"""

import json
from typing import Any

import pandas as pd
import torch

from coursekit.augment.pipeline import aug_transforms
from coursekit.augment.resize import Resize
from coursekit.core import quiet
from coursekit.data.block import CategoryBlock, DataBlock, DataLoaders, ImageBlock
from coursekit.data.splits import StratifiedSplitter
from coursekit.data.tables_in import ColReader
from coursekit.datasets.catalogue import solar_cells
from coursekit.metrics import error_rate
from coursekit.training.learner import vision_learner
from coursekit.training.transfer import snapshot, weights_moved
from tools.notebooks import ROOT

TARGET = ROOT / "coursekit" / "course" / "recorded" / "fine_tuning.json"
ARCH, SIZE, BATCH, HEAD_EPOCHS, HEAD_RATE, EPOCHS, SEEDS = "efficientnet_lite0", 64, 32, 6, 2e-3, 3, (0, 1, 2)
LOW, HIGH = 2e-5, 1e-3
# what trains, at which rates, and what BatchNorm in the body does
WAYS: dict[str, tuple[str, Any, bool | None]] = {
    "head only": ("head", HIGH, False),
    "one high rate": ("all", HIGH, False),
    "one low rate": ("all", HIGH / 10, False),
    "slice": ("all", slice(LOW, HIGH), False),
    "slice, statistics moving": ("all", slice(LOW, HIGH), None),
}


def load_photos(seed: int) -> DataLoaders:
    """Loads all solar cells, a quarter of them for validation, mirrored and slightly turned by chance."""
    path = solar_cells()
    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_x=ColReader("image", pref=path),
        get_y=ColReader("label"),
        splitter=StratifiedSplitter(valid_pct=0.25, seed=seed),
        item_tfms=Resize(SIZE, "squish"),
        batch_tfms=aug_transforms(max_rotate=3.0, max_warp=0.0),
    )
    return block.dataloaders(pd.read_csv(path / "labels.csv"), bs=BATCH, seed=seed)


def go_on(dls: DataLoaders, start: dict[str, torch.Tensor], way: str, seed: int) -> dict[str, Any]:
    """Trains one way from `start`: losses and error after each epoch, and how far the weights of each group moved."""
    what, rates, train_bn = WAYS[way]
    learn = vision_learner(dls, ARCH, error_rate, train_bn=train_bn, seed=seed, precision="fp32")
    learn.model.load_state_dict(start)
    if what == "all":
        learn.unfreeze()
    learn.fit_one_cycle(EPOCHS, rates)
    epochs = [[round(value, 4) for value in row[1:]] for row in learn.recorder.values]
    return {
        "way": way,
        "seed": seed,
        "epochs": epochs,
        "moved": [round(m, 5) for m in weights_moved(learn.model, start)],
    }


def record(seed: int) -> list[dict[str, Any]]:
    """Fits the head on one split, and trains on in every way."""
    dls = load_photos(seed)
    learn = vision_learner(dls, ARCH, error_rate, seed=seed, precision="fp32")
    learn.fit_one_cycle(HEAD_EPOCHS, HEAD_RATE, cache_features=True)
    start, head = snapshot(learn.model), [round(value, 4) for value in learn.validate()]
    runs = []
    for way in WAYS:
        runs.append(go_on(dls, start, way, seed))
        print(json.dumps(runs[-1]), flush=True)
    return [{"seed": seed, "n_valid": dls.valid.n, "head": head}, *runs]


def main() -> None:
    with quiet():
        found = [row for seed in SEEDS for row in record(seed)]
    what = f"{ARCH} at {SIZE} px, a head fitted in {HEAD_EPOCHS} epochs, then {EPOCHS} more in five ways"
    result = {"what": what, "low": LOW, "high": HIGH, "starts": [r for r in found if "head" in r]}
    TARGET.write_text(json.dumps(result | {"runs": [r for r in found if "way" in r]}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
