"""Finding and labelling images (coursekit.data.files)."""

import os
import pickle
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
import pytest
from PIL import Image

from coursekit.augment.resize import Resize
from coursekit.core import DataError
from coursekit.data.audit import audit
from coursekit.data.block import DataBlock
from coursekit.data.files import RegexLabeller, get_image_files, ignored_files, parent_label, sort_key, using_attr
from coursekit.data.shortcuts import ImageDataLoaders
from coursekit.data.splits import RandomSplitter
from coursekit.data.tables_in import read_table
from coursekit.images import open_image
from coursekit.results.cleaning import Cleaning


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
def test_a_folder_that_cannot_be_read_is_named(tmp_path):
    locked = tmp_path / "locked"
    touch(tmp_path, "a.jpg", "locked/b.jpg")
    locked.chmod(0)
    try:
        with pytest.raises(DataError, match=r"locked cannot be read\n  Cause: Permission denied"):
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


def test_a_tilde_is_the_home_folder_wherever_a_path_is_read(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for label in ("cat", "dog"):
        for i in range(4):
            path = tmp_path / "photos" / label / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (8, 8), (20 * i, 0, 0)).save(path)
    names = [f"{label}/{i}.png" for label in ("cat", "dog") for i in range(4)]
    table = "\n".join(["name,label", *(f"{name},{name[:3]}" for name in names)])
    (tmp_path / "photos" / "table.csv").write_text(table)
    settings = {"item_tfms": Resize(8), "bs": 2, "device": "cpu", "cache": False}
    for dls in (
        ImageDataLoaders.from_folder("~/photos", valid_pct=0.25, **settings),
        ImageDataLoaders.from_csv("~/photos", "table.csv", valid_pct=0.25, **settings),
        ImageDataLoaders.from_path_func("~/photos", names, parent_label, valid_pct=0.25, **settings),
        DataBlock(get_y=parent_label, splitter=RandomSplitter(0.25), item_tfms=Resize(8)).dataloaders(
            "~/photos", bs=2, device="cpu"
        ),
    ):
        assert dls.one_batch()[0].shape[0]
    assert len(get_image_files("~/photos")) == 8 and len(read_table("~/photos/table.csv")) == 8
    assert open_image("~/photos/cat/0.png").size == (8, 8)
    assert len(audit("~/photos")) == len(audit(tmp_path / "photos"))
    assert Cleaning("~/photos/cleaning.csv").file == tmp_path / "photos" / "cleaning.csv"
    with pytest.raises(DataError, match=str(tmp_path / "photo")):
        get_image_files("~/photo")


def test_a_folder_of_arrays_says_how_to_name_them(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((4, 4)))
    with pytest.raises(DataError, match=r"rglob\('\*\.npy'\)"):
        get_image_files(tmp_path)
