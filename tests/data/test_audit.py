"""The audit of a data set (coursekit.data.audit, findings, facts). Numbers in names: rows of the table of faults."""

import io
import os
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from odd_images import encoded, png_of_zeros
from PIL import Image

from coursekit.core import DataError, home
from coursekit.data import facts as facts_module
from coursekit.data.audit import (
    audit,
    bad_items,
    drop_bad,
    picture_groups,
    plot_audit,
)
from coursekit.data.facts import (
    MAX_BITS,
    NEAR,
    Copies,
    Facts,
    close_groups,
    difference_hash,
    gather_facts,
    group_pairs,
    near_pairs,
    read_facts,
    thumbnail,
)
from coursekit.data.files import RegexLabeller, get_image_files, parent_label, using_attr
from coursekit.data.findings import check_folders, check_pictures, check_typos
from coursekit.data.splits import GroupSplitter, RandomSplitter, StratifiedSplitter
from coursekit.data.tables_in import ColReader
from coursekit.datasets.catalogue import solar_cells


def photo(seed: int = 0, width: int = 60, height: int = 45, mode: str = "RGB") -> Image.Image:
    """A picture of soft blobs: different for each seed, and the same picture after JPEG or a change of size."""
    blobs = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(blobs).resize((width, height), Image.Resampling.BICUBIC).convert(mode)


def save(img: Image.Image, path: Path, **kwargs) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    img.save(path, **kwargs)
    return path


def write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def look(items, *args, **kwargs) -> pd.DataFrame:
    return audit(items, *args, cache=False, **kwargs)


def row_of(table: pd.DataFrame, fault: str) -> pd.Series:
    rows = table[table["fault"] == fault]
    assert len(rows) == 1, table.to_string()
    return rows.iloc[0]


def faults(table: pd.DataFrame) -> list[str]:
    return table["fault"].tolist()


def test_a_clean_set_has_no_findings_and_the_table_its_columns(tmp_path):
    files = [save(photo(i), tmp_path / f"{label}/{i}.jpg") for i, label in enumerate(["cat", "dog"] * 4)]
    table = look(files, [file.parent.name for file in files], ([0, 1, 2, 3], [4, 5, 6, 7]))
    assert list(table.columns) == ["item", "fault", "detail", "remedy"]
    assert table.empty, table.to_string()
    assert plot_audit(table).axes[0].get_title() == "The audit found nothing"
    assert look([]).empty


# files that cannot be used

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)


def float_tiff() -> bytes:
    pixels = np.linspace(-1, 2, 1200, dtype=np.float32).reshape(30, 40)
    pixels[3, 4] = np.nan
    return encoded(Image.fromarray(pixels), "TIFF")


UNUSABLE_FILES = {
    "1 empty": ("a.jpg", b"", "empty file", "an empty file"),
    "2 html": ("a.jpg", b"<!DOCTYPE html><title>404 Not Found</title>", "not an image", "HTML"),
    "2 text": ("a.jpg", b"cat;dog\n1;0\n", "not an image", "text"),
    "3 jpeg": ("a.jpg", encoded(photo(), "JPEG")[:-300], "damaged or cut off", "cut off"),
    "3 png": ("a.png", encoded(photo(), "PNG")[:-2000], "damaged or cut off", "cut off"),
    "3 start of png": ("a.png", encoded(photo(), "PNG")[:20], "damaged or cut off", "damaged"),
    "8 float": ("a.tif", float_tiff(), "pixels without a scale", "from -1 to 2, and 1 NaN"),
    "12 over the limit": ("a.png", png_of_zeros(14_000, 13_000), "too large to unpack", "decompression bomb"),
    "12 between": ("a.png", png_of_zeros(10_000, 9_000), "too large to unpack", "10000 x 9000 pixels"),
    "14 heic": ("a.heic", HEIC, "unsupported format", "HEIC"),
    "14 svg": ("a.jpg", b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported format", "SVG"),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", UNUSABLE_FILES)
def test_files_that_cannot_be_used_get_a_row_each(tmp_path, case):
    name, data, fault, cause = UNUSABLE_FILES[case]
    good, bad = save(photo(), tmp_path / "good.png"), write(tmp_path / name, data)
    limit = Image.MAX_IMAGE_PIXELS
    table = look([good, bad])
    row = row_of(table, fault)
    assert row["item"] == bad and cause in row["detail"] and row["remedy"] and len(table) == 1
    assert limit == Image.MAX_IMAGE_PIXELS, "the limit is never changed"


def test_19_missing_files_and_folders_get_a_row_and_do_not_stop_the_audit(tmp_path):
    (tmp_path / "folder.jpg").mkdir()
    table = look([tmp_path / "none.jpg", tmp_path / "folder.jpg", save(photo(), tmp_path / "a.png")])
    assert faults(table) == ["cannot be read"] * 2
    assert table["detail"].tolist() == ["there is no such file", "it is a folder"]


def test_what_is_not_a_path_is_named_by_its_position():
    table = look([photo(), encoded(photo(1), "PNG"), np.zeros((40, 40), np.float64), b"text", np.asarray(photo(2))])
    assert table["item"].tolist() == ["item 2", "item 3"]
    assert "float64" in table["detail"][0]


# files that are handled: counted, in one row for each kind


def kinds() -> dict[str, tuple[bytes, str]]:
    turned = Image.Exif()
    turned[0x0112] = 6
    deep = Image.fromarray(np.asarray(photo(mode="L"), dtype=np.uint16) * 257)
    frames = [photo(i, mode="P") for i in range(3)]
    seen_through = photo()
    seen_through.putalpha(photo(1, mode="L"))
    return {
        "4": (encoded(photo(), "PNG"), "wrong ending"),
        "5": (encoded(photo(), "JPEG", exif=turned), "turned"),
        "6": (encoded(photo(mode="CMYK"), "JPEG"), "other colours"),
        "7": (encoded(deep, "PNG"), "16 bits"),
        "9": (encoded(seen_through, "PNG"), "transparent"),
        "9 palette": (encoded(photo(mode="P"), "PNG", transparency=0), "transparent"),
        "9 LA": (encoded(photo(mode="LA"), "PNG"), "transparent"),
        "10": (encoded(photo(mode="L"), "JPEG"), "grey"),
        "10 one bit": (encoded(photo(mode="1"), "PNG"), "grey"),
        "11 gif": (encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]), "several frames"),
        "11 tiff": (encoded(photo(), "TIFF", save_all=True, append_images=[photo(1)]), "several frames"),
        "flat": (encoded(Image.new("RGB", (60, 45), (9, 99, 199)), "PNG"), "one colour"),
    }


@pytest.mark.parametrize("case", kinds())
def test_kinds_of_files_are_counted_in_one_row(tmp_path, case):
    data, fault = kinds()[case]
    ending = {"4": "jpg", "11 gif": "gif", "11 tiff": "tif"}.get(case, "jpg" if data[:2] == b"\xff\xd8" else "png")
    one = look([write(tmp_path / f"{i}.{ending}", data) for i in range(1)])
    assert row_of(one, fault)["item"] == tmp_path / f"0.{ending}"
    row = row_of(look([write(tmp_path / f"{i}.{ending}", data) for i in range(5)]), fault)
    assert row["item"] == "5 files" and f"{tmp_path.name}/0.{ending}" in row["detail"] and "and 2 more" in row["detail"]


def test_4_a_jpeg_by_any_of_its_endings_is_no_finding(tmp_path):
    names = ["a.jpg", "b.JPEG", "c.jpe", "d.jfif"]
    assert look([write(tmp_path / name, encoded(photo(i), "JPEG")) for i, name in enumerate(names)]).empty


def test_13_small_and_thin_images_are_reported_with_configurable_limits(tmp_path):
    sizes = [(1, 1), (5000, 1), (64, 15), (64, 16), (65, 16), (200, 60)]
    files = [save(photo(i, *size), tmp_path / f"{i}.png") for i, size in enumerate(sizes)]
    table = look(files)
    assert [(row["item"].stem, row["fault"]) for _, row in table.iterrows() if row["fault"] != "one colour"] == [
        ("0", "too small"), ("1", "too small"), ("2", "too small"), ("4", "odd shape"),
    ]  # fmt: skip
    assert "5000 x 1 pixels" in table["detail"][1]
    loose = look(files, min_side=1, max_aspect=5000)
    assert not set(faults(loose)) & {"too small", "odd shape"}
    assert faults(look(files[-1:], max_aspect=3)) == ["odd shape"]


def test_16_names_that_differ_in_case_or_in_the_form_of_accents_only_collide(tmp_path):
    names = ["Cat.png", "cat.png", "caf\u00e9.png", "cafe\u0301.png", "dog.png"]
    table = look([save(photo(i), tmp_path / name) for i, name in enumerate(names)])
    assert faults(table) == ["names collide"] * 2
    assert [row["item"].name for _, row in table.iterrows()] == ["cafe\u0301.png", "cat.png"]
    assert "Cat.png in case only" in table["detail"][1] and "accents only" in table["detail"][0]


def test_30_rows_for_the_same_file_are_reported_together(tmp_path):
    files = [save(photo(i), tmp_path / f"{i}.png") for i in range(3)]
    table = look([*files, files[1], files[1]])
    assert faults(table) == ["listed twice"]
    assert table["item"][0] == files[1] and table["detail"][0] == "items 1, 3, 4, counted from 0"
    assert "same picture on both sides" in faults(look([*files, files[1]], splits=([0, 1, 2], [3])))


def test_18_of_a_folder_what_was_ignored_is_counted(tmp_path):
    save(photo(), tmp_path / "cat" / "1.png")
    for name in (".DS_Store", "cat/._1.png", "cat/list.txt", "cat/notes.txt"):
        write(tmp_path / name, b"x")
    row = row_of(look(tmp_path), "ignored files")
    assert row["item"] == "4 files" and "2 .txt" in row["detail"] and "1 .DS_Store" in row["detail"]


# copies and leaks


def test_26_the_same_picture_in_training_and_validation_is_reported_with_both_paths(tmp_path):
    original = save(photo(1), tmp_path / "train" / "a.png")
    others = [save(photo(i), tmp_path / "valid" / f"{i}.png") for i in range(2, 5)]
    copies = [save(photo(1), tmp_path / "valid" / "b.bmp"), save(photo(1, 30, 22), tmp_path / "valid" / "c.jpg")]
    copies.append(save(photo(1), tmp_path / "valid" / "d.jpg", quality=60))
    files = [original, *others, *copies]
    table = look(files, splits=([0], [1, 2, 3, 4, 5, 6]))
    leaks = table[table["fault"].str.contains("both sides")]
    assert leaks["fault"].tolist() == ["same picture on both sides", *["nearly same picture on both sides"] * 2]
    assert leaks["item"].tolist() == copies
    assert (leaks["detail"] == "in validation; in training as train/a.png").all()
    assert leaks["remedy"].str.contains("GroupSplitter").all()
    assert set(faults(table)) == {"same picture on both sides", "nearly same picture on both sides"}


def test_26_group_splitter_with_picture_groups_ends_the_leak(tmp_path):
    files = [save(photo(i // 2), tmp_path / f"{i:02}.{'png' if i % 2 else 'jpg'}") for i in range(40)]
    assert "nearly same picture on both sides" in faults(look(files, splits=RandomSplitter(0.5)))
    groups = picture_groups(files, cache=False)
    assert len(set(groups.values())) == 20
    table = look(files, splits=GroupSplitter(groups.get, 0.5))
    assert set(faults(table)) == {"nearly same picture twice"} and len(table) == 20


def test_27_the_same_picture_with_two_labels_names_paths_and_labels(tmp_path):
    files = [save(photo(0), tmp_path / "cat/1.png"), save(photo(0), tmp_path / "dog/2.png")]
    files += [save(photo(i), tmp_path / f"{'cat' if i % 2 else 'dog'}/{i}.png") for i in range(3, 9)]
    row = row_of(look(files, lambda file: file.parent.name), "same picture, two labels")
    assert row["item"] == files[1] and row["detail"] == "'dog' here, 'cat' as cat/1.png"


def test_copies_on_one_side_are_reported_once_each_and_not_in_pairs(tmp_path):
    files = [save(photo(0), tmp_path / f"{i}.png") for i in range(6)]
    table = look(files)
    assert faults(table) == ["same picture twice"] * 5 and table["item"].tolist() == files[1:]


def test_26_solar_cells_of_one_module_are_not_taken_for_copies():
    files = get_image_files(solar_cells("names"))
    rows = [i for i in range(len(files)) if 1500 <= int(files[i].stem[-4:]) < 1600]  # the most alike of all
    thumbs = np.stack([read_facts(files[i]).thumb for i in rows])
    assert near_pairs(thumbs) == []
    assert len(near_pairs(thumbs, near=0.003)) > 0, "they are alike, only not so much"
    copies = []
    for i in rows[::10]:
        with Image.open(files[i]) as img:
            copies.append(thumbnail(Image.open(io.BytesIO(encoded(img, "JPEG", quality=60)))))
    n = len(thumbs)
    assert near_pairs(np.concatenate([thumbs, copies])) == [(10 * k, n + k) for k in range(len(copies))]


def test_pairs_by_hash_are_those_of_comparing_all_with_all():
    rng = np.random.default_rng(0)
    base = rng.integers(0, 256, (60, 16, 16))
    thumbs = np.concatenate([base, base[:30] + rng.normal(0, 2, (30, 16, 16))]).clip(0, 255).astype(np.uint8)
    flat = thumbs.reshape(len(thumbs), -1)
    correlation = np.corrcoef(flat)
    hashes = [difference_hash(thumb) for thumb in thumbs]
    expected = {
        (i, j)
        for i in range(90)
        for j in range(i + 1, 90)
        if 1 - correlation[i, j] <= NEAR and (hashes[i] ^ hashes[j]).bit_count() <= MAX_BITS
    }
    assert set(near_pairs(thumbs)) == expected == {(i, i + 60) for i in range(30)}


def test_pairs_are_found_across_blocks(monkeypatch):
    monkeypatch.setattr("coursekit.data.facts._BLOCK", 40)
    thumbs = np.stack([thumbnail(photo(i % 7)) for i in range(20)])
    assert set(near_pairs(thumbs)) == {(i, j) for i in range(20) for j in range(i + 1, 20) if i % 7 == j % 7}


def unit_vectors(n, seed=0, dimensions=20):
    vectors = np.random.default_rng(seed).normal(size=(n, dimensions)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("distance", [0.01, 0.05, 0.3])
def test_vectors_that_are_close_come_into_one_group(distance):
    vectors = unit_vectors(400)
    groups = list(close_groups(vectors, distance, most=30))
    assert len(groups) > 1 and all((np.diff(group) > 0).all() for group in groups)
    together = {(i, j) for group in groups for i in group.tolist() for j in group.tolist()}
    close = np.argwhere(np.linalg.norm(vectors[:, None] - vectors[None], axis=2) <= distance)
    assert {(i, j) for i, j in close.tolist()} <= together


def test_pairs_that_lie_across_cuts_are_found_once(monkeypatch):
    rng = np.random.default_rng(0)
    base = rng.integers(0, 256, (300, 16, 16))
    thumbs = np.concatenate([base, base + rng.normal(0, 2, base.shape)]).clip(0, 255).astype(np.uint8)
    expected = near_pairs(thumbs)
    assert expected == [(i, i + 300) for i in range(300)]
    monkeypatch.setattr("coursekit.data.facts.close_groups", partial(close_groups, most=50))
    assert near_pairs(thumbs) == expected


def test_four_times_as_many_pictures_are_not_sixteen_times_as_many_comparisons():
    def comparisons(n):
        return sum(len(group) ** 2 for group in close_groups(unit_vectors(n, dimensions=8), 0.056, most=100))

    assert comparisons(8000) < 6 * comparisons(2000)


def test_a_crowd_that_no_cut_divides_is_one_group():
    crowd = unit_vectors(1)[[0] * 300]
    assert [len(group) for group in close_groups(crowd, 0.05, most=50)] == [300]


def test_brightness_and_contrast_do_not_matter_and_flat_pictures_match_nothing():
    thumb = thumbnail(photo())
    assert near_pairs(np.stack([thumb, thumb // 2 + 20])) == [(0, 1)]
    assert near_pairs(np.full((3, 16, 16), 7, np.uint8)) == []


def test_groups_are_transitive():
    assert group_pairs(7, [(5, 6), (0, 2), (2, 4), (6, 4)]) == [0, 1, 0, 3, 0, 0, 0]


def test_copies_of_many_identical_pictures_take_no_time_for_all_pairs():
    same = read_facts(photo())
    copies = Copies([same] * 3000)
    assert [copy.how for copy in copies.of(0)] == ["same"] * 2999 and set(copies.groups()) == {0}


def test_the_first_copy_is_looked_for_no_further_than_needed():
    class Counting(list):
        looked_at = 0

        def __getitem__(self, i):
            Counting.looked_at += 1
            return super().__getitem__(i)

    copies = Copies([read_facts(photo())] * 300)
    names = [f"{i}.png" for i in range(300)]
    assert len(list(check_pictures(names, copies, [], Counting([None] * 300)))) == 299
    assert Counting.looked_at < 10 * 300, "as often as there are pictures, not pairs of them"


@pytest.mark.parametrize("labels", [["cat"] * 300, ["cat"] * 299 + ["dog"], ["cat", "dog"] * 150])
def test_labels_of_many_identical_pictures_are_compared_as_often_as_there_are_pictures(labels):
    class Counting(list):
        looked_at = 0

        def __getitem__(self, i):
            Counting.looked_at += 1
            return super().__getitem__(i)

    copies, sides = Copies([read_facts(photo())] * 300), ["training", "validation"] * 150
    found = list(check_pictures([f"{i}.png" for i in range(300)], copies, Counting(labels), Counting(sides)))
    kinds = Counter(finding.fault for finding in found)
    assert kinds["same picture on both sides"] == 150 and kinds["same picture twice"] == 149
    assert kinds["same picture, two labels"] == {1: 0, 2: 1 if labels[1] == "cat" else 299}[len(set(labels))]
    assert Counting.looked_at < 20 * 300, "as often as there are pictures, not pairs of them"


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_pictures_have_no_pairs(n):
    assert near_pairs(np.array([thumbnail(photo())] * n, dtype=np.uint8)) == []
    assert Copies([read_facts(photo())] * n).groups() == [0] * n


# labels


def test_21_classes_that_are_too_small_or_on_one_side_only_are_reported_with_counts(tmp_path):
    labels = ["a"] * 6 + ["b"] * 6 + ["lonely"] + ["train only"] * 2 + ["valid only"] * 2
    files = [save(photo(i), tmp_path / f"{i}.png") for i in range(len(labels))]
    train = [0, 1, 2, 6, 7, 8, 12, 13, 14]
    table = look(files, labels, (train, [i for i in range(17) if i not in train]))
    assert row_of(table, "class of one image")["item"] == "class 'lonely'"
    assert row_of(table, "class in validation only")["detail"] == "2 there, none in training"
    only = table[table["fault"] == "class in training only"]["item"].tolist()
    assert only == ["class 'lonely'", "class 'train only'"]


def test_21_a_folder_of_a_class_without_images_is_reported(tmp_path):
    files = [save(photo(i), tmp_path / f"{'cat' if i % 2 else 'dog'}/{i}.png") for i in range(6)]
    for name in ("emu", "emu/deeper", ".hidden"):
        (tmp_path / name).mkdir()
    assert row_of(look(files, lambda file: file.parent.name), "class without images")["item"] == "class 'emu'"


def test_21_folders_whose_names_hold_accents_as_characters_of_their_own_are_classes_too(tmp_path):
    labels = ["cafe\u0301", "pa\u0302te\u0301"]  # as macOS wrote them: letter and accent apart
    files = [save(photo(i), tmp_path / f"{labels[i % 2]}/{i}.png") for i in range(6)]
    (tmp_path / "emu").mkdir()
    for label in (parent_label, lambda file: file.parent.name):
        assert row_of(look(files, label), "class without images")["item"] == "class 'emu'"


def test_22_a_single_class_is_reported(tmp_path):
    files = [save(photo(i), tmp_path / f"cat/{i}.png") for i in range(3)]
    row = row_of(look(files, ["cat"] * 3), "single class")
    assert row["item"] == "class 'cat'" and "all 3 items" in row["detail"]


@pytest.mark.parametrize(
    ("counts", "rare"),
    [
        ({"beagle": 9, "Beagle ": 2, "beagel": 1}, ["Beagle ", "beagel"]),
        ({"great_pyrenees": 5, "Great Pyrenees": 9}, ["great_pyrenees"]),
        ({"great_pyrenees": 9, "great_pyreness": 2}, ["great_pyreness"]),
        ({"beagle": 9, "beagl": 1, "beaglee": 1, "beegle": 1}, ["beagl", "beaglee", "beegle"]),
        ({"caf\u00e9": 2, "cafe\u0301": 9}, ["caf\u00e9"]),
        ({"class_1": 9, "class_2": 1, "class_12": 1}, []),
        ({"grade a": 9, "grade b": 1}, []),
        ({"cat": 9, "bat": 1, "hen": 9, "pen": 1}, []),
        ({"sheep": 9, "sheer": 8}, []),
        ({"mono_functional": 9, "poly_functional": 1, "mono_defective": 1}, []),
        ({0: 5, 1: 5, 10: 1}, []),
    ],
)
def test_23_near_labels_are_suggested_and_legitimate_neighbours_are_not(counts, rare):
    found = list(check_typos(Counter(counts)))
    assert sorted(f.item for f in found) == sorted(f"class {label!r}" for label in rare)


def test_23_a_typo_names_what_it_may_be_meant_for():
    (finding,) = check_typos(Counter({"beagle": 50, "beagel": 1}))
    assert (
        "one letter away from 'beagle', of which there are 50; of this one 1" in finding.detail
        and "make it 'beagle'" in finding.remedy
    )


def test_24_a_labeller_that_does_not_match_is_one_row_with_pattern_count_and_names(tmp_path):
    names = ["cat_1.png", "cat_2.png", "dog_1.png", "dog_2.png", "x1.png", "x2.png", "x3.png", "x4.png"]
    files = [save(photo(i), tmp_path / name) for i, name in enumerate(names)]
    table = look(files, using_attr(RegexLabeller(r"^([a-z]+)_\d+\.png$"), "name"))
    row = row_of(table, "labeller fails")
    assert row["item"] == "4 files" and r"^([a-z]+)_\d+\.png$" in row["detail"] and "x1.png" in row["detail"]
    assert faults(table).count("no label") == 4


def test_28_heavy_imbalance_is_noted_with_counts(tmp_path):
    files = [save(photo(i), tmp_path / f"{i}.png") for i in range(23)]
    row = row_of(look(files, ["common"] * 21 + ["rare"] * 2), "imbalance")
    assert row["detail"] == "21 of 'common', 2 of 'rare'" and "StratifiedSplitter" in row["remedy"]
    assert "imbalance" not in faults(look(files, ["common"] * 20 + ["rare"] * 3))


@pytest.mark.parametrize("missing", [None, float("nan"), "", "  ", pd.NA, pd.NaT])
def test_30_missing_labels_get_a_row_each(tmp_path, missing):
    files = [save(photo(i), tmp_path / f"{i}.png") for i in range(5)]
    table = look(files, ["a", missing, "b", "a", "b"], ([0, 1, 2], [3, 4]))
    assert row_of(table, "no label")["item"] == files[1] and len(table) == 1


def test_30_a_picture_without_a_label_has_no_second_one(tmp_path):
    files = [save(photo(0), tmp_path / f"{i}.png") for i in range(3)]
    assert set(faults(look(files, ["a", pd.NA, ""]))) == {"same picture twice", "no label", "single class"}


def test_files_that_cannot_be_used_do_not_count_as_images_of_their_class(tmp_path):
    files = [save(photo(i), tmp_path / f"{i}.png") for i in range(5)] + [write(tmp_path / "e.png", b"")]
    assert row_of(look(files, ["a", "a", "b", "b", "c", "c"]), "class of one image")["item"] == "class 'c'"


def test_a_splitter_may_be_given_in_place_of_a_split(tmp_path):
    files = [save(photo(0), tmp_path / f"{i}.png") for i in range(8)]
    table = look(files, ["a", "b"] * 4, StratifiedSplitter(0.25))
    assert faults(table).count("same picture on both sides") == 2
    with pytest.raises(DataError, match="needs labels"):
        look(files, splits=StratifiedSplitter(0.25))


# going on, and what is remembered


def test_1_bad_files_are_left_out_counted_and_listed(tmp_path, capsys):
    files = [save(photo(0), tmp_path / "a.png"), write(tmp_path / "b.jpg", b""), save(photo(0), tmp_path / "c.png")]
    files.append(write(tmp_path / "d.jpg", b"<html>"))
    table = look(files)
    assert drop_bad(files, table) == [files[0], files[2]]
    assert "2 of 4 items are left out (1 empty file, 1 not an image)" in capsys.readouterr().out
    assert bad_items(table)["item"].tolist() == [files[1], files[3]]
    assert drop_bad([str(file) for file in files], table) == [str(files[0]), str(files[2])]
    assert drop_bad(files, table, faults=["same picture twice"]) == [files[0], files[1], files[3]]
    capsys.readouterr()
    assert drop_bad(files[:1], table) == files[:1]
    assert capsys.readouterr().out == ""


def test_bad_items_in_memory_are_left_out_too(capsys):
    items = [photo(), b"text", photo(1)]
    assert drop_bad(items, look(items)) == [items[0], items[2]]


def test_images_in_memory_that_are_not_those_of_the_audit_are_refused():
    items = [photo(), b"text", photo(1)]
    with pytest.raises(DataError, match="3 images in memory were audited, these are 2"):
        drop_bad(items[1:], look(items))


def test_the_files_behind_a_count_can_be_left_out(tmp_path, capsys):
    files = [save(photo(i, mode="L" if i % 2 else "RGB"), tmp_path / f"{i}.png") for i in range(6)]
    table = look(files)
    assert table["item"].tolist() == ["3 files"]
    assert drop_bad(files, table, faults=["grey"]) == files[::2]
    assert "3 of 6 items are left out (3 grey)" in capsys.readouterr().out
    assert drop_bad(files[2:], table, faults=["grey"]) == files[2::2], "some of the audited files"


def test_of_a_file_that_is_listed_twice_one_row_is_kept(tmp_path):
    files = [save(photo(i), tmp_path / f"{i}.png") for i in range(3)]
    rows = [files[0], files[1], files[0], files[2], files[0]]
    assert drop_bad(rows, look(rows), faults=["listed twice"]) == files


@pytest.mark.parametrize(
    "change", [lambda table: table[::-1].reset_index(drop=True), lambda table: table.sort_values("detail").copy()]
)
def test_a_table_in_another_order_still_knows_what_its_rows_are_about(tmp_path, change):
    files = [save(photo(0, mode="L"), tmp_path / f"{i}.png") for i in range(3)] + [write(tmp_path / "z.jpg", b"")]
    table = change(look(files))
    assert drop_bad(files, table) == files[:3]
    figure = plot_audit(table)
    bars = dict(
        zip((label.get_text() for label in figure.axes[0].get_yticklabels()), figure.axes[0].patches, strict=True)
    )
    assert {axes.get_xlabel() for axes in figure.axes[1:]} == {"1.png | 0.png", "2.png | 0.png"}
    assert sorted(bar.get_width() for bar in bars.values()) == [1, 2, 3]


def test_a_table_that_was_saved_and_read_again_names_its_files(tmp_path):
    files = [save(photo(0), tmp_path / "a.png"), write(tmp_path / "b.jpg", b"")]
    look(files).to_csv(tmp_path / "audit.csv", index=False)
    assert drop_bad(files, pd.read_csv(tmp_path / "audit.csv")) == files[:1]


def test_45_labels_in_a_series_are_taken_by_place(tmp_path):
    files = [save(photo(i // 2), tmp_path / f"{i}.png") for i in range(4)]
    labels = pd.Series(["a", "a", "b", "b"], index=[3, 0, 2, 1])
    assert "same picture, two labels" not in faults(look(files, labels))


def test_the_order_of_the_rows_is_that_of_their_importance(tmp_path):
    files = [save(photo(0, mode="L"), tmp_path / f"{i}.png") for i in range(2)] + [write(tmp_path / "z.jpg", b"")]
    assert faults(look(files)) == ["empty file", "same picture twice", "grey"]


def test_the_picture_of_an_audit_shows_counts_and_pairs(tmp_path):
    files = [save(photo(0, mode="L"), tmp_path / f"{i}.png") for i in range(3)] + [write(tmp_path / "z.jpg", b"")]
    figure = plot_audit(look(files))
    counts, *pictures = figure.axes
    assert [label.get_text() for label in counts.get_yticklabels()] == ["empty file", "same picture twice", "grey"]
    assert [bar.get_width() for bar in counts.patches] == [1, 2, 3]
    assert [axes.get_title() for axes in pictures] == ["same picture twice"] * 2
    assert pictures[0].get_xlabel() == "1.png | 0.png"
    figure.canvas.draw()


def test_a_second_audit_opens_no_file(tmp_path, monkeypatch):
    files = [save(photo(i), tmp_path / f"{i}.png") for i in range(4)] + [write(tmp_path / "e.jpg", b"")]
    first = audit(files)
    with monkeypatch.context() as patch:
        patch.setattr(facts_module, "read_facts", lambda source: pytest.fail(f"looked at {source} again"))
        pd.testing.assert_frame_equal(audit(files), first)
        pd.testing.assert_frame_equal(audit(files[1:]), first)
    write(files[0], b"")
    assert [row["item"] for _, row in audit(files).iterrows()] == [files[0], files[4]]


def test_what_may_change_without_the_file_is_not_remembered(tmp_path, monkeypatch):
    files = [write(tmp_path / "a.heic", HEIC), tmp_path / "none.png"]
    assert len(audit(files)) == 2
    save(photo(), files[1])
    monkeypatch.setattr(facts_module, "open_image", lambda source: photo())  # as if a decoder had been installed
    assert audit(files[:1]).empty and audit(files[1:]).empty


@pytest.mark.parametrize("content", [b"", b"no facts at all" * 100, b"\0\xff\n" * 9])
def test_a_damaged_memory_does_no_harm(tmp_path, monkeypatch, content):
    monkeypatch.setenv("COURSEKIT_HOME", str(tmp_path / "home"))
    path = save(photo(), tmp_path / "a.png")
    write(home() / "facts.jsonl", content)
    first = gather_facts([path])
    monkeypatch.setattr(facts_module, "read_facts", lambda source: pytest.fail("looked again"))
    assert gather_facts([path]) == first


def test_a_memory_whose_last_line_was_cut_off_keeps_the_others(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSEKIT_HOME", str(tmp_path / "home"))
    files = [save(photo(i), tmp_path / f"{i}.png") for i in range(4)]
    first = gather_facts(files[:2], workers=1)
    store = home() / "facts.jsonl"
    store.write_bytes(store.read_bytes()[:-100])
    assert gather_facts(files[2:]) == [read_facts(file) for file in files[2:]]
    seen, real = [], facts_module.read_facts
    monkeypatch.setattr(facts_module, "read_facts", lambda source: seen.append(source) or real(source))
    assert gather_facts(files)[:2] == first and seen == [files[1]]


def test_a_memory_that_cannot_be_written_costs_time_only(tmp_path, monkeypatch):
    write(tmp_path / "home", b"a file where a folder should be")
    monkeypatch.setenv("COURSEKIT_HOME", str(tmp_path / "home"))
    with pytest.warns(UserWarning, match="It is looked up each time"):
        assert gather_facts([save(photo(), tmp_path / "a.png")])[0].format == "PNG"


def test_the_memory_is_bounded_and_begins_anew_when_it_is_full(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSEKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(facts_module, "_MAX_BYTES", 3 * 600)  # a line has 718 bytes or so
    files = [save(photo(i), tmp_path / f"{i}.png") for i in range(8)]
    gather_facts(files[:4])
    gather_facts(files[4:])
    assert (home() / "facts.jsonl").stat().st_size < 6 * 800
    seen = []
    monkeypatch.setattr(facts_module, "read_facts", lambda source: seen.append(source) or Facts())
    gather_facts(files)
    assert seen == files[:4]


def test_an_interrupted_audit_keeps_what_it_has_learnt(tmp_path, monkeypatch):
    files = [save(photo(i), tmp_path / f"{i}.png") for i in range(6)]
    real, seen = facts_module.read_facts, []

    def interrupted(source):
        if source == files[3]:
            raise KeyboardInterrupt
        return real(source)

    monkeypatch.setattr(facts_module, "read_facts", interrupted)
    with pytest.raises(KeyboardInterrupt):
        gather_facts(files, workers=1)
    monkeypatch.setattr(facts_module, "read_facts", lambda source: seen.append(source) or real(source))
    gather_facts(files)
    assert seen == files[3:]


@pytest.mark.parametrize("workers", [1, 4])
def test_the_number_of_workers_changes_nothing(tmp_path, workers):
    files = [save(photo(i), tmp_path / f"{i}.png") for i in range(20)]
    assert gather_facts(files, workers, cache=False) == [read_facts(file) for file in files]


def test_facts_are_those_of_the_upright_picture(tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6
    path = save(photo(0, 60, 45), tmp_path / "a.jpg", exif=turned)
    assert read_facts(path)[3:10] == ("JPEG", "RGB", 45, 60, 6, 1, False)


# ---- tables, masks and names


@pytest.fixture
def table(tmp_path) -> pd.DataFrame:
    "Eight rows in another order than their index; row 2 of the table is a copy of row 0, row 5 an empty file."
    files = [save(photo(i if i != 2 else 0), tmp_path / "d" / f"{i}.png") for i in range(8)]
    files[5].write_bytes(b"")
    names = [file.name for file in files]
    return pd.DataFrame({"file": names, "y": list("abbbaaab")}, index=[7, 3, 0, 1, 2, 5, 4, 6])


def test_45_a_table_is_audited_with_a_reader_and_its_rows_are_left_out(tmp_path, table, capsys):
    get_x = ColReader("file", pref=tmp_path / "d")
    by_function = look(table, ColReader("y"), RandomSplitter(0.25), get_x=get_x)
    found = look(table, "y", RandomSplitter(0.25), get_x=get_x)
    assert found.equals(by_function) and found.equals(look(table, table["y"], RandomSplitter(0.25), get_x=get_x))
    assert row_of(found, "empty file")["item"] == tmp_path / "d" / "5.png"
    assert row_of(found, "same picture, two labels")["item"] == tmp_path / "d" / "2.png"
    kept = drop_bad(table, found)
    assert kept["file"].tolist() == [f"{i}.png" for i in range(8) if i != 5] and kept.index.tolist()[:3] == [7, 3, 0]
    assert "1 of 8 items are left out (1 empty file)" in capsys.readouterr().out
    assert drop_bad(list(map(get_x, table.to_dict("records"))), found)[-1] == tmp_path / "d" / "7.png"


def test_55_a_table_without_a_reader_is_refused_and_no_column_is_taken_for_a_file(tmp_path, table):
    get_x = ColReader("file", pref=tmp_path / "d")
    calls = [
        lambda: audit(table),
        lambda: picture_groups(table),
        lambda: drop_bad(table, look([get_x(row) for _, row in table.iterrows()])),
        lambda: drop_bad(table[::-1], look(table, get_x=get_x)),
    ]
    for call in calls:
        with pytest.raises(DataError, match=r"does not say where its images are[\s\S]*get_x="):
            call()


def test_45_groups_of_pictures_in_a_table_go_with_its_rows(tmp_path, table):
    groups = picture_groups(table, cache=False, get_x=ColReader("file", pref=tmp_path / "d"))
    assert groups.index.equals(table.index) and groups.iloc[0] == groups.iloc[2] and groups.nunique() == 7
    train, valid = GroupSplitter(groups, 0.25)(table)
    assert (0 in train) == (2 in train) and len(train) + len(valid) == 8
    with pytest.raises(DataError, match="which row does each entry belong to"):
        GroupSplitter(groups)(table.sort_index())


def test_45_sides_may_be_masks_and_must_exist(tmp_path):
    files = [save(photo(0), tmp_path / f"{i}.png") for i in range(4)]
    mask = np.array([False, True, True, True])
    expected = look(files, splits=([0], [1, 2, 3]))
    assert faults(expected) == ["same picture on both sides"] * 3
    assert look(files, splits=(~mask, mask)).equals(expected)
    assert look(files, splits=(pd.Series(~mask), np.flatnonzero(mask))).equals(expected)
    for splits in (([0], [-1]), ([0], [4]), ([0], [True, False])):
        with pytest.raises(DataError, match="the side for validation"):
            look(files, splits=splits)


@pytest.mark.parametrize("labels", ["ab", ["a"], {"a": 1}])
def test_45_labels_that_do_not_belong_to_the_items_are_refused(tmp_path, labels):
    files = [save(photo(i), tmp_path / f"{i}.png") for i in range(2)]
    with pytest.raises(DataError, match="labels"):
        look(files, labels)


def test_45_pictures_in_a_series_are_taken_by_place(tmp_path):
    files = [save(photo(0 if i in (1, 3) else i), tmp_path / f"{i}.png") for i in range(5)]
    groups = picture_groups(pd.Series(files, index=[4, 2, 3, 0, 1]), cache=False)
    assert groups[files[0]] == groups[files[1]] == groups[files[3]] and len(set(groups.values())) == 3


def test_52_labels_of_mixed_types_are_one_class(tmp_path):
    files = [save(photo(i), tmp_path / f"{i}.png") for i in range(6)]
    assert look(files, [1, "1", 1.0, 2, "2", np.int64(2)]).empty


@pytest.mark.skipif(os.name != "posix", reason="needs file names that are bytes")
def test_60_names_that_are_no_utf8_are_found_and_can_be_printed_and_drawn(tmp_path):
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    try:
        os.mkdir(folder)
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    for i in range(3):
        save(photo(i), tmp_path / "dog" / f"{i}.png")
        save(photo(9, mode="L"), Path(os.fsdecode(folder)) / f"{i}.png")
    found = look(tmp_path, parent_label)
    row = row_of(found, "name is no UTF-8")
    assert row["item"] == "3 files" and r"caf\xe9/0.png" in row["detail"] and "convmv" in row["remedy"]
    found.to_string().encode("utf-8")
    found.to_csv(tmp_path / "found.csv")
    plot_audit(found).canvas.draw()
    files = get_image_files(tmp_path)
    assert len(drop_bad(files, found, faults=["same picture twice"])) == 4


# ---- strays


def test_63_pictures_beside_class_folders_are_one_finding_with_the_count(tmp_path):
    for i in range(6):
        save(photo(i), tmp_path / "pets" / "dc"[i % 2] / f"{i}.png")
    for i in range(2):
        save(photo(9 + i), tmp_path / "pets" / f"logo {i}.png")
    (tmp_path / "elsewhere").mkdir()
    found = look(tmp_path / "pets", parent_label)
    row = row_of(found, "beside class folders")
    assert row["item"] == "class 'pets'" and row["detail"].startswith("2 in ")
    assert "class without images" not in faults(found), "a folder beside the data is no class"
    assert len(drop_bad(get_image_files(tmp_path / "pets"), found, faults=["beside class folders"])) == 6


def test_63_class_folders_called_like_unlabelled_images_are_findings(tmp_path):
    for name in ("cat", "dog", "test", "Unlabeled"):
        for i in range(2):
            save(photo(10 * len(name) + i), tmp_path / name / f"{i}.png")
    found = look(tmp_path, parent_label)
    rows = found[found["fault"] == "called like unlabelled images"]
    assert rows["item"].tolist() == ["class 'Unlabeled'", "class 'test'"]
    assert rows["detail"].str.startswith("2 in folders").all()


def test_63_empty_class_folders_are_looked_for_below_the_data_only(tmp_path):
    files = [save(photo(i), tmp_path / "cat" / f"{i}.png") for i in range(2)]
    (tmp_path / "dog").mkdir()
    assert "class without images" not in faults(look(files, parent_label)), "a list of one class says nothing of others"
    assert row_of(look(tmp_path, parent_label), "class without images")["item"] == "class 'dog'"


def test_54_the_folder_of_an_audit_may_begin_with_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    save(photo(), tmp_path / "d" / "1.png")
    assert look("~/d").empty and look(str(tmp_path / "d")).empty
    facts = gather_facts(["~/d/1.png", tmp_path / "d" / "1.png"], cache=False)
    assert facts[0] == facts[1] and facts[0].format == "PNG"


def test_several_labels_and_classes_without_brackets_are_answered_in_a_sentence(tmp_path):
    files = [save(photo(i), tmp_path / f"{i}.png") for i in range(3)]
    for labels in ([["a", "b"], "a", "b"], lambda file: ["a", "b"]):
        with pytest.raises(DataError, match="Several labels for one image are not offered"):
            look(files, labels)
    with pytest.raises(DataError, match=r"write RegexLabeller\(\.\.\.\)"):
        look(files, RegexLabeller)


def test_folders_beside_class_folders_are_looked_for_in_one_walk_over_the_items(tmp_path):
    class Walked(list):
        walks = 0

        def __iter__(self):
            Walked.walks += 1
            return super().__iter__()

    items = Walked(tmp_path / f"group_{g}" / part / "1.png" for g in range(20) for part in ("", "inner"))
    labels = [item.parent.name for item in items]
    for item in items:
        item.parent.mkdir(parents=True, exist_ok=True)
    Walked.walks = 0
    found = list(check_folders(items, labels, tmp_path))
    assert sum(finding.fault == "beside class folders" for finding in found) == 20
    assert Walked.walks <= 4, "not one for each folder"
