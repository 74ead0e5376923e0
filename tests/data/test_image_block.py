"""Images of other kinds, from the block to the exported model: grey, four bands, many bands, 12 bits."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from coursekit.augment.colour import ColourTransform, Hue, Normalize, RandomErasing, Saturation
from coursekit.augment.geometry import as_matrices
from coursekit.augment.pipeline import aug_transforms
from coursekit.augment.resize import RandomResizedCrop, Resize
from coursekit.core import DataError, ModelError
from coursekit.data.audit import audit, plot_audit
from coursekit.data.batches import load_batch
from coursekit.data.block import CategoryBlock, DataBlock, DataLoaders, ImageBlock
from coursekit.data.facts import read_facts
from coursekit.data.files import parent_label
from coursekit.data.shortcuts import ImageDataLoaders
from coursekit.data.splits import RandomSplitter
from coursekit.export.folder import load_learner
from coursekit.export.onnx import onnx_logits
from coursekit.images import open_pixels
from coursekit.metrics import accuracy
from coursekit.results.interpret import ClassificationInterpretation
from coursekit.results.saliency import plot_grad_cam
from coursekit.training.learner import vision_learner


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSEKIT_HOME", str(tmp_path / "home"))


def get_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.*"))


def bands(k: int, i: int, n: int, high: int = 100) -> np.ndarray:
    """Pixels (40, 48, n) of class `k`: one band is brighter."""
    pixels = np.random.default_rng(1000 * k + i).integers(0, high, (40, 48, n))
    pixels[..., k % n] += high
    return pixels.astype(np.uint8 if high < 128 else np.uint16)


def grey_photo(path: Path, k: int, i: int) -> None:
    pixels = np.random.default_rng(i).integers(60 * k, 60 * k + 100, (40, 48)).astype(np.uint8)
    Image.fromarray(pixels).save(path.with_suffix(".png"))


def twelve_bits(path: Path, k: int, i: int) -> None:
    pixels = np.random.default_rng(i).integers(0, 2000 + 2000 * k, (40, 40)).astype(np.uint16)
    Image.fromarray(pixels).save(path.with_suffix(".png"))


WRITERS = {
    "grey": (ImageBlock(mode="L"), grey_photo),
    "four bands": (ImageBlock("RGBA"), lambda path, k, i: Image.fromarray(bands(k, i, 4)).save(f"{path}.tif")),
    "six bands": (ImageBlock(6), lambda path, k, i: np.save(path, bands(k, i, 6))),
    "five bands of 12 bits": (ImageBlock(5, white=4095), lambda path, k, i: np.save(path, bands(k, i, 5, 1500))),
    "12 bits, grey": (ImageBlock("L", white=4095), twelve_bits),
    "12 bits, as RGB": (ImageBlock(white=4095), twelve_bits),
}


def written(folder: Path, write) -> Path:
    for k, name in enumerate("ab"):
        (folder / name).mkdir(parents=True)
        for i in range(12):
            write(folder / name / f"{i}", k, i)
    return folder


def loaders(folder: Path, image: object, item_tfms=Resize(32), batch_tfms=None, **kwargs) -> DataLoaders:  # noqa: B008
    block = DataBlock(
        (image, CategoryBlock),
        get_items=get_files,
        get_y=parent_label,
        splitter=RandomSplitter(0.25),
        item_tfms=item_tfms,
        batch_tfms=aug_transforms() if batch_tfms is None else batch_tfms,
    )
    return block.dataloaders(folder, bs=8, device="cpu", **kwargs)


@pytest.mark.parametrize("kind", WRITERS)
def test_images_of_every_kind_are_trained_on_and_predicted_alike_by_the_learner_and_its_export(tmp_path, kind):
    image, write = WRITERS[kind]
    dls = loaders(written(tmp_path / "d", write), image)
    assert dls.n_in == image.n_bands and dls.one_batch()[0].shape == (8, image.n_bands, 32, 32)
    learn = vision_learner(dls, "test_resnet", metrics=accuracy, pretrained=False, precision="fp32")
    learn.fit(1)
    predictor = load_learner(learn.export(tmp_path / "x"))
    expected = torch.stack([learn.predict(item)[2] for item in dls.valid.items])
    assert torch.equal(torch.stack([predictor.predict(item)[2] for item in dls.valid.items]), expected)
    assert torch.equal(predictor.get_preds(dls.valid.items), learn.get_preds()[0])
    described = json.loads((tmp_path / "x" / "coursekit.json").read_text("utf-8"))
    assert described["preprocessing"]["image"] == image.spec() and described["opening"]["mode"] == image.mode
    for figure in (dls.show_batch(), plot_grad_cam(learn, dls.valid.items[:2])):
        assert len(figure.axes) >= 2
    ClassificationInterpretation.from_learner(learn).plot_top_losses(2)
    dls.block.summary(tmp_path / "d")


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("item_tfms", [Resize((24, 32)), Resize(32, "pad"), RandomResizedCrop(24)])
def test_the_cache_gives_the_pixels_of_opening_anew_whatever_the_bands(tmp_path, kind, item_tfms):
    image, write = WRITERS[kind]
    folder = written(tmp_path / "d", write)
    cached, plain = (loaders(folder, image, item_tfms, cache=cache) for cache in (True, False))
    for (x, y), (x2, y2) in zip(cached.train, plain.train, strict=True):
        assert torch.equal(x, x2) and torch.equal(y, y2)
    assert torch.equal(next(iter(cached.valid))[0], load_batch(cached.valid.items, cached.preprocessing()))


def test_each_way_of_opening_has_a_cache_of_its_own(tmp_path):
    folder = written(tmp_path / "d", twelve_bits)
    with pytest.warns(UserWarning, match="nearly black"):
        dark = loaders(folder, ImageBlock)
    bright, grey = loaders(folder, ImageBlock(white=4095)), loaders(folder, ImageBlock("L", white=4095))
    assert len({loader.train.samples.images.path for loader in (dark, bright, grey)}) == 3
    assert dark.valid.one_batch()[0].max() < 0.1 and bright.valid.one_batch()[0].max() > 0.9
    assert torch.equal(bright.valid.one_batch()[0][:, :1], grey.valid.one_batch()[0])


def test_items_may_be_arrays_and_tensors_of_many_bands():
    arrays = [bands(i % 2, i, 6) for i in range(16)]
    for items in (arrays, [torch.from_numpy(array).permute(2, 0, 1) for array in arrays]):
        pairs = list(zip(items, "ab" * 8, strict=True))
        block = DataBlock(
            (ImageBlock(6), CategoryBlock), get_x=lambda p: p[0], get_y=lambda p: p[1], item_tfms=Resize(16)
        )
        dls = block.dataloaders(pairs, bs=4, device="cpu")
        assert dls.one_batch()[0].shape == (4, 6, 16, 16)
        learn = vision_learner(dls, "test_resnet", pretrained=False, precision="fp32")
        assert learn.predict(items[0])[0] in "ab"


def test_rgb_stays_as_it_was(tmp_path):
    folder = written(tmp_path / "d", grey_photo)
    dls, same = loaders(folder, ImageBlock), loaders(folder, ImageBlock(mode="RGB"))
    assert dls.preprocessing().keys() == {"item_tfms", "batch"} and dls.n_in == 3
    assert dls.train.samples.images.path == same.train.samples.images.path
    learn = vision_learner(dls, "test_resnet", pretrained=False)
    described = json.loads((learn.export(tmp_path / "x") / "coursekit.json").read_text("utf-8"))
    assert described["reader_version"] == 2 and "image" not in described["preprocessing"], "older readers read it"


# ---- augmentation


class Tint(ColourTransform):
    mixes = False
    columns = ()

    def colour(self, u):
        return as_matrices((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 0.5, 0)).expand(len(u), 3, 4)


@pytest.mark.parametrize("image, write", [WRITERS["grey"], WRITERS["six bands"]])
@pytest.mark.parametrize("tfm", [Hue(), Saturation(), Normalize.from_stats([0.5] * 3, [0.5] * 3)])
def test_what_is_for_three_colours_is_refused_before_training(tmp_path, image, write, tfm):
    with pytest.raises(DataError, match=f"{image.n_bands} band"):
        loaders(written(tmp_path / "d", write), image, batch_tfms=[tfm])


def test_a_change_of_colour_of_ones_own_that_tells_channels_apart_is_refused_for_others():
    dls = DataBlock(
        (ImageBlock("L"), CategoryBlock), get_x=lambda p: p[0], get_y=lambda p: p[1], batch_tfms=[Tint()]
    ).dataloaders([(bands(i % 2, i, 1), "ab"[i % 2]) for i in range(8)], bs=4, device="cpu")
    with pytest.raises(DataError, match="for RGB images"):
        dls.one_batch()


def test_brightness_and_contrast_change_all_bands_alike_and_geometry_moves_them_together():
    grey = [np.repeat(bands(i % 2, i, 1), 3, axis=2) for i in range(8)]

    def batch(n: int) -> torch.Tensor:
        mode = "RGB" if n == 3 else n
        items = [(np.repeat(array[..., :1], n, axis=2), "ab"[i % 2]) for i, array in enumerate(grey)]
        block = DataBlock(
            (ImageBlock(mode), CategoryBlock),
            get_x=lambda p: p[0],
            get_y=lambda p: p[1],
            item_tfms=Resize(24),
            batch_tfms=aug_transforms(max_lighting=0.8, p_lighting=1.0),
        )
        return block.dataloaders(items, bs=4, device="cpu").one_batch()[0]

    rgb = batch(3)
    for n in (1, 2, 5):
        torch.testing.assert_close(batch(n), rgb[:, :1].expand(-1, n, -1, -1), rtol=0, atol=1e-5)


def test_erasing_fills_every_band(tmp_path):
    folder = written(tmp_path / "d", WRITERS["six bands"][1])
    x = loaders(folder, ImageBlock(6), batch_tfms=[RandomErasing(p=1.0, sl=0.3, sh=0.4)]).one_batch()[0]
    plain = loaders(folder, ImageBlock(6), batch_tfms=[]).one_batch()[0]
    assert ((x != plain).flatten(2).float().mean(2) > 0.2).all()


# ---- models


def test_the_model_takes_the_channels_of_the_data_and_another_number_is_refused_with_both(tmp_path):
    dls = loaders(written(tmp_path / "d", grey_photo), ImageBlock("L"))
    assert vision_learner(dls, "test_resnet", pretrained=False, n_in=1).model.normalize.mean.shape == (1, 1, 1, 1)
    with pytest.raises(ModelError, match=r"n_in=3(.|\n)*1 channel"):
        vision_learner(dls, "test_resnet", pretrained=False, n_in=3)


def test_pretrained_filters_are_adapted_and_the_body_stays_frozen(tmp_path):
    dls = loaders(written(tmp_path / "d", WRITERS["four bands"][1]), ImageBlock("RGBA"))
    learn = vision_learner(dls, "efficientnet_lite0")
    assert learn.model.body.conv_stem.weight.shape[1] == 4 and learn.model.normalize.mean.shape[1] == 4
    learn.fit(1, cache_features=True)


def test_an_onnx_file_takes_the_bands_of_the_model(tmp_path):
    pytest.importorskip("onnxruntime")
    dls = loaders(written(tmp_path / "d", WRITERS["six bands"][1]), ImageBlock(6))
    learn = vision_learner(dls, "test_resnet", pretrained=False, precision="fp32")
    learn.export(tmp_path / "x", onnx=True)
    x = load_batch(dls.valid.items, dls.preprocessing())
    expected = load_learner(tmp_path / "x").logits(dls.valid.items)
    torch.testing.assert_close(onnx_logits(tmp_path / "x" / "model.onnx", x), expected, rtol=1e-3, atol=1e-3)


# ---- what is said


def test_twelve_bits_in_sixteen_are_measured_and_said_with_the_argument(tmp_path):
    folder = written(tmp_path / "d", twelve_bits)
    with pytest.warns(UserWarning, match=r"of 65,535(.|\n)*ImageBlock\(white=4095\)"):
        loaders(folder, ImageBlock)
    table = audit(folder)
    assert table["fault"].tolist() == ["16 bits, few used"] and "3,999 of 65,535" in table["detail"][0]
    assert "ImageBlock(white=4095)" in table["remedy"][0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaders(folder, ImageBlock(white=4095))
    assert not audit(folder, image=ImageBlock(white=4095))["fault"].str.contains("16 bits").any()


def test_sixteen_bits_that_are_used_are_good_to_know(tmp_path):
    def full(path: Path, k: int, i: int) -> None:
        pixels = np.random.default_rng(i).integers(0, 65_536, (40, 40)).astype(np.uint16)
        Image.fromarray(pixels).save(path.with_suffix(".png"))

    folder = written(tmp_path / "d", full)
    assert "16 bits" in audit(folder)["fault"].tolist()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaders(folder, ImageBlock)


def test_a_fourth_band_that_may_be_data_is_said_each_time_also_from_a_full_cache(tmp_path):
    folder = written(tmp_path / "d", WRITERS["four bands"][1])
    for _ in range(2):
        with pytest.warns(UserWarning, match=r'looks like data(.|\n)*ImageBlock\(mode="RGBA"\)'):
            loaders(folder, ImageBlock)


def test_many_bands_opened_as_rgb_are_refused_with_the_mode(tmp_path):
    with pytest.raises(DataError, match=r"ImageBlock\(mode=6\)"):
        loaders(written(tmp_path / "d", WRITERS["six bands"][1]), ImageBlock)


def test_an_audit_opens_images_as_it_is_told(tmp_path):
    folder = written(tmp_path / "d", WRITERS["six bands"][1])
    files = get_files(folder)
    files[3].write_bytes(files[3].read_bytes()[:300])
    files[5].write_bytes(files[4].read_bytes())
    table = audit(files, image=ImageBlock(6))
    assert table["fault"].tolist() == ["damaged or cut off", "same picture twice"]
    plot_audit(table)
    dls = loaders(folder, ImageBlock(6), drop_bad=True)
    assert len(dls.left_out) == 1
    facts = read_facts(files[0], ImageBlock(6))
    assert (facts.width, facts.height, facts.mode) == (48, 40, "6")


@pytest.mark.parametrize("make", ["from_folder", "from_name_func", "from_path_func", "from_df"])
def test_every_short_form_takes_the_block(tmp_path, make):
    folder, image = written(tmp_path / "d", grey_photo), ImageBlock("L")
    files, options = get_files(folder), {"image": image, "item_tfms": Resize(16), "device": "cpu", "bs": 4}
    if make == "from_folder":
        dls = ImageDataLoaders.from_folder(folder, valid_pct=0.25, **options)
    elif make == "from_df":
        import pandas as pd

        table = pd.DataFrame(
            {"file": [str(file.relative_to(folder)) for file in files], "label": [file.parent.name for file in files]}
        )
        dls = ImageDataLoaders.from_df(table, folder, **options)
    else:
        label = parent_label if make == "from_path_func" else lambda name: "ab"[len(name) % 2]
        dls = getattr(ImageDataLoaders, make)(folder, files, label, **options)
    assert dls.one_batch()[0].shape == (4, 1, 16, 16)


def test_pixels_of_a_block_are_those_of_opening(tmp_path):
    folder = written(tmp_path / "d", WRITERS["five bands of 12 bits"][1])
    dls = loaders(folder, ImageBlock(5, white=4095), item_tfms=None, batch_tfms=[])
    item = dls.valid.items[0]
    expected = np.rint(np.load(item).astype(float) * 255 / 4095).astype(np.uint8)
    assert np.array_equal(open_pixels(item, None, dls.block.blocks[0]), expected)
    assert torch.equal(dls.valid.one_batch()[0][0], torch.from_numpy(expected).permute(2, 0, 1).float().div(255))
