"""Models: parts, heads and whole networks, for any body and any number of channels."""

from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn

from coursekit.core import ModelError
from coursekit.models.model import (
    ConcatPool,
    Normalization,
    build_for_images,
    build_model,
    channel_stats,
    check_image_size,
    create_head,
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
    ("densenet121", 64),
    ("mobilenetv3_small_100", 64),
    ("regnety_002", 64),
    ("swin_tiny_patch4_window7_224", 224),
]


@pytest.fixture(autouse=True)
def an_empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COURSEKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


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


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_pooling_is_the_same_with_deterministic_algorithms_gradients_of_equal_maxima_too(dtype, layout):
    maps = torch.randint(4, (3, 5, 4, 6)).to(dtype).contiguous(memory_format=layout)  # many places have the maximum
    results = []
    for deterministic in (False, True):
        torch.use_deterministic_algorithms(deterministic)
        try:
            x = maps.clone().requires_grad_()
            pooled = ConcatPool()(x)
            pooled.float().square().sum().backward()
        finally:
            torch.use_deterministic_algorithms(False)
        results.append((pooled, x.grad))
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


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


def test_normalization_follows_the_model_to_its_device_and_type():
    normalize = Normalization((0.5,), (0.5,)).to(torch.float64)
    assert normalize.mean.dtype == torch.float64


def test_a_grey_model_differs_in_the_first_convolution_only():
    def shapes(n_in: int) -> dict[str, torch.Size]:
        return {name: tensor.shape for name, tensor in build_model("resnet18", 37, n_in).state_dict().items()}

    rgb, grey = shapes(3), shapes(1)
    assert {name for name in rgb if rgb[name] != grey[name]} == {
        "normalize.mean",
        "normalize.std",
        "body.conv1.weight",
    }


def test_images_with_the_wrong_number_of_channels_are_refused_in_words():
    model = build_model("test_resnet", 2, n_in=1)
    with pytest.raises(ModelError, match="1 channels; these have 3"):
        model(torch.rand(2, 3, 64, 64))


def test_images_of_a_size_that_the_body_does_not_take_are_refused_in_words():
    with pytest.raises(ModelError, match=r"160 x 160 pixels; it cannot take 64 x 96(.|\n)*Resize\(160\)"):
        build_model("test_vit_relpos", 2)(torch.rand(2, 3, 64, 96))


def test_an_error_that_is_not_about_the_images_shape_is_left_as_it_is():
    class Failing(nn.Module):
        def forward(self, images):
            raise RuntimeError("out of memory")

    model = build_model("test_resnet", 2)
    model.body = Failing()
    with pytest.raises(RuntimeError, match="out of memory"):
        model(torch.rand(2, 3, 64, 64))


# ---- images that are too small


@pytest.mark.parametrize("arch, size, smallest", [("inception_v3", (64, 64), 75), ("inception_v3", (64, 300), 75)])
def test_images_too_small_for_an_architecture_are_refused_with_the_smallest_size_that_works(arch, size, smallest):
    what = rf"{size[0]} x {size[1]} pixels are too small(.|\n)*Resize\({smallest}\)"
    with pytest.raises(ModelError, match=what):
        build_for_images(arch, 2, 3, size)
    model = build_model(arch, 2)
    with pytest.raises(ModelError, match=what):
        model(torch.rand(2, 3, *size))
    assert model.training, "the mode is as it was"
    check_image_size(model, (smallest, smallest))
    model.eval()(torch.rand(1, 3, smallest, smallest))


def test_a_size_that_only_a_transformer_minds_is_refused_without_a_look():
    with pytest.raises(ModelError, match=r"160 x 160 pixels; it cannot take 64 x 64"):
        build_for_images("test_vit", 2, 3, (64, 64))


@pytest.mark.parametrize("arch", [LITE0, "resnet18", "test_convnext", "mobilenetv3_small_050"])
def test_small_images_that_work_are_taken(arch):
    build_for_images(arch, 2, 1, (32, 40))


def test_an_error_of_another_kind_is_no_matter_of_size():
    model = build_model("test_resnet", 2)
    model.body.forward = lambda images: (_ for _ in ()).throw(RuntimeError("out of luck"))
    with pytest.raises(RuntimeError, match="out of luck"):
        check_image_size(model, (32, 32))


def test_statistics_follow_the_filters_that_channels_get():
    (mean1, _), (mean4, std4), (mean7, _) = (channel_stats("resnet34", n) for n in (1, 4, 7))
    assert mean1 == pytest.approx((0.449,), abs=1e-3) and mean4 == (0.485, 0.456, 0.406, 0.485)
    assert len(std4) == 4 and mean7 == mean4[:3] * 2 + mean4[:1]


@pytest.mark.parametrize("n_in, bands", [(3, 1), (1, 3), (4, 6)])
def test_another_number_of_channels_than_that_of_the_images_is_refused(n_in, bands):
    with pytest.raises(ModelError, match=rf"n_in={n_in}(.|\n)*{bands} channel"):
        build_for_images("test_resnet", 2, bands, None, n_in)
