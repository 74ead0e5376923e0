"""Finding, labelling and splitting (coursekit.files)."""

import os
import pickle
from collections import Counter
from pathlib import Path, PurePosixPath, PureWindowsPath

import pandas as pd
import pytest
import torch

from coursekit.core import DataError
from coursekit.files import (
    ColReader,
    ColSplitter,
    FuncSplitter,
    GrandparentSplitter,
    GroupSplitter,
    IndexSplitter,
    LabelSplitter,
    RandomSplitter,
    RegexLabeller,
    StratifiedSplitter,
    get_image_files,
    parent_label,
    sort_key,
    using_attr,
)


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def found(root: Path, **kwargs) -> list[str]:
    return [path.relative_to(root).as_posix() for path in get_image_files(root, **kwargs)]


# finding


def test_images_are_found_sorted_whatever_the_order_on_disk(tmp_path):
    names = ["b/2.jpg", "a/10.png", "a/9.png", "B/1.jpg", "c.jpg", "a.jpg"]
    assert found(touch(tmp_path, *names)) == sorted(names)


def test_capital_endings_are_images_and_system_files_are_not(tmp_path):
    touch(tmp_path, "A.JPG", "b.Png", ".DS_Store", "._A.JPG", "Thumbs.db", "labels.csv", "beagle_1.mat", "jpg")
    touch(tmp_path, ".ipynb_checkpoints/c.jpg", "__MACOSX/._A.JPG")
    assert found(tmp_path) == ["A.JPG", "b.Png"]


def test_spaces_accents_and_emoji_are_found_and_labelled_alike(tmp_path):
    nfc, nfd = "caf\u00e9", "cafe\u0301"
    touch(tmp_path, f"{nfc}/{nfc} 1.jpg", f"{nfd}/{nfd} 2.jpg", "\U0001f436/\U0001f436.jpg")
    files = get_image_files(tmp_path)
    assert [parent_label(file) for file in files] == [nfc, nfc, "\U0001f436"]
    labeller = using_attr(RegexLabeller(rf"^({nfd}) \d"), "name")
    assert {labeller(file) for file in files[:2]} == {nfc}


def test_the_sort_key_is_the_same_on_every_system():
    assert sort_key(PureWindowsPath(r"a\B.jpg")) == sort_key(PurePosixPath("a/B.jpg"))
    assert sort_key(PurePosixPath("B")) < sort_key(PurePosixPath("a"))


def test_folders_and_recurse_limit_the_search(tmp_path):
    touch(tmp_path, "top.jpg", "train/a/1.jpg", "valid/a/2.jpg", "test/3.jpg")
    assert found(tmp_path, recurse=False) == ["top.jpg"]
    assert found(tmp_path, folders=["valid", "train"]) == ["train/a/1.jpg", "valid/a/2.jpg"]
    assert found(tmp_path, folders="test") == ["test/3.jpg"]
    with pytest.raises(DataError, match="no folder training"):
        get_image_files(tmp_path, folders=["training"])


def test_a_loop_of_links_is_visited_once_and_real_names_win(tmp_path):
    touch(tmp_path, "z_real/1.jpg")
    (tmp_path / "a_link").symlink_to(tmp_path / "z_real")
    (tmp_path / "z_real" / "up").symlink_to(tmp_path)
    (tmp_path / "itself").symlink_to(tmp_path / "itself")
    assert found(tmp_path) == ["z_real/1.jpg"]


def test_links_to_images_and_to_folders_elsewhere_are_followed(tmp_path):
    touch(tmp_path, "store/1.jpg", "store/sub/2.jpg")
    root = tmp_path / "set"
    root.mkdir()
    (root / "one.jpg").symlink_to(tmp_path / "store/1.jpg")
    (root / "dog").symlink_to(tmp_path / "store/sub")
    (root / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    assert found(root) == ["dog/2.jpg", "gone.jpg", "one.jpg"], (
        "a link to nowhere is kept, so that opening it is reported"
    )


def test_an_empty_folder_says_so_and_names_layouts_that_work(tmp_path):
    with pytest.raises(DataError, match=r"holds 0 files[\s\S]*label/photo\.jpg"):
        get_image_files(tmp_path)


def test_a_folder_without_images_says_what_it_holds(tmp_path):
    touch(tmp_path, "a.txt", "b.txt", "sub/c.csv")
    with pytest.raises(DataError, match=r"3 files: 2 \.txt, 1 \.csv"):
        get_image_files(tmp_path)


def test_images_that_lie_deeper_are_hinted_at(tmp_path):
    with pytest.raises(DataError, match=r"2 lie in folders below[\s\S]*recurse=True"):
        get_image_files(touch(tmp_path, "a/1.jpg", "a/2.jpg"), recurse=False)


def test_a_missing_folder_is_answered_with_the_nearest_name(tmp_path):
    touch(tmp_path, "images/1.jpg")
    with pytest.raises(DataError, match=r"There is no folder .*imagse[\s\S]*did you mean .*images\?"):
        get_image_files(tmp_path / "imagse")
    with pytest.raises(DataError, match="is a file, not a folder"):
        get_image_files(tmp_path / "images" / "1.jpg")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the administrator may read every folder")
def test_a_folder_that_must_not_be_read_is_named(tmp_path):
    locked = tmp_path / "locked"
    touch(tmp_path, "a.jpg", "locked/b.jpg")
    locked.chmod(0)
    try:
        with pytest.raises(DataError, match="locked must not be read"):
            get_image_files(tmp_path)
    finally:
        locked.chmod(0o700)


# labelling


def test_the_labeller_of_the_source_texts_reads_breeds():
    label = using_attr(RegexLabeller(r"(.+)_\d+.jpg$"), "name")
    assert label(Path("images/great_pyrenees_173.jpg")) == "great_pyrenees"
    assert pickle.loads(pickle.dumps(label))(Path("images/Abyssinian_1.jpg")) == "Abyssinian"


def test_a_labeller_sees_paths_with_slashes_on_every_system():
    assert RegexLabeller(r"/(\w+)/[^/]+$")(PureWindowsPath(r"C:\photos\beagle\1.jpg")) == "beagle"


def test_match_holds_a_pattern_to_the_beginning():
    assert RegexLabeller(r"(\d+)")("cell12") == "12"
    with pytest.raises(DataError):
        RegexLabeller(r"(\d+)", match=True)("cell12")


def test_a_pattern_that_does_not_match_is_shown_with_the_name():
    with pytest.raises(DataError) as caught:
        RegexLabeller(r"(.+)_\d+\.jpg$")("beagle.jpg")
    assert r"(.+)_\d+\.jpg$" in str(caught.value) and "beagle.jpg" in str(caught.value)


def test_a_pattern_for_names_that_is_given_a_path_points_to_using_attr():
    with pytest.raises(DataError, match="using_attr"):
        RegexLabeller(r"^([a-z]+)_\d+\.jpg$")(Path("photos/beagle_1.jpg"))


@pytest.mark.parametrize(("pattern", "message"), [("(", "not a regular expression"), (r"\d+", "no group")])
def test_a_wrong_pattern_is_refused_at_once(pattern, message):
    with pytest.raises(DataError, match=message):
        RegexLabeller(pattern)


def test_an_optional_group_that_is_empty_is_no_label():
    with pytest.raises(DataError):
        RegexLabeller(r"photo(_beagle)?\.jpg")("photo.jpg")


TABLE = pd.DataFrame({"image": ["a.png", "b.png"], "label": ["cat", "dog"], "tags": ["x y", ""], "n": [1, 2]})


@pytest.mark.parametrize(
    "row", [TABLE.iloc[1], TABLE.iloc[1].to_dict(), next(TABLE.iloc[[1]].itertuples(index=False))], ids=type
)
def test_columns_are_read_from_rows_of_every_kind(row):
    assert ColReader("label")(row) == ColReader(1)(row) == "dog"
    assert ColReader(["label", "n"])(row) == ["dog", 2]
    assert ColReader("image", pref="images/", suff=".gz")(row) == "images/b.png.gz"
    assert ColReader("image", pref=Path("images"))(row) == Path("images/b.png")
    assert ColReader("tags", label_delim=" ")(row) == []
    assert ColReader("tags", label_delim=" ")(TABLE.iloc[0]) == ["x", "y"]


def test_a_missing_column_is_answered_with_those_there_are():
    with pytest.raises(DataError, match=r"no column 'lable'[\s\S]*image, label, tags, n[\s\S]*mean 'label'"):
        ColReader("lable")(TABLE.iloc[0])
    with pytest.raises(DataError, match="no column 9"):
        ColReader(9)(TABLE.iloc[0])


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, pd.NaT])
def test_an_empty_value_is_no_label_and_names_its_row(missing):
    row = pd.Series({"label": missing}, name=17, dtype=object)
    with pytest.raises(DataError, match="'label' of row 17"):
        ColReader("label")(row)


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "a/../../b.png", "..\\secret.png"])
def test_a_table_does_not_lead_out_of_its_folder(name):
    with pytest.raises(DataError, match="points out of the folder"):
        ColReader("image", pref=Path("images"))({"image": name})


# splitting


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
