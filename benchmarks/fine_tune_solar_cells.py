"""Fine-tunes the solar cells, end to end: error on splits by chance and by module, for two and four classes.

    python -m benchmarks.fine_tune_solar_cells            # one split, two classes
    python -m benchmarks.fine_tune_solar_cells --record   # nine splits; writes what lesson 11 reads

The head trains first, on kept features of the frozen body. Then the finder runs on the unfrozen model, and everything
trains with one-cycle at discriminative rates. A mirrored cell is a cell: training photos are mirrored by chance, and
each validation photo is judged in its four mirrored views. The settings were chosen on a split that is not reported.
"""

import json
import math
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import nll_loss

from benchmarks.harness import quiet
from benchmarks.recipe_solar_cells import SEEDS, VIEWS, split
from coursekit.augment.geometry import CoordTransform, as_matrices
from coursekit.augment.pipeline import aug_transforms
from coursekit.augment.resize import Resize
from coursekit.core import write_atomic
from coursekit.data.block import CategoryBlock, DataBlock, DataLoaders, ImageBlock
from coursekit.data.splits import IndexSplitter
from coursekit.data.tables_in import ColReader
from coursekit.datasets.catalogue import solar_cells
from coursekit.metrics import error_rate
from coursekit.training.callbacks import GradientClip
from coursekit.training.learner import Learner, vision_learner

TARGET = Path(__file__).resolve().parent.parent / "coursekit" / "course" / "recorded" / "solar_cells_fine_tuned.json"
SETTINGS = ((2, "stratified"), (4, "stratified"), (2, "grouped"))  # classes, and how they are split


@dataclass(frozen=True)
class Recipe:
    """Holds the settings of a run."""

    arch: str = "efficientnet_lite0"
    size: int = 224  # of the batches; photos have 300 x 300 pixels
    bs: int = 32
    head_epochs: int = 5  # on kept features
    head_rate: float = 4e-3
    epochs: int = 20  # of everything
    low: float = 2e-5  # peak rate of the first layers
    high: float = 1e-3  # and of the head
    clip: float = 1.0  # the largest norm of a gradient
    turn: float = 3.0  # degrees, at most


class UpsideDown(CoordTransform):
    """Mirrors half of the photos top to bottom; `aug_transforms` mirrors half of them left to right."""

    columns = ("gate",)

    def matrix(self, u: Tensor, aspect: float = 1.0) -> Tensor:
        return as_matrices((1, 0, 0), (0, torch.where(u[:, 0] < 0.5, -1.0, 1.0), 0), (0, 0, 1))


def load(classes: int, kind: str, seed: int, recipe: Recipe) -> DataLoaders:
    """Loads one split, "stratified" or "grouped"."""
    path = solar_cells(classes=classes)
    table = pd.read_csv(path / "labels.csv")
    usual = aug_transforms(max_rotate=recipe.turn, max_warp=0.0, size=recipe.size)
    cells = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_x=ColReader("image", pref=path),
        get_y=ColReader("label"),
        splitter=IndexSplitter(split(kind, seed, table)[1]),
        item_tfms=Resize(300, "squish"),
        batch_tfms=[UpsideDown(), *usual],
    )
    return cells.dataloaders(table, bs=recipe.bs, seed=seed)


def train(dls: DataLoaders, recipe: Recipe, seed: int) -> tuple[Learner, dict[str, Any]]:
    """Trains the head, then everything; returns the learner, and what was seen on the way."""
    learn = vision_learner(dls, recipe.arch, error_rate, cbs=[GradientClip(recipe.clip)], seed=seed)
    learn.fit_one_cycle(recipe.head_epochs, recipe.head_rate, cache_features=True)
    seen: dict[str, Any] = {"head_loss": round(learn.final_record[1], 4), "head_error": learn.final_record[2]}
    learn.unfreeze()
    valley = learn.lr_find(show_plot=False)[0]
    seen["valley"] = None if math.isnan(valley) else valley
    learn.fit_one_cycle(recipe.epochs, slice(recipe.low, recipe.high))
    seen["epochs"] = [[round(loss, 4) for loss in row[1:3]] for row in learn.recorder.values]
    return learn, seen


@torch.inference_mode()
def opinion(learn: Learner, batches: Iterable[tuple[Tensor, Any]]) -> Tensor:
    """Returns the mean probability over the mirrored views: (N, C)."""
    model = learn.model.eval()
    rows = [torch.stack([model(x.flip(v)).float().softmax(1) for v in VIEWS]).mean(0) for x, _ in batches]
    return torch.cat(rows).cpu()


def measure(classes: int, kind: str, seed: int, recipe: Recipe) -> dict[str, Any]:
    """Trains on one split, and counts what is wrong in its validation part."""
    with quiet():
        dls = load(classes, kind, seed, recipe)
        learn, seen = train(dls, recipe, seed)
        plain, targets = learn.get_preds()
        views = opinion(learn, dls.valid)
    row: dict[str, Any] = {"classes": classes, "split": kind, "seed": seed, "n_valid": len(targets)}
    row |= {"wrong": count_wrong(views, targets), "wrong_one_view": count_wrong(plain, targets)}
    row |= {"loss": mean_loss(views, targets), "loss_one_view": mean_loss(plain, targets)}
    if classes == 4:  # the same model, asked whether the cell is defective
        bad = torch.tensor([dls.vocab.index(name) for name in ("defective", "likely_defective")])
        as_two = torch.stack([1 - views[:, bad].sum(1), views[:, bad].sum(1)], dim=1)
        row["wrong_as_two"] = count_wrong(as_two, torch.isin(targets, bad).long())
    return {**row, **seen}


def count_wrong(probs: Tensor, targets: Tensor) -> int:
    """Counts the items whose most probable class is not their own."""
    return int((probs.argmax(1) != targets).sum())


def mean_loss(probs: Tensor, targets: Tensor) -> float:
    """Returns the cross-entropy of probabilities."""
    return round(float(nll_loss(probs.log(), targets)), 4)


def describe(row: dict[str, Any]) -> str:
    """Returns the result of one split, in a line."""
    one, four = row["wrong_one_view"] / row["n_valid"], row["wrong"] / row["n_valid"]
    what = f"{row['classes']} classes, {row['split']} split {row['seed']}"
    return f"{what}: head {row['head_error']:.1%}, all {one:.1%}, in four views {four:.1%}"


def main(record: bool) -> None:
    recipe, runs = Recipe(), []
    for classes, kind, seed in [(*s, seed) for s in SETTINGS for seed in SEEDS][: None if record else 1]:
        started = time.perf_counter()
        runs.append(measure(classes, kind, seed, recipe))
        print(f"{describe(runs[-1])}; {time.perf_counter() - started:.0f} s", flush=True)
    if not record:
        return
    for setting in SETTINGS:
        errors = [r["wrong"] / r["n_valid"] for r in runs if (r["classes"], r["split"]) == setting]
        print(f"{setting[0]} classes, {setting[1]}, mean of {len(SEEDS)} splits: error {mean(errors):.1%}")
    command = "python -m benchmarks.fine_tune_solar_cells --record"
    text = json.dumps({"command": command, "recipe": asdict(recipe), "runs": runs})
    write_atomic(TARGET, lambda temporary: temporary.write_text(text + "\n", encoding="utf-8"))


if __name__ == "__main__":
    main(record="--record" in sys.argv)
