"""Counts, lists and names in words (coursekit.text)."""

from pathlib import Path

import pandas as pd
import pytest

from coursekit.core import Problem, data_error, printable
from coursekit.text import file_name, list_some, nfc, pluralize, short_name, shorten, text_width


@pytest.mark.parametrize(("n", "says"), [(0, "0 classes"), (1, "1 class"), (2, "2 classes")])
def test_a_noun_agrees_with_its_number(n, says):
    assert pluralize(n, "class", "classes") == says
    assert pluralize(n, "image") == f"{n} image{'' if n == 1 else 's'}"


def test_a_list_is_cut_short_with_the_number_of_the_rest():
    assert list_some([1, 2, 3], most=3) == "1, 2, 3"
    assert list_some(range(1_005), most=2) == "0, 1 and 1,003 more"
    assert list_some([]) == ""


def test_items_of_all_kinds_have_a_short_name():
    table = pd.DataFrame({"file": ["a.jpg"]}, index=[7])
    items = ["photos/pug/1.jpg", Path("photos/pug/1.jpg"), next(table.iterrows())[1], b"123", 4, [1], "1.jpg"]
    assert [short_name(item) for item in items] == ["pug/1.jpg", "pug/1.jpg", "row 7", "3 bytes", "4", "list", "1.jpg"]


def test_long_names_keep_their_ends():
    assert shorten("staffordshire_bull_terrier", 11) == "staff…rrier"
    assert shorten("pug", 11) == "pug"
    assert [len(shorten("staffordshire_bull_terrier", width)) for width in range(3, 30)] == [*range(3, 27), 26, 26, 26]


def test_an_accent_joins_its_letter():
    assert nfc("cafe\u0301") == nfc("caf\u00e9") == "caf\u00e9"


def test_names_that_are_no_utf8_are_shown_with_their_bytes():
    path = Path("photos/caf\udce9/1.jpg")
    assert short_name(path) == r"caf\xe9/1.jpg" and file_name("caf\udce9.jpg") == r"caf\xe9.jpg"
    assert list_some(["caf\udce9", "b"], 1) == r"caf\xe9 and 1 more"


def test_bytes_that_are_no_text_are_shown_as_codes_everywhere_in_messages():
    name = "caf\udce9"  # what Python makes of the bytes caf\xe9 in a name on a disk
    assert printable(name) == r"caf\xe9"
    assert printable("café 개 \N{DOG FACE}\n") == "café 개 \N{DOG FACE}\n"
    error = data_error(f"There is {name}.", [Problem(name, name, name)], name)
    for text in (list_some([name]), short_name(Path(name, name)), str(error)):
        assert r"caf\xe9" in text and text.encode("utf-8")


def test_wide_letters_count_two():
    assert [text_width(text) for text in ("", "abc", "개a", "犬")] == [0, 3, 3, 2]
