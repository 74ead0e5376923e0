"""Reading items, labels, splits and classes (coursekit.data.items), mostly by way of a `DataBlock`."""

import os
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import coursekit
from coursekit.augment.pipeline import aug_transforms
from coursekit.augment.resize import Resize
from coursekit.core import DataError
from coursekit.data.batches import Categorize, sorted_vocab
from coursekit.data.block import CategoryBlock, DataBlock, ImageBlock
from coursekit.data.files import get_image_files, parent_label
from coursekit.data.items import MultiCategoryBlock, RegressionBlock, choose_vocab, read_items
from coursekit.data.splits import (
    GroupSplitter,
    IndexSplitter,
    RandomSplitter,
    StratifiedGroupSplitter,
    StratifiedSplitter,
)
from coursekit.data.tables_in import ColReader, OneHotReader
from coursekit.text import class_name


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory, monkeypatch):
    "Caches go where the test's other files go."
    monkeypatch.setenv("COURSEKIT_HOME", str(tmp_path_factory.mktemp("home")))


def save_photo(path: Path, k: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20, 16), (5 * (k % 50), 90, 40)).save(path)
    return path


@pytest.fixture
def table(tmp_path) -> pd.DataFrame:
    "24 photos in tmp_path/d, two classes in turn, four groups."
    for i in range(24):
        save_photo(tmp_path / "d" / f"{i}.png", i)
    names = [f"{i}.png" for i in range(24)]
    return pd.DataFrame({"file": names, "y": [i % 2 for i in range(24)], "day": [i // 6 for i in range(24)]})


def block(tmp_path, **changes) -> DataBlock:
    recipe = {"get_x": ColReader("file", pref=tmp_path / "d"), "get_y": ColReader("y"), "item_tfms": Resize(16)}
    return DataBlock(**{**recipe, **changes})


def load(tmp_path, source, weights=None, bs=8, **changes):
    return block(tmp_path, **changes).dataloaders(source, bs=bs, cache=False, device="cpu", weights=weights)


# ---- splits and weights by place


@pytest.mark.parametrize("form", [np.array, torch.tensor, pd.Series, list])
def test_a_mask_or_positions_give_the_rows_that_were_meant(tmp_path, table, form):
    mask = [i % 4 == 0 for i in range(24)]
    for given in (form(mask), form([i for i in range(24) if mask[i]])):
        dls = load(tmp_path, table, splitter=IndexSplitter(given))
        assert dls.valid.items["file"].tolist() == [f"{i}.png" for i in range(0, 24, 4)]


@pytest.mark.parametrize("form", [np.array, torch.tensor, pd.Series, list, pd.Index])
def test_a_splitter_may_answer_with_masks_or_positions_of_any_kind(tmp_path, table, form):
    mask = np.arange(24) % 4 == 0
    answers = [(form(np.flatnonzero(~mask).tolist()), form(np.flatnonzero(mask).tolist()))]
    if form is not pd.Index:
        answers.append((form((~mask).tolist()), form(mask.tolist())))
    for answer in answers:
        dls = load(tmp_path, table, splitter=lambda items, answer=answer: answer)
        assert dls.valid.items["file"].tolist() == [f"{i}.png" for i in range(0, 24, 4)]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda items: [True] * 24, "not a split"),
        (lambda items: 3, "not a split"),
        (lambda items: None, "not a split"),
        (lambda items: (["0.png"], ["1.png"]), "must hold positions"),
        (lambda items: (items[:12], items[12:]), "must hold positions"),
        (lambda items: (items.index[:12], items.index[12:]), "labels of rows"),
    ],
)
def test_what_is_no_split_is_refused_in_words(tmp_path, table, answer, says):
    with pytest.raises(DataError, match=says):
        load(tmp_path, table[::-1], splitter=answer)


def test_a_shuffled_table_keeps_rows_labels_and_weights_together(tmp_path, table):
    shuffled = table.sample(frac=1, random_state=0)
    weights = (shuffled["y"] == 1).astype(float)
    for given in (weights, weights.to_numpy(), torch.tensor(weights.tolist())):
        dls = load(tmp_path, shuffled, weights=given, splitter=StratifiedSplitter(0.25))
        assert {i for _, y in dls.train for i in y.tolist()} == {1}
    with pytest.raises(DataError, match="which row does each entry belong to"):
        load(tmp_path, shuffled, weights=weights.sort_index())
    with pytest.raises(DataError, match="not a list of values"):
        load(tmp_path, shuffled, weights={"0": 1, "1": 3})


def test_balanced_weights_count_training_items_only(tmp_path):
    "90:10 in training and 10:90 in validation: an epoch draws both classes equally often."
    labels = ["a"] * 90 + ["b"] * 10 + ["a"] * 10 + ["b"] * 90
    files = [save_photo(tmp_path / "d" / f"{i}.png", i) for i in range(200)]
    recipe = {"get_x": None, "get_y": lambda file: labels[int(file.stem)], "splitter": IndexSplitter(range(100, 200))}
    dls = load(tmp_path, files, weights="balanced", bs=50, **recipe)
    drawn: Counter = Counter()
    for epoch in range(10):
        dls.train.set_epoch(epoch)
        drawn.update(dls.train.targets[p] for positions in dls.train.sampler.batches() for p in positions)
    assert abs(drawn[0] / drawn.total() - 0.5) < 0.05
    assert dls.class_weights().tolist() == pytest.approx([100 / 180, 5.0])


def test_groups_also_by_class_and_by_column(tmp_path, table):
    table["day"] = [i // 2 for i in range(24)]
    for splitter in (GroupSplitter("day"), StratifiedGroupSplitter("day", 0.25)):
        dls = load(tmp_path, table, splitter=splitter)
        assert not set(dls.train.items["day"]) & set(dls.valid.items["day"])


# ---- labels


@pytest.mark.parametrize("form", [int, float, np.int64, np.float64, str, torch.tensor])
def test_a_number_is_the_same_class_whatever_holds_it(form):
    assert class_name(form(12)) == "12" and Categorize([12, 7])(form(12)) == 0
    assert sorted_vocab([form(12), 12, "12", 12.0, np.int64(12)]) == ["12"]


def test_labels_of_mixed_types_are_one_class(tmp_path, table):
    table["y"] = [str(y) if i < 12 else float(y) if i < 18 else y for i, y in enumerate(table["y"])]
    for splitter in (RandomSplitter(0.25), StratifiedSplitter(0.25)):
        assert load(tmp_path, table, splitter=splitter).vocab == ["0", "1"]
    dls = load(tmp_path, table, splitter=StratifiedSplitter(0.25))
    assert sorted(dls.valid.targets) == [0] * 3 + [1] * 3
    dl = dls.test_dl(table.assign(y=table["y"].astype(int).astype(float)), with_labels=True)
    assert dl.targets == [i % 2 for i in range(24)]


@pytest.mark.parametrize("numbers", [[1.304, 2.5, 1.304, 7.0], np.array([0.5, 1.0], dtype=np.float32), [float("inf")]])
def test_measurements_as_labels_are_refused_as_regression(tmp_path, table, numbers):
    table["y"] = [numbers[i % len(numbers)] for i in range(24)]
    with pytest.raises(DataError, match=r"Regression .*is not offered[\s\S]*astype\(str\)"):
        load(tmp_path, table)
    table["y"] = table["y"].astype(str)
    assert load(tmp_path, table).c == len(set(map(str, numbers))), "the remedy works"


def test_measurements_that_a_vocabulary_names_are_classes():
    assert choose_vocab([0.5, 1.5], [0, 1], [], vocab=["0.5", "1.5"]).vocab == ["0.5", "1.5"]


@pytest.mark.parametrize(
    "get_y",
    [
        lambda row: ["a", "b"],
        lambda row: {"a"},
        lambda row: np.array([0, 1]),
        lambda row: torch.tensor([0.0, 1.0]),
        ColReader("tags", label_delim=" "),
        ColReader(["y", "day"]),
        OneHotReader(["one", "two"]),
    ],
)
@pytest.mark.parametrize("drop_bad", [False, True])
def test_several_labels_for_an_image_are_not_offered_and_nothing_is_dropped(tmp_path, table, get_y, drop_bad):
    table["tags"], table["one"], table["two"] = "a b", 1, 1
    with pytest.raises(DataError) as caught:
        block(tmp_path, get_y=get_y).dataloaders(table, drop_bad=drop_bad)
    message = str(caught.value)
    assert "Several labels for one image are not offered" in message and "24 of 24 items" in message
    assert "leave" not in message and "drop" not in message


def test_one_image_with_several_labels_is_named(tmp_path, table):
    get_y = {f"{i}.png": ["a", "b"] if i == 7 else "a" for i in range(24)}
    with pytest.raises(DataError, match=r"1 of 24 items have several labels, for example 7: row 7 \(\['a', 'b'\]\)"):
        load(tmp_path, table, get_y=lambda row: get_y[row["file"]])


@pytest.mark.parametrize("name", ["MultiCategoryBlock", "RegressionBlock"])
def test_blocks_of_other_tasks_say_so(name):
    made = {"MultiCategoryBlock": MultiCategoryBlock, "RegressionBlock": RegressionBlock}[name]
    assert getattr(coursekit, name) is made
    for use in (made, lambda: made(vocab=["a"]), lambda: DataBlock(blocks=(ImageBlock, made))):
        with pytest.raises(DataError, match="not offered"):
            use()


@pytest.mark.parametrize(
    "vocab",
    [["b", "a"], ("b", "a"), np.array(["b", "a"]), pd.Series(["b", "a"], index=[1, 0]), pd.Index(["b", "a"])],
    ids=lambda vocab: type(vocab).__name__,
)
def test_a_vocabulary_of_any_kind_keeps_its_order(vocab):
    assert CategoryBlock(vocab).vocab == ["b", "a"]


def test_a_vocabulary_that_has_no_order_is_sorted_and_others_are_refused():
    assert CategoryBlock({"b", "c", "a"}).vocab == ["a", "b", "c"]
    assert CategoryBlock(torch.tensor([2, 10])).vocab == ["2", "10"] == CategoryBlock([2.0, np.int64(10)]).vocab
    for vocab in ("ab", {"a": 0, "b": 1}, pd.DataFrame({"a": [1]})):
        with pytest.raises(DataError, match="not a list of classes"):
            CategoryBlock(vocab)


# ---- sources


def test_a_table_without_get_x_is_told_what_is_missing(tmp_path, table):
    with pytest.raises(DataError, match=r"does not say where its images are[\s\S]*get_x=ColReader"):
        load(tmp_path, table, get_x=None)


def test_home_and_backslashes_are_followed_wherever_a_path_is_given(tmp_path, table, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    names = ["~/d/0.png", "d\\1.png", str(tmp_path / "d" / "2.png"), "d/3.png"]
    sources, _ = read_items(names, lambda item: item, None)
    assert [Path(source).resolve() for source in sources] == [tmp_path / "d" / f"{i}.png" for i in range(4)]
    dls = load(tmp_path, "~/d", get_x=None, get_y=lambda file: int(file.stem) % 2)
    assert dls.train.n + dls.valid.n == 24 == dls.test_dl("~/d").n == len(get_image_files("~/d"))
    assert dls.test_dl(names).n == 4
    with pytest.raises(DataError, match=r"did you mean d\?"):
        get_image_files("d\\")


@pytest.mark.parametrize("form", [list, np.array, pd.Series, lambda names: pd.Series(names, index=[3, 1, 2, 0])])
def test_paths_of_any_kind_are_predicted_in_their_order(tmp_path, table, form):
    dls = load(tmp_path, table)
    names = [str(tmp_path / "d" / f"{i}.png") for i in (5, 3, 9, 0)]
    dl = (
        block(tmp_path, get_x=None, get_y=lambda name: len(name))
        .dataloaders(names * 6, cache=False)
        .test_dl(form(names))
    )
    assert dl.sources == names == list(dl.items)
    assert dls.c == 2


def test_of_a_folder_to_predict_what_does_not_open_is_left_out_and_listed(tmp_path, table, capsys):
    dls = load(tmp_path, get_image_files(tmp_path / "d"), get_x=None, get_y=lambda file: int(file.stem) % 2)
    for i in range(5):
        save_photo(tmp_path / "new" / f"{i}.png", i)
    (tmp_path / "new" / "1.png").write_bytes(b"")
    (tmp_path / "new" / "3.png").write_text("<html>")
    dl = dls.test_dl(tmp_path / "new", drop_bad=True, bs=2)
    assert [file.name for file in dl.items] == ["0.png", "2.png", "4.png"] == [file.name for file in dl.sources]
    assert list(dl.left_out) == ["1: new/1.png", "3: new/3.png"] and "empty file" in dl.left_out["1: new/1.png"]
    assert "2 of 5 items cannot be used and are left out" in capsys.readouterr().out
    assert torch.cat([x for x, _ in dl]).shape[0] == 3
    with pytest.raises(DataError):
        list(dls.test_dl(tmp_path / "new"))


def test_of_a_table_to_predict_rows_and_labels_stay_together(tmp_path, table):
    dls = load(tmp_path, table)
    (tmp_path / "d" / "2.png").write_bytes(b"")
    dl = dls.test_dl(table[::-1], with_labels=True, drop_bad=True)
    assert dl.items["file"].tolist() == [f"{i}.png" for i in range(23, -1, -1) if i != 2]
    assert dl.targets == dl.items["y"].tolist() and list(dl.left_out) == ["21: d/2.png"]


# ---- strays


def folders(root: Path, names=("cat", "dog"), n: int = 6) -> Path:
    for k, name in enumerate(names):
        for i in range(n):
            save_photo(root / name / f"{i}.png", 7 * k + i)
    return root


def test_a_picture_beside_class_folders_is_reported_with_the_count(tmp_path):
    root = folders(tmp_path / "pets")
    save_photo(root / "logo.png", 1)
    recipe = DataBlock(get_y=parent_label, splitter=StratifiedSplitter(0.25), item_tfms=Resize(16))
    with pytest.warns(UserWarning, match="1 image beside the class folders, in .*pets itself: its name is now a class"):
        recipe.dataloaders(root, cache=False)


@pytest.mark.parametrize("name", ["test", "Valid", "unlabeled"])
def test_a_folder_called_like_unlabelled_images_is_reported_with_the_count(tmp_path, name):
    root = folders(tmp_path / "pets", ("cat", "dog", name))
    recipe = DataBlock(get_y=parent_label, splitter=StratifiedSplitter(0.25), item_tfms=Resize(16))
    with pytest.warns(UserWarning, match=rf"'{name}' is now a class of 6 images[\s\S]*folders=\['cat', 'dog'\]"):
        recipe.dataloaders(root, cache=False)


def test_a_folder_called_like_a_side_is_reported_beside_images_too(tmp_path):
    root = folders(tmp_path / "i", ("train",))
    for i in range(4):
        save_photo(root / f"{i}.png", i)
    with pytest.warns(UserWarning) as caught:
        DataBlock(get_y=parent_label, item_tfms=Resize(16)).dataloaders(root, cache=False)
    told = "\n".join(str(warning.message) for warning in caught)
    assert "4 images beside the class folders" in told and "The folder 'train' is now a class of 6 images" in told


def test_class_folders_in_two_sides_are_no_strays(tmp_path):
    for side in ("train", "valid"):
        folders(tmp_path / "pets" / side)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DataBlock(get_y=parent_label, item_tfms=Resize(16)).dataloaders(tmp_path / "pets", cache=False)


# ---- names that are no UTF-8


@pytest.mark.skipif(os.name != "posix", reason="needs file names that are bytes")
def test_a_class_whose_name_is_no_utf8_is_written_with_its_bytes(tmp_path):
    root = folders(tmp_path / "pets")
    try:
        os.rename(root / "cat", os.fsencode(root) + b"/caf\xe9")
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    recipe = DataBlock(get_y=parent_label, splitter=StratifiedSplitter(0.25), item_tfms=Resize(16))
    dls = recipe.dataloaders(root, bs=4, device="cpu", cache=False)
    assert dls.vocab == [r"caf\xe9", "dog"] and set(dls.valid.targets) == {0, 1}
    repr(dls).encode("utf-8")
    dls.show_batch().canvas.draw()
    recipe.summary(root)


# ---- an object is meant, and its class is given


@pytest.mark.parametrize(
    ("argument", "given", "write"),
    [
        ("item_tfms", Resize, r"write Resize\(\.\.\.\)"),
        ("item_tfms", [Resize], r"write Resize\(\.\.\.\)"),
        ("batch_tfms", aug_transforms, r"write aug_transforms\(\.\.\.\)"),
        ("splitter", RandomSplitter, r"write RandomSplitter\(\.\.\.\)"),
        ("get_y", ColReader, r"write ColReader\(\.\.\.\)"),
        ("get_x", ColReader, r"write ColReader\(\.\.\.\)"),
        ("blocks", ImageBlock, r"blocks=\(ImageBlock, CategoryBlock\)"),
    ],
)
def test_brackets_that_were_forgotten_are_named(argument, given, write):
    with pytest.raises(DataError, match=write):
        DataBlock(**{argument: given})


def test_a_class_of_the_users_may_be_a_function():
    assert DataBlock(get_x=Path, get_y=str).get_x is Path


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("batch_size", "did you mean bs"),
        ("label_delim", "several labels for one image"),
        ("size", r"item_tfms=Resize\(size\)"),
        ("shuffle", "leave it out"),
        ("sed", "did you mean seed"),
    ],
)
def test_arguments_of_other_libraries_say_what_to_write(tmp_path, table, argument, says):
    with pytest.raises(DataError, match=says):
        block(tmp_path).dataloaders(table, **{argument: 1})
