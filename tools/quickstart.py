"""Lesson 0 without a notebook: train, explain and export a classifier of solar cells, and say where everything is.

`python -m tools.quickstart [FOLDER]`; the pictures and the exported model go into FOLDER (by default `quickstart/`).
"""

import sys
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from coursekit.augment.resize import Resize
from coursekit.data.block import CategoryBlock, DataBlock, DataLoaders, ImageBlock
from coursekit.data.splits import StratifiedSplitter
from coursekit.data.tables_in import ColReader
from coursekit.datasets.catalogue import solar_cells
from coursekit.export.folder import load_learner
from coursekit.metrics import error_rate
from coursekit.results.interpret import ClassificationInterpretation
from coursekit.training.learner import vision_learner


def main(folder: Path) -> None:
    dls = load_photos()
    learn = vision_learner(dls, "efficientnet_lite0", metrics=error_rate)
    rate = learn.lr_find(cache_features=True).valley
    learn.fit_one_cycle(5, rate, cache_features=True)
    interp = ClassificationInterpretation.from_learner(learn)
    exported = learn.export(folder / "model")
    pictures = {
        "batch.png": dls.show_batch(max_n=8, ncols=4),
        "losses.png": learn.recorder.plot_loss(),
        "confusion_matrix.png": interp.plot_confusion_matrix(),
        "worst_mistakes.png": interp.plot_top_losses(6),
    }
    for name, figure in pictures.items():
        save(figure, folder / name)
    photo = dls.valid.sources[0]
    label, index, probabilities = load_learner(exported).predict(photo)
    print(f"\nThe exported model says of {photo.name}: {label}, {probabilities[index]:.1%} sure.")
    print(f"Pictures: {', '.join(str(folder / name) for name in pictures)}")
    print(f"Model:    {exported}")


def load_photos() -> DataLoaders:
    """The photos of solar cells in batches: three quarters to learn from, one quarter put aside."""
    path = solar_cells()
    cells = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_x=ColReader("image", pref=path),
        get_y=ColReader("label"),
        splitter=StratifiedSplitter(valid_pct=0.25, seed=0),
        item_tfms=Resize(112),
    )
    return cells.dataloaders(pd.read_csv(path / "labels.csv"), bs=32)


def save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, bbox_inches="tight", dpi=110)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "quickstart"))
