"""The numbers that case studies read: the recording of the long recipe for the solar cells, and the splits it used."""

import json
from importlib import resources
from itertools import product

import pandas as pd
import pytest

from benchmarks import recipe_solar_cells as recipe
from coursekit.datasets.catalogue import solar_cells


@pytest.fixture(scope="module")
def recorded() -> dict:
    return json.loads(resources.files("coursekit.course").joinpath("recorded/solar_cells.json").read_text("utf-8"))


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
