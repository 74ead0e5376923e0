"""P8: `predict` on one image file, against decoding, resizing and a bare forward: what cannot be left out."""

import tempfile
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image

from benchmarks.harness import Result, Timer, quiet, run, side_by_side, spread
from benchmarks.photos import ARCH, our_loaders, save_jpegs, solar_table
from coursekit.export.folder import load_learner
from coursekit.training.learner import vision_learner


def measure(size: int = 224, images: int = 20, pairs: int = 9) -> list[Result]:
    with tempfile.TemporaryDirectory() as name, quiet():
        paths = save_jpegs(Path(name) / "photos", images)
        learn = vision_learner(our_loaders(solar_table(16, 8), size, 8), ARCH)
        predictor = load_learner(learn.export(Path(name) / "export"))
        model = learn.model.eval()

        def bare() -> float:
            with Timer() as timer, torch.inference_mode():
                for path in paths:
                    pixels = np.asarray(middle(Image.open(path).convert("RGB"), size))
                    model(torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255).softmax(1)
            return timer.seconds

        def with_learner() -> float:
            with Timer() as timer:
                for path in paths:
                    learn.predict(path)
            return timer.seconds

        def with_predictor() -> float:
            with Timer() as timer:
                for path in paths:
                    predictor.predict(path)
            return timer.seconds

        rows = []
        for what, ours in (("learn.predict", with_learner), ("load_learner(...).predict", with_predictor)):
            found = side_by_side(ours, bare, pairs)
            each = [1000 * median(side) / images for side in zip(*found, strict=True)]
            notes = [f"{each[0]:.1f} ms, bare {each[1]:.1f} ms an image; {spread(found)}"]
            ratio = median(mine / limit for mine, limit in found)
            limit = "decode, resize and bare forward"
            row = Result("P8", f"{what}, one image at {size}", limit, ratio, "x the time", 1.1, True, found, notes)
            row.precision = "fp32 / fp32"
            rows.append(row)
    return rows


def middle(img: Image.Image, size: int) -> Image.Image:
    """The centre square of `img` at `size`."""
    factor = size / min(img.size)
    width, height = round(img.width * factor), round(img.height * factor)
    left, top = (width - size) // 2, (height - size) // 2
    resized = img.resize((width, height), Image.Resampling.BILINEAR)
    return resized.crop((left, top, left + size, top + size))


if __name__ == "__main__":
    run(measure)
