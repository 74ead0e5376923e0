"""A recipe for the solar cells that needs no GPU: validation error on three 75/25 splits of two kinds, and its time.

`python benchmarks/recipe_solar_cells.py` prints the errors, for two classes (functional or defective) and for four (the
probabilities); with `--record` it also writes `coursekit/course/recorded/solar_cells.json`, which lesson 11 reads.
The splits are stratified, as the published results' are or may be, and grouped: blocks of 60 numbers stay together, as
a stand-in for the modules that cells were cut from (lesson 1).

The body of efficientnet_lite0 stays frozen, at 224 pixels. What the head sees is not its last layer, which knows about
dogs and boats, but blocks 3 to 5 of 7, where texture is: each pooled by maximum and mean. Cells look as sensible
mirrored, so each photo is seen in its four mirrored views, in training as four photos, in validation as four opinions.
The views go through the body once; then five heads, which differ in their random start, are trained in seconds, and
their opinions are averaged.
"""

import json
import sys
import time
from pathlib import Path
from statistics import mean
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from coursekit.augment.resize import Resize
from coursekit.core import progress, write_atomic
from coursekit.data.block import CategoryBlock, DataBlock, ImageBlock
from coursekit.data.splits import GroupSplitter, RandomSplitter, StratifiedSplitter
from coursekit.data.tables_in import ColReader
from coursekit.datasets.catalogue import solar_cells
from coursekit.losses import CrossEntropyLoss
from coursekit.models.model import ConcatPool, VisionModel, build_model, create_head, load_pretrained
from coursekit.training.loop import TrainingLoop
from coursekit.training.precision import Engine, adamw
from coursekit.training.schedule import ParamScheduler, one_cycle, one_cycle_momentum
from coursekit.training.transfer import FeatureLoader, param_groups

ARCH, SIZE, BLOCKS, HEADS, EPOCHS, RATE, SEEDS = "efficientnet_lite0", 224, (3, 4, 5), 5, 8, 4e-3, (0, 1, 2)
SETTINGS = ((2, "stratified"), (4, "stratified"), (2, "grouped"), (4, "grouped"))  # classes, and how they are split
MODULE = 60  # cells of neighbouring numbers that stay together in a grouped split
TARGET = Path(__file__).resolve().parent.parent / "coursekit" / "course" / "recorded" / "solar_cells.json"
VIEWS = ((), (-1,), (-2,), (-1, -2))  # the dimensions along which a view is mirrored


def block_features(model: VisionModel, images: Tensor) -> Tensor:
    """The outputs of BLOCKS of the body, pooled by maximum and mean: (N, F)."""
    seen: list[Tensor] = []
    hooks = [model.body.blocks[i].register_forward_hook(lambda m, x, out: seen.append(out)) for i in BLOCKS]
    try:
        model.features(images)
    finally:
        for hook in hooks:
            hook.remove()
    return torch.cat([ConcatPool()(maps).float() for maps in seen], dim=1)


@torch.inference_mode()
def all_views(path, table: pd.DataFrame) -> Tensor:
    """The features of all photos of `table` in all views: (views, N, F)."""
    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_x=ColReader("image", pref=path),
        get_y=ColReader("label"),
        splitter=RandomSplitter(),
        item_tfms=Resize(SIZE, "squish"),
    )
    batches = block.dataloaders(table, bs=32).test_dl(table)
    model = load_pretrained(build_model(ARCH, 2), ARCH).to(batches.device).eval()
    parts = [[block_features(model, x.flip(v)) for v in VIEWS] for x, _ in progress(batches, desc="features")]
    return torch.stack([torch.cat(views) for views in zip(*parts, strict=True)]).clone()


def train_head(features: Tensor, targets: Tensor, n_classes: int, seed: int) -> torch.nn.Module:
    """A head trained on (views, N, F) features, every view an item of its own."""
    items, labels = features.flatten(0, 1), targets.repeat(len(features))
    batches = FeatureLoader(items, labels, bs=256, shuffle_seed=seed)
    head = create_head(items.shape[1], n_classes, seed=seed)
    scheduler = ParamScheduler({"lr": one_cycle(RATE), "momentum": one_cycle_momentum()})
    opt, engine = adamw(param_groups([[head]], [RATE])), Engine(items.device, "fp32")
    loop = TrainingLoop(head, CrossEntropyLoss(), opt, cbs=[scheduler], engine=engine, seed=seed)
    loop.run(EPOCHS, batches, FeatureLoader(items[:1], labels[:1], bs=1))
    return head.eval()


@torch.inference_mode()
def opinion(heads: list[torch.nn.Module], features: Tensor) -> Tensor:
    """The mean probability over heads and views: (N, C)."""
    return torch.stack([head(view).softmax(1) for head in heads for view in features]).mean(0)


def split(kind: str, seed: int, table: pd.DataFrame) -> tuple[list[int], list[int]]:
    """Positions for training and for validation: "stratified", or "grouped" by blocks of neighbouring numbers."""
    if kind == "stratified":
        return StratifiedSplitter(0.25, seed=seed)(list(table.image), list(table.label))
    return GroupSplitter(lambda image: int(Path(image).stem[-4:]) // MODULE, 0.25, seed=seed)(list(table.image))


def measure(features: Tensor, classes: int, kind: str, seed: int) -> dict[str, Any]:
    """Train on one split, and count what is wrong in its validation part."""
    started = time.perf_counter()
    table = pd.read_csv(solar_cells(classes=classes) / "labels.csv")
    vocab = sorted(set(table.label))
    targets = torch.tensor([vocab.index(label) for label in table.label])
    train, valid = split(kind, seed, table)
    heads = [train_head(features[:, train], targets[train], classes, 100 * seed + i) for i in range(HEADS)]
    wrong = int((opinion(heads, features[:, valid]).argmax(1) != targets[valid]).sum())
    seconds = time.perf_counter() - started
    print(f"{classes} classes, {kind} split {seed}: error {wrong / len(valid):.1%}, {seconds:.0f} s", flush=True)
    return {"classes": classes, "split": kind, "seed": seed, "n_valid": len(valid), "wrong": wrong}


def main(record: bool) -> None:
    started = time.perf_counter()
    path = solar_cells()
    features = all_views(path, pd.read_csv(path / "labels.csv"))
    print(f"features of {len(features[0])} photos in {len(VIEWS)} views: {time.perf_counter() - started:.0f} s")
    runs = [measure(features, classes, kind, seed) for classes, kind in SETTINGS for seed in SEEDS]
    for classes, kind in SETTINGS:
        errors = [r["wrong"] / r["n_valid"] for r in runs if (r["classes"], r["split"]) == (classes, kind)]
        print(f"{classes} classes, {kind}, mean of {len(SEEDS)} splits: error {mean(errors):.1%}")
    if record:
        recipe = {"arch": ARCH, "size": SIZE, "blocks": BLOCKS, "views": len(VIEWS), "heads": HEADS, "epochs": EPOCHS}
        command = "python benchmarks/recipe_solar_cells.py --record"
        text = json.dumps({"command": command, "recipe": recipe | {"rate": RATE}, "runs": runs}, indent=1)
        write_atomic(TARGET, lambda temporary: temporary.write_text(text + "\n", encoding="utf-8"))


if __name__ == "__main__":
    main(record="--record" in sys.argv)
