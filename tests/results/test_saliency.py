"""Where a model looked: maps whose answer is known by construction, for every form of feature maps that bodies give."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image
from torch import nn

from coursekit.augment.colour import Normalize
from coursekit.augment.pipeline import BatchPipeline
from coursekit.augment.resize import Resize
from coursekit.core import DataError, ModelError
from coursekit.data.block import DataBlock
from coursekit.export.folder import Predictor
from coursekit.models.model import ConcatPool, Normalization, VisionModel, build_model, create_head
from coursekit.results import saliency
from coursekit.results.saliency import channels_first, grad_cam, plot_grad_cam
from coursekit.training.learner import Learner, vision_learner

# Convolutions (residual, inverted, with LayerNorm), tokens with a special one, tokens without, (N, H, W, C)
BODIES = {
    "resnet18": (64, 96),
    "efficientnet_lite0": (64, 96),
    "test_convnext": (64, 96),
    "mobilenetv3_small_100": (64, 96),
    "test_vit": (160, 160),
    "test_vit_relpos": (160, 160),
    "swin_s3_tiny_224": (224, 224),
}


def square(side: int = 64, channel: int = 0, top: int = 8, left: int = 8, size: int = 16) -> torch.Tensor:
    """A black image with a square in one of the three colours: (3, side, side)."""
    image = torch.zeros(3, side, side)
    image[channel, top : top + size, left : left + size] = 1
    return image


def red_or_green() -> VisionModel:
    """Logits that are the mean red and the mean green, over places of 8 x 8 pixels."""
    head = nn.Linear(6, 2, bias=False)
    head.weight = nn.Parameter(torch.eye(6)[3:5])
    return VisionModel(Normalization([0.0] * 3, [1.0] * 3), nn.AvgPool2d(8), ConcatPool(), head)


# ---- what the maps are


def test_the_map_lies_where_what_decides_the_class_lies():
    image = square(channel=0, top=8, left=8) + square(channel=1, top=32, left=40)
    red, green = (grad_cam(red_or_green(), image[None], c)[0] for c in (0, 1))
    assert red[4:28, 4:28].sum() > 0.99 * red.sum() and green[28:52, 36:60].sum() > 0.99 * green.sum()
    assert red.max() == green.max() == 1 and red.min() == green.min() == 0


@pytest.fixture(scope="module")
def square_finder() -> VisionModel:
    """A small network trained to tell images with a bright square from images of the same noise without one."""
    torch.manual_seed(0)
    convs = [nn.Conv2d(3, 16, 5, 2, 2), nn.ReLU(), nn.Conv2d(16, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 16, 3, 1, 1)]
    body = nn.Sequential(*convs, nn.ReLU())
    model = VisionModel(Normalization([0.5] * 3, [0.5] * 3), body, ConcatPool(), create_head(32, 2, 16, dropout=0))
    opt = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(80):
        images, targets, _ = noisy_squares(32)
        loss = F.cross_entropy(model(images), targets)
        opt.zero_grad()
        loss.backward()
        opt.step()
    return model.eval()


def noisy_squares(n: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Noise (n, 3, 48, 48), half of it with a bright square of 12 x 12 somewhere: images, targets, where it is."""
    images, inside = torch.rand(n, 3, 48, 48) * 0.6, torch.zeros(n, 48, 48, dtype=torch.bool)
    for i in range(0, n, 2):
        top, left = torch.randint(0, 36, (2,)).tolist()
        inside[i, top : top + 12, left : left + 12] = True
        images[i][:, inside[i]] += 0.4
    return images, (torch.arange(n) + 1) % 2, inside


def test_a_trained_network_is_seen_to_look_at_the_square(square_finder):
    torch.manual_seed(1)
    images, targets, inside = noisy_squares(64)
    assert (square_finder(images).argmax(1) == targets).float().mean() > 0.95
    maps = grad_cam(square_finder, images, 1)[targets == 1]
    near = F.max_pool2d(
        inside[targets == 1].float(), 9, 1, 4
    )  # a place of the map is 4 pixels wide, and sees around it
    share = (maps * near).sum((1, 2)) / maps.sum((1, 2))
    assert share.median() > 0.7 > 0.25 > near.mean(), "most of the mass on a sixth of the image"
    peaks = maps.flatten(1).argmax(1)
    assert (near.flatten(1)[torch.arange(len(peaks)), peaks] == 1).float().mean() > 0.9


def linear_head(model: VisionModel) -> VisionModel:
    """The model with a head that is linear in the channels' averages: there Grad-CAM is CAM (Zhou et al. 2016)."""
    n = model.head.norm1.num_features
    model.head = nn.Linear(n, 3, bias=False)
    with torch.no_grad():
        model.head.weight[:, : n // 2] = 0
    return model


@pytest.mark.parametrize("arch", BODIES)
def test_with_a_linear_head_the_map_is_the_channels_weighted_by_it(arch):
    """CAM needs no gradient: relu of the sum of w[c, k] * A[k]; so it is an oracle for every form of feature maps."""
    model, size = linear_head(build_model(arch, 3)).eval(), BODIES[arch]
    x = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        maps = model.body(model.normalize(x))
        if arch in ("test_vit", "test_vit_relpos"):  # tokens of patches of 16 x 16 pixels, the first may be special
            maps = maps[:, maps.shape[1] - 100 :].transpose(1, 2).unflatten(2, (10, 10))
        elif arch.startswith("swin"):
            maps = maps.permute(0, 3, 1, 2)
        for c in range(3):
            weights = model.head.weight[c, model.head.in_features // 2 :]
            cam = torch.einsum("k,bkhw->bhw", weights, maps).relu()
            cam = F.interpolate(cam[:, None], size=size, mode="bilinear")[:, 0]
            expected = cam / cam.amax((1, 2), keepdim=True).clamp(min=1e-30)
            torch.testing.assert_close(grad_cam(model, x, c), expected, atol=1e-4, rtol=1e-3)
    assert expected.max() == 1, "at least one map is not empty"


@pytest.mark.parametrize("arch", BODIES)
def test_maps_have_the_size_of_the_images_and_values_from_0_to_1(arch):
    model, (height, width) = build_model(arch, 3).eval(), BODIES[arch]
    x = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(0))
    maps = grad_cam(model, x)
    assert maps.shape == (2, height, width) and maps.dtype == torch.float32
    assert maps.min() >= 0 and maps.max() <= 1 and maps.isfinite().all()
    assert not maps.requires_grad


def test_the_map_has_the_gradients_of_the_whole_network():
    """The long way round: through a hook on the pooling and a backward pass that starts at the image."""
    model = build_model("resnet18", 4).eval()
    x, kept = torch.rand(2, 3, 64, 64), []
    handle = model.pool.register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0]))
    logits = model(x)
    handle.remove()
    (gradient,) = torch.autograd.grad(logits[:, 2].sum(), kept[0])
    cam = (gradient.mean((2, 3), keepdim=True) * kept[0]).sum(1, keepdim=True).relu()
    cam = F.interpolate(cam, size=(64, 64), mode="bilinear")[:, 0].detach()
    torch.testing.assert_close(grad_cam(model, x, 2), cam / cam.amax((1, 2), keepdim=True).clamp(min=1e-30))


def test_classes_are_the_predicted_ones_one_for_all_or_one_for_each():
    model, x = build_model("resnet18", 3).eval(), torch.rand(3, 3, 64, 64)
    with torch.no_grad():
        predicted = model(x).argmax(1)
    assert torch.equal(grad_cam(model, x), grad_cam(model, x, predicted))
    each = grad_cam(model, x, [0, 2, 1])
    for i, c in enumerate([0, 2, 1]):
        torch.testing.assert_close(each[i], grad_cam(model, x, c)[i])
        torch.testing.assert_close(each[i], grad_cam(model, x[i : i + 1], c)[0], atol=1e-4, rtol=1e-4)
    assert not torch.equal(grad_cam(model, x, 0), grad_cam(model, x, 1))


def test_a_map_of_nothing_is_zero():
    assert torch.equal(grad_cam(red_or_green(), square(channel=0)[None], 1), torch.zeros(1, 64, 64))


def test_other_weights_give_another_map():
    """The sanity check of Adebayo et al. 2018 (arXiv 1810.03292): a map that ignores the weights explains nothing."""
    x = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    one, other = (grad_cam(build_model("resnet18", 2, seed=seed).eval(), x, 0).flatten(1) for seed in (0, 1))
    alike = [torch.corrcoef(torch.stack(pair))[0, 1] for pair in zip(one, other, strict=True)]
    assert torch.stack(alike).nan_to_num().abs().mean() < 0.8


# ---- nothing is left behind


@pytest.mark.parametrize("surroundings", [torch.enable_grad, torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("frozen", [False, True])
def test_the_model_is_as_it_was_and_its_surroundings_do_not_matter(surroundings, frozen):
    model, x = build_model("resnet18", 2).requires_grad_(not frozen), torch.rand(2, 3, 64, 64)
    expected = grad_cam(model, x)
    model.train()
    model.body.layer1.eval()
    modes = [module.training for module in model.modules()]
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with surroundings():
        maps = grad_cam(model, x.clone())
    assert torch.equal(maps, expected), "dropout and batch statistics are out of the game"
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(p.grad is None and p.requires_grad is not frozen for p in model.parameters())
    assert not x.requires_grad and x.grad is None


def test_after_an_error_the_model_is_in_the_mode_in_which_it_was():
    model = build_model("resnet18", 2).train()
    with pytest.raises(DataError):
        grad_cam(model, torch.rand(1, 3, 64, 64), 2)
    assert all(module.training for module in model.modules())


# ---- what is refused


@pytest.mark.parametrize("classes", [2, -1, [0, 1, 1], 0.5, [[0], [1]]])
def test_classes_that_are_not_there_are_refused(classes):
    with pytest.raises(DataError, match="2 images, and 2 classes"):
        grad_cam(red_or_green(), torch.rand(2, 3, 64, 64), classes)


def test_models_without_a_head_and_images_without_a_batch_are_refused():
    with pytest.raises(ModelError, match="Conv2d"):
        grad_cam(nn.Conv2d(3, 2, 1), torch.rand(1, 3, 8, 8))
    with pytest.raises(DataError, match="batch"):
        grad_cam(red_or_green(), torch.rand(3, 64, 64))
    with pytest.raises(ModelError, match="160 x 160"):
        grad_cam(build_model("test_vit_relpos", 2), torch.rand(1, 3, 64, 64))


def test_tokens_that_are_no_grid_are_refused():
    assert channels_first(torch.rand(2, 1 + 6, 5), ConcatPool(skip=1), (32, 48)).shape == (2, 5, 2, 3)
    with pytest.raises(ModelError, match="7 tokens"):
        channels_first(torch.rand(2, 7, 5), ConcatPool(), (64, 64))


# ---- the figure


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> list:
    folder = tmp_path_factory.mktemp("photos")
    for i in range(8):
        for label in ("cat", "dog"):
            (folder / label).mkdir(exist_ok=True)
            pixels = np.random.default_rng(i).integers(0, 255, (40, 60, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / label / f"{label}_{i}.png")
    return sorted(folder.rglob("*.png"))


def learner(photos: list, **settings) -> Learner:
    block = DataBlock(get_y=lambda path: path.parent.name, item_tfms=Resize(64), **settings)
    return vision_learner(block.dataloaders(photos, bs=4), "resnet18", pretrained=False, precision="fp32")


def test_the_figure_has_a_column_for_each_photo_and_a_row_for_each_class(photos):
    learn = learner(photos)
    figure = plot_grad_cam(learn, photos[:3], classes=["dog", 0])
    FigureCanvasAgg(figure).draw()
    titles = [axes.get_title() for axes in figure.axes[:9]]
    assert titles[:3] == [path.name for path in photos[:3]]
    probs = learn.get_preds(dl=learn.dls.test_dl(photos[:3]))[0]
    assert titles[3:6] == [f"dog {p:.0%}" for p in probs[:, 1]]
    assert titles[6:] == [f"cat {p:.0%}" for p in probs[:, 0]]
    expected = grad_cam(learn.model, learn.dls.test_dl(photos[:3]).one_batch()[0], 1)
    shown = [axes.images[1].get_array() for axes in figure.axes[3:6]]
    np.testing.assert_allclose(np.stack(shown), expected.numpy(), atol=1e-5)


def test_without_classes_the_predicted_one_is_shown_and_learner_and_predictor_agree(photos):
    learn = learner(photos)
    predictor = Predictor(learn.model, learn.dls.vocab, learn.dls.preprocessing())
    for source in (learn, predictor):
        figure = plot_grad_cam(source, [photos[0], Image.open(photos[1])])
        titles = [axes.get_title() for axes in figure.axes[:4]]
        label, _, probs = predictor.predict(photos[0])
        assert titles[:3] == [photos[0].name, "", f"{label} {probs.max():.0%}"]


def test_photos_are_shown_as_the_model_gets_them_with_normalisation_undone(photos):
    plain, normalised = learner(photos), learner(photos, batch_tfms=[Normalize.from_stats([0.5] * 3, [0.25] * 3)])
    assert BatchPipeline.from_spec(normalised.dls.preprocessing()["batch"]).normalize
    one, other = (plot_grad_cam(learn, photos[:1]).axes[0].images[0].get_array() for learn in (plain, normalised))
    np.testing.assert_allclose(one, other, atol=1e-6)
    assert one.shape == (64, 64, 3)


def test_unknown_labels_are_refused_with_those_that_there_are(photos):
    with pytest.raises(DataError, match="cat, dog"):
        plot_grad_cam(learner(photos), photos[:1], classes=["mouse"])


def test_one_photo_and_one_class_need_no_list(photos):
    learn = learner(photos)
    with Image.open(photos[0]) as opened:
        pixels = np.asarray(opened)
    for one in (photos[0], str(photos[0]), photos[0].read_bytes(), pixels):
        for c in ("dog", 1):
            figure = plot_grad_cam(learn, one, classes=c)
            assert len(figure.axes) == 3 and figure.axes[1].get_title().startswith("dog ")


def test_nothing_to_draw_and_classes_by_wrong_numbers_are_said(photos):
    learn = learner(photos)
    for items, classes in (([], None), (photos[:1], [])):
        with pytest.raises(DataError, match="nothing to draw"):
            plot_grad_cam(learn, items, classes)
    for wrong in (2, -1, "mouse"):
        with pytest.raises(DataError, match=f"no class {wrong!r}") as error:
            plot_grad_cam(learn, photos[:1], [wrong])
        assert error.value.remedy


def test_many_classes_are_not_all_listed():
    with pytest.raises(DataError, match="and 90 more"):
        saliency._index("mouse", [f"class {i}" for i in range(100)])


def test_dollars_in_names_are_no_formula(photos, tmp_path):
    learn = learner(photos)
    file = tmp_path / "US$5_vs_$\\6.png"
    file.write_bytes(photos[0].read_bytes())
    predictor = Predictor(learn.model, [r"$\foo$", "$"], learn.dls.preprocessing())
    figure = plot_grad_cam(predictor, [file], classes=[0])
    FigureCanvasAgg(figure).draw()
    assert figure.axes[0].get_title().replace(r"\$", "$") == file.name


@pytest.mark.parametrize("mask", [[True, False], np.array([False, True]), torch.tensor([True, True])])
def test_a_mask_is_no_list_of_classes(mask):
    with pytest.raises(DataError, match="cannot be made for classes"):
        grad_cam(red_or_green(), torch.rand(2, 3, 16, 16), torch.as_tensor(mask))


@pytest.mark.parametrize("classes", [True, [True, False], np.array([True]), torch.tensor(False), 1.0, [None], 2])
def test_what_is_no_class_is_not_drawn(make_small_learner, photo, classes):
    with pytest.raises(DataError, match="There is no class"):
        plot_grad_cam(make_small_learner(), [photo], classes=classes)


@pytest.mark.parametrize("classes", [np.int64(1), torch.tensor(1), np.array([1]), [torch.tensor(1)], (1,)])
def test_numbers_of_numpy_and_torch_are_classes(make_small_learner, photo, classes):
    learn = make_small_learner()
    titles = [axes.get_title() for axes in plot_grad_cam(learn, [photo], classes=classes).axes]
    assert titles == [axes.get_title() for axes in plot_grad_cam(learn, [photo], classes=learn.dls.vocab[1]).axes]
