"""A recipe for the solar cells that needs no GPU: validation error on three stratified 75/25 splits, and its time.

`python benchmarks/recipe_solar_cells.py [CLASSES]` (2: functional or defective; 4: the four probabilities).

The body of efficientnet_lite0 stays frozen, at 224 pixels. What the head sees is not its last layer, which knows about
dogs and boats, but blocks 3 to 5 of 7, where texture is: each pooled by maximum and mean. Cells look as sensible
mirrored, so each photo is seen in its four mirrored views, in training as four photos, in validation as four opinions.
The views go through the body once; then five heads, which differ in their random start, are trained in seconds, and
their opinions are averaged.
"""

import sys
import time
from statistics import mean

import pandas as pd
import torch
from torch import Tensor

from coursekit.core import progress
from coursekit.data import CategoryBlock, DataBlock, ImageBlock
from coursekit.datasets import solar_cells
from coursekit.engine import Engine, adamw
from coursekit.files import ColReader, RandomSplitter, StratifiedSplitter
from coursekit.loop import TrainingLoop
from coursekit.losses import CrossEntropyLoss
from coursekit.models import ConcatPool, VisionModel, build_model, create_head, load_pretrained
from coursekit.resize import Resize
from coursekit.schedule import ParamScheduler, one_cycle, one_cycle_momentum
from coursekit.transfer import FeatureLoader, param_groups

SIZE, BLOCKS, HEADS, EPOCHS, RATE, SEEDS = 224, (3, 4, 5), 5, 8, 4e-3, (0, 1, 2)
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
    model = load_pretrained(build_model("efficientnet_lite0", 2), "efficientnet_lite0").to(batches.device).eval()
    parts = [[block_features(model, x.flip(v)) for v in VIEWS] for x, _ in progress(batches, desc="features")]
    return torch.stack([torch.cat(views) for views in zip(*parts, strict=True)]).clone()


def train_head(features: Tensor, targets: Tensor, n_classes: int, seed: int) -> torch.nn.Module:
    """A head trained on (views, N, F) features, every view an item of its own."""
    items, labels = features.flatten(0, 1), targets.repeat(len(features))
    batches = FeatureLoader(items, labels, bs=256, shuffle_seed=seed)
    head = create_head(items.shape[1], n_classes, seed=seed)
    scheduler = ParamScheduler({"lr": one_cycle(RATE), "momentum": one_cycle_momentum()})
    loop = TrainingLoop(head, CrossEntropyLoss(), [], [scheduler], [[head]], Engine(items.device, "fp32"), seed)
    loop.opt = adamw(param_groups([[head]], [RATE]))
    loop.run(EPOCHS, batches, FeatureLoader(items[:1], labels[:1], bs=1))
    return head.eval()


@torch.inference_mode()
def opinion(heads: list[torch.nn.Module], features: Tensor) -> Tensor:
    """The mean probability over heads and views: (N, C)."""
    return torch.stack([head(view).softmax(1) for head in heads for view in features]).mean(0)


def main(classes: int) -> None:
    started = time.perf_counter()
    path = solar_cells(classes=classes)
    table = pd.read_csv(path / "labels.csv")
    vocab = sorted(set(table.label))
    targets = torch.tensor([vocab.index(label) for label in table.label])
    features = all_views(path, table)
    print(f"features of {len(table)} photos in {len(VIEWS)} views: {time.perf_counter() - started:.0f} s")
    errors = []
    for seed in SEEDS:
        started = time.perf_counter()
        train, valid = StratifiedSplitter(0.25, seed=seed)(list(range(len(table))), list(table.label))
        heads = [train_head(features[:, train], targets[train], len(vocab), 100 * seed + i) for i in range(HEADS)]
        wrong = opinion(heads, features[:, valid]).argmax(1) != targets[valid]
        errors.append(wrong.float().mean().item())
        print(f"split {seed}: error {errors[-1]:.1%}, {HEADS} heads in {time.perf_counter() - started:.0f} s")
    print(f"{classes} classes, mean of {len(SEEDS)} splits: error {mean(errors):.1%}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
