"""Trains in processes that are killed with SIGKILL at random moments and started again until the run is done.

    python killed_runs.py PHOTOS FOLDER

For each setting one process trains without disturbance; then others train the same run with `resume=`, each killed at a
random moment, the last one not. Prints a line of JSON: for each setting, where the kills fell, and whether the weights
are equal bit for bit. Processes are forked from this one, which has everything imported and has computed nothing yet.
"""

import json
import os
import random
import signal
import sys
import time
from functools import partial
from pathlib import Path

import torch

from coursekit import (
    CategoryBlock,
    DataBlock,
    ImageBlock,
    Resize,
    StratifiedSplitter,
    aug_transforms,
    get_image_files,
    parent_label,
    vision_learner,
)
from coursekit.training.checkpoint import read_checkpoint
from coursekit.training.precision import adamw

EPOCHS, KILLS = 4, 2
SETTINGS = {
    "frozen": {},
    "features kept": {"cache_features": True},
    "unfrozen": {"unfreeze": True},
    "unfrozen, fp16": {"unfreeze": True, "precision": "fp16"},
    "unfrozen, bf16": {"unfreeze": True, "precision": "bf16"},
    "unfrozen, SGD": {"unfreeze": True, "sgd": True},
}


def train(
    photos: Path, file: Path, ready: Path, unfreeze=False, precision="fp32", cache_features=False, sgd=False
) -> None:
    """The run that is killed: augmented photos, a small pretrained-like network, one-cycle."""
    block = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_items=lambda folder: get_image_files(folder)[::2],  # half of them: a run of a few seconds
        get_y=parent_label,
        splitter=StratifiedSplitter(0.25, seed=0),
        item_tfms=Resize(32, "crop"),
        batch_tfms=aug_transforms(),
    )
    dls = block.dataloaders(photos, bs=8, cache=False)
    opt_func = partial(torch.optim.SGD, momentum=0.9) if sgd else adamw
    learn = vision_learner(dls, "mobilenetv3_small_050", pretrained=False, precision=precision, opt_func=opt_func)
    learn.unfreeze() if unfreeze else learn.freeze()
    ready.touch()
    learn.fit_one_cycle(EPOCHS, 1e-2, cache_features=cache_features, resume=file)
    learn.save(file.with_name("final.safetensors"))


def start(*args, **kwargs) -> int:
    """Forks a process that calls `train`; returns its number."""
    process = os.fork()
    if process == 0:
        status = 1
        try:
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - until the process ends
            torch.set_num_threads(1)
            train(*args, **kwargs)
            status = 0
        except BaseException as error:
            print(repr(error), file=sys.stderr)
        os._exit(status)
    return process


def wait_for(path: Path, process: int) -> None:
    """Until `path` is there, or the process has ended."""
    while not path.exists() and os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        time.sleep(0.002)


def killed_run(photos: Path, folder: Path, seconds: float, draw: random.Random, **setting) -> list[dict]:
    """Trains with kills at moments drawn from the whole duration of a run; returns where they fell."""
    kills, file = [], folder / "run.safetensors"
    for attempt in range(100):
        ready = folder / f"ready-{attempt}"
        process = start(photos, file, ready, **setting)
        wait_for(ready, process)
        if len(kills) < KILLS:
            time.sleep(draw.uniform(0, seconds))
            os.kill(process, signal.SIGKILL)
        if os.waitpid(process, 0)[1] == 0:
            if len(kills) >= KILLS:
                return kills
            file.unlink(), (folder / "final.safetensors").unlink()  # it was quicker than the kill: begin again
        else:
            assert len(kills) < KILLS, "a process that was not killed has failed"
            half_written = [path.name for path in folder.glob(".tmp-*")]
            done = read_checkpoint(file)[1]["epoch"] + 1 if file.exists() else 0  # whole, whenever it was
            kills.append({"epochs_done": done, "while_writing": bool(half_written)})
    raise AssertionError("the run was never done")


def equal(a: Path, b: Path) -> bool:
    (first, _), (second, _) = read_checkpoint(a), read_checkpoint(b)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def main(photos: Path, folder: Path) -> None:
    report, draw = [], random.Random(0)
    for name, setting in SETTINGS.items():
        whole, broken = folder / name / "whole", folder / name / "broken"
        whole.mkdir(parents=True), broken.mkdir(parents=True)
        process = start(photos, whole / "run.safetensors", whole / "ready", **setting)
        wait_for(whole / "ready", process)
        started = time.monotonic()
        assert os.waitpid(process, 0)[1] == 0
        kills = killed_run(photos, broken, time.monotonic() - started, draw, **setting)
        same = equal(whole / "final.safetensors", broken / "final.safetensors")
        report.append({"setting": name, "kills": kills, "equal": same})
    print(json.dumps(report))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
