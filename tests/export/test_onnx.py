"""ONNX on request: the same logits from another program, checked when written; nothing of this machine in the file."""

import importlib.util
import json

import pytest
import torch
from export_folders import ARCH, PREPROCESSING, VOCAB, run_python, trained, write_to
from torch import nn

from coursekit.augment.pipeline import BatchPipeline
from coursekit.core import ExportError
from coursekit.data.batches import load_batch
from coursekit.export import folder as export
from coursekit.export import onnx as onnx_export
from coursekit.export.folder import ONNX_FILE, TEXT_FILE, load_learner
from coursekit.export.onnx import NEEDED, check_onnx, check_onnx_installed, onnx_logits, write_onnx
from coursekit.export.schema import FORMAT_VERSION

HAS_ONNX = all(map(importlib.util.find_spec, NEEDED))
needs_onnx = pytest.mark.skipif(not HAS_ONNX, reason="the extra onnx is not installed")


@pytest.fixture(scope="module")
def with_onnx(tmp_path_factory):
    return write_to(tmp_path_factory.mktemp("onnx") / "m", onnx=True, metrics={"error_rate": 0.5})


@pytest.fixture
def onnx_copy(with_onnx, tmp_path):
    (tmp_path / "copy").mkdir()
    for path in with_onnx.iterdir():
        (tmp_path / "copy" / path.name).write_bytes(path.read_bytes())
    return tmp_path / "copy"


@needs_onnx
@pytest.mark.parametrize("n", [1, 2, 5])
def test_onnxruntime_gives_the_logits_of_the_model_for_any_number_of_images(with_onnx, n):
    images = torch.rand(n, 3, 64, 64, generator=torch.Generator().manual_seed(n))
    with torch.no_grad():
        expected = load_learner(with_onnx).model(images)
    torch.testing.assert_close(onnx_logits(with_onnx / ONNX_FILE, images), expected, atol=1e-5, rtol=1e-4)


@needs_onnx
def test_a_photo_goes_the_same_way_through_both(with_onnx, photo):
    logits = onnx_logits(with_onnx / ONNX_FILE, load_batch([photo], PREPROCESSING))
    torch.testing.assert_close(logits, load_learner(with_onnx).logits([photo]), atol=1e-5, rtol=1e-4)


@needs_onnx
def test_the_file_carries_labels_and_preprocessing_and_no_paths_of_this_machine(with_onnx):
    import onnx

    content = (with_onnx / ONNX_FILE).read_bytes()
    assert not [word for word in (b".py", b"site-packages", b"coursekit/") if word in content]
    model = onnx.load(with_onnx / ONNX_FILE)
    onnx.checker.check_model(model)
    notes = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    assert notes["vocab"] == VOCAB and notes["preprocessing"] == PREPROCESSING
    (images,), (logits,) = model.graph.input, model.graph.output
    assert (images.name, logits.name) == ("images", "logits")
    sides = [dim.dim_param or dim.dim_value for dim in images.type.tensor_type.shape.dim]
    assert isinstance(sides[0], str) and sides[1:] == [3, 64, 64]


@needs_onnx
def test_an_export_with_onnx_loads_without_onnx(with_onnx):
    code = """
        import sys
        for name in ("onnx", "onnxscript", "onnxruntime"):
            sys.modules[name] = None  # as if it were not installed
        from coursekit.export.folder import load_learner
        print(load_learner(sys.argv[1]).vocab)
    """
    assert run_python(code, with_onnx).strip() == str(VOCAB)


@needs_onnx
def test_an_export_without_onnx_replaces_one_with_it(onnx_copy):
    write_to(onnx_copy)
    assert ONNX_FILE not in [path.name for path in onnx_copy.iterdir()]
    assert load_learner(onnx_copy).description["onnx"] is None


@needs_onnx
def test_another_onnx_file_is_refused(onnx_copy, tmp_path):
    content = (onnx_copy / ONNX_FILE).read_bytes()
    (onnx_copy / ONNX_FILE).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ExportError, match=r"model\.onnx(.|\n)*not the file that was exported"):
        load_learner(onnx_copy)
    (onnx_copy / ONNX_FILE).unlink()
    with pytest.raises(ExportError, match=r"model\.onnx is missing"):
        load_learner(onnx_copy)
    (tmp_path / "elsewhere").write_bytes(content)
    (onnx_copy / ONNX_FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ExportError, match=r"model\.onnx is a link"):
        load_learner(onnx_copy)


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_an_onnx_file_that_nobody_exported_is_refused(stored_copy, version):
    folder = stored_copy(version)
    (folder / ONNX_FILE).write_bytes(b"\x08\x08")
    with pytest.raises(ExportError, match=r"model\.onnx does not belong here"):
        load_learner(folder)


@needs_onnx
def test_a_file_with_other_numbers_is_refused_and_the_earlier_export_stays(export_copy, monkeypatch):
    before = {path.name: path.read_bytes() for path in export_copy.iterdir()}

    def write_another(model, images, path, notes):
        return write_onnx(trained(seed=9), images, path, notes)

    monkeypatch.setattr(export, "write_onnx", write_another)
    with pytest.raises(ExportError, match="does not give the numbers of the model"):
        write_to(export_copy, onnx=True)
    assert {path.name: path.read_bytes() for path in export_copy.iterdir()} == before
    assert [path.name for path in export_copy.parent.iterdir()] == [export_copy.name]


@needs_onnx
def test_a_network_that_ties_images_of_a_batch_together_is_found_out(tmp_path):
    images = torch.rand(3, 3, 8, 8)

    class Tied(nn.Module):
        def forward(self, x):
            return (x - x.mean(dim=0)).mean(dim=(2, 3))

    write_onnx(Tied(), images, tmp_path / "tied.onnx", {})
    with pytest.raises(ExportError, match="batch of 1"):
        check_onnx(tmp_path / "tied.onnx", images, Tied()(images), 1e-3)


@needs_onnx
def test_what_onnx_cannot_say_is_an_error_in_words(tmp_path):
    class Odd(nn.Module):
        def forward(self, x):
            return torch.linalg.eigvals(x.mean(dim=(0, 1)).nan_to_num()).real[None]

    with pytest.raises(ExportError, match="cannot be written as ONNX"):
        write_onnx(Odd(), torch.rand(2, 3, 8, 8), tmp_path / "odd.onnx", {})


@pytest.mark.parametrize("missing", ["onnx", "onnxscript", "onnxruntime"])
def test_a_missing_extra_is_said_before_anything_is_written(tmp_path, monkeypatch, missing):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        onnx_export.importlib.util, "find_spec", lambda name, *rest: None if name == missing else find(name, *rest)
    )
    with pytest.raises(ExportError, match=rf"{missing}\.(.|\n)*coursekit\[onnx\]"):
        check_onnx_installed()
    monkeypatch.setattr(export, "build_model", None)  # no work is done
    with pytest.raises(ExportError, match=r"coursekit\[onnx\]"):
        export.export_model(
            tmp_path / "m", nn.Identity(), arch=ARCH, vocab=VOCAB, preprocessing=PREPROCESSING, onnx=True
        )
    assert list(tmp_path.iterdir()) == []


def test_images_of_no_fixed_size_are_refused(tmp_path):
    with pytest.raises(ExportError, match="images of one size"):
        write_to(tmp_path / "m", preprocessing={"item_tfms": None, "batch": BatchPipeline().spec()}, onnx=True)
    assert list(tmp_path.iterdir()) == []


@needs_onnx
def test_the_description_names_the_file(with_onnx):
    text = json.loads((with_onnx / TEXT_FILE).read_text("utf-8"))
    assert text["format_version"] == FORMAT_VERSION and text["onnx"].keys() == {"sha256", "opset"}
    assert sorted(path.name for path in with_onnx.iterdir()) == [TEXT_FILE, ONNX_FILE, "model.safetensors"]
