"""Records what the case study on textiles reads: where the spots are, and what longer trainings say on three splits.

    .venv/bin/python -m tools.record_textiles

The marks stand for somebody's clicks: a filter finds the place in each photo that is *known* to have a spot. Then, on
three splits, a head is fitted to tiles of 64 pixels, and three ways go on from it for as many epochs. On the first
split, a head also learns whole photos at full size. All is in float32, and no notebook runs it. The result is package
data, `coursekit/course/recorded/textiles.json`.
"""

import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from PIL import Image

from coursekit.augment.resize import Resize
from coursekit.core import quiet
from coursekit.data.block import DataBlock, DataLoaders
from coursekit.data.files import get_image_files, parent_label
from coursekit.data.splits import GrandparentSplitter, StratifiedSplitter
from coursekit.datasets.catalogue import textiles
from coursekit.metrics import error_rate
from coursekit.training.learner import vision_learner
from coursekit.training.transfer import snapshot
from tools.notebooks import ROOT

TARGET = ROOT / "coursekit" / "course" / "recorded" / "textiles.json"
ARCH, TILE, BATCH, SEEDS = "efficientnet_lite0", 64, 32, (0, 1, 2)
HEAD_EPOCHS, HEAD_RATE, EPOCHS, LOW, HIGH = 5, 3e-3, 4, 1e-4, 1e-3
WAYS = {"head only": HIGH, "one rate": HIGH, "slice": slice(LOW, HIGH)}
TILES = {"local": 3, "nominal": 2, "global": 2}  # of each training photo; validation photos have one
SPOT = (6, 20)  # width and height, about


def find_spot(photo: Path) -> list[int]:
    """Returns the centre (column, row) of the place where neighbouring pixels differ most."""
    with Image.open(photo) as image:
        grey = np.asarray(image.convert("L"), dtype=float)[:-1, :-1]  # without the white frame
    jumps = (grey[1:, 1:] - grey[1:, :-1] - grey[:-1, 1:] + grey[:-1, :-1]) ** 2
    width, height = SPOT
    sums = np.pad(jumps.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    windows = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    top, left = np.unravel_index(windows.argmax(), windows.shape)
    return [int(left) + width // 2, int(top) + height // 2]


def tile_box(photo: Path, mark: list[int] | None, rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Draws where a tile lies (left, top, right, bottom): anywhere, but around the mark if there is one."""
    corner = rng.integers(0, 249 - TILE, size=2)
    if mark:
        corner = np.array(mark) - [rng.integers(8, TILE - 8), rng.integers(14, TILE - 14)]
    left, top = corner.clip(0, 249 - TILE).tolist()
    return left, top, left + TILE, top + TILE


def load_tiles(folder: Path, photos: list[Path], marks: dict[str, list[int]], seed: int) -> DataLoaders:
    """Cuts tiles into `folder`, those of a photo on one side, and loads them."""
    kinds, rng = [parent_label(photo) for photo in photos], np.random.default_rng(seed)
    for part, members in zip(("train", "valid"), StratifiedSplitter(0.25, seed=seed)(photos, kinds), strict=True):
        for i in members:
            place = folder / part / kinds[i]
            place.mkdir(parents=True, exist_ok=True)
            mark = marks[photos[i].name] if kinds[i] == "local" else None
            with Image.open(photos[i]) as image:
                for k in range(TILES[kinds[i]] if part == "train" else 1):
                    image.crop(tile_box(photos[i], mark, rng)).save(place / f"{photos[i].stem}_{k}.png")
    block = DataBlock(
        get_items=get_image_files, get_y=parent_label, splitter=GrandparentSplitter(), item_tfms=Resize(TILE)
    )
    return block.dataloaders(folder, bs=BATCH, seed=seed)


def fit_full_size(photos: list[Path], seed: int) -> dict[str, Any]:
    """Trains a head on whole photos at full size: how many photos of each kind are misjudged, faulty or not."""
    block = DataBlock(get_y=parent_label, splitter=StratifiedSplitter(0.25, seed=seed), item_tfms=Resize(250))
    dls = block.dataloaders(photos, bs=8, val_bs=8, seed=seed)
    learn = vision_learner(dls, ARCH, error_rate, seed=seed, precision="fp32")
    learn.fit_one_cycle(HEAD_EPOCHS, HEAD_RATE, cache_features=True)
    probs, targets = learn.get_preds()
    nominal = dls.vocab.index("nominal")
    wrong = (probs.argmax(1) == nominal) != (targets == nominal)
    return {"seed": seed, **{kind: int(wrong[targets == i].sum()) for i, kind in enumerate(dls.vocab)}}


def go_on(dls: DataLoaders, start: dict[str, torch.Tensor], way: str, seed: int) -> dict[str, Any]:
    """Trains one way from `start`; returns training loss, validation loss and error after each epoch."""
    learn = vision_learner(dls, ARCH, error_rate, seed=seed, precision="fp32")
    learn.model.load_state_dict(start)
    if way != "head only":
        learn.unfreeze()
    learn.fit_one_cycle(EPOCHS, WAYS[way], cache_features=way == "head only")
    return {"way": way, "seed": seed, "epochs": [[round(x, 4) for x in row[1:]] for row in learn.recorder.values]}


def compare_ways(photos: list[Path], marks: dict[str, list[int]], seed: int) -> list[dict[str, Any]]:
    """Fits a head to the tiles of one split, and goes on from it in each of `WAYS`."""
    with TemporaryDirectory() as folder:
        dls = load_tiles(Path(folder), photos, marks, seed)
        learn = vision_learner(dls, ARCH, error_rate, seed=seed, precision="fp32")
        learn.fit_one_cycle(HEAD_EPOCHS, HEAD_RATE, cache_features=True)
        start, runs = snapshot(learn.model), []
        for way in WAYS:
            runs.append(go_on(dls, start, way, seed))
            print(json.dumps(runs[-1]), flush=True)
    return runs


def main() -> None:
    torch.set_num_threads(1)
    photos = get_image_files(textiles())[::2]
    marks = {photo.name: find_spot(photo) for photo in photos if parent_label(photo) == "local"}
    _, valid = StratifiedSplitter(0.25, seed=0)(photos, kinds := [parent_label(photo) for photo in photos])
    record: dict[str, Any] = {"marks": marks, "n_valid": Counter(kinds[i] for i in valid), "epochs": EPOCHS}
    record |= {"low": LOW, "high": HIGH, "runs": []}
    with quiet():
        for seed in SEEDS:
            record["runs"] += compare_ways(photos, marks, seed)
            TARGET.write_text(json.dumps(record) + "\n", encoding="utf-8")
        record["full_size"] = fit_full_size(photos, SEEDS[0])
        TARGET.write_text(json.dumps(record) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
