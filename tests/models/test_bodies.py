"""Ids and bodies: timm's networks by name, cut where their own pooling begins."""

import re

import pytest
import torch
import torchvision
from torch import nn

from coursekit.core import ModelError
from coursekit.models.bodies import ARCHITECTURES, arch_id, architecture, create_body, fixed_size, n_features, resnet34

# ---- ids


def test_an_architecture_is_named_by_id_by_our_name_and_by_torchvisions_function():
    assert arch_id("resnet34") == arch_id(resnet34) == arch_id(torchvision.models.resnet34) == "resnet34"
    assert arch_id("resnet34.a1_in1k") == "resnet34.a1_in1k"
    assert arch_id(torchvision.models.densenet121) == "densenet121"


@pytest.mark.parametrize(
    "arch",
    [
        *("resnet43", "", "hf-hub:timm/resnet34", "local-dir:weights", "os.system", "../resnet34", "resnet34.none", 7),
        *("torchvision/resnet34", "torchvision/densenet121", "torchvision.densenet121", "timm/densenet121"),
    ],
)
def test_an_unknown_architecture_is_refused(arch):
    with pytest.raises(ModelError):
        arch_id(arch)


@pytest.mark.parametrize(
    ("arch", "match"),
    [
        ("resnet43", "resnet34"),
        ("torchvision/resnet34", "resnet34"),
        (torchvision.models.mobilenet_v3_small, "mobilenetv3_small_100"),
        (torchvision.models.regnet_y_16gf, "regnety_160"),
        (torchvision.models.swin_t, "swin_"),
        ("vit_b_16", "vit_"),
    ],
)
def test_an_unknown_architecture_names_close_matches_and_where_the_list_is(arch, match):
    with pytest.raises(ModelError, match=rf"Close matches: .*\b{match}(.|\n)*timm.list_models"):
        arch_id(arch)


def test_close_matches_are_all_different():
    with pytest.raises(ModelError) as caught:
        arch_id("efficentnet_lite0")
    names = re.search(r"Close matches: (.*)\.", str(caught.value)).group(1).split(", ")
    assert names[0] == "efficientnet_lite0" and len(names) == len(set(names)) == 4


@pytest.mark.parametrize(("arch", "reason"), [("efficientvit_b0", "pooling"), ("lambda_resnet26t", "channels_last")])
def test_an_architecture_that_cannot_be_a_body_is_refused_with_the_reason(arch, reason):
    with pytest.raises(ModelError, match=f"cannot be used as a body(.|\n)*{reason}"):
        create_body(arch)


# ---- bodies


@pytest.mark.parametrize("name", ["mobilenetv3_small_100", "densenet121", "convnext_atto"])
@pytest.mark.parametrize("n_in", [1, 4])
def test_bodies_for_other_numbers_of_channels(name, n_in):
    body = create_body(name, n_in).eval()
    assert body.get_parameter(f"{body.pretrained_cfg['first_conv']}.weight").shape[1] == n_in
    with torch.no_grad():
        maps = body(torch.rand(1, n_in, 64, 64))
    assert maps.shape[1] == n_features(body) and maps.isfinite().all()


def test_transformers_and_their_kin_have_a_size_of_their_own():
    assert fixed_size(create_body("test_vit")) == (160, 160)
    assert fixed_size(create_body("resnet18")) is None and fixed_size(nn.Linear(1, 1)) is None


# ---- what is known about them


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"])
def test_the_resnets_have_torchvisions_first_weights(name):
    weights = torchvision.models.get_model_weights(name).IMAGENET1K_V1
    known, preset = ARCHITECTURES[name], weights.transforms()
    assert known.name == name and known.url == weights.url and known.url.endswith(f"/{known.file}")
    assert (list(known.mean), list(known.std)) == (preset.mean, preset.std)


def test_the_statistics_of_any_other_id_are_timms():
    assert architecture("test_vit").mean == (0.5, 0.5, 0.5) and architecture("test_vit").file == "test_vit.safetensors"
    assert architecture("resnet34.a1_in1k").name == "resnet34.a1_in1k"
