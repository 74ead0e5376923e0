"""What several processes do together, to be compared with one: the program of tests/training/test_distributed.py.

    python many_processes.py PHOTOS FOLDER PART...          one process; or the same after a launcher's name

Runs the named parts (functions below) and writes what each returns to FOLDER/PROCESS.pt, where PROCESS is the number of
the process, or "one". Each process works in a folder of its own, FOLDER/PROCESS: the tests see who has written there.
"""

import json
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

import torch
from torch import nn

from coursekit import (
    Callback,
    CategoryBlock,
    CrossEntropyLoss,
    CSVLog,
    DataBlock,
    GradientAccumulation,
    GradientClip,
    ImageBlock,
    Learner,
    Resize,
    SaveBest,
    StratifiedSplitter,
    aug_transforms,
    error_rate,
    get_image_files,
    parent_label,
    vision_learner,
)
from coursekit.core import CoursekitError
from coursekit.training.precision import adamw

SGD = partial(torch.optim.SGD, momentum=0.9)


def loaders(photos: Path, bs: int = 8, split_seed: int = 0, **kwargs):
    """48 photos of two kinds: 34 to train on, with random crops and augmentation, 14 to validate on in batches of 4."""
    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_items=get_image_files,
        get_y=parent_label,
        splitter=StratifiedSplitter(0.3, seed=split_seed),
        item_tfms=Resize(32, "crop"),
        batch_tfms=aug_transforms(),
    )
    return block.dataloaders(photos, bs=bs, val_bs=4, device="cpu", **kwargs)


class Branches(nn.Module):
    """A small network with batch normalisation, and a layer that no batch reaches: nothing may move it."""

    def __init__(self):
        super().__init__()
        layers = [nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 6, 3, bias=False)]
        self.body = nn.Sequential(*layers, nn.BatchNorm2d(6), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head, self.unused = nn.Linear(6, 2), nn.Linear(2, 2)

    def forward(self, x):
        return self.head(self.body(x))


def toy(dls, weights_seed: int = 0, **kwargs) -> Learner:
    torch.manual_seed(weights_seed)
    return Learner(dls, Branches(), **{"metrics": error_rate, "precision": "fp32", "opt_func": SGD, **kwargs})


def result(learn: Learner, **more) -> dict:
    state = {name: tensor.clone() for name, tensor in learn.model.state_dict().items()}
    return {"weights": state, "losses": torch.tensor(learn.recorder.losses), "values": learn.recorder.values, **more}


def plain(photos: Path, folder: Path) -> dict:
    """Predictions, training, and a sweep; other processes than the main one have drawn other weights."""
    learn = toy(loaders(photos), weights_seed=int(os.environ.get("RANK", 0)), opt_func=adamw)
    with learn.distrib_ctx():
        images = get_image_files(photos)
        preds = [learn.get_preds(), learn.get_preds(ds_idx=0), learn.tta(n=1)]
        for n, bs in ((1, 4), (3, 4), (13, 3)):  # fewer batches than processes, and uneven ones
            preds.append(learn.get_preds(dl=learn.dls.test_dl(images[:n], bs=bs)))
        one = learn.predict(images[0])[2]
        learn.fit_one_cycle(2, 0.005, cbs=CSVLog("history.csv"))
        rate = learn.lr_find(num_it=30, start_lr=1e-4, end_lr=1, stop_div=False)[0]
        learn.save("toy")
        print("said by one")
    return result(learn, preds=preds, one=one, rate=rate, validated=learn.validate())


def small_batches(photos: Path, folder: Path) -> dict:
    """A last batch of two images: with three processes one has none. Weights of classes, accumulation, clipping."""
    loss = CrossEntropyLoss(weight=torch.tensor([1.0, 3.0]))
    cbs = [GradientAccumulation(2), GradientClip(0.5)]
    learn = toy(loaders(photos), loss_func=loss, cbs=cbs)
    with learn.distrib_ctx():
        learn.fit(2, 0.05)
    summed = toy(loaders(photos, bs=3), loss_func=nn.CrossEntropyLoss(reduction="sum"))
    with summed.distrib_ctx():
        summed.fit(1, 0.005)
    return result(learn, summed=torch.tensor(summed.recorder.losses))


def frozen_and_unfrozen(photos: Path, folder: Path) -> dict:
    """A network with a body and a head: features kept, head alone, then all of it, without going out of the block."""
    settings = {"pretrained": False, "metrics": error_rate, "precision": "fp32", "train_bn": False, "opt_func": SGD}
    learn = vision_learner(loaders(photos, bs=10), "test_resnet", **settings)
    for layer in learn.model.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    with learn.distrib_ctx():
        learn.freeze()
        learn.fit(1, 0.01, cache_features=True)
        learn.fit(1, 0.01)
        learn.unfreeze()
        learn.fit(1, 0.002, cbs=SaveBest(folder / "best"))
        learn.export("exported")
        features = learn.get_features()
    return result(learn, features=features)


def precisions(photos: Path, folder: Path) -> dict:
    """Steps in bfloat16, and in float16 with its scaler."""
    found = {}
    for precision in ("bf16", "fp16"):
        learn = toy(loaders(photos), precision=precision)
        if precision == "fp16":  # low enough that no gradient of a part overflows
            learn.engine.scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
        with learn.distrib_ctx():
            learn.fit(2, 0.05)
        found[precision] = torch.tensor(learn.recorder.losses)
        found[f"{precision} scaler"] = learn.engine.scaler.state_dict()
        found[f"{precision} weights"] = learn.model.state_dict()
    return found


def dropout(photos: Path, folder: Path) -> dict:
    """The masks of dropout, which differ between processes, since their images do."""
    masks = []

    class Look(Callback):
        def after_batch(self, learn):
            masks.append(nn.functional.dropout(torch.ones(64)))

    learn = toy(loaders(photos))
    with learn.distrib_ctx():
        learn.fit(1, 0.01, cbs=Look())
    return {"masks": torch.stack(masks)}


def first_half(photos: Path, folder: Path) -> dict:
    return _resumed(photos, folder, 2)


def whole(photos: Path, folder: Path) -> dict:
    return _resumed(photos, folder, 4)


def _resumed(photos: Path, folder: Path, n_epoch: int) -> dict:
    learn = toy(loaders(photos))
    with learn.distrib_ctx():
        learn.fit(n_epoch, 0.01, resume=folder / "run.safetensors", cbs=CSVLog("resumed.csv"))
    return result(learn)


def other_split(photos: Path, folder: Path) -> dict:
    """A split that is another one in each process: refused by all of them, before the first step."""
    learn = toy(loaders(photos, split_seed=int(os.environ["RANK"])))
    try:
        with learn.distrib_ctx():
            learn.fit(1)
    except CoursekitError as error:
        return {"error": str(error)}
    return {}


def trouble(photos: Path, folder: Path, what: str) -> dict:
    """The last process is killed, hangs or raises an error in the middle; says how the others end."""
    rank, started = int(os.environ["RANK"]), time.monotonic()

    class Trouble(Callback):
        def before_batch(self, learn):
            if rank == 1 and learn.epoch == 1 and learn.batch == 1:
                if what == "killed":
                    os.kill(os.getpid(), signal.SIGKILL)
                if what == "hangs":
                    time.sleep(8)
                raise ValueError("only here")

    learn = toy(loaders(photos))
    try:
        with learn.distrib_ctx(timeout=4):
            learn.fit(3, 0.02, resume=folder / f"{what}.safetensors", cbs=Trouble())
    except Exception as error:
        found = {"error": f"{type(error).__name__}: {error}", "seconds": time.monotonic() - started}
    try:
        with learn.distrib_ctx():
            pass
    except CoursekitError as error:
        found["again"] = str(error)
    return found


killed, hangs, raises = (partial(trouble, what=what) for what in ("killed", "hangs", "raises"))


def main(photos: str, folder: str, *parts: str) -> None:
    torch.set_num_threads(1)
    process = os.environ.get("RANK", "one")
    own = Path(folder).absolute() / process
    own.mkdir()
    photos, folder = Path(photos).absolute(), Path(folder).absolute()
    os.chdir(own)
    found = {part: globals()[part](photos, folder) for part in parts}
    torch.save(found, folder / f"{process}.pt")
    print(json.dumps({"process": process, "done": list(found)}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
