"""Splitting (coursekit.data.splits)."""

import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from coursekit.arguments import ArgumentError
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
    StratifiedGroupSplitter,
    StratifiedSplitter,
    k_folds,
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


@pytest.mark.parametrize("share", [0, 1, 1.5, -0.1, 20, None, "0.2"])
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


# ---- groups of every form, also by class


PATIENTS = pd.DataFrame({"patient": [f"p{i // 4}" for i in range(80)], "label": [i // 4 % 3 == 0 for i in range(80)]})


def whole_groups(split, groups) -> bool:
    train, valid = split
    assert sorted(train + valid) == list(range(len(groups)))
    return not {groups[i] for i in train} & {groups[i] for i in valid}


def test_groups_are_given_by_a_column_a_function_a_dictionary_or_one_by_one():
    groups = PATIENTS["patient"].tolist()
    expected = GroupSplitter(ColReader("patient"))(PATIENTS)
    assert whole_groups(expected, groups)
    for group in ("patient", 0, PATIENTS["patient"], groups, np.array(groups), lambda row: row["patient"]):
        assert GroupSplitter(group)(PATIENTS) == expected
    names = [f"{i}.jpg" for i in range(80)]
    for group in (groups, dict(zip(names, groups, strict=True)), PATIENTS["patient"].sample(80).sort_index()):
        assert GroupSplitter(group)(names) == expected


@pytest.mark.parametrize(
    ("group", "items", "says"),
    [
        ("patient", ["a.jpg", "b.jpg"], "names a column"),
        (ColReader, PATIENTS, r"write ColReader\(\.\.\.\)"),
        (["p1"], PATIENTS, "1 values for 80 items"),
        ({"a.jpg": 1}, ["a.jpg", "b.jpg"], "1 of 2 items have no group"),
        (lambda item: None, ["a.jpg", "b.jpg"], "2 of 2 items have no group"),
        ("pateint", PATIENTS, "did you mean 'patient'"),
        ({"p1": 1}, PATIENTS, r"which column holds its keys[\s\S]*group=lambda row"),
        (PATIENTS["patient"], PATIENTS.sample(80, random_state=0), "which row does each entry belong to"),
    ],
)
def test_groups_that_are_not_there_are_named(group, items, says):
    with pytest.raises(DataError, match=says):
        GroupSplitter(group)(items)


@pytest.mark.parametrize("seed", range(5))
def test_a_grouped_split_by_class_keeps_groups_whole_and_classes_near_their_share(seed):
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 60, 1500).tolist()
    rare = rng.random(60) < 0.2
    labels = ["rare" if rare[group] and rng.random() < 0.7 else "common" for group in groups]
    split = StratifiedGroupSplitter(groups, 0.25, seed)(groups, labels)
    assert whole_groups(split, groups)
    counts, drawn = Counter(labels), Counter(labels[i] for i in split[1])
    assert all(abs(drawn[label] / counts[label] - 0.25) < 0.03 for label in counts)
    assert StratifiedGroupSplitter(groups, 0.25, seed)(groups, labels) == split
    assert isinstance(StratifiedGroupSplitter("patient"), LabelSplitter)


def test_labels_in_a_series_are_taken_by_place():
    labels = ["a"] * 20 + ["b"] * 20
    series = pd.Series(labels, index=range(39, -1, -1))
    assert StratifiedSplitter()(labels, series) == StratifiedSplitter()(labels, labels)


# ---- folds


@pytest.mark.parametrize("k", [2, 5, 7])
@pytest.mark.parametrize("group", [None, "patient"])
@pytest.mark.parametrize("labels", [None, "label"])
def test_every_item_validates_exactly_once(k, group, labels):
    folds = k_folds(PATIENTS, k, labels, group, seed=3)
    assert len(folds) == k and sorted(i for _, valid in folds for i in valid) == list(range(80))
    assert all(sorted(train + valid) == list(range(80)) for train, valid in folds)
    assert folds == k_folds(PATIENTS, k, labels, group, seed=3) != k_folds(PATIENTS, k, labels, group, seed=4)
    if group:
        assert all(whole_groups(fold, PATIENTS["patient"].tolist()) for fold in folds)


def test_each_fold_has_its_part_of_every_class_to_one_item():
    labels = ["a"] * 53 + ["b"] * 17 + ["c"] * 9
    folds = k_folds(range(79), 5, labels)
    for label in "abc":
        counts = [sum(labels[i] == label for i in valid) for _, valid in folds]
        assert max(counts) - min(counts) <= 1
    sizes = [len(valid) for _, valid in folds]
    assert max(sizes) - min(sizes) <= 1


def test_grouped_folds_by_class_are_as_even_as_scikit_learns():
    sklearn = pytest.importorskip("sklearn.model_selection")
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 50, 1000)
    labels = (rng.random(1000) < np.where(groups % 4 == 0, 0.6, 0.05)).astype(int)

    def unevenness(folds):
        return np.std([labels[valid].sum() / labels.sum() for _, valid in folds])

    theirs = sklearn.StratifiedGroupKFold(5, shuffle=True, random_state=0).split(labels, labels, groups)
    assert unevenness(k_folds(labels, 5, labels, groups)) < unevenness(theirs) + 0.01


def test_folds_of_a_folder_are_positions_in_its_sorted_files(tiny_images):
    folds = k_folds(tiny_images, 3, parent_label)
    assert [len(valid) for _, valid in folds] == [4, 4, 4]
    assert all(sum(i < 6 for i in valid) == 2 for _, valid in folds), "two of each class"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"k": 1}, "k=1"),
        ({"k": 2.0}, "k=2.0"),
        ({"k": 81}, "81 folds cannot be made"),
        ({"k": 21, "group": "patient"}, "there are 20 groups"),
        ({"labels": [1, 2]}, "2 values for 80 items"),
    ],
)
def test_folds_that_cannot_be_made_are_refused(arguments, says):
    with pytest.raises(DataError, match=says):
        k_folds(PATIENTS, **arguments)


# ---- positions, and tables


@pytest.mark.parametrize("form", [np.array, torch.tensor, pd.Series, list])
def test_a_mask_says_which_items_validate(form):
    mask = form([False, True, False, True])
    assert IndexSplitter(mask)("abcd") == ([0, 2], [1, 3])
    with pytest.raises(DataError, match="4 values for 5 items"):
        IndexSplitter(mask)("abcde")


def test_splitters_of_files_refuse_tables_and_those_of_tables_refuse_files():
    with pytest.raises(DataError, match="does not say where its images are"):
        GrandparentSplitter()(PATIENTS)
    with pytest.raises(DataError, match="no row of a table"):
        ColSplitter("patient")([Path("a.jpg")])


def test_values_of_mixed_types_are_one_group_one_class_and_one_side():
    days = [1, "1", 1.0, 2, "2", 2.0, 3, "3", 3.0, 4, "4", 4.0]
    names = [str(int(day)) for day in days]
    assert whole_groups(GroupSplitter(days, 0.25)(names), names)
    assert all(whole_groups(fold, names) for fold in k_folds(names, 4, group=days))
    assert StratifiedSplitter(0.34)(days, days)[1] == StratifiedSplitter(0.34)(names, names)[1]
    assert ColSplitter("day", on=1)(pd.DataFrame({"day": days}))[1] == [0, 1, 2]
    assert ColSplitter("day", on="1")(pd.DataFrame({"day": days}))[1] == [0, 1, 2]


def test_pictures_beside_the_class_folders_of_a_side_are_named():
    files = [Path(f"p/{side}/cat/{i}.jpg") for side in ("train", "valid") for i in range(2)]
    with pytest.raises(
        DataError, match=r"1 of them beside the class folders, such as train/logo\.jpg[\s\S]*move or remove"
    ):
        GrandparentSplitter()([*files, Path("p/train/logo.jpg")])


def test_a_misspelt_argument_of_k_folds_gets_the_right_name():
    with pytest.raises(ArgumentError, match="group"):
        k_folds(PATIENTS, 3, groups="patient")
