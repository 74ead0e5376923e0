"""P12: what our loop costs per batch, beyond a bare loop, with a model that computes almost nothing."""

from statistics import median

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.harness import Result, Timer, quiet, run, side_by_side
from coursekit.losses import CrossEntropyLoss
from coursekit.training.callbacks import Callback, ProgressTable
from coursekit.training.loop import TrainingLoop
from coursekit.training.precision import Engine, adamw
from coursekit.training.transfer import FeatureLoader


class Empty(nn.Module):
    """Two weights that multiply two numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight


class TrainingTimer(Callback):
    """How long the last epoch's training batches took, validation and the printing of results left out."""

    order = -100

    def before_train(self, learn: TrainingLoop) -> None:
        self.timer = Timer().__enter__()

    def after_train(self, learn: TrainingLoop) -> None:
        self.timer.__exit__()
        self.seconds = self.timer.seconds


def batches(n: int) -> FeatureLoader:
    """`n` batches of two items in memory."""
    return FeatureLoader(torch.randn(2 * n, 2), torch.zeros(2 * n, dtype=torch.long), bs=2, shuffle_seed=0)


def our_epoch(n: int) -> float:
    """Seconds of an epoch of `n` batches in the loop of `Learner`, with its own callbacks: recorder, checks, bar."""
    model, timer, engine = Empty(), TrainingTimer(), Engine(torch.device("cpu"), "fp32")
    opt = adamw([{"params": list(model.parameters())}])
    loop = TrainingLoop(model, CrossEntropyLoss(), opt, cbs=[ProgressTable(), timer], engine=engine)
    with quiet():
        loop.run(1, batches(n), batches(1))
    return timer.seconds


def bare_epoch(n: int) -> float:
    """The same in the shortest loop that trains."""
    model, train = Empty(), batches(n)
    opt = torch.optim.AdamW(model.parameters(), fused=True)
    with Timer() as timer:
        for x, y in train:
            F.cross_entropy(model(x), y).backward()
            opt.step()
            opt.zero_grad()
    return timer.seconds


def measure(n: int = 1000, pairs: int = 9) -> list[Result]:
    found = side_by_side(lambda: our_epoch(n), lambda: bare_epoch(n), pairs)
    overhead = median(1000 * (ours - bare) / n for ours, bare in found)
    each = "per batch {:.2f} ms, bare {:.2f} ms".format(*(1000 * median(side) / n for side in zip(*found, strict=True)))
    what = "loop per batch, empty model"
    return [Result("P12", what, "bare loop", overhead, "ms", 0.1, True, found, [each], "fp32 / fp32")]


if __name__ == "__main__":
    run(measure)
