"""Exports: the same numbers elsewhere, nothing that runs, nothing half written, nothing wrong believed."""

import base64
import errno
import hashlib
import json
import os
import pickle
import struct
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from coursekit import export
from coursekit.augment import BatchPipeline, Normalize, RandomResizedCrop, Resize, aug_transforms, imagenet_stats
from coursekit.core import CoursekitError, DataError, ExportError
from coursekit.data import load_batch
from coursekit.export import TEXT_FILE, WEIGHTS_FILE, Predictor, export_model, load_learner, read_json, sample_image
from coursekit.images import open_image, to_uint8
from coursekit.losses import softmax
from coursekit.models import build_model, load_pretrained

ARCH = "test_resnet"
VOCAB = ["cat", "dog", "hörnchen"]
PREPROCESSING = {"item_tfms": Resize(64).spec(), "batch": BatchPipeline().spec()}
TRAINING = {"learner", "callbacks", "schedule", "lr_finder", "transfer", "engine", "metrics", "interpret", "widgets"}


def trained(arch: str = ARCH, n: int = len(VOCAB), seed: int = 1):
    """A model with statistics that are not those of a new one, as after training."""
    model = build_model(arch, n, seed=seed)
    with torch.no_grad():
        model.train()(torch.rand(8, 3, 64, 64, generator=torch.Generator().manual_seed(seed)))
    return model.eval()


def write_to(folder: Path, **changes) -> Path:
    settings = {"arch": ARCH, "vocab": VOCAB, "preprocessing": PREPROCESSING} | changes
    model = settings.pop("model", None) or trained(settings["arch"], len(settings["vocab"]))
    return export_model(folder, model, **settings)


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    """An export that no test changes."""
    return write_to(tmp_path_factory.mktemp("export") / "model", metrics={"error_rate": 0.25}, data_licence="CC0")


@pytest.fixture
def copy(original: Path, tmp_path: Path) -> Path:
    """An export that a test may spoil."""
    folder = tmp_path / "copy"
    folder.mkdir()
    for path in original.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 255, (90, 70, 3)).astype(np.uint8)
    Image.fromarray(pixels).resize((180, 140)).save(tmp_path / "photo.jpg")
    return tmp_path / "photo.jpg"


def edit(folder: Path, change) -> None:
    text = json.loads((folder / TEXT_FILE).read_text("utf-8"))
    text = change(text) or text
    (folder / TEXT_FILE).write_text(json.dumps(text), "utf-8")


def run_python(code: str, *arguments: object) -> str:
    """The output of a new Python process; its working directory and module path are this one's."""
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


# ---- the same numbers


@pytest.mark.parametrize(
    "preprocessing",
    [
        PREPROCESSING,
        {"item_tfms": None, "batch": BatchPipeline(aug_transforms(size=48, min_scale=0.75)).spec()},
        {
            "item_tfms": RandomResizedCrop(72, min_scale=0.5).spec(),
            "batch": BatchPipeline([*aug_transforms(size=64), Normalize.from_stats(*imagenet_stats)]).spec(),
        },
        {"item_tfms": Resize((80, 64), "pad", "zeros").spec(), "batch": BatchPipeline().spec()},
    ],
    ids=["crop", "batch resize", "normalised", "padded"],
)
def test_an_export_predicts_what_the_model_predicts(tmp_path, photo, preprocessing):
    model = trained()
    predictor = load_learner(write_to(tmp_path / "m", model=model, preprocessing=preprocessing))
    with torch.no_grad():
        expected = softmax(model(load_batch([photo], preprocessing)))[0]
    label, index, probs = predictor.predict(photo)
    assert torch.equal(probs, expected) and probs.dtype == torch.float32
    assert (label, index) == (VOCAB[int(expected.argmax())], int(expected.argmax()))


@pytest.mark.parametrize(
    "arch", ["efficientnet_lite0", "resnet18", "test_vit", "test_convnext", "mobilenetv3_small_050"]
)
def test_every_family_survives_the_journey(tmp_path, arch):
    preprocessing = {"item_tfms": Resize(160 if arch == "test_vit" else 64).spec(), "batch": BatchPipeline().spec()}
    model = build_model(arch, 2)
    predictor = load_learner(
        write_to(tmp_path / "m", model=model, arch=arch, vocab=["a", "b"], preprocessing=preprocessing)
    )
    state = predictor.model.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())
    assert state.keys() == model.state_dict().keys()


def test_the_statistics_of_the_weights_travel_along(tmp_path):
    model = load_pretrained(build_model("efficientnet_lite0", 2), "efficientnet_lite0")
    predictor = load_learner(write_to(tmp_path / "m", model=model, arch="efficientnet_lite0", vocab=["a", "b"]))
    assert predictor.model.normalize.mean.flatten().tolist() == [0.5] * 3


def test_half_precision_and_training_mode_do_not_reach_the_folder(tmp_path):
    model = trained().train().to(torch.float16)
    predictor = load_learner(write_to(tmp_path / "m", model=model))
    assert {tensor.dtype for tensor in predictor.model.state_dict().values()} == {torch.float32, torch.int64}
    assert model.training and model.head.linear1.weight.dtype == torch.float16  # the model itself is left alone
    assert not any(module.training for module in predictor.model.modules())


def test_a_new_process_gives_the_same_probabilities(original, photo):
    code = """
        import json, sys
        from coursekit.export import load_learner
        predictor = load_learner(sys.argv[1])
        label, index, probs = predictor.predict(sys.argv[2])
        print(json.dumps([label, index, probs.tolist()]))
    """
    label, index, probs = load_learner(original).predict(photo)
    there = json.loads(run_python(code, original, photo))
    assert there[:2] == [label, index] and torch.equal(torch.tensor(there[2]), probs)


def test_predicting_needs_no_training_code(original, photo):
    # A bare package object stands for coursekit, whose own __init__ imports every module: what is measured is what
    # `coursekit.export` asks for by itself.
    code = """
        import importlib.machinery, importlib.util, json, sys, types
        package = types.ModuleType("coursekit")
        package.__path__ = [sys.argv[3]]
        sys.modules["coursekit"] = package
        from coursekit.export import load_learner
        load_learner(sys.argv[1]).predict(sys.argv[2])
        print(json.dumps([name for name in sys.modules if name.startswith("coursekit.")]))
    """
    loaded = json.loads(run_python(code, original, photo, Path(export.__file__).parent))
    assert "coursekit.export" in loaded and "coursekit.models" in loaded
    assert not {name.removeprefix("coursekit.") for name in loaded} & TRAINING


# ---- what predict takes


def test_the_same_image_in_any_form_gives_the_same_answer(original, photo):
    predictor = load_learner(original)
    label, index, probs = predictor.predict(photo)
    image = open_image(photo)
    forms = [str(photo), photo.read_bytes(), image, np.asarray(image), to_uint8(image), to_uint8(image).float() / 255]
    for form in forms:
        found = predictor.predict(form)
        assert found[:2] == (label, index) and torch.equal(found[2], probs)
    for found in predictor.predict(forms):
        assert torch.equal(found[2], probs)
    assert isinstance(label, str) and type(index) is int and label == predictor.vocab[index]
    assert predictor.predict([]) == []


@pytest.mark.parametrize("thing", [None, 7, {"path": "x.jpg"}, object(), np.zeros(3), torch.zeros(2, 2, 2, 2)])
def test_what_is_no_image_is_a_type_error(original, thing):
    with pytest.raises(TypeError):
        load_learner(original).predict(thing)


def test_a_file_that_is_not_there_is_named(original):
    with pytest.raises(DataError, match=r"absent\.jpg"):
        load_learner(original).predict("absent.jpg")


def test_get_preds_agrees_with_predict_in_order_and_across_batches(original, tmp_path):
    paths = []
    for i in range(5):
        Image.new("RGB", (80, 60), (50 * i, 20, 255 - 50 * i)).save(tmp_path / f"{i}.png")
        paths.append(tmp_path / f"{i}.png")
    predictor = load_learner(original)
    one_by_one = torch.stack([predictor.predict(path)[2] for path in paths])
    torch.testing.assert_close(predictor.get_preds(paths, bs=2), one_by_one)
    assert predictor.get_preds([]).shape == (0, len(VOCAB))


def test_threads_may_share_a_predictor(original, photo):
    predictor = load_learner(original)
    expected = predictor.predict(photo)[2]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: predictor.predict(photo)[2], range(16)))
    assert all(torch.allclose(probs, expected) for probs in found)


def test_the_description_is_there_to_read(original):
    predictor = load_learner(original)
    assert predictor.description["metrics"] == {"error_rate": 0.25}
    assert predictor.description["data_licence"] == "CC0"
    assert predictor.vocab == VOCAB and ARCH in repr(predictor)


# ---- nothing that runs


def test_the_folder_holds_text_and_bare_numbers_and_nothing_else(original):
    assert sorted(path.name for path in original.iterdir()) == [TEXT_FILE, WEIGHTS_FILE]
    json.loads((original / TEXT_FILE).read_bytes().decode("utf-8"))
    weights = (original / WEIGHTS_FILE).read_bytes()
    (length,) = struct.unpack("<Q", weights[:8])
    header = json.loads(weights[8 : 8 + length])
    assert all(header[name].keys() == {"dtype", "shape", "data_offsets"} for name in header if name != "__metadata__")
    ends = sorted(header[name]["data_offsets"] for name in header if name != "__metadata__")
    assert ends[0][0] == 0 and all(a[1] == b[0] for a, b in pairwise(ends))  # no gaps to hide in
    assert 8 + length + ends[-1][1] == len(weights)
    for path in original.iterdir():
        with pytest.raises(Exception):  # noqa: B017 (whatever it says, it is no pickle)
            pickle.loads(path.read_bytes())


def test_loading_runs_no_code_and_unpickles_nothing(original, photo):
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
    assert run_python(code, original, photo).strip() == "[]"


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
def test_edited_text_is_refused_with_the_difference(copy, change, message):
    edit(copy, change)
    with pytest.raises(ExportError, match=message):
        load_learner(copy)


def test_a_later_minor_version_may_say_more(copy):
    edit(copy, lambda t: t | {"format_version": "1.7", "comment": "new in 1.7"})
    assert load_learner(copy).vocab == VOCAB


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
def test_changed_weights_are_refused_with_the_difference(copy, change, message):
    rewrite(copy, change)
    with pytest.raises(ExportError, match=message):
        load_learner(copy)


def test_one_flipped_bit_in_the_weights_is_noticed(copy):
    content = bytearray((copy / WEIGHTS_FILE).read_bytes())
    content[-1000] ^= 1
    (copy / WEIGHTS_FILE).write_bytes(content)
    with pytest.raises(ExportError, match="not those that were exported"):
        load_learner(copy)


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
def test_what_is_dressed_as_safetensors_is_refused_and_runs_nothing(copy, capsys, content):
    (copy / WEIGHTS_FILE).write_bytes(content)
    with pytest.raises(ExportError):
        load_learner(copy)
    assert "code of a pickle" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["model.pkl", "model.PT", "weights.pth", "notes.txt", "photo.png"])
@pytest.mark.parametrize("kind", ["pickle", "torch"])
def test_a_pickle_beside_the_files_is_refused_whatever_it_is_called(copy, capsys, name, kind):
    if kind == "pickle":
        (copy / name).write_bytes(pickle.dumps(RunsCode()))
    else:
        torch.save({"w": torch.zeros(1)}, copy / name)
    with pytest.raises(ExportError, match=f"{name} is a pickle"):
        load_learner(copy)
    assert "code of a pickle" not in capsys.readouterr().out


def test_notes_beside_the_files_do_no_harm(copy):
    (copy / "README.md").write_text("trained on a Sunday")
    assert load_learner(copy).vocab == VOCAB


@pytest.mark.parametrize("name", [TEXT_FILE, WEIGHTS_FILE])
@pytest.mark.parametrize("kind", ["link", "dangling", "folder", "absent"])
def test_files_that_are_no_files_are_refused_by_name(copy, tmp_path, name, kind):
    elsewhere = tmp_path / "elsewhere"
    (copy / name).rename(elsewhere)
    if kind in ("link", "dangling"):
        (copy / name).symlink_to(elsewhere if kind == "link" else tmp_path / "nowhere")
    elif kind == "folder":
        (copy / name).mkdir()
    with pytest.raises(ExportError, match=name):
        load_learner(copy)


def test_a_folder_that_is_not_there_or_is_a_file_says_what_to_give(tmp_path):
    (tmp_path / "learner.pkl").write_bytes(b"")
    for name in ("absent", "learner.pkl"):
        with pytest.raises(ExportError, match=r"learn\.export"):
            load_learner(tmp_path / name)


# ---- writing


def test_an_earlier_export_is_replaced_and_nothing_else_is_left(tmp_path):
    write_to(tmp_path / "m", model=trained(seed=1))
    write_to(tmp_path / "m", model=trained(seed=2), vocab=["x", "y", "z"])
    assert load_learner(tmp_path / "m").vocab == ["x", "y", "z"]
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_an_empty_folder_and_a_relative_path_will_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    for folder in (Path("empty"), Path("new") / "deep"):
        assert write_to(folder) == folder and load_learner(folder).vocab == VOCAB


@pytest.mark.parametrize("folder", [".", ".."])
def test_the_folder_one_works_in_is_left_alone(tmp_path, monkeypatch, folder):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(ExportError, match="in use"):
        write_to(Path(folder))
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ExportError, match=r"thesis\.txt"):
        write_to(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def full_disk(*arguments, **settings):
    raise OSError(errno.ENOSPC, "No space left on device")


def interrupt(*arguments, **settings):
    raise KeyboardInterrupt


@pytest.mark.parametrize("failure", [full_disk, interrupt])
@pytest.mark.parametrize("where", ["write_atomic", "load_learner", "_move_into_place"])
def test_a_failure_while_writing_leaves_the_earlier_export_intact(copy, monkeypatch, failure, where):
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    monkeypatch.setattr(export, where, failure)
    with pytest.raises(KeyboardInterrupt if failure is interrupt else ExportError):
        write_to(copy, model=trained(seed=5))
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before
    assert [path.name for path in copy.parent.iterdir()] == ["copy"]


def test_a_failure_in_the_last_renaming_brings_the_earlier_export_back(copy, monkeypatch):
    replace, calls = os.replace, []

    def second_fails(source, target):
        calls.append(target)
        if Path(target) == copy and ".previous" not in str(source):
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(export.os, "replace", second_fails)
    with pytest.raises(KeyboardInterrupt):
        write_to(copy, model=trained(seed=5))
    monkeypatch.undo()
    assert load_learner(copy).description["metrics"] == {"error_rate": 0.25}
    assert [path.name for path in copy.parent.iterdir()] == ["copy"]


def test_a_process_killed_between_the_renamings_leaves_a_hint(copy):
    copy.rename(copy.with_name("copy.previous"))
    with pytest.raises(ExportError, match=r"copy\.previous"):
        load_learner(copy)


def changed_model(change):
    model = trained()
    change(model)
    return model


def another_layer(model) -> None:
    model.head.linear3 = torch.nn.Linear(3, 3)


def spoilt(model) -> None:
    with torch.no_grad():
        model.head.linear2.weight[0, 0] = float("nan")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vocab": ["a", "b"], "model": trained}, r"linear2.weight is F32 \(3, 512\), not F32 \(2, 512\)"),
        ({"vocab": ["a", "a", "b"]}, "different strings"),
        ({"vocab": []}, "different strings"),
        ({"model": lambda: changed_model(another_layer)}, "linear3"),
        ({"model": lambda: changed_model(spoilt)}, "not finite"),
        ({"model": lambda: build_model(ARCH, 3, n_in=1)}, r"\(1, 3, 1, 1\)"),
        ({"preprocessing": {"item_tfms": None}}, "'preprocessing'"),
        ({"preprocessing": {"item_tfms": {"name": "Mystery"}, "batch": BatchPipeline().spec()}}, "'preprocessing'"),
    ],
    ids=["vocab too short", "label twice", "no labels", "own layer", "nan", "one channel", "no batch", "unknown tfm"],
)
def test_what_could_not_be_read_back_is_not_written(tmp_path, changes, message):
    changes = {k: v() if k == "model" else v for k, v in changes.items()}
    changes.setdefault("model", trained())
    with pytest.raises(ExportError, match=message):
        write_to(tmp_path / "m", **changes)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_architecture_is_refused_when_written(tmp_path):
    with pytest.raises(CoursekitError, match="my_model"):
        write_to(tmp_path / "m", model=trained(), arch="my_model")


def test_metrics_that_are_no_numbers_become_null(tmp_path):
    folder = write_to(tmp_path / "m", metrics={"error_rate": float("nan"), "loss": None, "top": torch.tensor(0.5)})
    assert load_learner(folder).description["metrics"] == {"error_rate": None, "loss": None, "top": 0.5}


def test_the_golden_sample_uses_the_whole_range_of_values():
    pixels = np.asarray(open_image(sample_image()))
    assert pixels.min() == 0 and pixels.max() > 240 and pixels.shape[0] > pixels.shape[1]


def test_a_predictor_can_be_made_without_a_folder(photo):
    predictor = Predictor(trained(), VOCAB, PREPROCESSING)
    assert predictor.predict(photo)[0] in VOCAB
