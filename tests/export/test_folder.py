"""Exports: the same numbers elsewhere, nothing half written. What is spoilt on purpose: test_export_attacks.py."""

import base64
import copy
import errno
import hashlib
import json
import os
import pickle
import re
import shutil
import struct
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from export_folders import ARCH, PREPROCESSING, VOCAB, edit, run_python, trained, write_to
from odd_images import png_of_zeros
from PIL import Image

from coursekit.augment.colour import Normalize, imagenet_stats
from coursekit.augment.pipeline import BatchPipeline, aug_transforms
from coursekit.augment.resize import RandomResizedCrop, Resize
from coursekit.bands import Opening
from coursekit.core import CoursekitError, DataError, ExportError, temporary_path
from coursekit.data.batches import load_batch
from coursekit.export import folder as export
from coursekit.export.folder import TEXT_FILE, WEIGHTS_FILE, Predictor, load_learner, sample_image
from coursekit.export.schema import FORMAT_VERSION
from coursekit.images import open_image, to_uint8
from coursekit.losses import softmax
from coursekit.models.model import build_model, load_pretrained

TRAINING = {"training", "results", "course"}  # the packages that predicting does without


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


def test_a_new_process_gives_the_same_probabilities(exported, photo):
    code = """
        import json, sys
        from coursekit.export.folder import load_learner
        predictor = load_learner(sys.argv[1])
        label, index, probs = predictor.predict(sys.argv[2])
        print(json.dumps([label, index, probs.tolist()]))
    """
    label, index, probs = load_learner(exported).predict(photo)
    there = json.loads(run_python(code, exported, photo))
    assert there[:2] == [label, index] and torch.equal(torch.tensor(there[2]), probs)


def test_predicting_needs_no_training_code(exported, photo):
    # A bare package object stands for coursekit, whose own __init__ imports every module: what is measured is what
    # `coursekit.export.folder` asks for by itself.
    code = """
        import importlib.machinery, importlib.util, json, sys, types
        package = types.ModuleType("coursekit")
        package.__path__ = [sys.argv[3]]
        sys.modules["coursekit"] = package
        from coursekit.export.folder import load_learner
        load_learner(sys.argv[1]).predict(sys.argv[2])
        print(json.dumps([name for name in sys.modules if name.startswith("coursekit.")]))
    """
    loaded = json.loads(run_python(code, exported, photo, Path(export.__file__).parent.parent))
    assert "coursekit.export.folder" in loaded and "coursekit.models.model" in loaded
    assert not {name.split(".")[1] for name in loaded} & TRAINING


# ---- what predict takes


def test_the_same_image_in_any_form_gives_the_same_answer(exported, photo):
    predictor = load_learner(exported)
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
def test_what_is_no_image_is_a_type_error(exported, thing):
    with pytest.raises(TypeError):
        load_learner(exported).predict(thing)


def test_a_file_that_is_not_there_is_named(exported):
    with pytest.raises(DataError, match=r"absent\.jpg"):
        load_learner(exported).predict("absent.jpg")


def test_get_preds_agrees_with_predict_in_order_and_across_batches(exported, tmp_path):
    paths = []
    for i in range(5):
        Image.new("RGB", (80, 60), (50 * i, 20, 255 - 50 * i)).save(tmp_path / f"{i}.png")
        paths.append(tmp_path / f"{i}.png")
    predictor = load_learner(exported)
    one_by_one = torch.stack([predictor.predict(path)[2] for path in paths])
    torch.testing.assert_close(predictor.get_preds(paths, bs=2), one_by_one)
    assert predictor.get_preds([]).shape == (0, len(VOCAB))


def test_threads_may_share_a_predictor(exported, photo):
    predictor = load_learner(exported)
    expected = predictor.predict(photo)[2]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: predictor.predict(photo)[2], range(16)))
    assert all(torch.allclose(probs, expected) for probs in found)


def test_the_description_is_there_to_read(exported):
    predictor = load_learner(exported)
    assert predictor.description["metrics"] == {"error_rate": 0.25}
    assert predictor.description["data_licence"] == "CC0"
    assert predictor.vocab == VOCAB and ARCH in repr(predictor)


# ---- nothing that runs


def test_the_folder_holds_text_and_bare_numbers_and_nothing_else(exported):
    assert sorted(path.name for path in exported.iterdir()) == [TEXT_FILE, WEIGHTS_FILE]
    json.loads((exported / TEXT_FILE).read_bytes().decode("utf-8"))
    weights = (exported / WEIGHTS_FILE).read_bytes()
    (length,) = struct.unpack("<Q", weights[:8])
    header = json.loads(weights[8 : 8 + length])
    assert all(header[name].keys() == {"dtype", "shape", "data_offsets"} for name in header if name != "__metadata__")
    ends = sorted(header[name]["data_offsets"] for name in header if name != "__metadata__")
    assert ends[0][0] == 0 and all(a[1] == b[0] for a, b in pairwise(ends))  # no gaps to hide in
    assert 8 + length + ends[-1][1] == len(weights)
    for path in exported.iterdir():
        with pytest.raises(Exception):  # noqa: B017 (whatever it says, it is no pickle)
            pickle.loads(path.read_bytes())


def test_a_later_minor_version_may_say_more(export_copy):
    edit(export_copy, lambda t: t | {"format_version": "1.7", "comment": "new in 1.7"})
    assert load_learner(export_copy).vocab == VOCAB


def test_notes_beside_the_files_are_not_opened(export_copy):
    (export_copy / "README.md").symlink_to("nowhere")
    if hasattr(os, "mkfifo"):
        os.mkfifo(export_copy / "notes.txt")  # who opens it waits for ever
    assert load_learner(export_copy).vocab == VOCAB


@pytest.mark.parametrize("name", [TEXT_FILE, WEIGHTS_FILE])
def test_a_file_that_must_not_be_read_is_named(export_copy, monkeypatch, name):
    usual = Path.open

    def not_this_one(path, *arguments, **settings):
        if path.name == name:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return usual(path, *arguments, **settings)

    monkeypatch.setattr(Path, "open", not_this_one)
    with pytest.raises(ExportError, match=rf"{re.escape(name)} is refused(.|\n)*Permission denied"):
        load_learner(export_copy)


@pytest.mark.parametrize("length", [65536 + 640, 65536 + 896, 65536 + 1152, 65536 + 1408])
def test_a_header_whose_length_looks_like_a_pickle_is_none(export_copy, length):
    content = (export_copy / WEIGHTS_FILE).read_bytes()
    (old,) = struct.unpack("<Q", content[:8])
    content = struct.pack("<Q", length) + content[8 : 8 + old].ljust(length) + content[8 + old :]
    assert content[:1] == b"\x80" and content[1] in (2, 3, 4, 5)
    (export_copy / WEIGHTS_FILE).write_bytes(content)
    edit(export_copy, lambda t: t | {"weights_sha256": hashlib.sha256(content).hexdigest()})
    assert load_learner(export_copy).vocab == VOCAB


def test_a_device_asks_for_no_second_predictor(exported):
    predictor = load_learner(exported, "meta")
    assert predictor.device.type == predictor.model.head.linear2.weight.device.type == "meta"


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


def contents(folder: Path) -> dict:
    return {path.relative_to(folder): path.is_file() and path.read_bytes() for path in folder.rglob("*")}


def links_to_a_folder(place: Path) -> None:
    (place.parent / "elsewhere").mkdir()
    place.symlink_to("elsewhere", target_is_directory=True)


def file_in_folder(*names: str, content: bytes = b"{}"):
    def make(place: Path) -> None:
        (place / names[0]).parent.mkdir(parents=True)
        for name in names:
            (place / name).write_bytes(content)

    return make


@pytest.mark.parametrize("name", ["m", "m.previous"])
@pytest.mark.parametrize(
    "make",
    [
        file_in_folder("thesis.txt"),
        file_in_folder(WEIGHTS_FILE),
        file_in_folder(TEXT_FILE, WEIGHTS_FILE),
        file_in_folder(TEXT_FILE, content=b"not json"),
        file_in_folder(f"{WEIGHTS_FILE}/thesis.txt"),
    ],
    ids=["thesis", "weights of somebody", "another text", "no text", "folder of our name"],
)
def test_what_no_export_wrote_is_not_deleted(tmp_path, name, make):
    write_to(tmp_path / "m")
    if name == "m":
        shutil.rmtree(tmp_path / "m")
    make(tmp_path / name)
    before = contents(tmp_path)
    with pytest.raises(ExportError, match=rf"{name} holds other things"):
        write_to(tmp_path / "m", model=trained(seed=7))
    assert contents(tmp_path) == before


@pytest.mark.parametrize("make", [links_to_a_folder, lambda place: place.write_text("x")], ids=["link", "file"])
def test_what_stands_in_the_way_of_the_older_export_stays(tmp_path, make):
    make(tmp_path / "m.previous")
    with pytest.raises(ExportError, match="It is not a folder"):
        write_to(tmp_path / "m")
    assert os.path.lexists(tmp_path / "m.previous") and not (tmp_path / "m").exists()


def test_what_comes_while_an_export_is_made_is_not_deleted(export_copy, monkeypatch):
    def thesis_comes(folder, *arguments):
        (export_copy / "thesis.txt").write_text("years of work")

    monkeypatch.setattr(export, "load_learner", thesis_comes)
    with pytest.raises(ExportError, match=r"thesis\.txt"):
        write_to(export_copy)
    assert (export_copy / "thesis.txt").read_text() == "years of work"


def test_what_an_interrupted_export_left_is_replaced(export_copy):
    shutil.copytree(export_copy, export_copy.with_name("copy.previous"))
    write_to(export_copy, vocab=["x", "y", "z"])
    assert load_learner(export_copy).vocab == ["x", "y", "z"]
    assert [path.name for path in export_copy.parent.iterdir()] == ["copy"]


def test_what_killed_exports_left_is_removed_and_named(tmp_path, capsys):
    dead = int(run_python("import os; print(os.getpid())"))
    left = tmp_path / temporary_path(Path("m")).name.replace(f"-{os.getpid()}-", f"-{dead}-")
    file_in_folder(WEIGHTS_FILE)(left)
    file_in_folder("thesis.txt")(tmp_path / ".tmp-mine")
    os.utime(tmp_path / ".tmp-mine", (0, 0))
    write_to(tmp_path / "m")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".tmp-mine", "m"]
    assert left.name in capsys.readouterr().out


def test_the_folder_that_is_returned_is_there(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert write_to(Path("~/m")) == tmp_path / "m"
    assert load_learner("~/m").vocab == VOCAB


@pytest.mark.parametrize("licence", [["CC0"], 4, b"CC0", Path("LICENSE")])
def test_a_licence_that_is_no_text_is_refused_before_any_work(tmp_path, monkeypatch, licence):
    monkeypatch.setattr(export, "build_model", None)
    with pytest.raises(ExportError, match="data_licence is a text"):
        write_to(tmp_path / "m", model=torch.nn.Identity(), data_licence=licence)
    assert list(tmp_path.iterdir()) == []


def full_disk(*arguments, **settings):
    raise OSError(errno.ENOSPC, "No space left on device")


def interrupt(*arguments, **settings):
    raise KeyboardInterrupt


@pytest.mark.parametrize("failure", [full_disk, interrupt])
@pytest.mark.parametrize("where", ["write_atomic", "load_learner", "_move_into_place"])
def test_a_failure_while_writing_leaves_the_earlier_export_intact(export_copy, monkeypatch, failure, where):
    before = {path.name: path.read_bytes() for path in export_copy.iterdir()}
    monkeypatch.setattr(export, where, failure)
    with pytest.raises(KeyboardInterrupt if failure is interrupt else ExportError):
        write_to(export_copy, model=trained(seed=5))
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in export_copy.iterdir()} == before
    assert [path.name for path in export_copy.parent.iterdir()] == ["copy"]


def test_a_failure_in_the_last_renaming_brings_the_earlier_export_back(export_copy, monkeypatch):
    replace, calls = os.replace, []

    def second_fails(source, target):
        calls.append(target)
        if Path(target) == export_copy and ".previous" not in str(source):
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(export.os, "replace", second_fails)
    with pytest.raises(KeyboardInterrupt):
        write_to(export_copy, model=trained(seed=5))
    monkeypatch.undo()
    assert load_learner(export_copy).description["metrics"] == {"error_rate": 0.25}
    assert [path.name for path in export_copy.parent.iterdir()] == ["copy"]


def test_a_process_killed_between_the_renamings_leaves_a_hint(export_copy):
    export_copy.rename(export_copy.with_name("copy.previous"))
    with pytest.raises(ExportError, match=r"copy\.previous"):
        load_learner(export_copy)


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
    pixels = np.asarray(sample_image())
    assert pixels.min() == 0 and pixels.max() > 240 and pixels.shape[0] > pixels.shape[1]


def test_a_predictor_can_be_made_without_a_folder(photo):
    predictor = Predictor(trained(), VOCAB, PREPROCESSING)
    assert predictor.predict(photo)[0] in VOCAB


@pytest.mark.parametrize("replace", ["activation", "pool", "order of pooling"])
def test_a_model_that_a_reader_would_build_otherwise_is_refused(tmp_path, replace):
    model = trained()
    if replace == "activation":
        model.head.relu = torch.nn.GELU()
    elif replace == "pool":
        model.pool = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), Doubled())
    else:
        model.pool.forward = lambda maps: torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], dim=1)
    with pytest.raises(ExportError, match="does not compute what a reader would compute"):
        write_to(tmp_path / "m", model=model)
    assert list(tmp_path.iterdir()) == []


class Doubled(torch.nn.Module):
    def forward(self, features):
        return torch.cat([features, features], dim=1)


def test_a_model_in_half_precision_is_written_in_full(tmp_path, photo):
    model = trained()
    expected = load_learner(write_to(tmp_path / "a", model=model)).predict(photo)[2]
    for name, dtype in (("b", torch.float16), ("c", torch.bfloat16)):
        found = load_learner(write_to(tmp_path / name, model=copy.deepcopy(model).to(dtype))).predict(photo)[2]
        torch.testing.assert_close(found, expected, rtol=0, atol=0.02)


@pytest.mark.parametrize("how", [Opening("L"), Opening("RGBA"), Opening(7), Opening(white=4095), Opening(2, white=1.0)])
def test_an_export_says_how_its_images_are_opened(tmp_path, how):
    preprocessing = PREPROCESSING | {"image": how.spec()}
    model = build_model(ARCH, len(VOCAB), how.n_bands)
    predictor = load_learner(write_to(tmp_path / "m", model=model, preprocessing=preprocessing))
    text = json.loads((tmp_path / "m" / TEXT_FILE).read_text("utf-8"))
    assert (text["reader_version"], text["opening"]["mode"], text["preprocessing"]["image"]) == (
        3,
        how.mode,
        how.spec(),
    )
    pixels = np.random.default_rng(0).integers(0, 255, (70, 80, how.n_bands)).astype(np.uint8)
    assert predictor.predict(pixels)[0] in VOCAB


@pytest.mark.parametrize(
    "image",
    [
        {"mode": "L", "white": None, "black": 0.0, "more": 1},
        {"mode": "grey", "white": None, "black": 0.0},
        {"mode": True, "white": None, "black": 0.0},
        {"mode": 1001, "white": None, "black": 0.0},
        {"mode": 0, "white": None, "black": 0.0},
        {"mode": "L", "white": -1, "black": 0.0},
        {"mode": "L"},
        {"mode": ["L"], "white": None, "black": 0.0},
        "L",
        None,
        7,
    ],
    ids=str,
)
def test_a_way_of_opening_that_is_none_is_refused(tmp_path, image):
    folder = write_to(tmp_path / "m", model=build_model(ARCH, 3, 1), preprocessing=PREPROCESSING | {"image": GREY})
    edit(folder, lambda t: t | {"preprocessing": t["preprocessing"] | {"image": image}})
    with pytest.raises(ExportError):
        load_learner(folder)


GREY = Opening("L").spec()


def test_a_mode_that_says_two_things_is_refused(tmp_path):
    folder = write_to(tmp_path / "m", model=build_model(ARCH, 3, 1), preprocessing=PREPROCESSING | {"image": GREY})
    edit(folder, lambda t: t | {"opening": t["opening"] | {"mode": "RGB"}})
    with pytest.raises(ExportError, match="'opening' must be"):
        load_learner(folder)


# ---- exports of earlier formats

STORED = sorted((Path(__file__).parent.parent / "exports").iterdir())


@pytest.mark.parametrize("stored", STORED, ids=lambda path: path.name)
def test_an_export_of_every_format_so_far_gives_the_numbers_that_it_gave(stored):
    # written once, by the code of that time, and never again: what others have on their disks must stay readable
    predictor = load_learner(stored / "model")
    expected = json.loads((stored / "expected.json").read_text("utf-8"))
    label, index, probs = predictor.predict(stored / "photo.png")
    assert predictor.description["format_version"] == stored.name
    assert (label, index) == (expected["label"], expected["index"])
    torch.testing.assert_close(probs, torch.tensor(expected["probs"]), atol=1e-5, rtol=1e-4)
    assert predictor.vocab == VOCAB and predictor.description["data_licence"] == "CC0-1.0"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("image", ["", "no base64", 7, base64.b64encode(png_of_zeros(30_000, 30_000)).decode()])
def test_the_image_in_an_export_of_an_earlier_format_is_not_looked_at(stored_copy, version, image):
    folder = stored_copy(version)
    edit(folder, lambda t: t | {"golden_sample": t["golden_sample"] | {"image": image}})
    assert load_learner(folder).vocab == VOCAB


def test_the_image_that_earlier_formats_stored_is_the_one_that_is_drawn_now():
    for version in ("1.0", "1.1"):
        text = json.loads((STORED[0].parent / version / "model" / TEXT_FILE).read_text("utf-8"))
        stored = open_image(base64.b64decode(text["golden_sample"]["image"]))
        np.testing.assert_array_equal(np.asarray(stored), np.asarray(sample_image()))


def test_the_format_that_is_written_has_a_stored_export():
    assert FORMAT_VERSION in [path.name for path in STORED]


def test_the_learner_asks_for_onnx_by_name(monkeypatch, make_toy_learner):
    from coursekit.training import learner

    asked = {}
    monkeypatch.setattr(learner, "export_model", lambda folder, model, **settings: asked.update(settings))
    learn = make_toy_learner()
    learn.arch = ARCH
    learn.export("m", onnx=True, data_licence="CC0")
    assert asked["onnx"] is True and asked["data_licence"] == "CC0"
