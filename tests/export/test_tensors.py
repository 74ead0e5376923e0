"""The numbers of a model: read only when the header is one, and when they are those that are needed."""

import json
import struct

import pytest
import torch
from safetensors.torch import save

from coursekit.core import ExportError, file_sha256
from coursekit.export.tensors import (
    ITEM_SIZES,
    ShapesOnly,
    describe_tensors,
    differences,
    read_header,
    read_tensors,
)
from coursekit.models.model import build_model

TENSORS = {
    "a": torch.arange(6.0).reshape(2, 3),
    "n": torch.tensor(7),
    "e": torch.zeros(0, 4),
    "b": torch.tensor([True]),
    "h": torch.ones(2, dtype=torch.float16),
}
NEEDED = describe_tensors(TENSORS) | {"h": "F16 (2,)"}


@pytest.fixture
def path(tmp_path):
    (tmp_path / "t.safetensors").write_bytes(save(TENSORS, {"note": "nobody reads this"}))
    return tmp_path / "t.safetensors"


def test_what_was_written_is_read(path):
    assert read_header(path) == NEEDED
    found = read_tensors(path, NEEDED, file_sha256(path))
    assert found.keys() == TENSORS.keys() and all(torch.equal(found[name], TENSORS[name]) for name in TENSORS)


def test_differences_name_what_is_missing_extra_and_another():
    assert differences({"a": "F32 (1,)", "x": "F32 (1,)"}, {"a": "F32 (2,)", "b": "F32 (1,)"}) == [
        "b is missing",
        "x does not belong here",
        "a is F32 (1,), not F32 (2,)",
    ]
    assert differences(NEEDED, NEEDED) == []


def test_other_tensors_are_refused_before_their_numbers_are_looked_at(path):
    with pytest.raises(ExportError, match=r"z is missing; n does not belong"):
        read_tensors(path, {k: v for k, v in NEEDED.items() if k != "n"} | {"z": "F32 ()"}, "no hash at all")


def test_one_changed_bit_is_noticed(path):
    digest, content = file_sha256(path), bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ExportError, match="not those that were exported"):
        read_tensors(path, NEEDED, digest)


def header(**tensors) -> bytes:
    text = json.dumps({n: {"dtype": d, "shape": s, "data_offsets": o} for n, (d, s, o) in tensors.items()}).encode()
    return struct.pack("<Q", len(text)) + text


BAD = {
    "gap": header(a=("F32", [1], [0, 4]), b=("F32", [1], [8, 12])) + bytes(12),
    "overlap": header(a=("F32", [1], [0, 4]), b=("F32", [1], [2, 6])) + bytes(6),
    "not at the start": header(a=("F32", [1], [4, 8])) + bytes(8),
    "negative": header(a=("F32", [-1], [0, -4])),
    "wrong length": header(a=("F32", [2], [0, 4])) + bytes(4),
    "fraction": header(a=("F32", [1.0], [0, 4])) + bytes(4),
    "true for one": header(a=("F32", [True], [0, 4])) + bytes(4),
    "unknown type": header(a=("PyObject", [1], [0, 4])) + bytes(4),
    "three offsets": header(a=("F32", [1], [0, 4, 4])) + bytes(4),
    "no list": header(a=("F32", 1, [0, 4])) + bytes(4),
    "too short": header(a=("F32", [1], [0, 4])) + bytes(3),
    "too long": header(a=("F32", [1], [0, 4])) + bytes(5),
    "huge": struct.pack("<Q", 2**63),
    "empty": b"",
    "entry is a text": struct.pack("<Q", 12) + b'{"a": "F32"}',
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD.keys())
def test_headers_that_lie_are_refused(path, content):
    path.write_bytes(content)
    needed = {"a": "F32 (1,)"}
    with pytest.raises(ExportError, match="no safetensors file" if content else "no safetensors file|is missing"):
        read_tensors(path, needed, file_sha256(path))


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int16, torch.bfloat16, torch.int32, torch.float64])
def test_sizes_of_types_are_those_of_the_library(path, dtype):
    path.write_bytes(save({"a": torch.zeros(3, dtype=dtype)}))
    (text,) = read_header(path).values()
    assert ITEM_SIZES[text.split()[0]] == torch.zeros(1, dtype=dtype).element_size()


@pytest.mark.parametrize("arch", ["test_resnet", "test_vit", "regnety_002"])
def test_names_and_shapes_are_known_without_the_numbers(arch):
    with ShapesOnly():
        shapes_only = build_model(arch, 3).state_dict()
    assert describe_tensors(shapes_only) == describe_tensors(build_model(arch, 3).state_dict())
    assert sum(tensor.is_meta for tensor in shapes_only.values()) > len(shapes_only) / 2
    assert not torch.empty(1).is_meta
