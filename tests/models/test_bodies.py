"""Ids and bodies: timm's and torchvision's networks by one list of names, cut where their own pooling begins."""

import pytest
import torch
import torchvision
from torch import nn

from coursekit.core import ModelError
from coursekit.models.bodies import (
    ARCHITECTURES,
    arch_id,
    architecture,
    classifier_prefixes,
    create_body,
    first_weights,
    fixed_size,
    n_features,
    resnet34,
)
from coursekit.training.transfer import count_parameters, split_body

# One of each way in which torchvision puts its parts together.
TORCHVISION = [
    "squeezenet1_1",
    "densenet121",
    "mobilenet_v3_small",
    "shufflenet_v2_x0_5",
    "regnet_y_400mf",
    "efficientnet_b0",
    "convnext_tiny",
    "resnext50_32x4d",
]

# ---- ids


def test_an_architecture_is_named_by_id_by_our_name_and_by_torchvisions_function():
    assert arch_id("resnet34") == arch_id(resnet34) == arch_id(torchvision.models.resnet34) == "resnet34"
    assert arch_id("resnet34.a1_in1k") == "resnet34.a1_in1k"


def test_a_function_of_torchvision_means_torchvisions_network_and_a_name_of_both_timms():
    for name in ("densenet121", "convnext_tiny", "efficientnet_b0"):
        assert arch_id(getattr(torchvision.models, name)) == arch_id(f"torchvision/{name}") == f"torchvision/{name}"
        assert arch_id(name) == name
    assert arch_id("mobilenet_v3_small") == "torchvision/mobilenet_v3_small"
    assert arch_id("torchvision/mobilenet_v3_small") == "torchvision/mobilenet_v3_small"


@pytest.mark.parametrize(
    "arch",
    ["resnet43", "", "hf-hub:timm/resnet34", "local-dir:weights", "os.system", "../resnet34", "resnet34.none", 7],
)
@pytest.mark.parametrize("prefix", ["", "torchvision/"])
def test_an_unknown_architecture_is_refused(arch, prefix):
    with pytest.raises(ModelError):
        arch_id(f"{prefix}{arch}" if prefix else arch)


@pytest.mark.parametrize(
    "arch",
    ["torchvision/resnet34", "torchvision/fcn_resnet50", "torchvision.densenet121", "timm/densenet121"],
)
def test_a_name_in_the_wrong_library_is_refused(arch):
    with pytest.raises(ModelError):
        arch_id(arch)


def test_an_unknown_architecture_names_close_matches_and_where_the_list_is():
    with pytest.raises(ModelError, match=r"resnet34(.|\n)*timm.list_models"):
        arch_id("resnet43")


def test_an_architecture_that_cannot_be_a_body_is_refused_with_timms_reason():
    with pytest.raises(ModelError, match="pooling"):
        create_body("efficientvit_b0")


@pytest.mark.parametrize("name", ["googlenet", "inception_v3", "vit_b_16"])
def test_a_network_of_torchvision_whose_parts_are_no_row_is_refused_and_timm_named(name):
    with pytest.raises(ModelError, match=r"timm\.list_models"):
        create_body(getattr(torchvision.models, name))


# ---- torchvision's bodies


def what_the_classifier_sees(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """The average over all places of what goes into the pooling, or into the classifier where that pools itself."""
    parts, seen = dict(model.named_children()), []
    part = parts.get("avgpool", list(parts.values())[-1])
    part.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    model(images)
    return seen[0].mean((2, 3)) if seen[0].ndim == 4 else seen[0]


@pytest.mark.parametrize("name", TORCHVISION)
def test_a_body_of_torchvision_gives_what_its_classifier_sees_and_is_cut_at_an_eighth(name):
    model = torchvision.models.get_model(name).eval()
    body = create_body(f"torchvision/{name}").eval()
    prefixes = classifier_prefixes(f"torchvision/{name}")
    body.load_state_dict({k: v for k, v in model.state_dict().items() if not k.startswith(prefixes)})
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        maps = body(images)
        torch.testing.assert_close(maps.mean((2, 3)), what_the_classifier_sees(model, images), rtol=1e-3, atol=1e-4)
    assert maps.shape[1] == n_features(body)
    early, late = split_body(body)
    with torch.no_grad():
        at_the_cut = nn.Sequential(*early)(images)
        assert at_the_cut.shape[-1] in (7, 8)  # squeezenet does not pad
        torch.testing.assert_close(nn.Sequential(*late)(at_the_cut), maps, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["resnext50_32x4d", "densenet121", "convnext_tiny"])
def test_timms_and_torchvisions_network_of_one_name_are_cut_at_the_same_place(name):
    sizes = [[count_parameters(g) for g in split_body(create_body(arch))] for arch in (name, f"torchvision/{name}")]
    if name == "convnext_tiny":  # torchvision leaves its last normalisation to the classifier
        sizes[0][1] -= 2 * 768
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize("name", ["swin_t", "maxvit_t", "mnasnet0_5"])
def test_further_families_give_maps_of_their_channels(name):
    body = create_body(f"torchvision/{name}").eval()
    size = (fixed_size(body) or (64, 64))[0]
    with torch.no_grad():
        assert body(torch.rand(1, 3, size, size)).shape[1] == n_features(body)
    assert all(count_parameters(group) for group in split_body(body))


@pytest.mark.parametrize("name", ["torchvision/mobilenet_v3_small", "torchvision/densenet121", "convnext_atto"])
@pytest.mark.parametrize("n_in", [1, 4])
def test_bodies_for_other_numbers_of_channels(name, n_in):
    body = create_body(name, n_in).eval()
    assert body.state_dict()[first_weights(name, body)[0]].shape[1] == n_in
    with torch.no_grad():
        assert body(torch.rand(1, n_in, 64, 64)).isfinite().all()


# ---- what is known about them


def test_every_name_of_torchvision_has_weights_with_a_hash_and_statistics():
    for name in torchvision.models.list_models(module=torchvision.models):
        known = architecture(f"torchvision/{name}" if name not in ARCHITECTURES else name)
        url = torchvision.models.get_weight(known.torchvision).url
        assert url.startswith("https://") and url.endswith(f"/{known.file}")
        digits = known.file.rsplit("-", 1)[1].split(".")[0]
        assert len(digits) >= 8 and int(digits, 16)
        assert len(known.mean) == len(known.std) == 3


def test_transformers_and_their_kin_have_a_size_of_their_own():
    assert fixed_size(create_body("test_vit")) == (160, 160)
    assert fixed_size(create_body("resnet18")) is None and fixed_size(nn.Linear(1, 1)) is None
