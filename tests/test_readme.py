"""README's lines for people who come from fastai run, one by one, as they stand there."""

import ast
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageOps

ROOT = Path(__file__).resolve().parent.parent


def lines_of_readme() -> str:
    section = (ROOT / "README.md").read_text("utf-8").split("## Coming from fastai")[1].split("\n## ")[0]
    (code,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    return code


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder for each of two classes with 12 pictures each, and one damaged file."""
    numbers = np.random.default_rng(0)
    for k, name in enumerate(["cat", "dog"]):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(12):
            pixels = numbers.integers(0, 90, (80, 96, 3)).astype(np.uint8)
            pixels[..., k] += 120
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{i}.png")
    return tmp_path / "photos"


@pytest.mark.filterwarnings("ignore")
def test_every_line_for_people_who_come_from_fastai_runs(photos: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(photos.parent)
    files = sorted(photos.rglob("*.png"))
    rows = [(f.relative_to(photos).as_posix(), f.parent.name, int(f.stem) // 3) for f in files]
    table = pd.DataFrame(rows, columns=["file", "label", "patient"])
    bound: dict = {"path": photos, "df": table, "f": ImageOps.autocontrast}
    exec("from coursekit import *", bound)
    code = lines_of_readme()
    for statement in ast.parse(code).body:
        line = ast.get_source_segment(code, statement)
        try:
            exec(line, bound)
        except Exception as error:
            pytest.fail(f"README's line fails: {line}\n{type(error).__name__}: {error}")
    assert bound["grey"].n_in == 1 and bound["learn"].dls is bound["even"]
    assert len(bound["losses"]) == bound["even"].valid.n
    assert len(bound["features"]) == len(files)
    assert len(pd.read_csv("predictions.csv")) == len(files)
