"""The file with a model's tensors: read only if its header is sound, and if they are the tensors that are needed."""

import json
import struct

import pytest
import torch
from safetensors.torch import save

from coursekit.core import ExportError, file_sha256
from coursekit.export.folder import expected_tensors, read_tensors
from coursekit.models.model import build_model
from coursekit.models.weights import describe_tensors

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
    found = read_tensors(path, NEEDED, file_sha256(path))
    assert found.keys() == TENSORS.keys() and all(torch.equal(found[name], TENSORS[name]) for name in TENSORS)


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


TWICE = b"{%b,%b}" % ((b'"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}',) * 2)
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
    "name twice": struct.pack("<Q", len(TWICE)) + TWICE + bytes(4),
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


@pytest.mark.parametrize("arch", ["test_resnet", "test_vit", "regnety_002"])
def test_names_and_shapes_are_known_without_the_numbers(arch):
    assert expected_tensors(arch, 3) == describe_tensors(build_model(arch, 3).state_dict())
    assert not torch.empty(1).is_meta
