"""Export, then load in another process: the very same numbers, for every family of networks, on odd image files.

What `predict` takes is here too (row 42 of the table of faults), as far as those files show more than one photo does.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from export_folders import run_python, trained, write_to
from odd_images import encoded, odd_images, photo, write_odd_images
from PIL import Image
from safetensors.torch import load_file

from coursekit.augment.pipeline import BatchPipeline, aug_transforms
from coursekit.augment.resize import RandomResizedCrop, Resize
from coursekit.core import DataError
from coursekit.data.block import DataBlock
from coursekit.data.splits import RandomSplitter
from coursekit.export.folder import Predictor, load_learner
from coursekit.training.learner import vision_learner

FAMILIES = [  # one of each kind that timm's own tests have in small, and the ids that the course uses
    "test_byobnet", "test_convnext", "test_efficientnet", "test_mambaout", "test_maxvit", "test_nfnet",
    "test_resnet", "test_vit", "mobilenetv3_small_050", "efficientnet_lite0", "densenet121", "regnety_002",
]  # fmt: skip
SIZES = {"test_vit": 160, "test_maxvit": 160}  # these take one size only; the others any


def preprocessing_for(arch: str) -> dict:
    return {"item_tfms": Resize(SIZES.get(arch, 64), "squish").spec(), "batch": BatchPipeline().spec()}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_odd_images(tmp_path_factory.mktemp("odd"))


# ---- the same numbers in another process

PREDICT_ELSEWHERE = """
    import sys, torch
    from pathlib import Path
    from safetensors.torch import save_file
    from coursekit.export.folder import load_learner
    root, photos, threads = Path(sys.argv[1]), sorted(Path(sys.argv[2]).iterdir()), int(sys.argv[3])
    torch.set_num_threads(threads)  # sums are added up in an order that depends on it
    found = {}
    for folder in sorted(root.iterdir()):
        predictor = load_learner(folder)
        found[folder.name] = torch.cat([predictor.logits(photos[i : i + 16]) for i in range(0, len(photos), 16)])
        found[f"{folder.name} alone"] = torch.stack([predictor.predict(path)[2] for path in photos[::8]])
    save_file(found, sys.argv[4])
"""


@pytest.fixture(scope="module")
def here_and_there(files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple]:
    """For each architecture the logits and probabilities of the model that was exported, and those of a new process."""
    root, out, photos = tmp_path_factory.mktemp("exports"), tmp_path_factory.mktemp("out") / "there", sorted(files)
    here = {}
    for i, arch in enumerate(FAMILIES):
        model, preprocessing = model_of(arch), preprocessing_for(arch)
        write_to(root / f"{i:02d}", model=model, arch=arch, preprocessing=preprocessing)
        predictor = Predictor(model, ["cat", "dog", "hörnchen"], preprocessing)
        logits = torch.cat([predictor.logits(photos[i : i + 16]) for i in range(0, len(photos), 16)])
        here[arch] = logits, torch.stack([predictor.predict(path)[2] for path in photos[::8]])
    run_python(PREDICT_ELSEWHERE, root, files[0].parent, torch.get_num_threads(), out)
    there = load_file(out)
    return {a: (*here[a], there[f"{i:02d}"], there[f"{i:02d} alone"]) for i, a in enumerate(FAMILIES)}


def model_of(arch: str) -> torch.nn.Module:
    return trained(arch, size=SIZES.get(arch, 64))


def test_there_are_more_than_fifty_odd_images_and_no_two_are_the_same(files):
    assert len(files) >= 50 and len({path.read_bytes() for path in files}) >= 50


@pytest.mark.parametrize("arch", FAMILIES)
def test_export_then_load_is_equality_in_a_new_process(here_and_there, files, arch):
    logits, alone, logits_there, alone_there = here_and_there[arch]
    assert logits.shape == (len(files), 3) and logits.isfinite().all()
    assert len(logits.unique(dim=0)) > len(files) / 2, "the images are told apart, or equality would say little"
    assert torch.equal(logits, logits_there)
    assert torch.equal(alone, alone_there)


def test_a_learner_and_its_export_in_a_new_process_agree_on_every_odd_image(files, tmp_path):
    block = DataBlock(
        get_y=lambda path: ("one", "two")[len(path.name) % 2],
        splitter=RandomSplitter(seed=0),
        item_tfms=RandomResizedCrop(80, min_scale=0.5),
        batch_tfms=aug_transforms(size=64),
    )
    dls = block.dataloaders(files[0].parent, bs=8, cache=False)
    learn = vision_learner(dls, "efficientnet_lite0", precision="fp32")
    learn.fit(1)
    learn.export(tmp_path / "learner")
    code = """
        import json, sys, torch
        from pathlib import Path
        from coursekit.export.folder import load_learner
        torch.set_num_threads(int(sys.argv[3]))
        predictor = load_learner(sys.argv[1])
        found = [predictor.predict(path) for path in sorted(Path(sys.argv[2]).iterdir())]
        print(json.dumps([(label, index, probs.tolist()) for label, index, probs in found]))
    """
    there = json.loads(run_python(code, tmp_path / "learner", files[0].parent, torch.get_num_threads()))
    for path, (label, index, probs) in zip(sorted(files), there, strict=True):
        expected = learn.predict(path)
        assert (label, index) == expected[:2] and torch.equal(torch.tensor(probs), expected[2]), path.name


# ---- what predict takes (42)


@pytest.mark.parametrize("name", odd_images())
def test_42_an_odd_image_in_any_form_gives_the_same_answer(exported, files, name):
    path, predictor = next(path for path in files if path.name == name), load_learner(exported)
    label, index, probs = predictor.predict(path)
    assert probs.isfinite().all() and label == predictor.vocab[index]
    content = path.read_bytes()
    with Image.open(path) as lazy:
        lazy_found = predictor.predict(lazy)
    for found in [predictor.predict(form) for form in (str(path), content, bytearray(content), memoryview(content))]:
        assert found[:2] == (label, index) and torch.equal(found[2], probs)
    # a large JPEG is shrunk while it is decoded, which a PIL image in memory is not
    torch.testing.assert_close(lazy_found[2], probs, rtol=0, atol=0.02 if name == "large.jpg" else 0)


def test_42_grey_arrays_and_pil_images_of_every_mode_are_images(exported):
    predictor, rgb = load_learner(exported), photo(64, 64)
    grey = np.asarray(rgb.convert("L"))
    expected = predictor.predict(rgb.convert("L"))[2]
    for form in (grey, grey[..., None], np.stack([grey] * 3, axis=2), torch.from_numpy(grey[None].copy())):
        assert torch.equal(predictor.predict(form)[2], expected)
    for mode in ("1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr", "I;16"):
        assert (
            predictor.predict(rgb.convert("L").convert(mode) if mode == "I;16" else rgb.convert(mode))[2].sum() > 0.99
        )
    views = (
        np.asarray(rgb)[::-1, ::-1][::-1, ::-1],
        np.asfortranarray(rgb),
        torch.from_numpy(np.array(rgb)).permute(2, 0, 1),
    )
    for view in views:
        assert torch.equal(predictor.predict(view)[2], predictor.predict(rgb)[2])


def test_42_lists_may_mix_kinds_and_may_be_tuples(exported, files):
    predictor, path = load_learner(exported), files[0]
    probs = predictor.predict(path)[2]
    mixed = [path, str(path), path.read_bytes(), Image.open(path)]
    for items in (mixed, tuple(mixed)):
        assert all(torch.equal(found[2], probs) for found in predictor.predict(items))
    assert torch.allclose(predictor.get_preds(mixed), probs)


RGB = np.asarray(photo(8, 6))
NO_IMAGES = {
    "None": None,
    "number": 7,
    "true": True,
    "dictionary": {"path": "x.jpg"},
    "set": {"x.jpg"},
    "function": photo,
    "a list with None": [encoded(photo(), "PNG"), None],
    "0-dimensional array": np.array(3, dtype=np.uint8),
    "0-dimensional tensor": torch.tensor(0.5),
    "row": np.zeros(3, dtype=np.uint8),
    "empty array": np.zeros((0, 5, 3), dtype=np.uint8),
    "empty tensor": torch.zeros(3, 0, 5),
    "float array": RGB / 255,
    "array of integers": RGB.astype(np.int64),
    "array of 16 bits": RGB.astype(np.uint16),
    "array of booleans": RGB > 9,
    "array of objects": np.array([["x.jpg"]], dtype=object),
    "array, channels first": np.ascontiguousarray(RGB.transpose(2, 0, 1)),
    "array of two channels": RGB[..., :2],
    "array of a batch": RGB[None],
    "tensor, channels last": torch.from_numpy(RGB.copy()),
    "tensor of a batch": torch.zeros(1, 3, 6, 8),
    "tensor of integers": torch.zeros(3, 6, 8, dtype=torch.int64),
    "complex tensor": torch.zeros(3, 6, 8, dtype=torch.complex64),
    "tensor of four channels": torch.zeros(4, 6, 8),
}


@pytest.mark.parametrize("name", NO_IMAGES)
def test_42_what_is_no_image_is_a_type_error_that_says_what_to_pass(exported, name):
    with pytest.raises(TypeError, match="pass") as caught:
        load_learner(exported).predict(NO_IMAGES[name])
    assert isinstance(caught.value, DataError) and len(str(caught.value)) < 500


NO_CONTENT = {
    "no path": ("a photo of a cat", "no such file"),
    "address": ("https://example.org/cat.jpg", "download"),
    "empty text": ("", "folder|no such file"),
    "zero in a name": ("cat\0.jpg", "cat"),
    "folder": (Path("."), "folder"),
    "empty bytes": (b"", "empty"),
    "text as bytes": (b"a photo of a cat", "text"),
    "normalised tensor": (torch.full((3, 8, 8), 2.0), "2"),
    "NaN": (torch.full((3, 8, 8), torch.nan), "nan"),
    "floats of PIL": (Image.new("F", (8, 8), 0.5), "floats"),
}


@pytest.mark.parametrize("name", NO_CONTENT)
def test_42_what_cannot_be_opened_is_an_error_in_words(exported, name):
    thing, message = NO_CONTENT[name]
    with pytest.raises(DataError, match=message) as caught:
        load_learner(exported).predict(thing)
    assert not isinstance(caught.value, TypeError) and caught.value.remedy
