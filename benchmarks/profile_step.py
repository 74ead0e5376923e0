"""Where the time of a training step goes: a table of operations, by torch's profiler, for `NOTES.md`.

    python -m benchmarks.profile_step [ARCH] [SIZE]

Steps of a whole network (all layers train) on a warm cache, in the precision that coursekit chooses, batches of 32.
Operations are put together by what they are for; the shares are of the time that all of them took.
"""

import sys
from collections import defaultdict

from torch.profiler import ProfilerActivity, profile

from benchmarks.harness import load, precisions, quiet
from benchmarks.p04_training_step import learner, our_epoch
from benchmarks.photos import ARCH

KINDS = {  # what an operation is for, by the beginning of its name: the first that fits
    "convolutions, backward": ("aten::convolution_backward", "aten::mkldnn_convolution_backward"),
    "convolutions, forward": ("aten::mkldnn_convolution", "aten::_convolution", "aten::conv"),
    "batch norm": ("aten::native_batch_norm", "aten::batch_norm", "aten::_batch_norm"),
    "activations": ("aten::relu", "aten::hardtanh", "aten::clamp", "aten::threshold", "aten::silu", "aten::gelu"),
    "changes of format": ("aten::copy_", "aten::to", "aten::_to_copy", "aten::contiguous", "aten::clone"),
    "augmentation": ("aten::grid_sampler", "aten::_upsample", "aten::upsample", "aten::index_copy"),
    "matrix products": ("aten::addmm", "aten::mm", "aten::bmm", "aten::baddbmm", "aten::matmul", "aten::linear"),
    "attention": ("aten::_scaled_dot", "aten::scaled_dot", "aten::_softmax"),
    "optimiser": ("aten::_fused_adamw", "Optimizer"),
}


def kind_of(name: str) -> str:
    """What an operation is for."""
    return next((kind for kind, beginnings in KINDS.items() if name.startswith(beginnings)), "all else")


def shares_of(arch: str, images: int, size: int, bs: int = 32) -> tuple[dict[str, float], float]:
    """Shares of the operations' own time in an epoch, by their kind, largest first; and the epoch's seconds."""
    with quiet():
        learn = learner(arch, images, size, bs)
    our_epoch(learn)
    seconds = our_epoch(learn)
    with profile(activities=[ProfilerActivity.CPU]) as prof:
        our_epoch(learn)
    times: dict[str, float] = defaultdict(float)
    for event in prof.key_averages():
        times[kind_of(event.key)] += event.self_cpu_time_total
    total = sum(times.values())
    return {kind: times[kind] / total for kind in sorted(times, key=lambda kind: -times[kind])}, seconds


def main(arch: str = ARCH, size: str = "128", images: int = 256) -> None:
    shares, seconds = shares_of(arch, images, int(size))
    print(f"{arch} at {size}, {precisions('').split(' ')[0]}: {images / seconds:.0f} img/s; {load()}\n")
    print("| what | share |\n|---|---|")
    for kind, share in shares.items():
        print(f"| {kind} | {share:.1%} |")


if __name__ == "__main__":
    main(*sys.argv[1:3])
