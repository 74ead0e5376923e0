"""Fixtures that several test files use."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent


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
