"""Positions, masks and values, by place (coursekit.data.places)."""

import numpy as np
import pandas as pd
import pytest
import torch

from coursekit.core import DataError
from coursekit.data.places import read_positions, read_values, refuse_table

ITEMS = list("abcdef")
TABLE = pd.DataFrame({"file": ITEMS, "fold": [0, 1, 0, 1, 0, 0]})
SHUFFLED = TABLE.sample(frac=1, random_state=0)
MASK = np.array([False, True, False, True, False, False])


@pytest.mark.parametrize(
    "given",
    [
        *(MASK, MASK.tolist(), torch.from_numpy(MASK), pd.Series(MASK), list(MASK), TABLE["fold"] == 1),
        *([1, 3], (1, 3), {1, 3}, range(1, 4, 2), np.array([1, 3]), np.array([1.0, 3.0]), torch.tensor([1, 3])),
        *([torch.tensor(1), np.int64(3)], pd.Series([1, 3], index=[9, 4]), TABLE.index[MASK], pd.array([1, 3])),
    ],
    ids=lambda given: type(given).__name__,
)
def test_positions_and_masks_are_read_from_whatever_holds_them(given):
    assert read_positions("valid_idx", given, ITEMS) == read_positions("valid_idx", given, TABLE) == [1, 3]


def test_a_single_position_of_any_kind_is_a_list_of_one():
    assert [read_positions("i", i, ITEMS) for i in (2, np.int64(2), torch.tensor(2))] == [[2]] * 3
    assert read_positions("i", [], ITEMS) == read_positions("i", torch.tensor([]), ITEMS) == []


@pytest.mark.parametrize(
    ("given", "items", "way"),
    [
        (MASK[:4], ITEMS, "4 values for 6 items"),
        (MASK.astype(int), ITEMS, r"is this a mask\?[\s\S]*astype\(bool\)"),
        ([True, 2], ITEMS, "must hold positions"),
        ([0.5], ITEMS, "must hold positions"),
        ("135", ITEMS, "must hold positions"),
        ([[0, 1]], ITEMS, "must hold positions"),
        ([6, -1], ITEMS, r"0 to 5; these do not: \[-1, 6\]"),
        (SHUFFLED.index[:2], SHUFFLED, r"labels of rows\?[\s\S]*get_indexer"),
        (TABLE["fold"] == 1, SHUFFLED, r"to_numpy\(\) goes by place"),
        (pd.Series([True] * 6, index=range(1, 7)), TABLE, "to_numpy"),
    ],
)
def test_what_could_mean_other_items_is_refused_with_the_way_out(given, items, way):
    with pytest.raises(DataError, match=way):
        read_positions("valid_idx", given, items)


def test_each_way_out_of_the_message_works():
    wanted = SHUFFLED.index[:2]
    assert read_positions("valid_idx", SHUFFLED.index.get_indexer(wanted), SHUFFLED) == [0, 1]
    by_index = (TABLE["fold"] == 1).loc[SHUFFLED.index]
    assert [SHUFFLED["file"].iloc[i] for i in read_positions("m", by_index, SHUFFLED)] == list(
        SHUFFLED["file"][SHUFFLED["fold"] == 1]
    )
    assert read_positions("m", (TABLE["fold"] == 1).to_numpy(), SHUFFLED) == [1, 3]
    assert read_positions("m", MASK.astype(int).astype(bool), ITEMS) == [1, 3]


def test_values_go_by_place_whatever_the_index_of_a_list_of_items():
    series = pd.Series(range(6), index=[5, 4, 3, 2, 1, 0])
    assert read_values("weights", series, ITEMS) == list(range(6))
    assert read_values("weights", torch.arange(6) / 2, ITEMS) == [0, 0.5, 1, 1.5, 2, 2.5]


@pytest.mark.parametrize(
    ("given", "way"),
    [
        ("abcdef", "not a list of values"),
        ({"a": 1}, "not a list of values"),
        (TABLE, "not a list of values"),
        ([1, 2], "2 values for 6 items"),
        (SHUFFLED["fold"], "which row does each entry belong to"),
    ],
)
def test_values_that_do_not_belong_to_the_items_are_refused(given, way):
    with pytest.raises(DataError, match=way):
        read_values("weights", given, TABLE)


def test_a_series_of_items_has_an_index_as_a_table_has():
    files, mask = SHUFFLED["file"], TABLE["fold"] == 1
    assert read_values("labels", SHUFFLED["fold"], files) == SHUFFLED["fold"].tolist()
    for read, given in ((read_values, TABLE["fold"]), (read_positions, mask)):
        with pytest.raises(DataError, match=r"loc\[items.index\]"):
            read("labels", given, files)
    with pytest.raises(DataError, match="positions, or labels of rows"):
        read_positions("valid_idx", TABLE.index[1:3], files)


def test_a_table_in_place_of_a_list_is_refused():
    refuse_table(ITEMS, "")
    refuse_table(TABLE["file"], "")
    with pytest.raises(DataError, match="does not say where its images are"):
        refuse_table(TABLE, "pass a column")
