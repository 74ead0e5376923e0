"""Checks the whole path on this machine's accelerator in one go: is it right, and is it fast?

    python -m benchmarks.gpu_check [--device cuda] [--out gpu.json] [--quick]

Takes under 8 minutes, installs and downloads nothing: weights are random and photos are made. Prints a table, writes
JSON where `--out` says, and ends with 1 unless every aim is reached. One part that fails doesn't stop the others.
`--device cpu --quick` tries the script itself in seconds, on tiny images.

How idle the device is: the profiler says when its kernels ran in an epoch, and an epoch without profiler says how long
that takes. The rest of that time it had nothing to do. Where the profiler sees no kernels (MPS), it counts as busy for
as long as the bare loop takes. That loop has its batches in memory: nothing but the device can hold it up.
"""

import argparse
import json
import math
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when CUDA starts; equal bits need it

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile, supported_activities

from benchmarks.harness import Result, Timer, number, quiet, share_of_limit, side_by_side, spread
from benchmarks.p04_training_step import BareLoop, our_epoch
from benchmarks.photos import save_jpegs
from benchmarks.run import machine
from coursekit.augment.pipeline import aug_transforms
from coursekit.augment.resize import Resize
from coursekit.core import TrainingError, default_device
from coursekit.data.block import CategoryBlock, DataBlock, DataLoaders, ImageBlock
from coursekit.data.files import get_image_files, parent_label
from coursekit.data.splits import StratifiedSplitter
from coursekit.export.folder import load_learner
from coursekit.models.inference import full_float32
from coursekit.training.callbacks import Callback
from coursekit.training.learner import Learner, vision_learner
from coursekit.training.precision import Precision, choose_precision

CPU = torch.device("cpu")
SAME_LOSS, SAME_PROBABILITY = 1e-3, 1e-4  # how far float32 on two devices may be apart: sums in another order
SAME_HERE = 1e-6  # and on one device, of the same images in other batches


@dataclass(frozen=True)
class Plan:
    """How much is measured: `small` and `large` are (architectures, size, batch size, images)."""

    small: tuple[str, int, int, int] = ("resnet18", 128, 32, 256)
    large: tuple[tuple[str, ...], int, int, int] = (("resnet34", "resnet50"), 224, 64, 1920)
    seconds: float = 60.0  # for the pairs of one architecture
    most_pairs: int = 7


QUICK = Plan(("test_resnet", 32, 4, 16), (("test_resnet",), 32, 4, 16), seconds=1.0, most_pairs=1)


class Stage:
    """Where the parts work: the device, how much to measure, and a folder with photos in two classes."""

    def __init__(self, device: torch.device, plan: Plan, folder: Path):
        self.device, self.plan, self.folder = device, plan, folder

    def photos(self, n: int, size: int) -> Path:
        """Returns a folder of `n` photos in two classes, somewhat larger than `size`; few are made, many are copied."""
        folder = self.folder / f"photos_{n}_{size}"
        if not folder.exists():
            made = save_jpegs(self.folder / "made" / f"{size}", min(n, 32), (size * 5 // 4, size * 9 // 8))
            for i in range(n):
                label = folder / ("even", "odd")[i % 2]
                label.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(made[i % len(made)], label / f"{i:05d}.jpg")
        return folder

    def loaders(self, n: int, size: int, bs: int, device: torch.device, augment: bool = True) -> DataLoaders:
        """Returns batches of such photos; what is not for training is one batch."""
        block = DataBlock(
            (ImageBlock, CategoryBlock),
            get_image_files,
            get_y=parent_label,
            splitter=StratifiedSplitter(2 * (bs // 2) / n),
            item_tfms=Resize(size),
            batch_tfms=aug_transforms() if augment else [],
        )
        return block.dataloaders(self.photos(n, size), bs=bs, device=device)

    def learner(self, device: torch.device | None = None, augment: bool = True, **settings: Any) -> Learner:
        """Returns a small learner with random weights, in which everything trains."""
        arch, size, bs, n = self.plan.small
        dls = self.loaders(n, size, bs, device or self.device, augment)
        return vision_learner(dls, arch, pretrained=False, **settings)

    def plain_learner(self, device: torch.device | None = None, **settings: Any) -> Learner:
        """Returns one that trains alike everywhere: devices draw other numbers for dropout, and round other pixels."""
        learn = self.learner(device, augment=False, **settings)
        for layer in learn.model.modules():
            if isinstance(layer, nn.Dropout):
                layer.p = 0.0
        return learn


# ---- the parts: each takes the stage and returns rows


def check_choices(stage: Stage) -> list[Result]:
    """Is the accelerator chosen, with its fastest precision, and does every precision train near float32?"""
    learn, wanted = stage.learner(), choose_precision(stage.device)
    kinds = {p.device.type for p in learn.model.parameters()} | {x.device.type for x in learn.dls.one_batch()}
    layout = all(p.is_contiguous(memory_format=torch.channels_last) for p in learn.model.parameters() if p.ndim == 4)
    right = {
        f"device {default_device().type} chosen": stage.device.type in (default_device().type, "cpu"),
        f"all on {stage.device.type}": kinds == {stage.device.type},
        f"precision {wanted.value}": learn.engine.precision is wanted,
        "channels last": layout,
    }
    _losses(learn, 1)  # makes the optimiser
    right["optimiser fused"] = bool(learn.opt.defaults["fused"])
    rows = [_count_row("choices", "device, precision, layout, optimiser", "what they should be", right)]
    losses = {p: _losses(stage.plain_learner(precision=p.value), 4) for p in _precisions(stage.device)}
    exact = losses.pop(Precision.FP32)
    for precision, found in losses.items():
        off = abs(found[0] / exact[0] - 1) if all(map(math.isfinite, found)) else math.inf
        what = f"loss of the first step in {precision.value}"
        rows.append(Result("choices", what, "float32 on this device", 100 * off, "% off", 5, True))
    return rows


def _precisions(device: torch.device) -> list[Precision]:
    """Returns the formats that this kind of device computes in."""
    return [Precision.FP32, Precision.BF16, *([Precision.FP16] if device.type in ("cuda", "cpu") else [])]


def _count_row(part: str, what: str, against: str, right: dict[str, bool]) -> Result:
    """Makes a row of checks that hold or do not: how many do not."""
    wrong = [name for name, holds in right.items() if not holds]
    notes = [f"wrong: {', '.join(wrong)}"] if wrong else [", ".join(right)]
    return Result(part, what, against, float(len(wrong)), "wrong", 0, True, [], notes)


class _Losses(Callback):
    """Keeps the loss of every step, and ends the run after `n` of them."""

    order = 2000

    def __init__(self, n: int):
        self.n, self.values = n, list[Tensor]()

    def after_batch(self, learn: Any) -> None:
        if len(self.values) < self.n:
            self.values.append(learn.loss.detach())


def _losses(learn: Learner, n: int, lr: float = 1e-3) -> list[float]:
    """Returns the losses of the first `n` steps."""
    seen = _Losses(n)
    with quiet():
        while len(seen.values) < n:
            learn.fit(1, lr, cbs=[seen])
    return torch.stack(seen.values).tolist()


def check_numbers(stage: Stage) -> list[Result]:
    """Do losses and predictions in float32 equal the processor's?"""
    with full_float32(stage.device):
        steps = [_losses(stage.plain_learner(device, precision="fp32"), 6) for device in (stage.device, CPU)]
    off = max(abs(a - b) / abs(b) for a, b in zip(*steps, strict=True))
    rows = [Result("numbers", "losses of 6 steps in float32, relative", "the CPU's", off, "off", SAME_LOSS, True)]
    here, there = stage.learner(precision="fp32"), stage.learner(CPU, precision="fp32")
    there.model.load_state_dict(here.model.state_dict())
    probs = [learn.get_preds()[0] for learn in (here, there)]
    apart = float((probs[0] - probs[1]).abs().max())
    what = "predictions, largest difference of a probability"
    return [*rows, Result("numbers", what, "the CPU's", apart, "off", SAME_PROBABILITY, True)]


class _Kill(Callback):
    """Stops a run like a kill does, after an epoch."""

    order = 3000  # after the checkpoint

    def after_epoch(self, learn: Any) -> None:
        raise KeyboardInterrupt


def check_resume(stage: Stage) -> list[Result]:
    """Is a run that was killed and resumed the run that was not, bit for bit, with deterministic algorithms?"""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        with quiet():
            whole, file = stage.learner(), stage.folder / "run.safetensors"
            whole.fit_one_cycle(2, 1e-2)
            killed = stage.learner()
            try:
                killed.fit_one_cycle(2, 1e-2, resume=file, cbs=[_Kill()])
            except KeyboardInterrupt:
                killed = stage.learner()  # as in a new process
            killed.fit_one_cycle(2, 1e-2, resume=file)
    finally:
        torch.use_deterministic_algorithms(before)
    pairs = zip(whole.model.state_dict().values(), killed.model.state_dict().values(), strict=True)
    differ = sum(not torch.equal(a, b) for a, b in pairs)
    what = f"killed and resumed, {whole.engine.precision.value}, deterministic"
    return [Result("resume", what, "an uninterrupted run", float(differ), "tensors differ", 0, True)]


class _Glutton(nn.Module):
    """Asks for more memory than any device has, once the body's outputs are there and kept for the backward pass."""

    hungry = True

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.empty(2**50, device=x.device).sum() if self.hungry and self.training else x


def check_memory_error(stage: Stage) -> list[Result]:
    """Is running out of memory said in plain words, is the memory free again, and can the learner go on?"""
    learn, glutton, bs = stage.learner(), _Glutton(), stage.plan.small[2]
    with quiet():
        learn.fit(1, 1e-3)  # the optimiser has its memory, and the allocator what a step needs
        before = _allocated(stage.device)
        learn.model.pool = nn.Sequential(learn.model.pool, glutton)
        said = ""
        try:
            learn.fit(1, 1e-3)
        except TrainingError as error:
            said = str(error)
        left = _allocated(stage.device) - before
        glutton.hungry = False
        learn.fit(1, 1e-3)
    right = {
        f"out of memory at a batch of {bs}": f"out of memory at a batch of {bs}" in said,
        "half the batch and accumulation": f"bs={max(bs // 2, 1)}" in said and "GradientAccumulation(2)" in said,
        "what the batch held is free": left < 2**20,
        "the learner can go on": all(bool(p.isfinite().all()) for p in learn.model.parameters()),
    }
    return [_count_row("memory", "running out of memory", "what the error promises", right)]


def _allocated(device: torch.device) -> int:
    """Returns the bytes that tensors hold on an accelerator; 0 where nobody counts them."""
    if device.type == "mps":
        return torch.mps.current_allocated_memory()
    return 0 if device.type == "cpu" else torch.accelerator.memory_allocated(device)


def check_export(stage: Stage) -> list[Result]:
    """Does an exported model say the same as its learner, here and on the processor, about a folder of photos?"""
    learn, rows = stage.learner(), []
    with quiet():
        learn.fit(1, 1e-3)
        folder = learn.export(stage.folder / "export")
        photos = get_image_files(stage.photos(stage.plan.small[3], stage.plan.small[1]))[:64]
        wanted = learn.get_preds(dl=learn.dls.test_dl(photos, bs=64))[0]
    for device, aim in ((stage.device, SAME_HERE), (CPU, SAME_PROBABILITY)):
        found = load_learner(folder, device).get_preds(photos)
        off = float((found - wanted).abs().max())
        what = f"exported, loaded on {device.type}, {len(photos)} photos"
        rows.append(Result("export", what, "the learner's predictions", off, "off", aim, True))
    return rows


# ---- speed


def check_speed(stage: Stage) -> list[Result]:
    """How near to the bare loop does training come, how idle is the device, and how much memory does it take?"""
    archs, size, bs, n = stage.plan.large
    return [row for arch in archs for row in _speed_of(stage, arch, size, bs, n)]


def _speed_of(stage: Stage, arch: str, size: int, bs: int, n: int) -> list[Result]:
    with quiet():
        learn = vision_learner(stage.loaders(n, size, bs, stage.device), arch, pretrained=False)
        _reset_peak(stage.device)
        our_epoch(learn)
        peak = _peak(stage.device)
        bare = BareLoop(learn)
        _reset_peak(stage.device)
        one_pair = our_epoch(learn) + bare.epoch()  # bare: the first, which tunes its kernels
        bare_peak = _peak(stage.device)
    pairs = min(stage.plan.most_pairs, max(1, int(stage.plan.seconds / one_pair)))
    found = side_by_side(lambda: our_epoch(learn), bare.epoch, pairs)
    images = sum(len(x) for x, _ in bare.batches)
    ours, theirs = (median(side) for side in zip(*found, strict=True))
    notes = [
        f"{images} images, batches of {bs}, {learn.engine.precision.value} on both sides: {images / ours:.0f} img/s, "
        f"bare {images / theirs:.0f} img/s; {spread(found)}"
    ]
    what = f"{arch} at {size}, {learn.engine.precision.value}"
    kernels = kernel_seconds(learn)
    how = "kernels by the profiler" if kernels else "the bare loop's time"
    idle = max(0.0, 100 * (1 - (kernels or theirs) / ours))
    memory = Result("speed", f"peak memory, {what}", "bare loop", peak / 2**30, "GiB", None)
    memory.notes = [f"bare loop {bare_peak / 2**30:.2f} GiB, its {len(bare.batches)} batches included"]
    limit, share = "bare loop on tensors in memory", share_of_limit(found)
    speed = Result("speed", f"training, {what}", limit, share, "%", 97, False, found, notes)
    return [speed, Result("speed", f"idle share, {what}", f"busy by {how}", idle, "% idle", 3, True), memory]


class TrainingProfile(Callback):
    """Profiles the training batches of an epoch, and not its validation, which computes in another precision."""

    order = -100

    def __init__(self, activities: list[ProfilerActivity]):
        self.activities = activities

    def before_train(self, learn: Any) -> None:
        self.profile = profile(activities=self.activities).__enter__()

    def after_train(self, learn: Any) -> None:
        if torch.accelerator.is_available():
            torch.accelerator.synchronize()
        self.profile.__exit__(None, None, None)


def kernel_seconds(learn: Learner) -> float:
    """Returns for how long kernels ran in the training batches of an epoch; 0 where the profiler does not see them."""
    device = {ProfilerActivity.CUDA, ProfilerActivity.XPU} & set(supported_activities())
    if learn.engine.device.type == "cpu" or not device:
        return 0.0
    seen = TrainingProfile([ProfilerActivity.CPU, *device])
    with quiet():
        learn.fit(1, 1e-4, cbs=[seen])
    kernels = [
        (event.time_range.start, event.time_range.end)
        for event in seen.profile.events()
        if event.device_type.name != "CPU"
        and not getattr(event, "is_user_annotation", False)  # a name around kernels, not a kernel
        and not event.name.startswith(("Memcpy", "Memset"))
    ]
    return busy(kernels) / 1e6  # microseconds


def busy(intervals: Iterable[tuple[float, float]]) -> float:
    """Returns how long at least one of the intervals (start, end) lasted."""
    total, reached = 0.0, float("-inf")
    for start, end in sorted(intervals):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def _reset_peak(device: torch.device) -> None:
    if device.type in ("cuda", "xpu"):
        torch.accelerator.reset_peak_memory_stats(device)


def _peak(device: torch.device) -> int:
    """Returns the most bytes that tensors held on the device; of other devices, what is held now."""
    return torch.accelerator.max_memory_allocated(device) if device.type in ("cuda", "xpu") else _allocated(device)


PARTS: dict[str, Callable[[Stage], list[Result]]] = {
    "choices": check_choices,
    "numbers": check_numbers,
    "resume": check_resume,
    "memory": check_memory_error,
    "export": check_export,
    "speed": check_speed,
}


def run_parts(stage: Stage, parts: dict[str, Callable[[Stage], list[Result]]]) -> tuple[list[Result], dict[str, str]]:
    """Runs each part; returns the rows, and the tracebacks of parts that failed."""
    rows: list[Result] = []
    failed: dict[str, str] = {}
    for name, part in parts.items():
        with Timer() as timer:
            try:
                rows += (found := part(stage))
            except Exception:
                found, failed[name] = [], traceback.format_exc()
        print(f"{name}: {timer.seconds:.0f} s", flush=True)
        for row in found:
            print("   ", row.line().replace("\n", "\n    "), flush=True)
        if name in failed:
            print(failed[name], flush=True)
    return rows, failed


def table(rows: list[Result], failed: dict[str, str]) -> str:
    """Returns the rows as text: what, target, figure, verdict."""
    cells = [("", "what", "target", "figure", "verdict")]
    for row in rows:
        verdict = "" if row.aim is None else "reached" if row.reached else "NOT REACHED"
        figure = number(row.value, row.unit) if row.unit != "off" else f"{row.value:.1e} off"
        target = f"at most {row.aim:.1g} off" if row.unit == "off" else row.aim_text()
        cells.append((row.row, row.what, target, figure, verdict))
    cells += [(name, "this part failed: see above", "", "", "FAILED") for name in failed]
    widths = [max(len(cell[i]) for cell in cells) for i in range(5)]
    return "\n".join("  ".join(f"{c:<{w}}" for c, w in zip(cell, widths, strict=True)).rstrip() for cell in cells)


def describe(device: torch.device) -> dict[str, Any]:
    """Returns what was checked: device, precision, memory, versions."""
    facts: dict[str, Any] = {"device": str(device), "precision": choose_precision(device).value}
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        facts |= {"name": properties.name, "memory_gib": round(properties.total_memory / 2**30, 1)}
        facts |= {"cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
    return facts | machine()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", type=torch.device, default=None, help="the accelerator, or the CPU without one")
    parser.add_argument("--out", type=Path, help="where to write JSON")
    parser.add_argument("--quick", action="store_true", help="tiny images: tries this script, measures nothing")
    parser.add_argument("--only", nargs="*", choices=list(PARTS), help="only these parts")
    given = parser.parse_args(arguments)
    device, start = given.device or default_device(), time.perf_counter()
    parts = {name: part for name, part in PARTS.items() if not given.only or name in given.only}
    with tempfile.TemporaryDirectory() as folder:
        before = os.environ.get("COURSEKIT_HOME")
        os.environ["COURSEKIT_HOME"] = folder  # the caches go with the folder
        try:
            rows, failed = run_parts(Stage(device, QUICK if given.quick else Plan(), Path(folder)), parts)
        finally:
            os.environ.pop("COURSEKIT_HOME")
            if before is not None:
                os.environ["COURSEKIT_HOME"] = before
    facts, seconds = describe(device), time.perf_counter() - start
    print("\n" + ", ".join(f"{name} {value}" for name, value in facts.items()))
    print(f"\n{table(rows, failed)}\n\n{seconds:.0f} s")
    if given.out:
        found = [asdict(row) | {"reached": row.reached} for row in rows]
        everything = {"machine": facts, "quick": given.quick, "seconds": seconds, "rows": found, "failed": failed}
        given.out.write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")
    return int(bool(failed) or not all(row.reached for row in rows))


if __name__ == "__main__":
    sys.exit(main())
