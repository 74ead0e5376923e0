"""The text of an export: read with suspicion, every value checked, old and newer versions told apart."""

import json
import os
import re
from pathlib import Path

import pytest
from export_folders import edit

from coursekit.augment.pipeline import BatchPipeline
from coursekit.augment.resize import Resize
from coursekit.core import ExportError
from coursekit.export.schema import (
    FORMAT_VERSION,
    KEYS,
    preprocessing_problems,
    read_description,
    read_json,
    strict_json,
    vocab_problems,
)

TEXT_FILE = "coursekit.json"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Expecting value"),
        (b"\xff\xfe{}", "can't decode"),
        (b'{"a": {"b": 1, "b": 2}}', "a key comes twice"),
        (b'{"a": -Infinity}', "-Infinity is no number"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"a":' * 11 + b"1" + b"}" * 11, "nested deeper"),
        (b"[]", "no JSON object, but a list"),
        (b'"' + b'\\"' * 2_000_000, "Unterminated"),
        (b" " * (4 * 2**20 + 1), "more than 4,194,304 bytes"),
    ],
    ids=["empty", "no utf-8", "twice", "infinity", "deep", "deep and whole", "list", "quotes", "large"],
)
def test_json_from_strangers_is_refused_with_a_word_about_why(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        strict_json(content)
    (tmp_path / TEXT_FILE).write_bytes(content)
    with pytest.raises(ExportError, match=message):
        read_json(tmp_path / TEXT_FILE)


@pytest.mark.parametrize("text", ['{"a": "[[[[[[[[[[[[[[["}', '{"a": "\\"[[[[[[[[[[[[", "b": [[1]]}', '{"a\\\\": {}}'])
def test_brackets_in_strings_are_no_nesting(text):
    assert strict_json(text.encode()) == json.loads(text)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ExportError, match="no valid JSON"):
        read_json(tmp_path / TEXT_FILE)


def test_a_description_is_read_as_it_was_written(exported):
    text = read_description(exported / TEXT_FILE)
    assert text == json.loads((exported / TEXT_FILE).read_text("utf-8"))
    assert text["format_version"] == FORMAT_VERSION and text.keys() == KEYS[FORMAT_VERSION]


def test_version_1_0_has_no_word_on_onnx(stored_copy):
    folder = stored_copy("1.0")
    assert read_description(folder / TEXT_FILE)["format_version"] == "1.0"
    edit(folder, lambda t: t | {"onnx": None})
    with pytest.raises(ExportError, match="'onnx' is unknown"):
        read_description(folder / TEXT_FILE)


@pytest.mark.parametrize(
    ("version", "golden"),
    [("1.0", {"logits": [0, 0, 0]}), ("1.1", {"logits": [0, 0, 0]}), ("1.2", {"logits": [0, 0, 0], "image": ""})],
)
def test_the_golden_image_is_there_up_to_version_1_1_and_not_later(stored_copy, version, golden):
    folder = stored_copy(version)
    edit(folder, lambda t: t | {"golden_sample": golden})
    with pytest.raises(ExportError, match="'golden_sample' must hold 3 logits"):
        read_description(folder / TEXT_FILE)


@pytest.mark.parametrize("version", ["1.4", "1.999"])
def test_a_later_minor_version_may_say_more(export_copy, version):
    edit(export_copy, lambda t: t | {"format_version": version, "comment": "new"})
    assert read_description(export_copy / TEXT_FILE)["comment"] == "new"


@pytest.mark.parametrize("version", ["2.0", "10.0"])
def test_a_later_major_version_asks_for_an_upgrade(export_copy, version):
    edit(export_copy, lambda t: t | {"format_version": version})
    with pytest.raises(ExportError, match=r"newer coursekit(.|\n)*pip install --upgrade"):
        read_description(export_copy / TEXT_FILE)


@pytest.mark.parametrize("version", ["1", "1.0.0", "v1.0", "١.٠", "1.0\n", "", None, 1.0, "0.9", "99999.0"])
def test_what_is_no_version_is_refused(export_copy, version):
    edit(export_copy, lambda t: t | {"format_version": version})
    with pytest.raises(ExportError, match=r"does not say|no reader"):
        read_description(export_copy / TEXT_FILE)


@pytest.mark.parametrize(
    "onnx", [{}, {"sha256": "0" * 64}, {"sha256": "x", "opset": 20}, "model.onnx", {"sha256": "0" * 64, "opset": True}]
)
def test_what_is_said_of_onnx_is_checked(export_copy, onnx):
    edit(export_copy, lambda t: t | {"onnx": onnx})
    with pytest.raises(ExportError, match="'onnx' must be"):
        read_description(export_copy / TEXT_FILE)


def test_everything_that_is_wrong_is_named_at_once(export_copy):
    edit(export_copy, lambda t: t | {"vocab": [], "metrics": [], "head": None, "weights_sha256": 5, "data_licence": 1})
    with pytest.raises(ExportError) as error:
        read_description(export_copy / TEXT_FILE)
    for key in ("vocab", "metrics", "head", "weights_sha256", "data_licence"):
        assert f"'{key}'" in error.value.cause


def test_messages_stay_short_and_printable_whatever_a_stranger_writes(export_copy):
    edit(export_copy, lambda t: t | {"\x1b[2J" * 1000: 1, **{f"key {i}": 0 for i in range(1000)}})
    with pytest.raises(ExportError) as error:
        read_description(export_copy / TEXT_FILE)
    message = str(error.value)
    assert "993 more" in message and len(message) < 3000
    assert all(character.isprintable() or character == "\n" for character in message)


@pytest.mark.parametrize("labels", [["a", "b"], ["hörnchen", "👩‍🚒"], ["می‌خواهم", "x"], ["two words", "x/y"]])
def test_labels_of_all_languages_are_labels(labels):
    assert vocab_problems(labels) == []


@pytest.mark.parametrize(
    "labels", [[], "ab", ["a", "a"], ["a", 1], ["a", "b\n"], ["a", "\ud800"], ["a", "x\u202ey"], ["ö", "o\u0308"], None]
)
def test_labels_that_cannot_be_shown_or_told_apart_are_refused(labels):
    assert len(vocab_problems(labels)) == 1


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        (["a", "b\n"], r"'b\\n' cannot be shown"),
        (["a", "x\u202ey"], r"'x\\u202ey' cannot be shown"),
        (["\xf6", "b", "o\u0308"], r"'\\xf6' and 'o\\u0308' look the same"),
        (["cat", "dog", "cat"], "'cat' comes twice"),
        (["a", 7], "a label is no text, but a int"),
    ],
)
def test_the_label_that_is_wrong_is_named(labels, named):
    assert re.search(named, vocab_problems(labels)[0])


@pytest.mark.parametrize(
    "libraries",
    [
        {},
        {"torch": "2.14.1+cu128", "python": "3.15.0rc1+", "timm": "not installed"},
        {"torch": "2.6.0a0+ecf3bae40a.nv25.01", "numpy": "1!2.0.dev3"},
    ],
)
def test_versions_of_libraries_are_read(export_copy, libraries):
    edit(export_copy, lambda t: t | {"libraries": libraries})
    assert read_description(export_copy / TEXT_FILE)["libraries"] == libraries


@pytest.mark.parametrize(
    "libraries",
    [
        {"torch": "\x1b[2J"},
        {"\x1b[2J": "1"},
        {"torch": "x" * 41},
        {"torch": "1\n"},
        {"torch": "\u0661.0"},
        {"torch": None},
        {"torch": ""},
        {f"l{i}": "1" for i in range(41)},
        ["torch"],
    ],
    ids=["escape", "escape in a name", "long", "line end", "other digits", "null", "empty", "many", "list"],
)
def test_what_is_no_version_of_a_library_is_refused(export_copy, libraries):
    edit(export_copy, lambda t: t | {"libraries": libraries})
    with pytest.raises(ExportError, match="'libraries' must hold"):
        read_description(export_copy / TEXT_FILE)


@pytest.mark.parametrize("item_tfms", [None, Resize(64).spec(), Resize((80, 64), "pad", "zeros").spec()])
@pytest.mark.parametrize("size", [None, 48])
def test_preprocessing_that_was_described_is_understood(item_tfms, size):
    batch = BatchPipeline().spec() | {"size": size and [size, size]}
    assert preprocessing_problems({"item_tfms": item_tfms, "batch": batch}) == []


@pytest.mark.parametrize("number", [10**400, 2049, -5000, float("nan"), float("inf")])
def test_numbers_beyond_reason_are_refused(number):
    spec = {"item_tfms": Resize(64).spec() | {"size": [number, 64]}, "batch": BatchPipeline().spec()}
    assert "above 2048" in preprocessing_problems(spec)[0]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX has pipes with names")
def test_reading_does_not_follow_an_endless_file():
    with pytest.raises(ExportError, match="more than"):
        read_json(Path("/dev/zero"))
