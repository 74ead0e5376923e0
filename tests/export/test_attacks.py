"""Export folders spoilt on purpose: each is refused with the difference named, and no code of theirs is run.

Every attack is loaded in one process of its own (watched_loading.py) that notes what Python can be seen doing, has
little memory to spare, and gives each attack some seconds.
"""

import base64
import gzip
import hashlib
import io
import json
import os
import pickle
import random
import re
import socket
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from export_folders import VOCAB, edit
from odd_images import encoded, png_of_zeros
from PIL import Image
from safetensors.torch import load_file, save_file

from coursekit.augment.resize import RandomResizedCrop, Resize
from coursekit.export.folder import TEXT_FILE, WEIGHTS_FILE, load_learner

Text = dict[str, Any]
Tensors = dict[str, torch.Tensor]
Attack = tuple[Callable[[Path], object], str]  # what spoils a good export, and what the refusal has to say
ATTACKS: dict[str, Attack] = {}


class RunsCode:
    """Unpickling this writes a file: what no loading of an export may do."""

    def __reduce__(self) -> tuple:
        return (open, ("code_of_a_pickle_was_run", "w"))


PICKLE = pickle.dumps({"weights": RunsCode()})


# ---- the text: other values


def attack_text(name: str, change: Callable[[Text], Any], message: str) -> None:
    ATTACKS[name] = (lambda folder: edit(folder, change), message)


def with_item_tfm(text: Text, spec: Any) -> Text:
    return text | {"preprocessing": text["preprocessing"] | {"item_tfms": spec}}


def with_size(text: Text, size: Any) -> Text:
    return with_item_tfm(text, text["preprocessing"]["item_tfms"] | {"size": size})


def with_batch(text: Text, **changes: Any) -> Text:
    batch = text["preprocessing"]["batch"] | changes
    return text | {"preprocessing": text["preprocessing"] | {"batch": batch}}


def with_golden(text: Text, **changes: Any) -> Text:
    return text | {"golden_sample": text["golden_sample"] | changes}


def with_image(text: Text, content: bytes) -> Text:
    return with_golden(text, image=base64.b64encode(content).decode())


def with_labels(text: Text, vocab: list) -> Text:
    return with_golden(text | {"vocab": vocab}, logits=[0] * len(vocab))


EPS = encoded(Image.new("RGB", (8, 8)), "EPS")
HUGE = 10**400  # an integer that no float can hold
NESTED = json.loads("[" * 40 + "]" * 40)
UNSAFE = "'architecture' is not known"

# newer and other formats
attack_text("newer reader", lambda t: t | {"reader_version": 4}, r"newer coursekit(.|\n)*version 4(.|\n)*pip install")
attack_text("far newer reader", lambda t: t | {"reader_version": HUGE}, "newer coursekit|does not say")
attack_text("newer format, same reader", lambda t: t | {"format_version": "2.0"}, "version|newer")
attack_text("format of another kind", lambda t: t | {"format_version": "1.0; rm -rf /"}, "version")
attack_text("no version", lambda t: {k: v for k, v in t.items() if k != "format_version"}, "does not say")
attack_text("version is text", lambda t: t | {"reader_version": "1"}, "does not say")
attack_text("version is true", lambda t: t | {"reader_version": True}, "does not say")
attack_text("old reader", lambda t: t | {"reader_version": 0}, "no reader of version 0")
attack_text("not an export", lambda t: {"name": "a package"}, "does not say")
attack_text("a list", lambda t: [t], "no JSON object")
attack_text("missing key", lambda t: {k: v for k, v in t.items() if k != "vocab"}, "'vocab' is missing")
attack_text("extra key", lambda t: t | {"run": "rm -rf /"}, "'run' is unknown")
# names of modules, classes, files and addresses
attack_text("module for architecture", lambda t: t | {"architecture": "os.system"}, UNSAFE)
attack_text("function for architecture", lambda t: t | {"architecture": "builtins:exec"}, UNSAFE)
attack_text("path for architecture", lambda t: t | {"architecture": "../evil.py"}, UNSAFE)
attack_text("hub for architecture", lambda t: t | {"architecture": "hf-hub:timm/resnet34"}, UNSAFE)
attack_text("folder for architecture", lambda t: t | {"architecture": "local-dir:evil"}, UNSAFE)
attack_text("detector for architecture", lambda t: t | {"architecture": "torchvision/maskrcnn_resnet50_fpn"}, UNSAFE)
attack_text("package for architecture", lambda t: t | {"architecture": "torchvision/../../os"}, UNSAFE)
attack_text("wide letters for architecture", lambda t: t | {"architecture": "ｒesnet18"}, UNSAFE)
attack_text("line end after architecture", lambda t: t | {"architecture": "test_resnet\n"}, UNSAFE)
attack_text("number for architecture", lambda t: t | {"architecture": 34}, "'architecture' must be a text")
attack_text(
    "object for architecture", lambda t: t | {"architecture": {"py/object": "os.system"}}, "'architecture' must"
)
attack_text("other architecture", lambda t: t | {"architecture": "resnet18"}, "is missing|not F32|does not belong")
attack_text(
    "enormous architecture", lambda t: t | {"architecture": "vit_giant_patch14_224"}, "is missing|does not belong"
)
for arch in ("efficientvit_b0", "lambda_resnet26t"):
    attack_text(f"{arch}, no body", lambda t, arch=arch: t | {"architecture": arch}, "cannot be used as a body")
attack_text("class for transform", lambda t: with_item_tfm(t, {"name": "os.system"}), "'preprocessing'")
attack_text("dunder", lambda t: with_item_tfm(t, {"name": "Resize", "__class__": "x", "size": [64, 64]}), "'preproc")
attack_text("dunder name", lambda t: with_item_tfm(t, {"name": "__import__", "size": [64, 64]}), "'preprocessing'")
attack_text("reduce", lambda t: with_item_tfm(t, {"__reduce__": ["os.system", ["id"]]}), "'preprocessing'")
attack_text("target", lambda t: with_item_tfm(t, {"_target_": "os.system", "name": "Resize"}), "'preprocessing'")
attack_text("transform is a text", lambda t: with_item_tfm(t, "lambda img: img"), "'preprocessing'")
attack_text("code for head", lambda t: t | {"head": "lambda: None"}, "'head' must be")
attack_text("other head", lambda t: t | {"head": t["head"] | {"n_hidden": 10**9}}, "'head' must be")
attack_text("other opening", lambda t: t | {"opening": {"mode": "L"}}, "'opening' must be")
# sizes and numbers
attack_text("huge size", lambda t: with_size(t, [10**6, 10**6]), "above|too large")
attack_text("size that no float holds", lambda t: with_size(t, [HUGE, HUGE]), "above|too large|'preprocessing'")
attack_text("size is infinite", lambda t: with_size(t, [float("1e300") * 10, 64]), "Infinity|above")
attack_text("size is negative", lambda t: with_size(t, [-64, -64]), "'preprocessing'")
attack_text("size is text", lambda t: with_size(t, "64"), "'preprocessing'")
attack_text("size is zero", lambda t: with_size(t, [0, 0]), "'preprocessing'")
attack_text("size is nested", lambda t: with_size(t, [[64], [64]]), "'preprocessing'")
attack_text("one side is endless", lambda t: with_size(t, [1, 4096]), "does not give|'preprocessing'|predicted")
attack_text(
    "crop of no shape",
    lambda t: with_item_tfm(t, RandomResizedCrop(64).spec() | {"ratio": [0, 0], "min_scale": 0}),
    "'preprocessing'|does not give|predicted",
)
attack_text(
    "division by zero",
    lambda t: with_batch(t, normalize={"mean": [0.0] * 3, "std": [0.0] * 3}),
    "'preprocessing'|does not give",
)
attack_text("other filter", lambda t: with_batch(t, filter="nearest"), "not done here")
attack_text("no batch", lambda t: t | {"preprocessing": {"item_tfms": None}}, "'preprocessing' must hold")
attack_text("other preprocessing", lambda t: with_item_tfm(t, Resize(32).spec()), "does not give the numbers")
attack_text("metrics nested", lambda t: t | {"metrics": {"a": {"b": 1}}}, "'metrics'")
attack_text("metric that no float holds", lambda t: t | {"metrics": {"error_rate": HUGE}}, "'metrics'")
attack_text("metrics deep", lambda t: t | {"metrics": NESTED}, "nested deeper")
attack_text("licence is a list", lambda t: t | {"data_licence": ["CC0"]}, "'data_licence'")
attack_text(
    "thin sample made wide",
    lambda t: with_image(with_size(t, [2048, 2048]), png_of_zeros(512, 1)),
    "'golden_sample' must hold 3 logits",
)
# versions, which are printed where the numbers differ
attack_text(
    "versions move the cursor",
    lambda t: with_golden(t | {"libraries": {"torch": "\x1b[2J\x1b[H"}}, logits=[0, 0, 0]),
    "'libraries' must hold",
)
attack_text(
    "names of libraries move the cursor",
    lambda t: with_golden(t | {"libraries": {"\x1b]0;owned\x07": "1"}}, logits=[0, 0, 0]),
    "'libraries' must hold",
)
attack_text(
    "versions without end",
    lambda t: with_golden(t | {"libraries": {"torch": "1" * 10**6}}, logits=[0, 0, 0]),
    "'libraries' must hold",
)
attack_text(
    "libraries without end",
    lambda t: with_golden(t | {"libraries": {f"l{i}": "1" for i in range(10**5)}}, logits=[0, 0, 0]),
    "'libraries' must hold",
)
attack_text(
    "libraries that nobody asks for",
    lambda t: with_golden(t | {"libraries": {"rm.-rf": "1", "torch": "1.0"}}, logits=[0, 0, 0]),
    r"Written with: torch 1\.0\. Here",
)
# labels
attack_text("label left out", lambda t: t | {"vocab": VOCAB[:2]}, "2 logits")
attack_text("one label less in all", lambda t: with_labels(t, VOCAB[:2]), r"is F32 \(3, 512\), not F32 \(2, 512\)")
attack_text("many labels", lambda t: with_labels(t, [f"{i:x}" for i in range(200_000)]), "200000, 512|'vocab'")
attack_text("label twice", lambda t: t | {"vocab": ["a", "a", "b"]}, "'vocab' must be")
attack_text("label is a number", lambda t: t | {"vocab": ["a", 1, "b"]}, "'vocab' must be")
attack_text("label is half a character", lambda t: t | {"vocab": ["a", "\ud800", "b"]}, "'vocab' must be")
attack_text("label moves the cursor", lambda t: t | {"vocab": ["a", "\x1b[2J\x1b[H", "b"]}, "'vocab' must be")
attack_text("label turns the text", lambda t: t | {"vocab": ["a", "cat\u202egod", "b"]}, "'vocab' must be")
attack_text("labels that look the same", lambda t: t | {"vocab": ["h\xf6rn", "ho\u0308rn", "b"]}, "'vocab' must be")
attack_text("no labels", lambda t: t | {"vocab": []}, "'vocab' must be")
attack_text("vocabulary is a text", lambda t: t | {"vocab": "abc"}, "'vocab' must be")
# the golden sample and the checksum
attack_text("golden logits", lambda t: with_golden(t, logits=[0.0, 0.0, 0.0]), "does not give the numbers")
attack_text("golden text", lambda t: with_golden(t, logits=["a", "b", "c"]), "'golden_sample'")
attack_text("golden huge", lambda t: with_golden(t, logits=[HUGE, 0, 0]), "'golden_sample'")
attack_text("golden too large for 32 bits", lambda t: with_golden(t, logits=[1e300, 0, 0]), "does not give|'golden")
attack_text("golden is no image", lambda t: with_image(t, b"<html>"), "cannot be predicted|'golden_sample'")
attack_text("golden is a pickle", lambda t: with_image(t, PICKLE), "cannot be predicted|'golden_sample'")
attack_text(
    "golden is a program",
    lambda t: with_image(t, EPS),
    "cannot be predicted|'golden_sample'",
)
attack_text("golden is not base64", lambda t: with_golden(t, image="ß"), "cannot be predicted|'golden_sample'")
attack_text("golden is a path", lambda t: with_golden(t, image="/etc/passwd"), "cannot be predicted|'golden_sample'")
attack_text("golden bomb", lambda t: with_image(t, png_of_zeros(30_000, 30_000)), "too large|'golden_sample'")
attack_text("golden bomb below Pillow's limit", lambda t: with_image(t, png_of_zeros(9000, 9900)), "'golden_sample'")
attack_text("other hash", lambda t: t | {"weights_sha256": "0" * 64}, "not those that were exported")
attack_text("no hash", lambda t: t | {"weights_sha256": None}, "'weights_sha256'")
attack_text("hash in other digits", lambda t: t | {"weights_sha256": "\u0660" * 64}, "'weights_sha256'")


# ---- the text: what is no such JSON


def attack_json(name: str, content: bytes, message: str) -> None:
    ATTACKS[f"text: {name}"] = (lambda folder: (folder / TEXT_FILE).write_bytes(content), message)


def packed(content: bytes, name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def taped(content: bytes, name: str) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


attack_json("empty", b"", "no valid JSON")
attack_json("cut off", b"{", "no valid JSON")
attack_json("other bytes", b"\xff\xfe", "no valid JSON")
attack_json("utf-16", '{"format": "coursekit export"}'.encode("utf-16"), "no valid JSON")
attack_json("overlong utf-8", b'{"a": "\xc0\x80"}', "no valid JSON")
attack_json("byte order mark", b'\xef\xbb\xbf{"a": 1}', "no valid JSON|does not say")
attack_json("key twice", b'{"a": 1, "a": 2}', "a key comes twice")
attack_json("key twice, once disguised", b'{"vocab": 1, "\\u0076ocab": 2}', "a key comes twice")
attack_json("key twice, below", b'{"a": {"b": 1, "b": 2}}', "a key comes twice")
attack_json("NaN", b'{"a": NaN}', "NaN is no number")
attack_json("Infinity", b'{"a": -Infinity}', "Infinity is no number")
attack_json("long number", b'{"a": ' + b"9" * 10_000 + b"}", "no valid JSON")
attack_json("deep", b"[" * 100_000, "nested deeper")
attack_json("deep and whole", b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested deeper")
attack_json("large", b'{"a": "' + b"x" * (5 * 2**20) + b'"}', "bytes")
attack_json("quotes without end", b'"' + b'\\"' * (2 * 2**20 - 8), "no valid JSON")
attack_json("brackets in a string", b'"[[[[[[[[[[[[[[[[["', "no JSON object")
attack_json("python", b"__import__('os').system('id')", "no valid JSON")
attack_json("pickle", PICKLE, "pickle|no valid JSON")
attack_json("old pickle", pickle.dumps(RunsCode(), 0), "no valid JSON")
attack_json("zip", packed(b"{}", TEXT_FILE), "no valid JSON|pickle")
attack_json("gzip", gzip.compress(b"{}"), "no valid JSON")


# ---- the weights: other tensors, in a file that is well formed and whose hash is right


def rewrite(folder: Path, change: Callable[[Tensors], Tensors]) -> None:
    """Change the tensors, and the hash in the text with them, as somebody would who knows the format."""
    save_file(change(load_file(folder / WEIGHTS_FILE)), folder / WEIGHTS_FILE)
    put_right_hash(folder)


def put_right_hash(folder: Path) -> None:
    digest = hashlib.sha256((folder / WEIGHTS_FILE).read_bytes()).hexdigest()
    edit(folder, lambda t: t | {"weights_sha256": digest})


def attack_tensors(name: str, change: Callable[[Tensors], Tensors], message: str) -> None:
    ATTACKS[f"tensors: {name}"] = (lambda folder: rewrite(folder, change), message)


def changed(name: str, change: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[Tensors], Tensors]:
    return lambda tensors: tensors | {name: change(tensors[name]).contiguous()}


def one_spoilt(numbers: torch.Tensor) -> torch.Tensor:
    numbers = numbers.clone()
    numbers[0, 0] = torch.nan
    return numbers


LAST, SCALE = "head.linear2.weight", "normalize.std"
attack_tensors("missing", lambda t: {k: v for k, v in t.items() if k != LAST}, f"{LAST} is missing")
attack_tensors("none at all", lambda t: {}, "is missing")
attack_tensors("extra", lambda t: t | {"evil": torch.zeros(1)}, "evil does not belong here")
attack_tensors("extra and empty", lambda t: t | {"evil": torch.zeros(0)}, "evil does not belong here")
attack_tensors("two thousand extra", lambda t: t | {f"e{i}": torch.zeros(1) for i in range(2000)}, "and 1992 more")
attack_tensors(
    "name in other letters",
    lambda t: {("head.lin\u0435ar2.weight" if k == LAST else k): v for k, v in t.items()},  # a Cyrillic e
    f"{LAST} is missing",
)
attack_tensors("name that is a path", lambda t: t | {"../../evil": torch.zeros(1)}, "evil does not belong")
attack_tensors("name with code", lambda t: t | {"__class__": torch.zeros(1)}, "__class__ does not belong")
attack_tensors("name without end", lambda t: t | {"e" * 10**6: torch.zeros(1)}, "does not belong|header")
attack_tensors("name that moves the cursor", lambda t: t | {"\x1b[2J\x1b[H": torch.zeros(1)}, "does not belong")
attack_tensors("name that turns the text", lambda t: t | {"a\u202eb": torch.zeros(1)}, "does not belong")
attack_tensors("shape", changed(LAST, lambda x: torch.zeros(4, 512)), r"is F32 \(4, 512\), not F32 \(3, 512\)")
attack_tensors("shape, same size", changed(LAST, lambda x: x.T), r"is F32 \(512, 3\), not F32 \(3, 512\)")
attack_tensors("flat", changed(LAST, lambda x: x.flatten()), r"is F32 \(1536,\), not F32 \(3, 512\)")
attack_tensors("half precision", changed(LAST, torch.Tensor.half), r"is F16 \(3, 512\), not F32")
attack_tensors("integers", changed(LAST, torch.Tensor.long), r"is I64 \(3, 512\), not F32")
attack_tensors("values", changed(LAST, torch.zeros_like), "does not give the numbers")
attack_tensors("NaN", changed(LAST, lambda x: x * float("nan")), "does not give the numbers|not finite")
attack_tensors("infinite", changed(LAST, lambda x: x / 0), "does not give the numbers|not finite")
attack_tensors("one NaN", changed(LAST, one_spoilt), "does not give the numbers|not finite")
attack_tensors("statistics of zero", changed(SCALE, torch.zeros_like), "does not give the numbers|not finite")


# ---- the weights: files that only look like safetensors


def header(tensors: Any, length: int | None = None) -> bytes:
    text = tensors if isinstance(tensors, bytes) else json.dumps(tensors).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text


def entry(shape: list[int], begin: int, end: int, dtype: str = "F32") -> dict:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def parts_of(content: bytes) -> tuple[dict, bytes]:
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def attack_weights(name: str, content: Callable[[bytes], bytes] | bytes, message: str = "no safetensors file") -> None:
    def spoil(folder: Path) -> None:
        path = folder / WEIGHTS_FILE
        path.write_bytes(content(path.read_bytes()) if callable(content) else content)
        put_right_hash(folder)

    ATTACKS[f"weights: {name}"] = (spoil, message)


def torch_file(tensors: Any) -> bytes:
    file = io.BytesIO()
    torch.save(tensors, file)
    return file.getvalue()


def all_at_one_place(content: bytes) -> bytes:
    """Every tensor of the same size shares its numbers with the first of them."""
    tensors, data = parts_of(content)
    places: dict[tuple, list[int]] = {}
    for facts in tensors.values():
        facts["data_offsets"] = places.setdefault((facts["dtype"], *facts["shape"]), facts["data_offsets"])
    return header(tensors) + data


def terabytes(content: bytes) -> bytes:
    tensors, data = parts_of(content)
    tensors[LAST] |= {"shape": [2**38, 512], "data_offsets": [0, 2**49]}
    return header(tensors) + data


def name_twice(content: bytes) -> bytes:
    tensors, data = parts_of(content)
    text = json.dumps(tensors)
    return header((text[:-1] + f', "{LAST}": {json.dumps(tensors[LAST])}}}').encode()) + data


def code_in_notes(content: bytes) -> bytes:
    tensors, data = parts_of(content)
    return header(tensors | {"__metadata__": {"code": base64.b64encode(PICKLE).decode()}}) + data


attack_weights("pickle", PICKLE, "is a pickle")
attack_weights("old pickle", pickle.dumps(RunsCode(), 0))
attack_weights("torch.save", torch_file({"w": torch.zeros(1)}), "is a pickle")
attack_weights("zip", lambda content: packed(content, WEIGHTS_FILE))
attack_weights("zip with a pickle", lambda content: packed(PICKLE, "archive/data.pkl"), "is a pickle")
attack_weights("tar", lambda content: taped(content, WEIGHTS_FILE))
attack_weights("gzip", gzip.compress)
attack_weights("script", b"#!/bin/sh\nid\n")
attack_weights("empty", b"")
attack_weights("seven bytes", b"\0" * 7)
attack_weights("zeros", bytes(4096))
attack_weights("cut off", lambda content: content[:-1])
attack_weights("header cut off", lambda content: content[:100])
attack_weights("zip behind it", lambda content: content + packed(b"", "evil.py"))
attack_weights("pickle behind it", lambda content: content + PICKLE)
attack_weights("zip before it", lambda content: packed(b"", "evil.py") + content)
attack_weights("huge header", header(b"{}", 2**63))
attack_weights("header as long as the file says", header(b"{}", 2**31))
attack_weights("header is no json", header(b"not json"))
attack_weights("header is a list", header([]))
attack_weights("header is deep", header(b'{"a":' * 100_000 + b"1" + b"}" * 100_000), "")
attack_weights("header without tensors", header(b"{}"), "is missing")
attack_weights(
    "header of many tensors", header({f"e{i}": entry([0], 0, 0) for i in range(400_000)}), "header|and \\d+ more"
)
attack_weights("name twice in the header", name_twice)
attack_weights("outside the file", header({"w": entry([4], 0, 16)}))
attack_weights("before the file", header({"w": entry([4], -16, 0)}))
attack_weights("backwards", header({"w": entry([4], 16, 0)}) + bytes(16))
attack_weights("overlapping", header({"v": entry([4], 0, 16), "w": entry([4], 8, 24)}) + bytes(24))
attack_weights("all at one place", all_at_one_place)
attack_weights("a gap to hide in", header({"v": entry([4], 0, 16), "w": entry([4], 32, 48)}) + bytes(48))
attack_weights("terabytes claimed", terabytes)
attack_weights("more than 64 bits", header({"w": entry([2**62, 4], 0, 0)}))
attack_weights("many dimensions", header({"w": entry([1] * 10_000, 0, 4)}) + bytes(4), "is missing")
attack_weights("unknown type", header({"w": entry([1], 0, 4, "PyObject")}) + bytes(4))
attack_weights("shape of fractions", header({"w": entry([0.5], 0, 4)}) + bytes(4))  # type: ignore[list-item]


def flip_a_bit(folder: Path) -> None:
    content = bytearray((folder / WEIGHTS_FILE).read_bytes())
    content[-1000] ^= 1
    (folder / WEIGHTS_FILE).write_bytes(content)


def half_a_terabyte(folder: Path) -> None:
    """A file that is as large as its header says, and takes no room on the disk."""
    size = 2**39
    (folder / WEIGHTS_FILE).write_bytes(header({LAST: entry([size // 4], 0, size)}))
    os.truncate(folder / WEIGHTS_FILE, (folder / WEIGHTS_FILE).stat().st_size + size)


ATTACKS["weights: one flipped bit"] = (flip_a_bit, "not those that were exported")
ATTACKS["weights: half a terabyte"] = (half_a_terabyte, "is missing|no safetensors file|bytes")


# ---- links, folders and other things that are no files; things that lie beside the files


def replaced(name: str, replace: Callable[[Path], object]) -> Callable[[Path], None]:
    """`replace` gets the path of a file that has been moved away, to "elsewhere" in the folder above."""

    def spoil(folder: Path) -> None:
        (folder / name).rename(folder.with_name(f"elsewhere {folder.name}"))
        replace(folder / name)

    return spoil


def to_the_file(path: Path) -> None:
    path.symlink_to(path.parent.with_name(f"elsewhere {path.parent.name}"))


def listen(path: Path) -> None:
    os.chdir(path.parent)  # the names of sockets must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)


KINDS = {
    "a link to the file": to_the_file,
    "a dangling link": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to a folder": lambda path: path.symlink_to("."),
    "a link to /etc/passwd": lambda path: path.symlink_to("/etc/passwd"),
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
    "a socket": listen,
    "absent": lambda path: None,
}
for file in (TEXT_FILE, WEIGHTS_FILE):
    for kind, replace in KINDS.items():
        ATTACKS[f"{file} is {kind}"] = (replaced(file, replace), f"{file} is (missing|a link or no plain file)")


def attack_beside(name: str, content: bytes) -> None:
    ATTACKS[f"beside: {name}"] = (lambda folder: (folder / name).write_bytes(content), f"{name} is a pickle")


for file in ("model.pkl", "model.PT", "weights.pth", "learner.dill"):
    attack_beside(file, PICKLE)
attack_beside("model.bin", b"")


# ---- what happens to each


def run_watched(good: Path, spoilt: list[Path]) -> list[dict]:
    script = Path(__file__).parent.with_name("watched_loading.py")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(script), str(good), *map(str, spoilt)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=good.parent, timeout=600)
    assert done.returncode == 0, done.stderr
    assert not (good.parent / "code_of_a_pickle_was_run").exists()
    return [json.loads(line) for line in done.stdout.splitlines()]


def copy_of(folder: Path, target: Path) -> Path:
    target.mkdir(parents=True)
    for path in folder.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    return target


@pytest.fixture(scope="module")
def reports(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """What the loading of each spoilt export did, by the attack's name; "" is an export that is as it was."""
    root, here = tmp_path_factory.mktemp("attacks"), Path.cwd()
    folders = []
    for i, (spoil, _) in enumerate(ATTACKS.values()):
        folders.append(copy_of(exported, root / str(i)))
        spoil(folders[-1])
    os.chdir(here)
    good = copy_of(exported, root / "good")
    return dict(zip(["", *ATTACKS], run_watched(good, folders), strict=True))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="attacks are built with what POSIX systems have")
@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_with_the_difference_named_and_runs_nothing(reports, name):
    report = reports[name]
    assert report["error"] == "ExportError", report
    assert report["events"] == []
    message = report["message"].replace(report["folder"], "")
    assert re.search(ATTACKS[name][1], message), message
    assert len(message) < 3000 and all(c.isprintable() or c == "\n" for c in message)


def test_a_good_export_loads_under_the_same_watch(reports):
    assert reports[""] | {"folder": ""} == {"folder": "", "error": None, "message": None, "events": []}


def damaged(content: bytes, chance: random.Random) -> bytes:
    """One byte is another, is left out, or comes twice."""
    at = chance.randrange(len(content))
    return (
        content[:at]
        + chance.choice([bytes([chance.randrange(256)]), b"", content[at : at + 1] * 2])
        + content[at + 1 :]
    )


def test_damage_anywhere_is_refused_or_does_no_harm(exported, tmp_path):
    chance, folders = random.Random(0), []
    for i in range(60):
        name = (TEXT_FILE, WEIGHTS_FILE)[i % 2]
        folders.append(copy_of(exported, tmp_path / str(i)))
        content = (folders[-1] / name).read_bytes()
        limit = len(content) if name == TEXT_FILE else 8 + len(json.dumps(parts_of(content)[0]))  # numbers have a hash
        (folders[-1] / name).write_bytes(damaged(content[:limit], chance) + content[limit:])
    found = run_watched(copy_of(exported, tmp_path / "good"), folders)
    assert {report["error"] for report in found} <= {None, "ExportError"}, [r for r in found if r["error"]]
    assert all(report["events"] == [] for report in found)
    assert sum(report["error"] == "ExportError" for report in found) > 40


def test_a_link_to_the_whole_folder_is_a_name_like_another(exported, tmp_path):
    (tmp_path / "latest").symlink_to(exported, target_is_directory=True)
    assert load_learner(tmp_path / "latest").vocab == VOCAB


def test_code_in_the_notes_of_the_weights_is_not_looked_at(export_copy, monkeypatch):
    path = export_copy / WEIGHTS_FILE
    path.write_bytes(code_in_notes(path.read_bytes()))
    put_right_hash(export_copy)
    monkeypatch.chdir(export_copy.parent)
    assert load_learner(export_copy).vocab == VOCAB
    assert not Path("code_of_a_pickle_was_run").exists()


@pytest.mark.parametrize("name", ["notes.txt", "photo.png", "torch.txt", "broken.zip"])
def test_a_pickle_beside_by_a_harmless_name_is_not_looked_at(export_copy, monkeypatch, name):
    (export_copy / name).write_bytes(PICKLE)
    monkeypatch.chdir(export_copy.parent)
    assert load_learner(export_copy).vocab == VOCAB
    assert not Path("code_of_a_pickle_was_run").exists()


def test_the_pickle_of_these_tests_runs_code_when_it_is_loaded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickle.loads(PICKLE)
    assert Path("code_of_a_pickle_was_run").exists()
