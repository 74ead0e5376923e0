"""Photos of two breeds, named as in Pets, and weights for the resnets: what the code of the source texts runs on."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from coursekit.augment.pipeline import aug_transforms
from coursekit.augment.resize import Resize
from coursekit.data.block import CategoryBlock, DataBlock, DataLoaders, ImageBlock
from coursekit.data.files import RegexLabeller, get_image_files, using_attr
from coursekit.data.splits import RandomSplitter
from coursekit.models.bodies import arch_id
from coursekit.models.model import build_model

BREEDS = [  # as text 002 prints them
    "Abyssinian", "Bengal", "Birman", "Bombay", "British_Shorthair", "Egyptian_Mau", "Maine_Coon", "Persian",
    "Ragdoll", "Russian_Blue", "Siamese", "Sphynx", "american_bulldog", "american_pit_bull_terrier", "basset_hound",
    "beagle", "boxer", "chihuahua", "english_cocker_spaniel", "english_setter", "german_shorthaired",
    "great_pyrenees", "havanese", "japanese_chin", "keeshond", "leonberger", "miniature_pinscher", "newfoundland",
    "pomeranian", "pug", "saint_bernard", "samoyed", "scottish_terrier", "shiba_inu", "staffordshire_bull_terrier",
    "wheaten_terrier", "yorkshire_terrier",
]  # fmt: skip


def save_breeds(folder: Path, n: int = 24) -> Path:
    """`n` small photos of two breeds that are easy to tell apart, in turns."""
    rng = np.random.default_rng(0)
    folder.mkdir(exist_ok=True)
    for i in range(n):
        pixels = rng.normal((80, 170)[i % 2], 25, (36, 40, 3)).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{('great_pyrenees', 'Birman')[i % 2]}_{100 + i}.jpg")
    return folder


def breed_loaders(folder: Path, monkeypatch: pytest.MonkeyPatch) -> DataLoaders:
    """Loaders over such photos in `folder`/images; pretrained weights are random ones, and `folder` is worked in."""

    def random_weights(arch, weights, download):
        file = folder / f"{arch_id(arch)}.pth"
        torch.save(build_model(arch, 2, seed=1).body.state_dict(), file)
        return file

    monkeypatch.setattr("coursekit.models.model.find_weights", random_weights)
    monkeypatch.chdir(folder)
    pets = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_items=get_image_files,
        splitter=RandomSplitter(seed=42),
        get_y=using_attr(RegexLabeller(r"(.+)_\d+.jpg$"), "name"),
        item_tfms=Resize(40),
        batch_tfms=aug_transforms(size=32, min_scale=0.75),
    )
    return pets.dataloaders(save_breeds(folder / "images"), bs=8, cache=False)
