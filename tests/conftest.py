"""Fixtures that several test files use."""

import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent

# Several test processes share the processors. Said before torch is imported, and seen by what the tests start.
if "PYTEST_XDIST_WORKER_COUNT" in os.environ:
    share = (os.cpu_count() or 1) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, share)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The notebooks and the browser take longest and come first, so that several processes end at about one time.

    `make test` says `--no-loadscope-reorder`: otherwise pytest-xdist sorts files by their number of tests, and these
    come last.
    """
    slow = (
        "test_notebooks.py",
        "test_browser.py",
        "test_learner_copies.py",
        "test_notebooks_besides.py",
        "test_site.py",
        "test_checkpoint.py",
    )
    items.sort(key=lambda item: slow.index(item.path.name) if item.path.name in slow else len(slow))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say plainly, above the last line, what was not tested on this machine and why."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    if reasons:
        terminalreporter.section("left out on this machine")
    for reason, count in reasons.items():
        terminalreporter.line(f"{count} x {reason}")


@pytest.fixture(scope="session", autouse=True)
def _cache_of_the_tests() -> Iterator[None]:
    """Whatever the tests cache goes into a folder of their own: they neither find nor leave anything in the user's."""
    with tempfile.TemporaryDirectory(prefix="coursekit") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSEKIT_HOME", folder)
        yield


@pytest.fixture(scope="session")
def golden() -> dict:
    """The exact numbers that the source texts print, by topic (see tests/golden/README.md)."""
    return json.loads((ROOT / "tests" / "golden" / "seeds.json").read_text("utf-8"))


@pytest.fixture
def tiny_images(tmp_path: Path) -> Path:
    """A folder `dark/` and a folder `light/` with six 32x24 photos each that a network can tell apart."""
    rng = np.random.default_rng(0)
    for label, brightness in (("dark", 60), ("light", 190)):
        folder = tmp_path / "tiny" / label
        folder.mkdir(parents=True)
        for i in range(6):
            pixels = rng.normal(brightness, 25, (24, 32, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"{label}_{i}.png")
    return tmp_path / "tiny"


@pytest.fixture(scope="module")
def copy_of_nbs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lessons write beside themselves (an exported model), so they run in a copy, as a learner's do."""
    return Path(shutil.copytree(ROOT / "nbs", tmp_path_factory.mktemp("copy") / "nbs"))


@pytest.fixture
def image_loaders(tmp_path: Path):
    """A function that makes loaders over 48 small photos of two kinds that are easy to tell apart."""
    from coursekit.augment.pipeline import aug_transforms
    from coursekit.augment.resize import Resize
    from coursekit.data.block import CategoryBlock, DataBlock, ImageBlock
    from coursekit.data.files import get_image_files, parent_label
    from coursekit.data.splits import StratifiedSplitter

    rng = np.random.default_rng(0)
    for label, brightness in (("dark", 80), ("light", 170)):
        folder = tmp_path / "photos" / label
        folder.mkdir(parents=True)
        for i in range(24):
            pixels = rng.normal(brightness, 25, (32, 40, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"{label}_{i:02d}.png")

    def make(bs: int = 8, augment: bool = True, extra_tfms: tuple = (), **kwargs):
        block = DataBlock(
            blocks=(ImageBlock, CategoryBlock),
            get_items=get_image_files,
            get_y=parent_label,
            splitter=StratifiedSplitter(0.25, seed=0),
            item_tfms=Resize(32, "crop" if augment else "squish"),  # a crop is random in training
            batch_tfms=[*(aug_transforms() if augment else []), *extra_tfms],
        )
        # on the processor also where there is a GPU, whose sums depend on their order: some tests ask for equal bits
        return block.dataloaders(tmp_path / "photos", bs=bs, cache=False, **{"device": "cpu", **kwargs})

    return make


@pytest.fixture(params=["fp32", "bf16"])
def precision(request: pytest.FixtureRequest) -> str:
    """Each of the precisions that `auto` may choose on a processor: a test that takes this runs in both."""
    return request.param


@pytest.fixture
def make_toy_learner(image_loaders):
    """A function that makes a `Learner` around a very small network, in one layer group; in float32 if not told."""
    import torch
    from torch import nn

    from coursekit.metrics import error_rate
    from coursekit.training.learner import Learner

    def make(seed: int = 42, precision: str = "fp32", **kwargs):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            layers = [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
            model = nn.Sequential(*layers, nn.Dropout(0.1), nn.Linear(4, 2))
        settings = {"metrics": error_rate, "seed": seed, "precision": precision, **kwargs}
        return Learner(image_loaders(), model, **settings)

    return make


@pytest.fixture
def toy_learner(make_toy_learner):
    """A `Learner` around a very small network."""
    return make_toy_learner()


@pytest.fixture
def make_lite0_learner(image_loaders):
    """A function that makes a `vision_learner` on efficientnet_lite0 with its weights; in float32 if not told."""
    from coursekit.metrics import error_rate
    from coursekit.training.learner import vision_learner

    def make(loss_func=None, precision: str = "fp32", **kwargs):
        settings = {"loss_func": loss_func, "precision": precision}
        return vision_learner(image_loaders(**kwargs), "efficientnet_lite0", error_rate, **settings)

    return make


@pytest.fixture
def make_small_learner(image_loaders):
    """A function that makes a `vision_learner` on an untrained test_resnet: a body and a head, in a second."""
    from coursekit.metrics import accuracy
    from coursekit.training.learner import vision_learner

    def make(dls=None, **kwargs):
        settings = {"pretrained": False, "metrics": accuracy, "precision": "fp32", **kwargs}
        return vision_learner(dls or image_loaders(), "test_resnet", **settings)

    return make


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export that no test changes."""
    from export_folders import write_to

    folder = tmp_path_factory.mktemp("export") / "model"
    return write_to(folder, metrics={"error_rate": 0.25}, data_licence="CC0")


@pytest.fixture
def export_copy(exported: Path, tmp_path: Path) -> Path:
    """An export that a test may spoil."""
    folder = tmp_path / "copy"
    folder.mkdir()
    for path in exported.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.fixture
def stored_copy(tmp_path: Path) -> Callable[[str], Path]:
    """A function from a format's version to a copy of the export of that time, which a test may spoil."""
    return lambda version: Path(shutil.copytree(ROOT / "tests" / "exports" / version / "model", tmp_path / version))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A file with a photo of 180x140, a JPEG."""
    pixels = np.random.default_rng(0).integers(0, 255, (90, 70, 3)).astype(np.uint8)
    Image.fromarray(pixels).resize((180, 140)).save(tmp_path / "photo.jpg")
    return tmp_path / "photo.jpg"
