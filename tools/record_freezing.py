"""Records what the explorer of unfreezing replays: short runs from one start, with the ways to unfreeze that it offers.

    .venv/bin/python -m tools.record_freezing

A head is fitted to the frozen body of `efficientnet_lite0`, on features without augmentation. From there on each run
is three epochs in float32. Nothing here runs in a lesson; the result is package data,
`coursekit/course/recorded/freezing.json`.
"""

import json
from typing import Any

import pandas as pd
import torch

from coursekit.augment.resize import Resize
from coursekit.data.block import CategoryBlock, DataBlock, DataLoaders, ImageBlock
from coursekit.data.splits import StratifiedSplitter
from coursekit.data.tables_in import ColReader
from coursekit.datasets.catalogue import solar_cells
from coursekit.metrics import error_rate
from coursekit.training.callbacks import ProgressTable
from coursekit.training.learner import Learner, vision_learner
from coursekit.training.transfer import count_parameters, layer_groups, snapshot, statistics_moved, weights_moved
from tools.notebooks import ROOT

TARGET = ROOT / "coursekit" / "course" / "recorded" / "freezing.json"
ARCH, SIZE, BATCH, EVERY, HEAD_EPOCHS, EPOCHS = "efficientnet_lite0", 64, 32, 2, 5, 3
FROZEN = [2, 1, 0]  # layer groups
HIGH = [1e-3, 3e-3]
SHARES = [1.0, 0.01]  # low / high
NORMS = {"group": None, "kept": False}


def load_photos() -> DataLoaders:
    """Loads every second solar cell, a quarter of them for validation, not augmented."""
    path = solar_cells()
    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_x=ColReader("image", pref=path),
        get_y=ColReader("label"),
        splitter=StratifiedSplitter(valid_pct=0.25, seed=0),
        item_tfms=Resize(SIZE),
    )
    return block.dataloaders(pd.read_csv(path / "labels.csv")[::EVERY], bs=BATCH)


def make_learner(dls: DataLoaders, train_bn: bool | None = None) -> Learner:
    """Makes a learner that prints nothing."""
    learn = vision_learner(dls, ARCH, metrics=error_rate, train_bn=train_bn, precision="fp32")
    learn.cbs = [cb for cb in learn.cbs if not isinstance(cb, ProgressTable)]
    return learn


def measure(learn: Learner, before: dict[str, torch.Tensor]) -> dict[str, Any]:
    """Measures loss, error, moved weights and drifted statistics of a run."""
    loss, error = learn.validate()
    drifts = statistics_moved(learn.model, before)
    numbers = {"loss": loss, "error": error, "moved": weights_moved(learn.model, before)}
    numbers |= {"shift": [d.shift for d in drifts], "stretch": [d.stretch for d in drifts]}
    return {k: [round(v, 6) for v in n] if isinstance(n, list) else round(n, 6) for k, n in numbers.items()}


def run(dls: DataLoaders, start: dict[str, torch.Tensor], frozen: int, low: float, high: float, norms: str) -> dict:
    """Trains `EPOCHS` epochs from `start`; a rate of zero stands for as many forward passes in training mode."""
    learn = make_learner(dls, NORMS[norms])
    learn.model.load_state_dict(start)
    learn.freeze_to(frozen)
    if high:
        learn.fit_one_cycle(EPOCHS, slice(low, high))
    else:
        learn.set_mode(training=True)
        with torch.no_grad():
            for epoch in range(EPOCHS):
                dls.train.set_epoch(epoch)
                for images, _ in dls.train:
                    learn.model(images)
    return {"frozen": frozen, "low": low, "high": high, "norms": norms, **measure(learn, start)}


def is_redundant(frozen: int, share: float, norms: str) -> bool:
    """Returns whether another combination does the same, so that this one need not be run."""
    return frozen == 2 and (norms == "kept" or share == 1.0)


def find_lazy_error(dls: DataLoaders) -> float:
    """Returns the error of always giving the commonest answer."""
    counts = torch.bincount(torch.as_tensor(dls.valid.targets))
    return round(1 - (counts.max() / counts.sum()).item(), 6)


def main() -> None:
    torch.set_num_threads(1)
    dls = load_photos()
    learn = make_learner(dls)
    learn.fit_one_cycle(HEAD_EPOCHS, 1e-3, cache_features=True)
    start = snapshot(learn.model)
    what = f"{ARCH}, a head fitted in {HEAD_EPOCHS} epochs, then {EPOCHS} more: {dls.train.n} solar cells at {SIZE} px"
    record = {"what": what, "groups": [count_parameters(g) for g in layer_groups(learn.model)]}
    record |= {"n_valid": dls.valid.n, "epochs": EPOCHS, "batches": len(dls.train), "lazy_error": find_lazy_error(dls)}
    record |= {"start": measure(learn, start), "runs": []}
    for norms in NORMS:
        for frozen in FROZEN:
            for high, share in [(0.0, 0.01), *((high, share) for high in HIGH for share in SHARES)]:
                if not is_redundant(frozen, share, norms):
                    record["runs"].append(run(dls, start, frozen, share * high, high, norms))
                    print(json.dumps(record["runs"][-1]), flush=True)
                    TARGET.write_text(json.dumps(record, indent=None) + "\n")


if __name__ == "__main__":
    main()
