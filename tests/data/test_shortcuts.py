"""Loaders in one call (coursekit.data.shortcuts)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from coursekit.augment.resize import Resize
from coursekit.core import DataError
from coursekit.data.files import RegexLabeller, get_image_files, parent_label
from coursekit.data.shortcuts import ImageDataLoaders
from coursekit.data.splits import GroupSplitter, IndexSplitter, StratifiedSplitter, k_folds

OPTIONS = {"item_tfms": Resize(16), "bs": 8, "device": "cpu", "cache": False}


@pytest.fixture
def root(tmp_path) -> Path:
    "24 photos: 0.jpg to 23.jpg in tmp_path/d/cat and tmp_path/d/dog, in turn."
    for i in range(24):
        file = tmp_path / "d" / ("cat", "dog")[i % 2] / f"{i}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 16), (10 * i, 90, 40)).save(file)
    return tmp_path / "d"


@pytest.fixture
def table(root) -> pd.DataFrame:
    files = get_image_files(root)
    names = [str(file.relative_to(root)) for file in files]
    return pd.DataFrame({"file": names, "label": [name[:3] for name in names], "day": [i // 3 for i in range(24)]})


def all_forms(root, table, **options):
    "Yields loaders of the same files in the same order from every short form."
    files, labels, options = get_image_files(root), table["label"].tolist(), {**OPTIONS, **options}
    table.to_csv(root / "labels.csv", index=False)
    yield ImageDataLoaders.from_folder(root, **options)
    yield ImageDataLoaders.from_path_func(root, files, parent_label, **options)
    yield ImageDataLoaders.from_path_re(root, files, r"/(\w+)/\d+\.jpg$", **options)
    yield ImageDataLoaders.from_lists(root, table["file"], labels, **options)
    yield ImageDataLoaders.from_df(table, root, **options)
    yield ImageDataLoaders.from_csv(root, **options)
    named = {file.name: file.parent.name for file in files}
    yield ImageDataLoaders.from_name_func(root, files, named.__getitem__, **options)


@pytest.mark.parametrize(
    "options",
    [{"valid_pct": 0.25}, {"splitter": StratifiedSplitter(0.25)}, {"splitter": IndexSplitter(np.arange(24) % 4 == 0)}],
)
def test_every_short_form_takes_a_share_or_a_splitter_and_splits_alike(root, table, options):
    made = list(all_forms(root, table, **options))
    for dls in made:
        assert dls.vocab == ["cat", "dog"] and dls.valid.n == 6
        assert dls.valid.sources == made[0].valid.sources and dls.valid.targets == made[0].valid.targets


def test_names_with_the_label_in_them(root, table):
    files = get_image_files(root)
    for file in files:
        file.rename(file.with_name(f"{file.parent.name}_{file.name}"))
    dls = ImageDataLoaders.from_name_re(root, get_image_files(root), r"^(\w+)_", valid_pct=0.25, **OPTIONS)
    assert dls.vocab == ["cat", "dog"]


def test_groups_are_a_column_in_the_short_forms_of_tables(root, table):
    table.to_csv(root / "labels.csv", index=False)
    for dls in (
        ImageDataLoaders.from_df(table, root, splitter=GroupSplitter("day", 0.25), **OPTIONS),
        ImageDataLoaders.from_csv(root, splitter=GroupSplitter("day", 0.25), **OPTIONS),
    ):
        assert dls.valid.n == 6 and not set(dls.train.items["day"]) & set(dls.valid.items["day"])


def test_folds_are_a_loop_of_three_lines(root, table):
    seen = []
    for _fold, (_, valid) in enumerate(k_folds(root, 4, labels=parent_label)):
        dls = ImageDataLoaders.from_folder(root, splitter=IndexSplitter(valid), **OPTIONS)
        seen += dls.valid.items
    assert sorted(seen) == sorted(get_image_files(root))
    for _, valid in k_folds(table, 3, "label", group="day"):
        dls = ImageDataLoaders.from_df(table, root, splitter=IndexSplitter(valid), **OPTIONS)
        assert not set(dls.train.items["day"]) & set(dls.valid.items["day"])


def test_two_ways_to_split_are_refused(root, table):
    splitter = StratifiedSplitter()
    calls = [
        lambda: ImageDataLoaders.from_folder(root, valid_pct=0.2, splitter=splitter),
        lambda: ImageDataLoaders.from_lists(root, ["a.jpg"], ["a"], valid_pct=0.2, splitter=splitter),
        lambda: ImageDataLoaders.from_df(table, root, valid_pct=0.2, valid_col="day"),
        lambda: ImageDataLoaders.from_df(table, root, splitter=splitter, valid_col="day"),
    ]
    for call in calls:
        with pytest.raises(DataError, match=r"More than one split[\s\S]* and "):
            call()


def test_a_folder_without_two_sides_says_what_from_folder_takes(root):
    with pytest.raises(
        DataError, match=r"no folder train, valid[\s\S]*cat, dog[\s\S]*valid_pct=0\.2[\s\S]*valid='\.\.\.'"
    ):
        ImageDataLoaders.from_folder(root, **OPTIONS)
    assert ImageDataLoaders.from_folder(root, valid_pct=0.2, **OPTIONS).valid.n == 4
    for side in ("train", "val"):
        (root.parent / "two" / side).mkdir(parents=True)
        (root / "cat" if side == "train" else root / "dog").rename(root.parent / "two" / side / "pet")
    dls = ImageDataLoaders.from_folder(root.parent / "two", valid="val", vocab=["pet", "none"], **OPTIONS)
    assert (dls.train.n, dls.valid.n) == (12, 12)


def test_whole_paths_in_a_table_are_followed_and_the_remedy_can_be(root, table, monkeypatch, tmp_path):
    table["file"] = [str(root / name) for name in table["file"]]
    for path in (root, root.parent, "/", str(root)):
        assert ImageDataLoaders.from_df(table, path, **OPTIONS).train.n == 20
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"pass a folder that holds it, such as .*path= of from_df"):
        ImageDataLoaders.from_df(table, **OPTIONS)


def test_home_is_understood_by_every_short_form(root, table, monkeypatch):
    monkeypatch.setenv("HOME", str(root.parent))
    for dls in all_forms(Path("~/d").expanduser(), table, valid_pct=0.25):
        assert dls.train.n == 18
    files = [f"~/d/{name}" for name in table["file"]]
    assert ImageDataLoaders.from_folder("~/d", valid_pct=0.25, **OPTIONS).train.n == 18
    assert ImageDataLoaders.from_df(table, folder="~/d", **OPTIONS).train.n == 20
    assert ImageDataLoaders.from_path_func("~/d", files, parent_label, **OPTIONS).c == 2
    assert ImageDataLoaders.from_csv("~/d", **OPTIONS).c == ImageDataLoaders.from_df(table, "~/d", **OPTIONS).c == 2


def test_files_of_a_folder_may_be_given_by_its_name(root):
    assert ImageDataLoaders.from_path_func(root.parent, "d", parent_label, **OPTIONS).train.n == 20


@pytest.mark.parametrize("word", ["None", "NA", "null"])
def test_a_class_called_none_is_a_class(root, table, word):
    table["label"] = table["label"].replace("cat", word)
    table.to_csv(root / "labels.csv", index=False)
    dls = ImageDataLoaders.from_csv(root, drop_bad=True, **OPTIONS)
    assert sorted(dls.vocab) == sorted([word, "dog"]) and dls.train.n + dls.valid.n == 24


def test_blanks_in_names_and_classes_and_no_header(root, table):
    for i, name in enumerate(table["file"]):
        (root / name).rename(root / f"photo {i}.jpg")
    rows = [f"photo {i}.jpg, {'sea lion' if i % 2 else 'red fox'}" for i in range(24)]
    for header in ([], ["file name, class name"]):
        (root / "labels.csv").write_text("\n".join([*header, *rows]))
        dls = ImageDataLoaders.from_csv(root, **OPTIONS)
        assert dls.vocab == ["red fox", "sea lion"] and dls.train.n + dls.valid.n == 24


def test_ids_that_pandas_made_floats(root):
    table = pd.DataFrame({"id": [*range(0, 24, 2), None], "label": ["a", "b"] * 6 + ["a"]}).dropna()
    assert table["id"].dtype == float
    assert ImageDataLoaders.from_df(table, root, folder="cat", suff=".jpg", **OPTIONS).train.n == 10


def test_one_hot_columns_are_one_label(root, table):
    table["cat"], table["dog"] = table["label"] == "cat", table["label"] == "dog"
    dls = ImageDataLoaders.from_df(table, root, label_col=["cat", "dog"], **OPTIONS)
    assert [dls.vocab[i] for i in dls.valid.targets] == dls.valid.items["label"].tolist()
    table["cat"] = True
    with pytest.raises(DataError, match="Several labels"):
        ImageDataLoaders.from_df(table, root, label_col=["cat", "dog"], **OPTIONS)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda root, table: ImageDataLoaders.from_df(table, root, label_delim=" "), "several labels for one image"),
        (lambda root, table: ImageDataLoaders.from_df(table, root, lable_col="y"), "did you mean label_col"),
        (lambda root, table: ImageDataLoaders.from_folder(root, test_size=0.2), "did you mean valid_pct"),
        (lambda root, table: ImageDataLoaders.from_folder(root, ds_tfms=1), "batch_tfms=aug_transforms"),
        (lambda root, table: ImageDataLoaders.from_name_re(root, [], "(.)", size=9), r"Resize\(size\)"),
        (lambda root, table: ImageDataLoaders.from_df("labels.csv", root), "from_csv reads a file"),
        (lambda root, table: ImageDataLoaders.from_csv(root / "cat" / "0.jpg"), r"from_csv\('.*cat', '0\.jpg'\)"),
        (lambda root, table: ImageDataLoaders.from_path_func(root, table, parent_label), "pass a column"),
        (lambda root, table: ImageDataLoaders.from_lists(root, table["file"], ["a"]), "1 values for 24 items"),
        (lambda root, table: ImageDataLoaders.from_lists(root, ["0.jpg"] * 2, "ab"), "not a list of values"),
        (lambda root, table: ImageDataLoaders.from_lists(root, ["0.jpg"] * 2, ["a", "b"]), "with two labels"),
        (lambda root, table: ImageDataLoaders.from_folder(root, splitter=StratifiedSplitter), "StratifiedSplitter"),
        (lambda root, table: ImageDataLoaders.from_name_func(root, [], RegexLabeller), r"write RegexLabeller"),
        (lambda root, table: ImageDataLoaders.from_name_func(root, [], "cat"), "label_func must be a function"),
    ],
)
def test_what_cannot_be_is_answered_with_what_to_write(root, table, call, says):
    with pytest.raises(DataError, match=says):
        call(root, table)


def test_files_and_labels_in_two_series_of_another_order_are_refused(root, table):
    files = table["file"].sample(frac=1, random_state=1)
    calls = (
        lambda: ImageDataLoaders.from_lists(root, files, table["label"], **OPTIONS),
        lambda: k_folds(files, labels=table["label"]),
        lambda: StratifiedSplitter()(files, table["label"]),
    )
    for call in calls:
        with pytest.raises(DataError, match="labels: which row does each entry belong to"):
            call()
    dls = ImageDataLoaders.from_lists(root, files, table["label"].loc[files.index], **OPTIONS)
    assert [dls.vocab[target] for target in dls.train.targets] == [file.parent.name for file in dls.train.items]


def test_a_missing_file_of_a_list_is_named_once_and_has_its_label(root, table, monkeypatch):
    monkeypatch.chdir(root.parent)
    with pytest.raises(DataError) as caught:
        ImageDataLoaders.from_lists("d", ["gone.jpg", *table["file"][1:]], table["label"], **OPTIONS)
    assert len(caught.value.problems) == 1 and "label" not in str(caught.value)
    assert str(Path("d/d")) not in str(caught.value) and "gone.jpg" in str(caught.value)


@pytest.mark.parametrize("seed", [np.int64(3), torch.tensor(3)])
def test_a_seed_may_be_a_number_of_numpy_or_torch(root, seed):
    dls = ImageDataLoaders.from_folder(root, valid_pct=0.25, seed=seed, **OPTIONS)
    assert dls.valid.items == ImageDataLoaders.from_folder(root, valid_pct=0.25, seed=3, **OPTIONS).valid.items


def test_other_files_can_be_tested_with_data_from_lists(root, table):
    dls = ImageDataLoaders.from_lists(root, table["file"], table["label"], **OPTIONS)
    assert dls.test_dl(get_image_files(root)[:3]).n == 3
    assert dls.test_dl([root / name for name in table["file"]], with_labels=True).targets == [0] * 12 + [1] * 12
