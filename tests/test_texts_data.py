"""The data code of the source texts 001, 002 and 004, with only the import changed, on data of the shape they use.

What differs is marked: `path.ls()` is `ls(path)` here, modules such as `re` and pandas are imported by name, and a bear
is a photo of the tests'. Text 002's look inside tensor images is left out, as is what only displays.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from coursekit import *
from coursekit.core import DataError
from coursekit.data.tables_in import OneHotReader

pytestmark = pytest.mark.filterwarnings("ignore:Classes without a training image")
BREEDS = ("great_pyrenees", "Birman", "shiba_inu", "Bombay", "beagle", "British_Shorthair")
ANIMALS = (
    "antelope_duiker", "bird", "blank", "civet_genet", "hog", "leopard", "monkey_prosimian", "rodent",
)  # fmt: skip


def save_photo(path: Path, width: int, height: int, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC).save(path)


@pytest.fixture
def path(tmp_path, monkeypatch) -> Path:
    "Where `untar_data(URLs.PETS)` puts the pets: 60 photos of six breeds, and what else lies there."
    monkeypatch.setenv("COURSEKIT_HOME", str(tmp_path / "home"))
    pets = tmp_path / "oxford-iiit-pet"
    for i in range(60):
        name = f"{BREEDS[i % 6]}_{100 + 7 * i}.jpg"
        save_photo(pets / "images" / name, *((400, 500), (500, 334), (500, 375), (375, 500))[i % 4], seed=i)
    (pets / "images" / "Abyssinian_100.mat").write_bytes(b"MATLAB 5.0")
    (pets / "annotations").mkdir()
    return pets


def test_text_001_builds_its_pets(path):
    pets = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_y=using_attr(RegexLabeller(r"(.+)_\d+.jpg$"), "name"),
        batch_tfms=aug_transforms(size=224, min_scale=0.75),
    )
    dls = pets.dataloaders(path / "images")

    assert dls.c == 6 and len(dls.train.items) == 48
    with pytest.raises(DataError, match="item_tfms=Resize"):  # the text leaves Resize out, which it explains below
        dls.one_batch()


@pytest.mark.parametrize(
    "item_tfms",
    [
        Resize(460, ResizeMethod.Squish),
        Resize(460, ResizeMethod.Pad, pad_mode="zeros"),
        RandomResizedCrop(460, min_scale=0.3),
    ],
)
def test_text_001_resizes_in_its_three_ways(path, item_tfms):
    pets = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_y=using_attr(RegexLabeller(r"(.+)_\d+.jpg$"), "name"),
        item_tfms=item_tfms,
        batch_tfms=aug_transforms(size=224, min_scale=0.75),
    )
    dls = pets.dataloaders(path / "images", bs=4)

    assert dls.one_batch()[0].shape == (4, 3, 224, 224)


def test_text_002_looks_at_the_files(path):
    assert [p.name for p in ls(path)] == ["annotations", "images"]
    assert len(ls(path / "images")) == 61
    fname = next(p for p in ls(path / "images") if p.suffix == ".jpg")
    assert re.findall(r"(.+)_\d+.jpg$", fname.name) == ["Birman"]
    assert len(get_image_files(path / "images")) == 60


def test_text_002_presizes_pets(path):
    pets = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_items=get_image_files,
        splitter=RandomSplitter(seed=42),
        get_y=using_attr(RegexLabeller(r"(.+)_\d+.jpg$"), "name"),
        item_tfms=Resize(460),
        batch_tfms=aug_transforms(size=224, min_scale=0.75),
    )
    dls = pets.dataloaders(path / "images")

    assert dls.c == 6
    assert pd.DataFrame(dls.categorize.vocab)[0].tolist() == sorted(BREEDS)  # capitals, the cats, come first
    x, y = dls.one_batch()
    assert x.shape == (48, 3, 224, 224) and y.shape == (48,)
    assert len(dls.show_batch(nrows=1, ncols=3).axes) == 3


def test_text_002_copies_one_bear_a_hundred_times(path, monkeypatch, capsys):
    save_photo(path / "images" / "grizzly.jpg", 640, 480, 0)
    monkeypatch.chdir(path)
    dblock1 = DataBlock(blocks=(ImageBlock(), CategoryBlock()), get_y=parent_label, item_tfms=Resize(460))
    with pytest.warns(UserWarning, match="only one class"):  # allowed for looking, refused before training
        dls1 = dblock1.dataloaders([(Path.cwd() / "images" / "grizzly.jpg")] * 100, bs=8)
    print(len(dls1.items))
    print(dls1.categorize.vocab)

    assert capsys.readouterr().out.splitlines()[-2:] == ["80", "['images']"]
    x, y = dls1.one_batch()
    assert x.shape == (8, 3, 460, 460) and y.tolist() == [0] * 8
    with pytest.raises(DataError, match="only one class"):
        dls1.check_trainable()


def test_text_002_debugs_with_summary(path, capsys):
    pets1 = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_items=get_image_files,
        splitter=RandomSplitter(seed=42),
        get_y=using_attr(RegexLabeller(r"(.+)_\d+.jpg$"), "name"),
    )
    pets1.summary(path / "images")

    told = capsys.readouterr().out
    for part in ("60", "48 for training, 12 for validation", "different sizes", "item_tfms=Resize("):
        assert part in told


def test_text_004_builds_wild(path):
    wild_path = path.parent / "wild" / "images"
    for i in range(64):
        save_photo(wild_path / f"{ANIMALS[i % 8]}_{9700 + i}.jpg", 480 + i, 320 + i, seed=i)
    path = wild_path
    wild = DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        get_items=get_image_files,
        splitter=RandomSplitter(seed=42),
        get_y=using_attr(RegexLabeller(r"(.+)_\d+.jpg$"), "name"),
        item_tfms=Resize(460),
        batch_tfms=aug_transforms(size=224, min_scale=0.75),
    )
    dls = wild.dataloaders(path)

    assert dls.vocab == list(ANIMALS) and dls.train.n == 52
    assert dls.valid.one_batch()[0].shape == (12, 3, 224, 224)


@pytest.fixture
def wildlife(tmp_path, monkeypatch) -> Path:
    "A table of image ids and one of labels, with a column for each of eight animals, as in text 004."
    monkeypatch.setenv("COURSEKIT_HOME", str(tmp_path / "home"))
    features, labels = [], []
    for i in range(64):
        name = f"train_features/ZJ{i:06d}.jpg"
        save_photo(tmp_path / name, 96 + i, 54 + i, seed=i)
        features.append({"id": f"ZJ{i:06d}", "filepath": name, "site": f"S{i % 5:04d}"})
        labels.append({"id": f"ZJ{i:06d}", **{animal: float(animal == ANIMALS[i * 5 % 8]) for animal in ANIMALS}})
    pd.DataFrame(features).to_csv(tmp_path / "train_features.csv", index=False)
    pd.DataFrame(labels).to_csv(tmp_path / "train_labels.csv", index=False)
    return tmp_path


@pytest.mark.parametrize("get_y", [OneHotReader(ANIMALS), lambda row: row[list(ANIMALS)].astype(float).idxmax()])
def test_the_table_of_text_004_with_a_column_for_each_animal(wildlife, get_y):
    block = DataBlock(
        get_x=ColReader("id", pref=wildlife / "train_features", suff=".jpg"), get_y=get_y, item_tfms=Resize(64)
    )
    dls = block.dataloaders(pd.read_csv(wildlife / "train_labels.csv"), bs=8)
    assert dls.vocab == sorted(ANIMALS) and dls.train.n == 52
    for row, target in zip(dls.valid.items.to_dict("records"), dls.valid.targets, strict=True):
        assert row[dls.vocab[target]] == 1
    assert dls.one_batch()[0].shape == (8, 3, 64, 64)


def test_rows_of_that_table_with_none_or_two_ones_are_listed_together(wildlife):
    table = pd.read_csv(wildlife / "train_labels.csv")
    table.loc[3, list(ANIMALS)] = 0.0
    table.loc[9, ["hog", "bird"]] = 1.0
    block = DataBlock(
        get_x=ColReader("id", pref=wildlife / "train_features", suff=".jpg"),
        get_y=OneHotReader(ANIMALS),
        item_tfms=Resize(64),
    )
    with pytest.raises(DataError) as caught:
        block.dataloaders(table)
    assert "2 of 64 items" in str(caught.value) and "row 3" in str(caught.value) and "row 9" in str(caught.value)
    assert block.dataloaders(table, drop_bad=True).train.n == 50
