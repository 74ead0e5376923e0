"""Functions and transforms of other libraries: used as written, seeded like all else, refused where they cannot be."""

import functools
import random
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torchvision.transforms import v2

from coursekit.augment.colour import Normalize, PixelTransform, RandomErasing, imagenet_stats
from coursekit.augment.functions import Always, stable_repr
from coursekit.augment.geometry import BatchTransform, CoordTransform, Rotate
from coursekit.augment.mix import mixup
from coursekit.augment.pipeline import BatchPipeline, Sampling, aug_transforms
from coursekit.augment.resize import ItemTransform, RandomResizedCrop, Resize, ResizeMethod
from coursekit.core import DataError, ExportError, home
from coursekit.data.block import CategoryBlock, DataBlock, ImageBlock
from coursekit.data.files import get_image_files, parent_label
from coursekit.data.shortcuts import ImageDataLoaders
from coursekit.data.splits import RandomSplitter
from coursekit.metrics import accuracy
from coursekit.results.saliency import plot_grad_cam
from coursekit.training.callbacks import Callback, MixUp
from coursekit.training.learner import Learner, vision_learner


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("COURSEKIT_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def photos(tmp_path) -> Path:
    for k, name in enumerate(("cat", "dog")):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(8):
            pixels = np.random.default_rng(100 * k + i).integers(0, 90, (40, 48, 3)).astype(np.uint8)
            pixels[..., k] += 100
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{i}.png")
    return tmp_path / "photos"


def loaders(photos, item_tfms=None, batch_tfms=None, **kwargs):
    block = DataBlock(
        get_y=parent_label, splitter=RandomSplitter(0.25), item_tfms=item_tfms or Resize(32), batch_tfms=batch_tfms
    )
    return block.dataloaders(photos, **{"bs": 4, "device": "cpu", **kwargs})


def learner(dls, **kwargs) -> Learner:
    return vision_learner(dls, "test_resnet", pretrained=False, metrics=accuracy, precision="fp32", **kwargs)


def epochs(dl, n=2) -> list[torch.Tensor]:
    found = []
    for epoch in range(n):
        dl.set_epoch(epoch)
        found += [x for x, _ in dl]
    return found


def same(first, second) -> bool:
    return len(first) == len(second) and all(map(torch.equal, first, second))


def darker(img):
    return img.point(lambda value: value // 2)


def noisy_image(img):
    "Draws from the three global generators."
    noise = np.random.normal(0, 5, (img.height, img.width, 3)) + random.random() * 9 + torch.rand(1).item() * 9
    return (np.asarray(img) + noise).clip(0, 255).astype(np.uint8)


def noisy_batch(x):
    noise = torch.rand(()) + random.random() + torch.from_numpy(np.random.rand(*x.shape)).float()
    return (x + 0.1 * noise).clamp(0, 1)


class Seen:
    "Returns what it gets, and keeps it."

    def __init__(self):
        self.given = []

    def __call__(self, given):
        self.given.append(given)
        return given


# ---- where in the path


def test_a_function_behind_resize_gets_its_pixels_as_a_pil_image(photos):
    seen = Seen()
    got = loaders(photos, [Resize(32), seen, darker]).train.one_batch()[0]
    plain = loaders(photos, Resize(32)).train.one_batch()[0]
    assert all(isinstance(img, Image.Image) and img.size == (32, 32) and img.mode == "RGB" for img in seen.given)
    assert torch.equal((got * 255).round(), (plain * 255).round() // 2), "same crops, then darker"


def test_a_function_before_resize_gets_the_whole_image(photos):
    seen = Seen()
    x = loaders(photos, [seen, Resize(32)]).train.one_batch()[0]
    assert {img.size for img in seen.given} == {(48, 40)} and x.shape == (4, 3, 32, 32)


@pytest.mark.parametrize("resize", [Resize(32), Resize(32, ResizeMethod.Pad), RandomResizedCrop(32)])
@pytest.mark.parametrize("change", [v2.CenterCrop(20), v2.Pad(9), v2.RandomRotation(45, expand=True)])
@pytest.mark.parametrize("behind", [True, False])
def test_resize_settles_the_size_whatever_a_function_does(photos, resize, change, behind):
    dls = loaders(photos, [resize, change] if behind else [change, resize])
    assert dls.train.one_batch()[0].shape == dls.valid.one_batch()[0].shape == (4, 3, 32, 32)


def test_without_resize_a_function_must_keep_the_size_unless_it_is_for_always(photos):
    assert loaders(photos, [darker]).train.one_batch()[0].shape == (4, 3, 40, 48)
    with pytest.raises(DataError, match="changes the size") as caught:
        loaders(photos, [v2.Resize((16, 20))]).train.one_batch()
    assert "Resize(16)" in caught.value.remedy and "16 x 20 of 40 x 48" in caught.value.cause
    dls = loaders(photos, [Always(v2.Resize((16, 20)))])
    assert dls.train.one_batch()[0].shape == dls.valid.one_batch()[0].shape == (4, 3, 16, 20)


def test_a_batch_function_gets_values_after_the_affine_and_before_normalising(photos):
    seen = Seen()
    tfms = [Normalize.from_stats(*imagenet_stats), *aug_transforms(size=24), seen]
    x = loaders(photos, batch_tfms=tfms).train.one_batch()[0]
    (given,) = seen.given
    assert given.dtype == torch.float32 and given.shape == (4, 3, 24, 24) and 0 <= given.min() <= given.max() <= 1
    assert torch.equal(x, tfms[0](given))
    plain = loaders(photos, batch_tfms=aug_transforms(size=24)).train.one_batch()[0]
    assert torch.allclose(plain, given, atol=1e-6), "the augmentation is the same with and without"


def test_functions_and_erasing_come_in_the_order_of_the_list():
    x, u = torch.full((2, 3, 8, 8), 100, dtype=torch.uint8), None
    for tfms, constant in (
        ([RandomErasing(1, 0.2), torch.zeros_like], True),
        ([torch.zeros_like, RandomErasing(1, 0.2)], False),
    ):
        pipeline = BatchPipeline(tfms)
        u = pipeline.draw(0, [0, 1])
        assert (len(pipeline(x, u).unique()) == 1) == constant


def test_two_erasings_are_both_done():
    x = torch.full((1, 3, 40, 40), 128, dtype=torch.uint8)
    pipeline = BatchPipeline([RandomErasing(1, 0.05, 0.1)] * 2)
    assert len(pipeline(x, pipeline.draw(1, [3])).flatten(2).unique(dim=2)[0, 0].unique()) == 3


def test_extra_transforms_may_be_functions():
    assert aug_transforms(xtra_tfms=darker)[-2] is darker
    blur = v2.GaussianBlur(3)
    assert aug_transforms(xtra_tfms=[blur, darker])[-3:-1] == [blur, darker]
    x = torch.rand(2, 3, 8, 8).mul(255).byte()
    pipeline = BatchPipeline(
        aug_transforms(do_flip=False, max_rotate=0, max_warp=0, max_zoom=1, max_lighting=0, xtra_tfms=blur)
    )
    with torch.no_grad():
        assert not torch.equal(pipeline(x, pipeline.draw(0, [0, 1])), x / 255)


# ---- in training only, unless said otherwise


def test_functions_change_training_only(photos):
    plain = loaders(photos)
    dls = loaders(photos, [darker, Resize(32), darker], [lambda x: x / 2])
    assert same(epochs(dls.valid), epochs(plain.valid)) and same(epochs(dls.train_eval), epochs(plain.train_eval))
    assert torch.equal(dls.load_batch(dls.valid.sources), plain.load_batch(plain.valid.sources))
    assert dls.preprocessing() == plain.preprocessing()
    assert dls.train.one_batch()[0].max() < 0.15 < plain.train.one_batch()[0].max()


@pytest.mark.parametrize("item_tfms", [[Resize(32), Always(darker)], [Always(darker), Resize(32)]])
def test_always_changes_validation_test_data_and_prediction_alike(photos, item_tfms):
    dls = loaders(photos, item_tfms, [Always(lambda x: x / 2)])
    x = torch.cat([x for x, _ in dls.valid])
    assert x.max() < 0.25 < 0.6 < loaders(photos).valid.one_batch()[0].max()
    assert torch.equal(dls.load_batch(dls.valid.sources), x)
    assert torch.equal(torch.cat([x for x, _ in dls.test_dl(dls.valid.items)]), x)
    assert torch.equal(torch.cat([x for x, _ in dls.test_dl(dls.valid.items, cache=True)]), x)
    learn = learner(dls)
    probs = learn.get_preds()[0]
    assert torch.allclose(learn.predict(dls.valid.sources[0])[2], probs[0], atol=1e-6)
    plot_grad_cam(learn, dls.valid.sources[:1])


# ---- seeded like all else


@pytest.mark.parametrize("item_tfms", [[Resize(32), noisy_image], [noisy_image, RandomResizedCrop(32)]])
def test_random_functions_follow_seed_epoch_and_item_with_and_without_workers(photos, item_tfms):
    first = epochs(loaders(photos, item_tfms, [noisy_batch]).train)
    assert same(first, epochs(loaders(photos, item_tfms, [noisy_batch], num_workers=2).train))
    random.seed(9), np.random.seed(9), torch.manual_seed(9)
    again = loaders(photos, item_tfms, [noisy_batch])
    assert same(first, epochs(again.train)) and same(first, epochs(again.train))
    assert not same(first, epochs(loaders(photos, item_tfms, [noisy_batch], seed=7).train))
    assert not torch.equal(first[0], first[len(first) // 2]), "epochs differ"


def test_an_item_function_does_not_depend_on_the_batch(photos):
    noises = [loaders(photos, [Resize(32, ResizeMethod.Squish), noisy_image], bs=bs).train for bs in (3, 4)]
    rows = [
        dict(zip((p for b in dl.sampler.batches() for p in b), torch.cat(epochs(dl, 1)), strict=True)) for dl in noises
    ]
    assert all(torch.equal(rows[0][k], rows[1][k]) for k in rows[0])


def test_the_global_generators_are_left_alone(photos):
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    wanted = random.random(), np.random.rand(), torch.rand(1).item()
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    dls = loaders(photos, [Resize(32), noisy_image, Always(noisy_image)], [noisy_batch, Always(noisy_batch)])
    epochs(dls.train, 1), epochs(dls.valid, 1), dls.load_batch(dls.valid.sources)
    dls.block.summary(photos)
    assert (random.random(), np.random.rand(), torch.rand(1).item()) == wanted


def test_two_random_functions_draw_differently(photos):
    drawn = []
    two = [lambda img: drawn.append(random.random()) or img, lambda img: drawn.append(random.random()) or img]
    loaders(photos, [Resize(32), *two]).train.one_batch()
    assert len(set(drawn)) == len(drawn) == 8


class StopAt(Callback):
    def __init__(self, epoch):
        self.epoch = epoch

    def before_epoch(self, learn):
        if learn.epoch == self.epoch:
            raise KeyboardInterrupt


def test_a_resumed_run_is_bit_for_bit_the_uninterrupted_one(photos, tmp_path):
    def run():
        return learner(loaders(photos, [Resize(32), noisy_image, lambda img: img], [noisy_batch, v2.GaussianBlur(3)]))

    whole, first, second = run(), run(), run()
    whole.fit(3, 1e-3)
    with pytest.raises(KeyboardInterrupt):
        first.fit(3, 1e-3, resume=tmp_path / "run.safetensors", cbs=StopAt(2))
    second.fit(3, 1e-3, resume=tmp_path / "run.safetensors")
    assert all(torch.equal(a, b) for a, b in zip(whole.model.parameters(), second.model.parameters(), strict=True))


def test_other_functions_are_another_run(photos, tmp_path):
    learner(loaders(photos, batch_tfms=[v2.GaussianBlur(3)])).fit(1, resume=tmp_path / "run")
    with pytest.raises(Exception, match="GaussianBlur"):
        learner(loaders(photos, batch_tfms=[v2.GaussianBlur(5)])).fit(1, resume=tmp_path / "run")


class Noise:
    def __init__(self, std):
        self.std, self.big = std, np.zeros(9)

    def __call__(self, img):
        return img


def test_names_hold_no_addresses_and_tell_settings_apart():
    things = [
        lambda x: x,
        darker,
        functools.partial(darker),
        Noise(0.1),
        Noise(0.1).__call__,
        v2.Lambda(darker),
        Seen(),
    ]
    assert not [name for name in map(stable_repr, things) if "0x" in name]
    assert stable_repr(darker) == "<function darker>" and stable_repr(Noise(0.1)) == "Noise(std=0.1)"
    assert stable_repr(Noise(0.1)) != stable_repr(Noise(0.2))


# ---- the presize cache


def cache_files() -> list[Path]:
    return sorted((home() / "presize").glob("*"))


def test_what_a_function_made_is_never_cached(photos):
    plain = loaders(photos)
    kept = cache_files()
    for item_tfms in (
        [Resize(32), darker],
        [darker, Resize(32)],
        [Resize(32), Always(darker)],
        [Always(darker), Resize(32)],
    ):
        assert loaders(photos, item_tfms).train.one_batch()[0].max() < 0.4
    assert cache_files() == kept and len(kept) == 1
    assert same(epochs(plain.train), epochs(loaders(photos).train))


def test_a_transform_of_ones_own_is_not_cached(photos):
    class Shrink(Resize):
        def prepared_size(self, size):
            return size

    x = loaders(photos, Shrink(20)).train.one_batch()[0]
    assert x.shape == (4, 3, 20, 20) and not (home() / "presize").exists()


def test_damaged_images_are_found_before_training_with_functions_too(photos):
    (photos / "cat" / "0.png").write_bytes(b"")
    with pytest.raises(DataError, match="empty file"):
        loaders(photos, [darker, Resize(32)])


# ---- other libraries


@pytest.mark.parametrize(
    "tfm",
    [
        v2.GaussianBlur(3),
        v2.RandomHorizontalFlip(),
        v2.ColorJitter(0.2, 0.2),
        v2.RandomErasing(),
        v2.RandAugment(),
        v2.Compose([v2.ToDtype(torch.uint8, scale=True), v2.AugMix(), v2.ToDtype(torch.float32, scale=True)]),
        nn.Sequential(nn.AvgPool2d(3, 1, 1), nn.Identity()),
        nn.Conv2d(3, 3, 3, padding=1),
        torch.flipud,
    ],
    ids=stable_repr,
)
def test_modules_and_functions_on_batches(photos, tfm):
    first, second = (epochs(loaders(photos, batch_tfms=[*aug_transforms(), tfm]).train, 1) for _ in range(2))
    assert same(first, second) and first[0].shape == (4, 3, 32, 32) and not first[0].requires_grad


@pytest.mark.parametrize(
    "tfm",
    [
        v2.RandomRotation(20),
        v2.TrivialAugmentWide(),
        v2.Grayscale(),
        v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)]),
        np.asarray,
        lambda img: np.asarray(img)[::-1],
    ],
    ids=stable_repr,
)
def test_modules_and_functions_on_images(photos, tfm):
    first, second = (epochs(loaders(photos, [Resize(32), tfm]).train, 1) for _ in range(2))
    assert same(first, second) and first[0].shape == (4, 3, 32, 32)


class FakeAlbumentation:
    "Has the interface of albumentations' transforms, and a generator of its own."

    def __init__(self):
        self.generator = np.random.default_rng()

    def set_random_seed(self, seed):
        self.generator = np.random.default_rng(seed)

    def __call__(self, *, image):
        assert isinstance(image, np.ndarray) and image.flags.writeable
        return {"image": np.full_like(image, self.generator.integers(0, 256))}


FakeAlbumentation.__module__ = "albumentations.core.composition"


def test_transforms_with_the_interface_of_albumentations(photos):
    first, second = (epochs(loaders(photos, [Resize(32), FakeAlbumentation()]).train) for _ in range(2))
    assert same(first, second) and len(torch.cat(first).flatten(1).unique()) > 10
    with pytest.raises(DataError, match="works on one image"):
        BatchPipeline([FakeAlbumentation()])


def test_albumentations_where_it_is_installed(photos):
    A = pytest.importorskip("albumentations")
    tfm = A.Compose([A.HorizontalFlip(p=0.5), A.GaussNoise(p=1), A.RandomBrightnessContrast(p=0.5)])
    for item_tfms in ([Resize(32), tfm], [tfm, Resize(32)], [Resize(32), A.GaussNoise(p=1)]):
        first, second = (epochs(loaders(photos, item_tfms, num_workers=n).train) for n in (0, 2))
        assert same(first, second) and not torch.equal(first[0], loaders(photos).train.one_batch()[0])
    with pytest.raises(DataError, match="normalises"):
        loaders(photos, [Resize(32), A.Compose([A.Normalize()])])


def test_kornia_where_it_is_installed(photos):
    K = pytest.importorskip("kornia.augmentation")
    tfm = nn.Sequential(K.RandomGaussianBlur((3, 3), (0.1, 2.0)), K.ColorJiggle(0.1, 0.1, 0.1, 0.1))
    first, second = (epochs(loaders(photos, batch_tfms=[*aug_transforms(), tfm]).train) for _ in range(2))
    assert same(first, second)


# ---- of one's own


def test_a_pixel_transform_of_ones_own_gets_its_numbers(photos):
    class Shade(PixelTransform):
        columns = ("how_dark",)

        def apply(self, values, u=None):
            return values * u.view(-1, 1, 1, 1)

    pipeline = BatchPipeline([Shade()])
    x, u = torch.full((2, 3, 4, 4), 255, dtype=torch.uint8), pipeline.draw(0, [5, 6])
    assert torch.allclose(pipeline(x, u)[:, 0, 0, 0], u[:, 0])
    assert (pipeline(x) == 1).all(), "training only"


def test_an_item_transform_of_ones_own_is_used(photos):
    class Left(ItemTransform):
        n_uniforms = 0

        def prepared_size(self, size):
            return (20, 30)

        def finish(self, pixels, u=None):
            return pixels[:, :20]

        def spec(self):
            return {"name": "Left"}

    dls = loaders(photos, Left())
    assert dls.train.one_batch()[0].shape == (4, 3, 20, 20)
    learn = learner(dls)
    assert learn.predict(dls.valid.sources[0])[2].shape == (2,)
    with pytest.raises(ExportError, match="cannot be exported"):
        learn.export(photos / "x")


def test_a_transform_that_lacks_a_method_is_refused_by_name(photos):
    class Half(ItemTransform):
        n_uniforms = 0

        def prepared_size(self, size):
            return size

    class Duck:
        def prepared_size(self, size):
            return size

        def finish(self, pixels, u=None):
            return pixels

        def spec(self):
            return {}

    class Bare(BatchTransform):
        def __call__(self, x):
            return x

    with pytest.raises(TypeError, match="finish"):
        Half()
    with pytest.raises(DataError, match="windows"):
        loaders(photos, Duck())
    with pytest.raises(DataError, match="would never be called") as caught:
        loaders(photos, batch_tfms=[Bare()])
    assert "PixelTransform (apply)" in caught.value.remedy


# ---- refused, before the first step


@dataclass(frozen=True)
class Wrong(CoordTransform):
    matrices: torch.Tensor | None = None

    def __post_init__(self):
        pass

    def matrix(self, u, aspect=1.0):
        return self.matrices


@pytest.mark.parametrize(
    "matrices", [torch.eye(3)[None], torch.eye(3).double(), torch.full((1, 3, 3), float("nan"), dtype=torch.float64)]
)
def test_matrices_that_cannot_be_are_refused_by_name(matrices):
    pipeline = BatchPipeline([Wrong(matrices)])
    with pytest.raises(DataError, match=r"(?s)Wrong.*returns what cannot be used"):
        pipeline(torch.zeros(1, 3, 8, 8, dtype=torch.uint8), pipeline.draw(0, [0]))


@pytest.mark.parametrize(
    ("item_tfms", "batch_tfms", "says"),
    [
        (Resize, None, "write Resize(...)"),
        (None, aug_transforms, "write aug_transforms(...)"),
        (None, [RandomErasing], "write RandomErasing(...)"),
        (None, Normalize.from_stats, "write Normalize.from_stats(...)"),
        ([Resize(8), *aug_transforms()], None, "give it in batch_tfms"),
        ([Resize(8), Normalize.from_stats(*imagenet_stats)], None, "give it in batch_tfms"),
        ([Resize(8), RandomResizedCrop(8)], None, "holds 2 that resize"),
        (["Resize"], None, "'Resize' is no transform for item_tfms"),
        (5, None, "5 is no transform"),
        (None, [Resize(8)], "aug_transforms(size=...)"),
        (None, [None, 3], "3 is no transform for batch_tfms"),
        (None, MixUp(), "cbs=MixUp()"),
        (None, [v2.CutMix(num_classes=2)], "cbs=MixUp()"),
        (None, [v2.Normalize([0.5] * 3, [0.5] * 3)], "Normalize.from_stats(mean, std)"),
        ([Resize(8), v2.Compose([v2.ToImage(), v2.Normalize([0.5] * 3, [0.5] * 3)])], None, "normalises"),
        (None, [Normalize.from_stats(*imagenet_stats)] * 2, "2 x Normalize"),
        (None, aug_transforms() + aug_transforms(), "2 x Sampling"),
        (None, [type("Mine", (Normalize,), {})((0.5,) * 3, (0.5,) * 3)], "use Normalize itself"),
        (None, Always(RandomErasing()), "use Always for functions"),
        (Always(Resize(8)), None, "use Always for functions"),
    ],
)
def test_what_cannot_be_used_is_refused_before_any_image_is_opened(photos, item_tfms, batch_tfms, says):
    with pytest.raises(DataError, match=re.escape(says)):
        loaders(photos, item_tfms, batch_tfms)
    assert not (home() / "presize").exists()


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (lambda x: None, "does the function end with return?"),
        (lambda x: x.half(), "torch.float16"),
        (lambda x: x[:, :1], "(4, 1, 32, 32)"),
        (lambda x: x * float("nan"), "nan"),
        (lambda x: x * 255, "in [0, 1]"),
        (lambda x: [x], "list"),
        (lambda x: x.nothing(), "AttributeError"),
    ],
)
def test_what_a_batch_function_must_not_return(photos, function, says):
    with pytest.raises(DataError, match=re.escape(says)) as caught:
        learner(loaders(photos, batch_tfms=[function])).fit(1)
    assert "<lambda>" in caught.value.what


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    ("function", "says"),
    [
        (lambda img: None, "does the function end with return?"),
        (lambda img: str(img), "returned str"),
        (lambda img: np.asarray(img) / 255, "float64"),
        (lambda img: torch.full((3, 8, 8), float("nan")), "torch.float32"),
        (lambda img: img.nothing(), "AttributeError"),
    ],
)
def test_what_an_item_function_must_not_return(photos, function, says, workers):
    with pytest.raises(DataError, match=re.escape(says)) as caught:
        next(iter(loaders(photos, [Resize(32), function], num_workers=workers).train))
    assert re.search(r"(cat|dog)/\d\.png: .*<lambda>", caught.value.what)


# ---- what is left out says so


def test_an_export_leaves_out_what_changes_training_and_refuses_what_changes_all(photos, tmp_path):
    learn = learner(loaders(photos, [Resize(32), darker], [v2.GaussianBlur(3)]))
    learn.export(tmp_path / "x")
    for kwargs in ({"item_tfms": [Resize(32), Always(darker)]}, {"batch_tfms": [Always(torch.sqrt)]}):
        with pytest.raises(ExportError, match="Always") as caught:
            learner(loaders(photos, **kwargs)).export(tmp_path / "y")
        assert "leave it out" in caught.value.remedy and not (tmp_path / "y").exists()


def test_kept_features_leave_functions_out(photos):
    dls = loaders(photos, [Resize(32), lambda img: 1 / 0], [lambda x: x * float("nan")])
    learn = learner(dls)
    learn.freeze()
    learn.fit(1, cache_features=True)
    assert np.isfinite(learn.recorder.losses).all()


def test_show_batch_and_summary_show_functions(photos, capsys):
    dls = loaders(photos, [Resize(32), darker], [torch.zeros_like])
    figure = dls.show_batch(max_n=2)
    assert all(np.asarray(axes.images[0].get_array()).max() == 0 for axes in figure.axes[:2])
    dls.block.summary(photos)
    said = capsys.readouterr().out
    assert "<function darker>, in training only" in said and "zeros_like" in said


def test_a_failing_function_is_told_by_summary(photos, capsys):
    DataBlock(get_y=parent_label, item_tfms=[Resize(8), lambda img: img.nothing()]).summary(photos)
    assert "This does not work" in capsys.readouterr().out


# ---- numbers of other libraries


def test_numbers_of_numpy_and_torch_are_numbers_everywhere(photos, tmp_path):
    item_tfm = RandomResizedCrop(
        (np.int64(32), torch.tensor(30)), min_scale=np.float32(0.5), ratio=np.array([0.8, 1.2])
    )
    batch_tfms = aug_transforms(
        np.float32(1), max_rotate=torch.tensor(5.0), p_affine=np.float64(0.5), size=np.int64(24)
    )
    dls = loaders(
        photos, item_tfm, [*batch_tfms, RandomErasing(p=torch.tensor(0.5))], bs=np.int64(4), val_bs=torch.tensor(3)
    )
    assert type(dls.train.bs) is int and dls.valid.bs == 3 and dls.train.one_batch()[0].shape == (4, 3, 24, 24)
    learn = learner(dls)
    learn.fit(1, resume=tmp_path / "run")
    learn.export(tmp_path / "x")
    assert "np." not in repr(dls.train.pipeline.tfms) + repr(item_tfm) and "tensor" not in repr(dls.train.pipeline.tfms)
    assert (
        Resize(np.int64(8)) == Resize(8)
        and Sampling(torch.tensor(8)) == Sampling(8)
        and Rotate(np.float64(3)) == Rotate(3)
    )
    assert mixup(torch.rand(4, 3, 4, 4), torch.arange(4), np.int64(4), 0)[1].shape == (4, 4)
    assert len(get_image_files(photos)) == 16


# ---- images of other kinds


@pytest.fixture
def four_bands(tmp_path):
    """A folder with two classes of pictures whose fourth band is data, not transparency."""
    numbers = np.random.default_rng(0)
    for name in ("a", "b"):
        (tmp_path / "bands" / name).mkdir(parents=True)
        for i in range(6):
            pixels = numbers.integers(0, 256, (40, 44, 4)).astype(np.uint8)
            Image.fromarray(pixels, "RGBA").save(tmp_path / "bands" / name / f"{i}.png")
    return tmp_path / "bands"


def first_batch(folder, mode, *tfms, cache=True):
    kind = {"image": ImageBlock(mode=mode), "valid_pct": 0.25, "bs": 4, "device": "cpu", "cache": cache}
    dls = ImageDataLoaders.from_folder(folder, item_tfms=list(tfms), **kind)
    return dls.one_batch()[0], dls.valid.one_batch()[0]


@pytest.mark.parametrize("cache", [True, False])
@pytest.mark.parametrize(("mode", "bands"), [("L", 1), ("RGB", 3), ("RGBA", 4)])
def test_a_function_gets_images_of_their_own_kind_and_no_band_is_lost(four_bands, mode, bands, cache):
    seen = set()

    def look(img):
        seen.add(img.mode)
        return img

    plain = first_batch(four_bands, mode, Resize(32), cache=cache)
    for tfms in ([Resize(32), look], [look, Resize(32)], [Resize(32), Always(look)], [Always(look), Resize(32)]):
        for batch, expected in zip(first_batch(four_bands, mode, *tfms, cache=cache), plain, strict=True):
            assert batch.shape == expected.shape == (len(batch), bands, 32, 32)
            if tfms[0] != look:  # before Resize, images are decoded whole, not shrunk while decoding: other roundings
                assert torch.equal(batch, expected)
    assert seen == {mode}


def test_a_function_gets_an_array_where_there_are_no_such_pictures(tmp_path):
    items = [np.random.default_rng(i).integers(0, 256, (40, 44, 6)).astype(np.uint8) for i in range(8)]
    shapes = set()

    def look(pixels):
        shapes.add(pixels.shape)
        return pixels

    block = DataBlock(
        (ImageBlock(mode=6), CategoryBlock), get_y=lambda x: "ab"[int(x[0, 0, 0]) % 2], item_tfms=[Resize(32), look]
    )
    assert block.dataloaders(items, bs=4, device="cpu").one_batch()[0].shape[1:] == (6, 32, 32)
    assert shapes == {(32, 32, 6)}


@pytest.mark.parametrize("change", [lambda img: img.convert("RGB"), lambda img: np.asarray(img)[..., :3]])
def test_a_function_that_loses_a_band_is_named(four_bands, change):
    with pytest.raises(DataError, match="returns what cannot be used") as refusal:
        first_batch(four_bands, "RGBA", Resize(32), change)
    assert "mode RGBA" in refusal.value.remedy
