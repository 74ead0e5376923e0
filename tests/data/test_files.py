"""Finding, labelling and splitting (coursekit.data.files)."""

import os
import pickle
from collections import Counter
from pathlib import Path, PurePosixPath, PureWindowsPath

import pandas as pd
import pytest
import torch

from coursekit.core import DataError
from coursekit.data.files import (
    ColReader,
    ColSplitter,
    FuncSplitter,
    GrandparentSplitter,
    GroupSplitter,
    IndexSplitter,
    LabelSplitter,
    OneHotReader,
    RandomSplitter,
    RegexLabeller,
    StratifiedSplitter,
    get_image_files,
    ignored_files,
    parent_label,
    read_table,
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


def test_18_what_lies_beside_images_is_passed_over_and_can_be_counted(tmp_path):
    beside = [".DS_Store", "._A.jpg", "Thumbs.db", "A.mat", "sub/list.txt"]
    touch(tmp_path, "A.jpg", "sub/B.jpg", *beside)
    assert found(tmp_path) == ["A.jpg", "sub/B.jpg"]
    assert {file.relative_to(tmp_path).as_posix() for file in ignored_files(tmp_path)} == set(beside)
    assert [file.name for file in ignored_files(tmp_path, folders="sub")] == ["list.txt"]
    assert "sub/list.txt" not in [file.name for file in ignored_files(tmp_path, recurse=False)]
    with pytest.raises(DataError, match="There is no folder"):
        ignored_files(tmp_path / "none")


def test_15_names_that_look_alike_sort_next_to_each_other_and_are_both_found(tmp_path):
    nfc, nfd = "\u00e9.jpg", "e\u0301.jpg"
    touch(tmp_path, nfc, nfd, "f.jpg", "\u00ea.jpg")
    names = found(tmp_path)
    assert sorted(names[1:3]) == sorted([nfc, nfd]) and len(names) == 4, "é in both forms, side by side"


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


OUTSIDE = ["../secret.png", "/etc/passwd", "a/../../b.png", "..\\secret.png", "C:\\x.png", "C:x.png", "\\\\host\\x.png"]


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("pref", [Path("images"), "images/"])
def test_31_a_table_does_not_lead_out_of_its_folder_unless_that_is_allowed(name, pref):
    with pytest.raises(DataError, match=r"points out of the folder[\s\S]*allow_outside=True"):
        ColReader("image", pref=pref)({"image": name})
    assert str(ColReader("image", pref=pref, allow_outside=True)({"image": name})).endswith(name.rsplit("/")[-1])


def test_names_with_dots_that_stay_inside_are_fine():
    assert ColReader("image", pref=Path("images"))({"image": "a..b/..c.png"}) == Path("images/a..b/..c.png")


def test_a_folder_without_a_slash_is_a_folder(tmp_path):
    touch(tmp_path, "images/1.png", "images_2.png")
    folder = str(tmp_path / "images")
    assert ColReader("image", pref=folder)({"image": "1.png"}) == tmp_path / "images" / "1.png"
    assert ColReader("image", pref=folder)({"image": "_2.png"}) == f"{folder}_2.png", "a file of that name comes first"
    assert ColReader("n", pref="no_such_folder_")({"n": 7}) == "no_such_folder_7"
    with pytest.raises(DataError, match="points out"):
        ColReader("image", pref=folder)({"image": "../images_2.png"})


@pytest.mark.parametrize("stored", ["caf\u00e9.png", "cafe\u0301.png"])
@pytest.mark.parametrize("written", ["caf\u00e9.png", "cafe\u0301.png"])
def test_15_a_table_may_write_accents_in_another_form_than_the_disk(tmp_path, stored, written):
    touch(tmp_path, stored)
    assert ColReader("image", pref=tmp_path)({"image": written}).exists()


def test_delimited_labels_are_split_and_trimmed():
    assert ColReader("tags", label_delim=";")({"tags": "clear; road ;"}) == ["clear", "road"]


# one-hot columns


@pytest.mark.parametrize("one", [1, 1.0, True, "1", "1.0", "True", " true "])
def test_30_a_one_hot_row_is_labelled_by_its_column(one):
    zero = type(one)(0) if not isinstance(one, str) else "0"
    assert OneHotReader(["cat", "dog"])(pd.Series({"id": "x", "cat": zero, "dog": one})) == "dog"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"cat": 0, "dog": 0}, "a one in none of cat, dog"),
        ({"cat": 1, "dog": 1}, "ones in cat, dog"),
        ({"cat": 0.5, "dog": 0}, "'cat' is not one-hot[\\s\\S]*0.5"),
        ({"cat": float("nan"), "dog": 1}, "No value in column 'cat'"),
        ({"dog": 1}, "no column 'cat'"),
    ],
)
def test_30_a_row_that_is_not_one_hot_is_refused(row, message):
    with pytest.raises(DataError, match=message):
        OneHotReader(["cat", "dog"])(row)


# tables

CITIES = [["001", "K\u00f6ln"], ["002", "Bonn"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("sep", [",", ";", "\t", "|", " ", "   "])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_29_tables_are_read_whatever_their_separator_and_encoding(tmp_path, encoding, sep, newline):
    lines = [sep.join(row) for row in (["id", "city"], *CITIES)]
    (tmp_path / "t.csv").write_bytes((newline.join(lines) + newline).encode(encoding))
    table = read_table(tmp_path / "t.csv")
    assert list(table.columns) == ["id", "city"] and table.values.tolist() == CITIES


@pytest.mark.parametrize(
    ("data", "byte"),
    [
        (b"a,b\nK\xc3\xb6ln,1\nBr\xfchl,2\n", "0xfc"),  # UTF-8, but for one byte
        (b"a,b\nK\xf6ln,1\nBr\x81hl,2\n", "0x81"),  # cp1252 has no such byte
    ],
)
def test_29_a_byte_that_cannot_be_decoded_is_named_by_its_line(tmp_path, data, byte):
    (tmp_path / "t.csv").write_bytes(data)
    with pytest.raises(DataError, match=rf"line 3: the byte {byte}[\s\S]*encoding="):
        read_table(tmp_path / "t.csv")


def test_an_encoding_that_is_given_is_the_one_that_is_used(tmp_path):
    (tmp_path / "t.csv").write_bytes("a,b\n\u0416,1\n".encode("cp1251"))
    assert read_table(tmp_path / "t.csv", encoding="cp1251")["a"][0] == "\u0416"
    with pytest.raises(DataError, match="line 2"):
        read_table(tmp_path / "t.csv", encoding="utf-8")


def test_lines_with_too_many_or_too_few_values_are_all_named(tmp_path):
    (tmp_path / "t.csv").write_text('a,b\n1,2\n1\n"x,y",3\n1,2,3\n')
    with pytest.raises(DataError) as caught:
        read_table(tmp_path / "t.csv")
    assert [problem.item for problem in caught.value.problems] == ["line 3", "line 5"]


def test_decimal_commas_follow_semicolons_only(tmp_path):
    (tmp_path / "t.csv").write_text("a;b\n0,5;1\n")
    assert read_table(tmp_path / "t.csv")["a"].tolist() == [0.5]
    (tmp_path / "t.csv").write_text("a;b\n0.5;x,y\n")
    assert read_table(tmp_path / "t.csv").values.tolist() == [[0.5, "x,y"]]


def test_a_table_without_a_header_and_one_of_a_single_column(tmp_path):
    (tmp_path / "t.txt").write_text("images/1.png  0.33333  mono \nimages/2.png  1.0  poly\n")
    assert read_table(tmp_path / "t.txt", header=None)[2].tolist() == ["mono", "poly"]
    (tmp_path / "t.txt").write_text("name\nx\ny\n")
    assert read_table(tmp_path / "t.txt")["name"].tolist() == ["x", "y"]


def test_missing_and_empty_tables_are_named(tmp_path):
    touch(tmp_path, "labels.csv")
    with pytest.raises(DataError, match=r"labels\.csv is empty"):
        read_table(tmp_path / "labels.csv")
    with pytest.raises(DataError, match=r"did you mean labels\.csv"):
        read_table(tmp_path / "label.csv")
    with pytest.raises(DataError, match="there is no folder"):
        read_table(tmp_path / "none" / "label.csv")


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
