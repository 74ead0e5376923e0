"""Splitting (coursekit.data.splits)."""

import pickle
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
import torch

from coursekit.core import DataError
from coursekit.data.files import parent_label
from coursekit.data.splits import (
    ColSplitter,
    FuncSplitter,
    GrandparentSplitter,
    GroupSplitter,
    IndexSplitter,
    LabelSplitter,
    RandomSplitter,
    StratifiedSplitter,
)
from coursekit.data.tables_in import ColReader


def test_the_random_split_is_that_of_the_source_texts(golden):
    g = golden["random_split"]
    torch.manual_seed(5)
    before = torch.get_rng_state()
    train, valid = RandomSplitter(g["valid_pct"], seed=g["seed"])(range(g["n"]))
    assert torch.equal(before, torch.get_rng_state()), g["note"]
    assert (len(train), len(valid)) == (g["n_train"], g["n_valid"])
    assert valid[:5] == g["first_valid"] and train[:5] == g["first_train"]
    assert sorted(train + valid) == list(range(g["n"]))
    assert RandomSplitter() == RandomSplitter(g["valid_pct"], g["seed"])


@pytest.mark.parametrize("share", [0, 1, 1.5, -0.1, 20])
def test_a_share_that_is_none_is_refused(share):
    for splitter in (RandomSplitter(share), GroupSplitter(str, share)):
        with pytest.raises(DataError, match="between 0 and 1"):
            splitter("abcdef")


def test_a_split_with_an_empty_side_is_refused():
    for splitter in (RandomSplitter(0.2), IndexSplitter([]), FuncSplitter(lambda item: True)):
        with pytest.raises(DataError, match="one side empty"):
            splitter("abc")


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.1, 0.2, 0.25, 0.5, 0.8])
def test_a_stratified_split_is_exact_to_one_item_in_every_class(seed, share):
    sizes = torch.randint(2, 60, (12,), generator=torch.Generator().manual_seed(seed)).tolist()
    labels = [f"class {c}" for c, size in enumerate(sizes) for _ in range(size)]
    train, valid = StratifiedSplitter(share, seed=seed)(labels, labels)
    assert sorted(train + valid) == list(range(len(labels)))
    counts = Counter(labels[i] for i in valid)
    for c, size in enumerate(sizes):
        assert 1 <= counts[f"class {c}"] <= size - 1
        assert abs(counts[f"class {c}"] - share * size) <= 1
    if min(share, 1 - share) * min(sizes) >= 1:  # no class had to be moved to have one on each side
        assert len(valid) == round(share * len(labels))


def test_a_stratified_split_is_repeatable_and_depends_on_its_seed():
    labels = ["a", "b"] * 50
    assert StratifiedSplitter(seed=1)(labels, labels) == StratifiedSplitter(seed=1)(labels, labels)
    assert StratifiedSplitter(seed=1)(labels, labels) != StratifiedSplitter(seed=2)(labels, labels)
    train, valid = StratifiedSplitter(seed=1)(labels, labels)
    assert train != sorted(train) and valid != sorted(valid), "in random order, as RandomSplitter's"
    assert isinstance(StratifiedSplitter(), LabelSplitter) and not isinstance(RandomSplitter(), LabelSplitter)


def test_a_single_image_of_a_class_goes_into_training():
    labels = ["a"] * 10 + ["alone"]
    train, valid = StratifiedSplitter(0.5)(labels, labels)
    assert 10 in train and len(valid) == 5


def test_a_stratified_split_draws_every_item_equally_often():
    labels = ["a"] * 8 + ["b"] * 4
    drawn = Counter(i for seed in range(2000) for i in StratifiedSplitter(0.25, seed=seed)(labels, labels)[1])
    assert all(abs(drawn[i] / 2000 - 0.25) < 0.05 for i in range(12))


def test_groups_stay_together_and_come_near_the_share():
    items = [(f"module {i % 44}", i) for i in range(2624)]
    for seed in range(5):
        train, valid = GroupSplitter(lambda item: item[0], 0.25, seed=seed)(items)
        assert not {items[i][0] for i in train} & {items[i][0] for i in valid}
        assert sorted(train + valid) == list(range(2624)) and abs(len(valid) - 656) <= 60
    assert GroupSplitter(lambda item: item[0])(items) == GroupSplitter(lambda item: item[0])(items)


def test_a_group_too_large_for_the_share_is_passed_over():
    items = ["large"] * 900 + [f"single {i}" for i in range(100)]
    for seed in range(20):
        _, valid = GroupSplitter(str, 0.1, seed=seed)(items)
        assert len(valid) == 100 and items[valid[0]] != "large"


def test_groups_of_a_table_are_read_row_by_row():
    table = pd.DataFrame({"patient": ["p1", "p1", "p2", "p2"]})
    train, valid = GroupSplitter(ColReader("patient"), 0.5)(table)
    assert sorted(map(sorted, (train, valid))) == [[0, 1], [2, 3]]


def test_grandparents_split_and_strangers_are_counted():
    files = [Path(f"p/{part}/cat/{i}.jpg") for part in ("train", "valid") for i in range(2)]
    assert GrandparentSplitter()(files) == ([0, 1], [2, 3])
    assert GrandparentSplitter("valid", "train")(files) == ([2, 3], [0, 1])
    with pytest.raises(DataError, match=r"1 items lie in other folders: 1 test[\s\S]*folders=\['train', 'valid'\]"):
        GrandparentSplitter()([*files, Path("p/test/cat/9.jpg")])


@pytest.mark.parametrize("values", [[True, False, True], [1, 0, 1], ["True", "false", " TRUE "], [1.0, 0.0, 1.0]])
def test_a_column_of_truths_splits(values):
    assert ColSplitter()(pd.DataFrame({"is_valid": values})) == ([1], [0, 2])


def test_a_column_splits_on_a_value_and_refuses_what_is_neither_true_nor_false():
    table = pd.DataFrame({"part": ["train", "test", "train"]})
    assert ColSplitter("part", on="test")(table) == ([0, 2], [1])
    with pytest.raises(DataError, match=r"holds 'train'[\s\S]*on=value"):
        ColSplitter("part")(table)
    with pytest.raises(DataError, match="no column 'is_valid'"):
        ColSplitter()(table)


def test_given_positions_split_and_must_exist():
    assert IndexSplitter([2, 0, 2])("abcd") == ([1, 3], [0, 2])
    with pytest.raises(DataError, match=r"0 to 3; these do not: \[-1, 4\]"):
        IndexSplitter([4, -1, 1])("abcd")


def test_splitters_can_be_sent_to_worker_processes():
    for splitter in (
        RandomSplitter(),
        StratifiedSplitter(),
        ColSplitter(),
        IndexSplitter([1]),
        GroupSplitter(parent_label),
    ):
        assert pickle.loads(pickle.dumps(splitter)) == splitter
