"""What case studies rest on: recordings of two recipes for the solar cells, their splits, and drawn photos by name."""

import math
from dataclasses import asdict
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from benchmarks import fine_tune_solar_cells as tuning
from benchmarks import recipe_solar_cells as recipe
from coursekit.course.widgets import read_recording
from coursekit.datasets.catalogue import solar_cells
from tools.notebooks import NBS, read


@pytest.fixture(scope="module")
def recorded() -> dict:
    return read_recording("solar_cells")


@pytest.fixture(scope="module")
def tuned() -> dict:
    return read_recording("solar_cells_fine_tuned")


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(solar_cells() / "labels.csv")


def test_the_recording_is_of_the_recipe_as_it_is_now(recorded):
    settings = recorded["recipe"]
    assert (settings["arch"], settings["size"], tuple(settings["blocks"])) == (recipe.ARCH, recipe.SIZE, recipe.BLOCKS)
    assert (settings["views"], settings["heads"]) == (len(recipe.VIEWS), recipe.HEADS)
    assert (settings["epochs"], settings["rate"]) == (recipe.EPOCHS, recipe.RATE)


def test_every_setting_was_recorded_once(recorded, table):
    runs = recorded["runs"]
    settings = [(run["classes"], run["split"], run["seed"]) for run in runs]
    assert sorted(settings) == sorted((*setting, seed) for setting, seed in product(recipe.SETTINGS, recipe.SEEDS))
    for run in runs:
        train, valid = recipe.split(run["split"], run["seed"], table)
        assert abs(run["n_valid"] - len(valid)) <= 1  # four classes may round otherwise than two
        assert len(train) + len(valid) == len(table) and 0 < run["wrong"] < 0.4 * run["n_valid"]


@pytest.mark.parametrize("seed", recipe.SEEDS)
def test_a_grouped_split_keeps_neighbours_together(table, seed):
    train, valid = recipe.split("grouped", seed, table)
    blocks = [{int(table.image[i][-8:-4]) // recipe.MODULE for i in side} for side in (train, valid)]
    assert not blocks[0] & blocks[1]
    assert abs(len(valid) - 0.25 * len(table)) <= recipe.MODULE


# ---- the whole network, fine-tuned


def test_the_recording_of_fine_tuning_is_of_the_recipe_as_it_is_now(tuned):
    assert tuned["recipe"] == asdict(tuning.Recipe())
    settings = [(run["classes"], run["split"], run["seed"]) for run in tuned["runs"]]
    assert settings == [(*setting, seed) for setting, seed in product(tuning.SETTINGS, tuning.SEEDS)]


def test_fine_tuning_was_recorded_on_the_splits_of_the_frozen_recipe(tuned, recorded):
    sizes = {(run["classes"], run["split"], run["seed"]): run["n_valid"] for run in recorded["runs"]}
    for run in tuned["runs"]:
        assert run["n_valid"] == sizes[run["classes"], run["split"], run["seed"]]
        assert len(run["epochs"]) == tuning.Recipe().epochs
        assert run["loss_one_view"] == pytest.approx(run["epochs"][-1][1], abs=0.01)


def test_a_split_is_trained_and_counted_by_the_recipe(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    for i in range(48):
        level = 70 if i % 2 else 170
        Image.fromarray(rng.normal(level, 20, (30, 30)).clip(0, 255).astype(np.uint8)).save(
            tmp_path / f"cell{i:04d}.png"
        )
    label = ["functional", "likely_defective", "possibly_defective", "defective"]
    table = pd.DataFrame({"image": [f"cell{i:04d}.png" for i in range(48)], "label": [label[i % 4] for i in range(48)]})
    table.to_csv(tmp_path / "labels.csv", index=False)
    monkeypatch.setattr(tuning, "solar_cells", lambda classes: tmp_path)
    recipe = tuning.Recipe(size=32, bs=8, head_epochs=1, epochs=1)
    row = tuning.measure(4, "stratified", 0, recipe)
    assert 0 <= row["wrong_as_two"] <= row["wrong"] <= row["n_valid"] == 12
    assert len(row["epochs"]) == 1 and "four views" in tuning.describe(row)


def test_mistakes_and_losses_are_counted_right():
    probs, targets = torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]]), torch.tensor([0, 2])
    assert tuning.count_wrong(probs, targets) == 1
    assert tuning.mean_loss(probs, targets) == pytest.approx((math.log(2) + math.log(10)) / 2, abs=1e-4)


# ---- cases on photos that no camera took


@pytest.mark.parametrize(("name", "word"), [("pets", "drawn"), ("wildlife", "drawn"), ("textiles", "simulated")])
def test_photos_that_no_camera_took_are_named_in_title_cover_and_index(name, word):
    first = read(NBS / "cases" / f"{name}.ipynb").cells[0].source
    with Image.open(NBS / "images" / f"{name}.png") as cover:
        described = cover.text["Description"]
    (row,) = [
        line
        for cell in read(NBS / "index.ipynb").cells
        for line in cell.source.splitlines()
        if f"(cases/{name}.ipynb)" in line
    ]
    assert all(word in text for text in (first.splitlines()[0].lower(), described.lower(), row))
    assert f"![{described}](../images/{name}.png)" in first
