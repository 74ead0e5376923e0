"""Export folders spoilt on purpose: each is refused with the difference named, and no code of theirs is run."""

import base64
import hashlib
import json
import pickle
import struct
from pathlib import Path

import pytest
import torch
from export_folders import VOCAB, edit, run_python
from safetensors.torch import load_file, save_file

from coursekit.augment import Resize
from coursekit.core import ExportError
from coursekit.export import TEXT_FILE, WEIGHTS_FILE, load_learner, read_json


def test_loading_runs_no_code_and_unpickles_nothing(exported, photo):
    code = """
        import sys
        from coursekit.export import load_learner
        load_learner(sys.argv[1]).predict(sys.argv[2])  # once without the hook: libraries are imported at first use
        events = []
        def hook(event, arguments):
            if event in ("exec", "compile", "import", "pickle.find_class", "os.system", "subprocess.Popen",
                         "socket.connect", "ctypes.dlopen", "marshal.loads", "code.__new__"):
                events.append((event, str(arguments)[:200]))
            if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
                events.append((event, str(arguments)))
        sys.addaudithook(hook)
        load_learner(sys.argv[1])
        print(events)
    """
    assert run_python(code, exported, photo).strip() == "[]"


# ---- what is refused, and with which words

EDITS = {
    "newer format": (
        lambda t: t | {"reader_version": 2},
        "newer coursekit(.|\n)*reader of version 2(.|\n)*pip install",
    ),
    "no version": (lambda t: {k: v for k, v in t.items() if k != "format_version"}, "does not say"),
    "not an export": (lambda t: {"name": "a package"}, "does not say"),
    "a list": (lambda t: [t], "no JSON object"),
    "version is text": (lambda t: t | {"reader_version": "1"}, "does not say"),
    "old reader": (lambda t: t | {"reader_version": 0}, "no reader of version 0"),
    "missing key": (lambda t: {k: v for k, v in t.items() if k != "vocab"}, "'vocab' is missing"),
    "extra key": (lambda t: t | {"run": "rm -rf /"}, "'run' is unknown"),
    "module for architecture": (lambda t: t | {"architecture": "os.system"}, "'architecture' is not known"),
    "path for architecture": (lambda t: t | {"architecture": "../evil.py"}, "'architecture' is not known"),
    "hub for architecture": (lambda t: t | {"architecture": "hf-hub:timm/resnet34"}, "'architecture' is not known"),
    "number for architecture": (lambda t: t | {"architecture": 34}, "'architecture' must be a text"),
    "other architecture": (lambda t: t | {"architecture": "resnet18"}, "is missing|not F32|does not belong"),
    "other head": (lambda t: t | {"head": t["head"] | {"n_hidden": 10**9}}, "'head' must be"),
    "other opening": (lambda t: t | {"opening": {"mode": "L"}}, "'opening' must be"),
    "label left out": (lambda t: t | {"vocab": VOCAB[:2]}, "2 logits"),
    "label twice": (lambda t: t | {"vocab": ["a", "a", "b"]}, "'vocab' must be"),
    "label is a number": (lambda t: t | {"vocab": ["a", 1, "b"]}, "'vocab' must be"),
    "no labels": (lambda t: t | {"vocab": []}, "'vocab' must be"),
    "huge size": (lambda t: with_size(t, [10**6, 10**6]), "above 4096"),
    "size is text": (lambda t: with_size(t, "64"), "'preprocessing'"),
    "size is zero": (lambda t: with_size(t, [0, 0]), "'preprocessing'"),
    "unknown transform": (lambda t: with_item_tfm(t, {"name": "os.system"}), "'preprocessing'"),
    "dunder transform": (
        lambda t: with_item_tfm(t, {"name": "Resize", "__class__": "x", "size": [64, 64]}),
        "'preproc",
    ),
    "other filter": (lambda t: with_filter(t, "nearest"), "not done here"),
    "no batch": (lambda t: t | {"preprocessing": {"item_tfms": None}}, "'preprocessing' must hold"),
    "golden logits": (lambda t: with_golden(t, logits=[0.0, 0.0, 0.0]), "does not give the numbers"),
    "golden text": (lambda t: with_golden(t, logits=["a", "b", "c"]), "'golden_sample'"),
    "golden is no image": (lambda t: with_golden(t, image=base64.b64encode(b"<html>").decode()), "cannot be predicted"),
    "golden is not base64": (lambda t: with_golden(t, image="ß"), "cannot be predicted"),
    "other preprocessing": (lambda t: with_item_tfm(t, Resize(32).spec()), "does not give the numbers"),
    "other hash": (lambda t: t | {"weights_sha256": "0" * 64}, "not those that were exported"),
    "no hash": (lambda t: t | {"weights_sha256": None}, "'weights_sha256'"),
    "metrics nested": (lambda t: t | {"metrics": {"a": {"b": 1}}}, "'metrics'"),
    "licence is a list": (lambda t: t | {"data_licence": ["CC0"]}, "'data_licence'"),
    "deep": (lambda t: t | {"metrics": json.loads("[" * 40 + "]" * 40)}, "nested deeper"),
}


def with_size(text: dict, size) -> dict:
    return with_item_tfm(text, text["preprocessing"]["item_tfms"] | {"size": size})


def with_item_tfm(text: dict, spec: dict) -> dict:
    return text | {"preprocessing": text["preprocessing"] | {"item_tfms": spec}}


def with_filter(text: dict, name: str) -> dict:
    batch = text["preprocessing"]["batch"] | {"filter": name}
    return text | {"preprocessing": text["preprocessing"] | {"batch": batch}}


def with_golden(text: dict, **changes) -> dict:
    return text | {"golden_sample": text["golden_sample"] | changes}


@pytest.mark.parametrize(("change", "message"), EDITS.values(), ids=EDITS.keys())
def test_edited_text_is_refused_with_the_difference(export_copy, change, message):
    edit(export_copy, change)
    with pytest.raises(ExportError, match=message):
        load_learner(export_copy)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no valid JSON"),
        (b"{", "no valid JSON"),
        (b"\xff\xfe", "no valid JSON"),
        (b'{"a": 1, "a": 2}', "a key comes twice"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "no valid JSON"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"a": "' + b"x" * (5 * 2**20) + b'"}', "bytes"),
        (b'"[[[[[[[[[[[[[[[[["', "no JSON object"),
    ],
    ids=["empty", "cut off", "bytes", "twice", "nan", "long number", "deep", "large", "brackets in a string"],
)
def test_text_that_is_not_what_it_should_be_is_refused(tmp_path, content, message):
    path = tmp_path / TEXT_FILE
    path.write_bytes(content)
    with pytest.raises(ExportError, match=message):
        read_json(path)


def rewrite(folder: Path, change) -> None:
    """Change the tensors, and the hash in the text with them, as somebody would who knows the format."""
    tensors = load_file(folder / WEIGHTS_FILE)
    save_file(change(tensors), folder / WEIGHTS_FILE)
    digest = hashlib.sha256((folder / WEIGHTS_FILE).read_bytes()).hexdigest()
    edit(folder, lambda t: t | {"weights_sha256": digest})


WEIGHTS = {
    "missing": (lambda t: {k: v for k, v in t.items() if k != "head.linear2.weight"}, "head.linear2.weight is missing"),
    "extra": (lambda t: t | {"evil": torch.zeros(1)}, "evil does not belong here"),
    "shape": (lambda t: t | {"head.linear2.weight": torch.zeros(4, 512)}, r"is F32 \(4, 512\), not F32 \(3, 512\)"),
    "type": (lambda t: t | {"head.linear2.weight": torch.zeros(3, 512).half()}, r"is F16 \(3, 512\), not F32"),
    "values": (lambda t: t | {"head.linear2.weight": torch.zeros(3, 512)}, "does not give the numbers"),
    "nan": (lambda t: t | {"head.linear2.weight": torch.full((3, 512), float("nan"))}, "does not give the numbers"),
}


@pytest.mark.parametrize(("change", "message"), WEIGHTS.values(), ids=WEIGHTS.keys())
def test_changed_weights_are_refused_with_the_difference(export_copy, change, message):
    rewrite(export_copy, change)
    with pytest.raises(ExportError, match=message):
        load_learner(export_copy)


def test_one_flipped_bit_in_the_weights_is_noticed(export_copy):
    content = bytearray((export_copy / WEIGHTS_FILE).read_bytes())
    content[-1000] ^= 1
    (export_copy / WEIGHTS_FILE).write_bytes(content)
    with pytest.raises(ExportError, match="not those that were exported"):
        load_learner(export_copy)


class RunsCode:
    def __reduce__(self):
        return (print, ("code of a pickle was run",))


def safetensors(header: bytes, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header


ATTACKS = {
    "pickle": pickle.dumps({"w": RunsCode()}),
    "empty": b"",
    "huge header": safetensors(b"{}", 2**63),
    "header is no json": safetensors(b"not json"),
    "no tensors": safetensors(b"{}"),
    "outside": safetensors(b'{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}'),
    "overflow": safetensors(b'{"w":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}'),
}


@pytest.mark.parametrize("content", ATTACKS.values(), ids=ATTACKS.keys())
def test_what_is_dressed_as_safetensors_is_refused_and_runs_nothing(export_copy, capsys, content):
    (export_copy / WEIGHTS_FILE).write_bytes(content)
    with pytest.raises(ExportError):
        load_learner(export_copy)
    assert "code of a pickle" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["model.pkl", "model.PT", "weights.pth", "notes.txt", "photo.png"])
@pytest.mark.parametrize("kind", ["pickle", "torch"])
def test_a_pickle_beside_the_files_is_refused_whatever_it_is_called(export_copy, capsys, name, kind):
    if kind == "pickle":
        (export_copy / name).write_bytes(pickle.dumps(RunsCode()))
    else:
        torch.save({"w": torch.zeros(1)}, export_copy / name)
    with pytest.raises(ExportError, match=f"{name} is a pickle"):
        load_learner(export_copy)
    assert "code of a pickle" not in capsys.readouterr().out


@pytest.mark.parametrize("name", [TEXT_FILE, WEIGHTS_FILE])
@pytest.mark.parametrize("kind", ["link", "dangling", "folder", "absent"])
def test_files_that_are_no_files_are_refused_by_name(export_copy, tmp_path, name, kind):
    elsewhere = tmp_path / "elsewhere"
    (export_copy / name).rename(elsewhere)
    if kind in ("link", "dangling"):
        (export_copy / name).symlink_to(elsewhere if kind == "link" else tmp_path / "nowhere")
    elif kind == "folder":
        (export_copy / name).mkdir()
    with pytest.raises(ExportError, match=name):
        load_learner(export_copy)
