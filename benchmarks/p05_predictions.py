"""P5: `get_preds` over a folder whose images are cached, against the bare model on tensors in memory."""

import torch

from benchmarks.harness import Result, Timer, quiet, run, share_of_limit, side_by_side, spread
from benchmarks.photos import ARCH, our_loaders, solar_table
from coursekit.training.learner import vision_learner


def measure(images: int = 384, size: int = 128, bs: int = 64, pairs: int = 5) -> list[Result]:
    table = solar_table(16, images)
    with quiet():
        learn = vision_learner(our_loaders(table, size, bs), ARCH)
        dl = learn.dls.test_dl(table[table["is_valid"]], bs=bs, cache=True)
    batches = [x.contiguous(memory_format=torch.channels_last) for x, _ in dl]

    def ours() -> float:
        with quiet(), Timer() as timer:
            learn.get_preds(dl=dl)
        return timer.seconds

    def bare() -> float:
        learn.model.eval()
        with Timer() as timer, torch.inference_mode():
            for x in batches:
                learn.model(x).softmax(1)
        return timer.seconds

    found = side_by_side(ours, bare, pairs)
    notes = [f"{ARCH} at {size}, {images} images; {spread(found)}"]
    what, limit = "get_preds, warm cache", "bare forward on tensors in memory"
    return [Result("P5", what, limit, share_of_limit(found), "%", 95, False, found, notes, "fp32 / fp32")]


if __name__ == "__main__":
    run(measure)
