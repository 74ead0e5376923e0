"""Records what the explorer of the learning-rate finder replays: sweeps and short runs on the solar cells.

    .venv/bin/python -m tools.record_curves

Only the head is trained, on features of the frozen body that are computed once, so that all of it takes a few minutes.
Nothing here runs in a lesson; the result is package data, `coursekit/course/recorded/lr_finder.json`.
"""

import json
import math
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import torch
from torch import Tensor, nn

from coursekit.augment.resize import Resize
from coursekit.core import derive_seed
from coursekit.data.block import CategoryBlock, DataBlock, ImageBlock
from coursekit.data.files import get_image_files, parent_label
from coursekit.data.splits import StratifiedSplitter
from coursekit.datasets.catalogue import solar_cells
from coursekit.losses import cross_entropy
from coursekit.models.model import build_model, create_head, load_pretrained
from coursekit.training.lr_finder import rate_at
from coursekit.training.precision import adamw
from coursekit.training.transfer import FeatureLoader, body_features, param_groups
from tools.notebooks import ROOT

TARGET = ROOT / "coursekit" / "course" / "recorded" / "lr_finder.json"
ARCH, SIZE, BATCH = "efficientnet_lite0", 128, 64
SEEDS = range(5)
RANGES = [(1e-7, 10.0), (1e-5, 1.0), (1e-4, 100.0)]
STEPS = [50, 100, 200]
RUN_RATES = [10 ** (exponent / 2) for exponent in range(-12, 3)]  # 1e-6 to 10
RUN_SEEDS = range(3)
EPOCHS = 3


def load_features(folder: Path) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Returns features and targets of the training and of the validation photos."""
    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_items=get_image_files,
        get_y=parent_label,
        splitter=StratifiedSplitter(valid_pct=0.25, seed=0),
        item_tfms=Resize(SIZE),
    )
    dls = block.dataloaders(folder, bs=BATCH)
    model = build_model(ARCH, dls.c)
    load_pretrained(model, ARCH)
    return body_features(model, dls.train_eval), body_features(model, dls.valid)


def make_trainer(head: nn.Module, batches: Iterator[tuple[Tensor, Tensor]], seed: int) -> Callable[[float], float]:
    """Returns a function that trains `head` on the next batch at a given rate, and returns the batch's loss."""
    opt = adamw(param_groups([[head]], [1.0]))
    torch.manual_seed(derive_seed("record_curves", seed))  # dropout

    def train_batch(lr: float) -> float:
        for group in opt.param_groups:
            group["lr"] = lr
        x, y = next(batches)
        loss = cross_entropy(head(x), y)
        loss.backward()
        opt.step()
        opt.zero_grad()
        return loss.item()

    return train_batch


def repeat_epochs(loader: FeatureLoader) -> Iterator[tuple[Tensor, Tensor]]:
    """Yields the batches of one epoch after the other, each shuffled anew."""
    for epoch in count():
        loader.set_epoch(epoch)
        yield from loader


def round_loss(loss: float) -> float | None:
    """Returns four digits, enough for a picture; None for infinity, which JSON does not know."""
    return float(f"{loss:.4g}") if math.isfinite(loss) else None


def record_sweep(train: tuple[Tensor, Tensor], low: float, high: float, steps: int, seed: int) -> list[float | None]:
    """Returns the raw loss of each batch of a sweep that never stops early."""
    head = create_head(train[0].shape[1], 2, seed=seed).train()
    train_batch = make_trainer(head, repeat_epochs(FeatureLoader(*train, bs=BATCH, shuffle_seed=seed)), seed)
    return [round_loss(train_batch(rate_at(step, steps, low, high))) for step in range(steps)]


def record_run(
    train: tuple[Tensor, Tensor], valid: tuple[Tensor, Tensor], lr: float, seed: int
) -> tuple[list[float | None], float]:
    """Returns the raw loss of each batch of a run at a constant rate, and its error on the validation photos."""
    head = create_head(train[0].shape[1], 2, seed=seed).train()
    loader = FeatureLoader(*train, bs=BATCH, shuffle_seed=seed)
    train_batch = make_trainer(head, repeat_epochs(loader), seed)
    losses = [round_loss(train_batch(lr)) for _ in range(EPOCHS * len(loader))]
    with torch.inference_mode():
        wrong = head.eval()(valid[0]).argmax(dim=1) != valid[1]
    return losses, wrong.float().mean().item()


def main() -> None:
    train, valid = load_features(solar_cells("folders", classes=2))
    sweeps = [
        {"start": low, "end": high, "steps": n, "losses": [record_sweep(train, low, high, n, s) for s in SEEDS]}
        for low, high in RANGES
        for n in STEPS
    ]
    runs = []
    for lr in RUN_RATES:
        losses, errors = zip(*(record_run(train, valid, lr, s) for s in RUN_SEEDS), strict=True)
        runs.append({"lr": float(f"{lr:.4g}"), "losses": losses, "errors": [round_loss(e) for e in errors]})
    lazy = 1 - valid[1].bincount().max().item() / len(valid[1])
    recorded = {
        "what": f"solar cells, functional or defective; head on frozen {ARCH} features at {SIZE} pixels",
        "batch_size": BATCH,
        "epochs": EPOCHS,
        "lazy_error": round_loss(lazy),
        "sweeps": sweeps,
        "runs": runs,
    }
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(json.dumps(recorded, separators=(",", ":")) + "\n")
    print(f"{TARGET.relative_to(ROOT)}: {TARGET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
