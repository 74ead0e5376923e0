"""Tables and the readers of their rows (coursekit.data.tables_in)."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from coursekit.core import DataError
from coursekit.data.tables_in import ColReader, OneHotReader, is_missing, read_cell, read_table

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


@pytest.mark.parametrize("value", [np.zeros((2, 2)), torch.zeros(2, 2), [1, 2], "", " ", 0, False])
def test_a_cell_may_hold_anything_that_is_not_missing(value):
    assert read_cell({"pixels": value}, "pixels") is value
    assert is_missing(value) == (isinstance(value, str) and not value.strip())


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
    allowed = ColReader("image", pref=pref, allow_outside=True)({"image": name})
    assert str(allowed).endswith(re.split(r"[/\\]", name)[-1])


def test_names_with_dots_that_stay_inside_are_fine():
    assert ColReader("image", pref=Path("images"))({"image": "a..b/..c.png"}) == Path("images/a..b/..c.png")


def test_a_folder_without_a_slash_is_a_folder(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "1.png").touch()
    (tmp_path / "images_2.png").touch()
    folder = str(tmp_path / "images")
    assert ColReader("image", pref=folder)({"image": "1.png"}) == tmp_path / "images" / "1.png"
    assert ColReader("image", pref=folder)({"image": "_2.png"}) == f"{folder}_2.png", "a file of that name comes first"
    assert ColReader("n", pref="no_such_folder_")({"n": 7}) == "no_such_folder_7"
    with pytest.raises(DataError, match="points out"):
        ColReader("image", pref=folder)({"image": "../images_2.png"})


@pytest.mark.parametrize("stored", ["caf\u00e9.png", "cafe\u0301.png"])
@pytest.mark.parametrize("written", ["caf\u00e9.png", "cafe\u0301.png"])
def test_15_a_table_may_write_accents_in_another_form_than_the_disk(tmp_path, stored, written):
    (tmp_path / stored).touch()
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


def test_29_a_degree_sign_is_read_in_either_encoding(tmp_path):
    for encoding in ("utf-8", "cp1252"):
        (tmp_path / "t.csv").write_bytes("a,b\n20°,1\n".encode(encoding))
        assert read_table(tmp_path / "t.csv")["a"][0] == "20°"


def test_29_spaces_in_names_do_not_split_a_table_without_header(tmp_path):
    (tmp_path / "t.csv").write_text("my photo 1.jpg,cat\nmy photo 2.jpg,dog\n")
    assert read_table(tmp_path / "t.csv", header=None).values.tolist() == [
        ["my photo 1.jpg", "cat"],
        ["my photo 2.jpg", "dog"],
    ]


def test_29_a_wrong_line_among_decimal_commas_is_named_and_does_not_change_the_separator(tmp_path):
    lines = ["id;width;height", *["7;0,5;1,5"] * 60, "7;0,5"]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    with pytest.raises(DataError) as caught:
        read_table(tmp_path / "t.csv")
    assert [(problem.item, problem.cause) for problem in caught.value.problems] == [("line 62", "2 values, not 3")]


def test_a_table_of_nothing_but_a_header_has_no_rows(tmp_path):
    (tmp_path / "t.csv").write_text("image,label\n")
    table = read_table(tmp_path / "t.csv")
    assert list(table.columns) == ["image", "label"] and len(table) == 0


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
    (tmp_path / "labels.csv").touch()
    with pytest.raises(DataError, match=r"labels\.csv is empty"):
        read_table(tmp_path / "labels.csv")
    with pytest.raises(DataError, match=r"did you mean labels\.csv"):
        read_table(tmp_path / "label.csv")
    with pytest.raises(DataError, match="there is no folder"):
        read_table(tmp_path / "none" / "label.csv")
