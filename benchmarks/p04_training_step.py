"""P4: an epoch of training on a warm cache, against a bare PyTorch loop on tensors that are in memory already.

The bare loop is the limit: the same model, weights, optimiser, precision and memory format, and nothing else to do.
Ours reads the cache, augments and records. Three architectures: a small and a large convolutional network, and a
transformer. On an accelerator there are more images, and resnet50 at 224 as well.
"""

import torch
import torch.nn.functional as F

from benchmarks.harness import Result, Timer, precisions, quiet, run, share_of_limit, side_by_side, spread
from benchmarks.p12_loop_overhead import TrainingTimer
from benchmarks.photos import ARCH, our_loaders, solar_table
from coursekit.training.learner import Learner, vision_learner
from coursekit.training.precision import adamw


def learner(arch: str, images: int, size: int, bs: int) -> Learner:
    """A learner in which all layers train."""
    dls = our_loaders(solar_table(images, bs), size, bs)
    learn = vision_learner(dls, arch, pretrained=arch == ARCH)
    learn.unfreeze()
    return learn


def our_epoch(learn: Learner) -> float:
    """Seconds of the training batches of one epoch."""
    timer = TrainingTimer()
    with quiet():
        learn.fit(1, 1e-4, cbs=[timer])
    return timer.seconds


class BareLoop:
    """The same model on batches that `learn` made once and that stay in memory."""

    def __init__(self, learn: Learner):
        self.engine, self.model = learn.engine, learn.model
        layout = torch.channels_last
        self.batches = [(x.contiguous(memory_format=layout), y) for x, y in learn.dls.train]
        self.opt = adamw([{"params": list(learn.model.parameters())}], 1e-4)

    def epoch(self) -> float:
        """Seconds of one epoch."""
        self.model.train()
        with Timer() as timer:
            for x, y in self.batches:
                with self.engine.autocast():
                    logits = self.model(x)
                self.engine.backward(F.cross_entropy(logits.float(), y))
                self.engine.step(self.opt)
        return timer.seconds


def row(arch: str, images: int, size: int, bs: int, pairs: int) -> Result:
    """The share of the bare loop's speed that training reaches."""
    with quiet():
        learn = learner(arch, images, size, bs)
        bare = BareLoop(learn)
    found = side_by_side(lambda: our_epoch(learn), bare.epoch, pairs)
    rate = images / min(ours for ours, _ in found)
    what = f"training epoch, {arch} at {size}"
    notes = [
        f"{images} images, augmented, cached, {learn.engine.precision.value}: {rate:.0f} img/s at best",
        spread(found),
    ]
    limit, value = "bare loop on tensors in memory", share_of_limit(found)
    return Result("P4", what, limit, value, "%", 97, False, found, notes, precisions(theirs=""))


def measure(images: int = 256, size: int = 128, bs: int = 32, pairs: int = 5) -> list[Result]:
    archs = [(ARCH, size), ("resnet34", size), transformer(size)]
    if torch.accelerator.is_available():
        images, bs, archs = 1920, 64, [(ARCH, 224), ("resnet34", 224), ("resnet50", 224), transformer(224)]
    return [row(arch, images, side, bs, pairs) for arch, side in archs]


def transformer(size: int) -> tuple[str, int]:
    """A small transformer, and the size that it takes: 5.7 million weights at 224 pixels, fewer on tiny images."""
    return ("vit_tiny_patch16_224", 224) if size >= 96 else ("test_vit", 160)


if __name__ == "__main__":
    run(measure)
