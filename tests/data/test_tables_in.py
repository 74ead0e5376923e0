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
        ({"cat": 1, "dog": 1}, "Several labels for one image are not offered[\\s\\S]*ones in cat, dog"),
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


# ---- what a cell says


@pytest.mark.parametrize(
    "word", ["NA", "None", "null", "nan", "NaN", "N/A", "NULL", "true", "TRUE", "inf", "-", "#N/A"]
)
def test_a_class_of_any_name_is_what_the_file_says(tmp_path, word):
    (tmp_path / "t.csv").write_text(f"file,defect\n1.png,{word}\n2.png,scratch\n3.png,{word}\n")
    assert read_table(tmp_path / "t.csv")["defect"].tolist() == [word, "scratch", word]
    (tmp_path / "t.csv").write_text(f"file,defect\n1.png,{word}\n2.png,{word}\n3.png,{word}\n")
    assert read_table(tmp_path / "t.csv", header=0)["defect"].tolist() == [word] * 3


@pytest.mark.parametrize("cell", ["", '""', "  ", '" "'])
def test_only_an_empty_cell_is_missing(tmp_path, cell):
    (tmp_path / "t.csv").write_text(f"file,label,n\n1.png,cat,1\n2.png,{cell},{cell}\n")
    table = read_table(tmp_path / "t.csv")
    assert [is_missing(value) for column in ("label", "n") for value in table[column]] == [False, True] * 2


@pytest.mark.parametrize("number", ["007", "3e5", "12345678901234567890123", "+5"])
def test_numbers_that_would_not_come_back_as_written_stay_text(tmp_path, number):
    (tmp_path / "t.csv").write_text(f"id,label\n{number},cat\n12,dog\n")
    assert [str(value) for value in read_table(tmp_path / "t.csv")["id"]] == [number, "12"]


def test_whole_numbers_beside_a_gap_stay_whole(tmp_path):
    (tmp_path / "t.csv").write_text("id,label\n12,cat\n,dog\n9007199254740993,dog\n")
    ids = read_table(tmp_path / "t.csv")["id"]
    assert [str(value) for value in ids[ids.notna()]] == ["12", "9007199254740993"]


def test_true_and_false_are_truths_only_as_python_writes_them(tmp_path):
    (tmp_path / "t.csv").write_text("file,is_valid\n1.png,True\n2.png,False\n")
    assert read_table(tmp_path / "t.csv")["is_valid"].tolist() == [True, False]


# ---- as a spreadsheet reads it


@pytest.mark.parametrize(
    "text",
    [
        "file name,class name\nphoto 1.jpg,red fox\nphoto 2.jpg,sea lion\n",  # blanks fit all lines as well
        "file name, class name\nphoto 1.jpg, red fox\nphoto 2.jpg, sea lion\n",
        'file name , class name\n"photo 1.jpg" ,"red fox" \n photo 2.jpg, "sea lion"\n',
        "\ufefffile name;class name\r\nphoto 1.jpg;red fox\r\nphoto 2.jpg;sea lion\r\n;\r\n",
        "sep=|\nfile name|class name\nphoto 1.jpg|red fox\nphoto 2.jpg|sea lion\n\n",
        "\nfile name\tclass name\nphoto 1.jpg\tred fox\n\nphoto 2.jpg\tsea lion",
    ],
)
def test_blanks_and_marks_change_nothing(tmp_path, text):
    for encoding in ("utf-8", "utf-16", "utf-16-le", "utf-16-be"):
        (tmp_path / "t.csv").write_bytes(text.encode(encoding))
        table = read_table(tmp_path / "t.csv")
        assert list(table.columns) == ["file name", "class name"]
        assert table.values.tolist() == [["photo 1.jpg", "red fox"], ["photo 2.jpg", "sea lion"]]


def test_a_blank_does_not_win_over_a_comma_because_a_line_is_wrong(tmp_path):
    (tmp_path / "t.csv").write_text("my file,label\nphoto 1.jpg,cat\nphoto 2.jpg,cat,x\n")
    with pytest.raises(DataError) as caught:
        read_table(tmp_path / "t.csv")
    assert [(p.item, p.cause) for p in caught.value.problems] == [("line 3", "3 values, not 2")]


def test_a_separator_in_quotes_is_part_of_the_value(tmp_path):
    (tmp_path / "t.csv").write_text('file,who\n"a, b.jpg","Smith, J"\nc.jpg,"Lee\nKim"\n')
    assert read_table(tmp_path / "t.csv").values.tolist() == [["a, b.jpg", "Smith, J"], ["c.jpg", "Lee\nKim"]]


@pytest.mark.parametrize("header", ["file", "file name", "name of the file"])
def test_names_with_blanks_in_a_single_column_stay_whole(tmp_path, header):
    (tmp_path / "t.csv").write_text(f"{header}\nphoto 0.jpg\nphoto 1.jpg\n")
    table = read_table(tmp_path / "t.csv")
    assert list(table.columns) == [header] and table[header].tolist() == ["photo 0.jpg", "photo 1.jpg"]


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0"])
def test_an_excel_workbook_is_called_by_its_name(tmp_path, start):
    (tmp_path / "t.xlsx").write_bytes(start + bytes(40))
    with pytest.raises(DataError, match=r"Excel[\s\S]*pandas\.read_excel"):
        read_table(tmp_path / "t.xlsx")


@pytest.mark.parametrize("text", ["a.jpg,cat;dog\nb.jpg,owl;hen\n", "1.jpg;big, old\n2.jpg;small, new\n"])
def test_of_two_separators_the_one_that_makes_names_of_images_is_taken(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    assert read_table(tmp_path / "t.csv").shape == (2, 2)


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        ("a.jpg,cat\nb.jpg,dog\n", [0, 1], 2),
        ("images\\a.JPG,cat\nimages\\b.JPG,dog\n", [0, 1], 2),
        ("0001,cat\n0002,dog\n0003,cat\n", [0, 1], 3),
        ("file,label\na.jpg,cat\n", ["file", "label"], 1),
        ("file,cat\na.jpg,dog\nb.jpg,cat\n", ["file", "cat"], 2),
        ("id,0,1\na,0,1\nb,1,0\n", ["id", "0", "1"], 2),
        (",label,label\n0,cat,1\n1,dog,2\n", ["Unnamed: 0", "label", "label.1"], 2),
    ],
)
def test_a_first_line_of_data_is_no_header(tmp_path, text, columns, rows):
    (tmp_path / "t.csv").write_text(text)
    table = read_table(tmp_path / "t.csv")
    assert list(table.columns) == columns and len(table) == rows
    assert len(read_table(tmp_path / "t.csv", header=None)) == text.count("\n")
    assert len(read_table(tmp_path / "t.csv", header=0)) == text.count("\n") - 1


# ---- paths


def test_a_whole_path_inside_the_folder_is_followed(tmp_path):
    folder = tmp_path / "images"
    whole = str(folder / "a" / "1.png")
    for pref in (folder, f"{folder}/", tmp_path, Path("/")):
        assert str(ColReader("image", pref=pref)({"image": whole})) == whole
    assert ColReader("image", pref=folder / "a")({"image": "../a/1.png"}) == Path(whole)
    with pytest.raises(DataError) as caught:
        ColReader("image", pref=tmp_path / "other")({"image": whole})
    assert f"such as {folder / 'a'} (path= of from_df" in caught.value.remedy
    assert ColReader("image", pref=folder / "a")({"image": whole}) == Path(whole), "the remedy works"


def test_a_whole_path_by_way_of_a_link_is_inside_too(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    whole = str(tmp_path / "real" / "1.png")
    assert ColReader("image", pref=tmp_path / "link")({"image": whole}) == Path(whole)


def test_home_and_backslashes_are_understood_in_tables_and_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "images" / "a").mkdir(parents=True)
    (tmp_path / "images" / "a" / "1.png").touch()
    found = tmp_path / "images" / "a" / "1.png"
    for pref in ("~/images/", Path("~/images"), "~/images"):
        for name in ("a/1.png", "a\\1.png", "~/images/a/1.png"):
            assert Path(ColReader("image", pref=pref)({"image": name})) == found
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    assert len(read_table("~/t.csv")) == 1
    (tmp_path / "images" / "~x\\y.png").touch()
    assert ColReader("n", pref=tmp_path / "images")({"n": "~x\\y.png"}) == tmp_path / "images" / "~x\\y.png"


def test_a_table_with_backslashes_in_its_own_path_is_suggested(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"did you mean d/t\.csv\?"):
        read_table("d\\t.csv")


@pytest.mark.parametrize("number", [12.0, np.float64(12), np.float32(12)])
def test_an_id_that_pandas_made_a_float_is_a_whole_number_in_a_name(number):
    assert ColReader("id", pref=Path("d"), suff=".jpg")({"id": number}) == Path("d/12.jpg")
    assert ColReader("id", suff=".jpg")({"id": 12.5}) == "12.5.jpg"
