"""From items to batches: what comes out, that it depends on seed and epoch only, and what is refused beforehand."""

import json
import pickle
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from coursekit.arguments import check_whole
from coursekit.augment.colour import Normalize, imagenet_stats
from coursekit.augment.pipeline import aug_transforms
from coursekit.augment.resize import RandomResizedCrop, Resize, ResizeMethod
from coursekit.core import CoursekitError, DataError, default_device, home
from coursekit.data.batches import (
    BatchKey,
    Categorize,
    epoch_order,
    load_batch,
    sorted_vocab,
    stack_pixels,
    training_batches,
)
from coursekit.data.block import CategoryBlock, DataBlock, ImageBlock
from coursekit.data.facts import read_facts
from coursekit.data.files import RegexLabeller, get_image_files, parent_label, using_attr
from coursekit.data.items import choose_vocab
from coursekit.data.shortcuts import ImageDataLoaders
from coursekit.data.splits import ColSplitter, IndexSplitter, RandomSplitter, StratifiedSplitter
from coursekit.data.tables_in import ColReader, is_missing
from coursekit.images import open_image

AUGMENT = aug_transforms(size=16, min_scale=0.5)


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory, monkeypatch):
    "Caches go where the test's other files go."
    monkeypatch.setenv("COURSEKIT_HOME", str(tmp_path_factory.mktemp("home")))


def all_for_training(items):
    return list(range(len(items))), []


def save_photo(path: Path, width: int, height: int, seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def pets(tmp_path) -> Path:
    "26 photos named as in Pets, of different sizes: 12 pugs, 8 Birmans, 6 great pyrenees."
    counts = {"pug": 12, "Birman": 8, "great_pyrenees": 6}
    names = [f"{breed}_{i}.jpg" for breed, n in counts.items() for i in range(n)]
    for seed, name in enumerate(names):
        save_photo(tmp_path / "pets" / name, 30 + seed, 50 - seed, seed)
    return tmp_path / "pets"


def pets_block(**changes) -> DataBlock:
    recipe = {
        "blocks": (ImageBlock, CategoryBlock),
        "get_items": get_image_files,
        "splitter": RandomSplitter(seed=42),
        "get_y": using_attr(RegexLabeller(r"(.+)_\d+.jpg$"), "name"),
        "item_tfms": Resize(24),
        "batch_tfms": AUGMENT,
    }
    return DataBlock(**{**recipe, **changes})


def batches(dl, epoch=0):
    dl.set_epoch(epoch)
    return list(dl)


def assert_same(first, second):
    assert len(first) == len(second)
    for (x1, y1), (x2, y2) in zip(first, second, strict=True):
        assert torch.equal(x1, x2) and torch.equal(y1, y2)


# ---- what comes out


def test_the_recipe_of_the_source_texts_gives_batches(pets):
    dls = pets_block().dataloaders(pets, bs=8)
    assert dls.vocab == ["Birman", "great_pyrenees", "pug"] and dls.c == 3
    assert len(dls.train.items) == 21 and len(dls.valid.items) == 5 and dls.items == dls.train.items
    assert [len(dl) for dl in (dls.train, dls.valid)] == [3, 1]
    x, y = dls.one_batch()
    assert x.shape == (8, 3, 16, 16) and x.dtype == torch.float32 and x.min() >= 0 and x.max() <= 1
    assert y.shape == (8,) and y.dtype == torch.int64


def test_blocks_may_be_instances_and_getters_left_out(pets):
    block = DataBlock(blocks=(ImageBlock(), CategoryBlock()), get_y=parent_label, item_tfms=Resize(20))
    with pytest.warns(UserWarning, match="only one class"):
        dls = block.dataloaders([pets / "pug_0.jpg"] * 100, bs=8)
    assert len(dls.items) == 80 and dls.categorize.vocab == ["pets"]
    assert dls.one_batch()[0].shape == (8, 3, 20, 20)


def test_targets_are_the_labels_of_the_items_in_every_loader(pets):
    dls = pets_block().dataloaders(pets, bs=4)
    for dl in (dls.train, dls.valid, dls.train_eval):
        assert [dls.vocab[i] for i in dl.targets] == [item.name.rsplit("_", 1)[0] for item in dl.items]
        assert len(dl.items) == dl.n == len(dl.targets)
    order = [item for batch in batches(dls.valid) for item in batch[1].tolist()]
    assert order == dls.valid.targets


@pytest.mark.filterwarnings("ignore:No items are left for validation")
def test_each_image_comes_with_its_own_label(pets):
    "Labels that can be read off the pixels: the batch's pictures and targets belong together, shuffled or not."
    files = get_image_files(pets)
    for i, file in enumerate(files):
        Image.new("RGB", (20, 20), (9 * i, 0, 0)).save(file.with_suffix(".png"))
        file.unlink()
    grey = {file.with_suffix(".png"): 9 * i for i, file in enumerate(files)}
    block = DataBlock(get_y=lambda file: grey[file], splitter=all_for_training, item_tfms=Resize(20))
    dls = block.dataloaders(pets, bs=4)
    for dl in (dls.train, dls.train_eval, dls.valid):
        for x, y in dl:
            assert (x[:, 0, 5, 5] * 255).round().int().tolist() == [int(dls.vocab[i]) for i in y.tolist()]


def test_the_split_is_that_of_the_splitter_in_its_order(pets):
    files = get_image_files(pets)
    dls = pets_block().dataloaders(pets)
    train, valid = RandomSplitter(seed=42)(files)
    assert dls.train.items == [files[i] for i in train] and dls.valid.items == [files[i] for i in valid]


def test_a_splitter_that_stratifies_is_given_the_labels(pets):
    dls = pets_block(splitter=StratifiedSplitter(0.5)).dataloaders(pets)
    assert sorted(dls.valid.targets) == [0] * 4 + [1] * 3 + [2] * 6


def test_a_side_may_be_replaced_by_one_of_the_same_classes_only(pets):
    def load(vocab=None, seed=42):
        return pets_block(blocks=(ImageBlock, CategoryBlock(vocab))).dataloaders(pets, seed=seed, cache=False)

    dls, alike, other = load(), load(seed=3), load(load().vocab[::-1])
    for side in ("train", "valid"):
        with pytest.raises(DataError, match=f"dls.{side} would have other classes"):
            setattr(dls, side, getattr(other, side))
        setattr(dls, side, getattr(alike, side))
    assert dls.train_eval.seed == 3, "the training images in order are those of the new side"
    with pytest.raises(DataError, match="not known"):
        dls.valid = [dls.valid.one_batch()]


def test_training_drops_a_last_batch_of_one_and_keeps_all_others():
    assert [len(b) for b in training_batches(9, 4, 0, 0)] == [4, 4]
    assert [len(b) for b in training_batches(10, 4, 0, 0)] == [4, 4, 2]
    assert [len(b) for b in training_batches(3, 1, 0, 0)] == [1, 1, 1]
    assert [len(b) for b in training_batches(1, 4, 0, 0)] == [1]


@pytest.mark.parametrize("bs", [1, 2, 3, 4, 5, 7, 20, 21, 30])
def test_length_is_the_number_of_batches(pets, bs):
    dls = pets_block().dataloaders(pets, bs=bs, val_bs=bs)
    for dl in (dls.train, dls.valid, dls.train_eval):
        assert len(batches(dl)) == len(dl)


@pytest.mark.filterwarnings("ignore:No items are left for validation")
def test_every_training_item_comes_once_an_epoch(pets):
    dls = pets_block(get_y=lambda f: f.name, splitter=all_for_training).dataloaders(pets, bs=5)
    seen = [i for _, y in dls.train for i in y.tolist()]
    assert len(seen) == len(set(seen)) == 25  # one of 26 is left over, and left out


# ---- a function of seed, epoch and item


def test_epochs_differ_and_come_back(pets):
    dls = pets_block().dataloaders(pets, bs=8)
    first, second = batches(dls.train, 0), batches(dls.train, 1)
    assert not torch.equal(first[0][0], second[0][0])
    assert_same(first, batches(dls.train, 0))
    assert_same(second, batches(dls.train, 1))


def test_every_epoch_and_every_seed_has_its_own_order():
    orders = [epoch_order(50, seed, epoch) for seed in (0, 1) for epoch in (0, 1, 2)]
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert len({tuple(order) for order in orders}) == 6
    assert epoch_order(50, 1, 2) == orders[-1]


def test_the_same_seed_gives_the_same_batches_and_another_seed_others(pets):
    torch.manual_seed(1)
    first = batches(pets_block().dataloaders(pets, bs=8, seed=5).train)
    torch.manual_seed(2)
    assert_same(first, batches(pets_block().dataloaders(pets, bs=8, seed=5).train))
    assert not torch.equal(first[0][0], batches(pets_block().dataloaders(pets, bs=8, seed=6).train)[0][0])


def test_augmentation_of_an_item_does_not_depend_on_its_batch(pets):
    small, large = (pets_block().dataloaders(pets, bs=bs).train for bs in (3, 21))
    for dl in (small, large):
        dl.set_epoch(2)
    x_all, _ = large.batch(BatchKey(2, list(range(21))))
    for positions in ([4], [20, 3, 4]):
        assert torch.equal(small.batch(BatchKey(2, positions))[0], x_all[positions])


def test_augmentation_follows_the_item_and_not_its_place_in_the_split(pets):
    files = get_image_files(pets)
    one = pets_block(splitter=IndexSplitter([0, 1, 2])).dataloaders(pets).train
    other = pets_block(splitter=IndexSplitter([0, 25])).dataloaders(pets).train
    item = files[12]
    here, there = one.items.index(item), other.items.index(item)
    assert here != there
    assert torch.equal(one.batch(BatchKey(0, [here]))[0], other.batch(BatchKey(0, [there]))[0])


def test_item_transforms_follow_the_seed(pets):
    block = pets_block(item_tfms=RandomResizedCrop(20), batch_tfms=None)
    one, other = (block.dataloaders(pets, seed=seed).train.batch(BatchKey(0, [0, 1, 2]))[0] for seed in (1, 2))
    assert not torch.equal(one, other)


@pytest.mark.parametrize("item_tfm", [Resize(24), RandomResizedCrop(20)])
def test_zero_one_and_two_workers_give_the_same_batches(pets, item_tfm):
    block = pets_block(item_tfms=item_tfm)
    alone = block.dataloaders(pets, bs=4, num_workers=0)
    for workers in (1, 4):
        together = block.dataloaders(pets, bs=4, num_workers=workers)
        for epoch in (0, 1):
            assert_same(batches(alone.train, epoch), batches(together.train, epoch))
        assert_same(batches(alone.valid), batches(together.valid))


def test_workers_need_not_be_able_to_pickle_the_functions_of_the_user(pets):
    dls = pets_block(get_y=lambda file: file.name[0]).dataloaders(pets, bs=4)
    pickle.loads(pickle.dumps(dls.train.dataset))


def test_looking_at_a_batch_while_iterating_disturbs_nothing(pets):
    dls = pets_block().dataloaders(pets, bs=4, num_workers=1)
    undisturbed = batches(dls.train)
    looked = []
    for batch in dls.train:
        looked.append(batch)
        dls.one_batch()
    assert_same(undisturbed, looked)


def test_an_epoch_that_was_left_in_the_middle_starts_anew(pets):
    dls = pets_block().dataloaders(pets, bs=4, num_workers=1)
    whole = batches(dls.train)
    next(iter(dls.train))
    assert_same(whole, batches(dls.train))


def test_the_global_random_state_is_left_alone(pets):
    torch.manual_seed(0)
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    dls = pets_block().dataloaders(pets, bs=4)
    batches(dls.train)
    dls.show_batch()
    assert torch.equal(torch_state, torch.get_rng_state()) and (numpy_state == np.random.get_state()[1]).all()


def test_validation_is_neither_shuffled_nor_augmented_in_any_epoch(pets):
    dls = pets_block().dataloaders(pets, bs=4)
    for dl in (dls.valid, dls.train_eval):
        assert_same(batches(dl, 0), batches(dl, 3))
    expected = [Resize(24)(open_image(file)) for file in dls.valid.items]
    x = torch.cat([x for x, _ in dls.valid])
    for got, img in zip(x, expected, strict=True):
        small = torch.from_numpy(np.array(img.resize((16, 16), Image.Resampling.BILINEAR))).permute(2, 0, 1) / 255
        assert (got - small).abs().max() <= 1.01 / 255


def test_training_crops_are_random_and_validation_crops_are_not(pets):
    dls = pets_block(batch_tfms=None).dataloaders(pets)
    first, second = (dls.train.batch(BatchKey(epoch, list(range(21))))[0] for epoch in (0, 1))
    moved = (first != second).flatten(1).any(1)
    assert moved.sum() > 10
    first, second = (dls.train_eval.batch(BatchKey(epoch, list(range(21))))[0] for epoch in (0, 1))
    assert torch.equal(first, second)


# ---- the cache


@pytest.mark.parametrize(
    "tfm",
    [
        Resize(24),
        Resize((20, 30)),
        Resize(24, ResizeMethod.Pad),
        Resize(24, ResizeMethod.Squish),
        RandomResizedCrop(16),
    ],
)
def test_without_the_cache_the_pixels_are_the_same(pets, tfm):
    cached, plain = (pets_block(item_tfms=tfm).dataloaders(pets, bs=6, cache=cache) for cache in (True, False))
    assert type(cached.train.samples.images) is not type(plain.train.samples.images)
    assert_same(batches(cached.train, 1), batches(plain.train, 1))
    assert_same(batches(cached.valid), batches(plain.valid))


def test_another_item_transform_does_not_get_the_cache_of_the_first(pets):
    pets_block().dataloaders(pets)
    dls = pets_block(item_tfms=Resize(24, ResizeMethod.Squish), batch_tfms=None).dataloaders(pets)
    squished = Resize(24, ResizeMethod.Squish)(open_image(dls.valid.items[0]))
    x, _ = dls.valid.one_batch()
    assert torch.equal((x[0] * 255).round().byte(), torch.from_numpy(np.array(squished)).permute(2, 0, 1))


def test_sources_need_not_be_files():
    pictures = [Image.new("RGB", (20, 20), (10 * i, 0, 0)) for i in range(8)]
    block = DataBlock(get_x=lambda i: pictures[i], get_y=lambda i: i % 2, item_tfms=Resize(16))
    dls = block.dataloaders(list(range(8)), bs=2)
    assert dls.vocab == ["0", "1"] and dls.one_batch()[0].shape == (2, 3, 16, 16)


# ---- tables


def table_of(pets: Path) -> pd.DataFrame:
    names = [file.name for file in get_image_files(pets)]
    labels = [name.rsplit("_", 1)[0] for name in names]
    return pd.DataFrame({"file": names, "breed": labels, "is_valid": [i % 4 == 0 for i in range(len(names))]})


def test_a_table_gives_the_same_data_as_file_names(pets):
    table = table_of(pets)
    block = pets_block(
        get_items=None, get_x=ColReader("file", pref=pets), get_y=ColReader("breed"), splitter=ColSplitter()
    )
    dls = block.dataloaders(table, bs=8)
    assert len(dls.valid) == 1 and dls.valid.n == 7
    assert isinstance(dls.train.items, pd.DataFrame) and list(dls.valid.items["file"]) == [
        source.name for source in dls.valid.sources
    ]
    assert [dls.vocab[i] for i in dls.valid.targets] == list(dls.valid.items["breed"])


def test_rows_may_be_read_by_functions_of_the_user(pets):
    block = pets_block(get_items=None, get_x=lambda row: pets / row.file, get_y=lambda row: row["breed"])
    assert block.dataloaders(table_of(pets)).c == 3


# ---- vocabulary


def test_the_vocabulary_is_sorted_and_a_given_order_is_kept(pets):
    given = ["pug", "great_pyrenees", "Birman"]
    dls = pets_block(blocks=(ImageBlock, CategoryBlock(vocab=given))).dataloaders(pets)
    assert dls.vocab == given and dls.categorize("Birman") == 2 and dls.categorize.decode(0) == "pug"
    assert [dls.vocab[i] for i in dls.valid.targets] == [item.name.rsplit("_", 1)[0] for item in dls.valid.items]


def test_numbers_are_sorted_by_value_and_mixed_labels_as_text():
    assert sorted_vocab([10, 9, 10]) == ["9", "10"]
    assert sorted_vocab([np.int64(10), 2.5]) == ["2.5", "10"]
    assert sorted_vocab(["b", 1]) == ["1", "b"]


def test_categorize_goes_both_ways_and_refuses_strangers():
    categorize = Categorize(["a", "b"])
    assert [categorize.decode(categorize(label)) for label in "ab"] == ["a", "b"]
    with pytest.raises(DataError, match="'c' is not one of the classes"):
        categorize("c")
    with pytest.raises(DataError, match="more than once"):
        Categorize(["a", "a"])


# ---- test data


def test_test_data_takes_the_validation_path_in_its_own_order(pets):
    dls = pets_block().dataloaders(pets, bs=8)
    unlabelled = dls.test_dl(dls.valid.items)
    assert unlabelled.targets is None and all(y is None for _, y in unlabelled)
    x = torch.cat([x for x, _ in dls.valid])
    assert torch.equal(torch.cat([x for x, _ in unlabelled]), x)
    labelled = dls.test_dl(dls.valid.items[::-1], with_labels=True, bs=2)
    assert labelled.targets == dls.valid.targets[::-1] and len(labelled) == 3


@pytest.mark.parametrize("cache", [False, True])
def test_test_data_may_be_a_folder_a_list_or_one_image(pets, cache):
    dls = pets_block().dataloaders(pets)
    assert dls.test_dl(pets, cache=cache).n == 26
    assert dls.test_dl(str(pets / "pug_1.jpg"), cache=cache).n == 1
    assert dls.test_dl([pets / "pug_1.jpg"], cache=cache).n == 1
    assert dls.test_dl(Image.new("RGB", (30, 30)), cache=cache).one_batch()[0].shape == (1, 3, 16, 16)


def test_test_data_may_be_a_table(pets):
    table = table_of(pets)
    block = pets_block(get_items=None, get_x=ColReader("file", pref=pets), get_y=ColReader("breed"))
    dls = block.dataloaders(table)
    assert dls.test_dl(table.drop(columns="breed")).targets is None
    assert len(dls.test_dl(table, with_labels=True).targets) == 26


def test_labels_that_training_does_not_know_are_reported_with_counts(pets):
    dls = pets_block().dataloaders(pets)
    for i in range(3):
        save_photo(pets / "new" / f"emu_{i}.jpg", 30, 30, i)
    save_photo(pets / "new" / "pug_77.jpg", 30, 30, 1)
    with pytest.raises(DataError) as caught:
        dls.test_dl(pets / "new", with_labels=True)
    assert "3 items" in str(caught.value) and "'emu'" in str(caught.value) and "great_pyrenees" in str(caught.value)
    assert dls.test_dl(pets / "new").n == 4


# ---- prediction


@pytest.mark.parametrize("extra", [[], [Normalize.from_stats(*imagenet_stats)]])
@pytest.mark.parametrize("tfm", [Resize(24), Resize((20, 30), ResizeMethod.Pad), RandomResizedCrop(16)])
def test_the_description_of_preprocessing_gives_the_batches_of_validation(pets, tfm, extra):
    dls = pets_block(item_tfms=tfm, batch_tfms=[*AUGMENT, *extra]).dataloaders(pets, device="cpu")
    described = json.loads(json.dumps(dls.preprocessing()))
    x, _ = dls.valid.one_batch()
    assert torch.equal(load_batch(dls.valid.items, described), x)
    one = load_batch([dls.valid.items[2].read_bytes()], described)
    assert torch.equal(one[0], x[2])
    assert bool(dls.train.pipeline.normalize) == bool(extra)


# ---- pictures


def test_show_batch_shows_images_with_their_labels(pets):
    dls = pets_block().dataloaders(pets, bs=8)
    figure = dls.show_batch(max_n=6, nrows=2)
    titles = [ax.get_title() for ax in figure.axes if ax.images]
    assert len(titles) == 6 and set(titles) <= set(dls.vocab)
    assert len(dls.valid.show_batch(nrows=1, ncols=3).axes) == 3
    assert [ax.get_title() for ax in dls.test_dl(pets).show_batch(max_n=2).axes] == ["", ""]


def test_show_batch_unique_shows_one_item_augmented_in_many_ways(pets):
    dls = pets_block().dataloaders(pets, bs=8)
    figure = dls.show_batch(max_n=4, unique=True)
    shown = [np.asarray(ax.images[0].get_array()) for ax in figure.axes]
    assert len({ax.get_title() for ax in figure.axes}) == 1
    assert not np.array_equal(shown[0], shown[1])


def test_show_batch_shows_normalised_images_as_they_look(pets):
    plain = pets_block().dataloaders(pets)
    normalised = pets_block(batch_tfms=[*AUGMENT, Normalize.from_stats(*imagenet_stats)]).dataloaders(pets)
    first, second = (np.asarray(dls.show_batch(max_n=1).axes[0].images[0].get_array()) for dls in (plain, normalised))
    assert np.allclose(first, second, atol=1e-5)


# ---- what is refused beforehand


def refused(block, source, **kwargs) -> str:
    with pytest.raises(DataError) as caught:
        block.dataloaders(source, **kwargs)
    assert isinstance(caught.value, CoursekitError)
    assert caught.value.remedy or all(problem.remedy for problem in caught.value.problems)
    return str(caught.value)


def test_a_wrong_folder_and_an_empty_one_say_what_was_seen(pets, tmp_path):
    assert "pets" in refused(pets_block(), tmp_path / "pest")
    (tmp_path / "empty").mkdir()
    assert "No images" in refused(pets_block(), tmp_path / "empty")


def test_a_missing_column_names_those_there_are_once(pets):
    block = pets_block(get_items=None, get_x=ColReader("file", pref=pets), get_y=ColReader("bred"))
    message = refused(block, table_of(pets))
    assert "'bred'" in message and "'breed'" in message and message.count("bred'") == 1


def test_missing_files_and_missing_labels_come_in_one_table(pets):
    table = table_of(pets)
    table.loc[3, "file"] = "gone_1.jpg"
    table.loc[7, "file"] = "gone_2.jpg"
    table.loc[11, "breed"] = None
    block = pets_block(get_items=None, get_x=ColReader("file", pref=pets), get_y=lambda row: row["breed"])
    message = refused(block, table)
    assert "3 of 26 items" in message
    for part in ("gone_1.jpg", "gone_2.jpg", "no label", "row 3", "row 7", "row 11"):
        assert part in message


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, pd.NaT, "", "  "])
def test_a_label_that_is_missing_is_no_class(pets, missing):
    assert is_missing(missing)
    block = pets_block(get_y=lambda file: missing if file.name == "pug_3.jpg" else file.name.rsplit("_", 1)[0])
    assert "no label" in refused(block, pets) and "pug_3.jpg" in refused(block, pets)
    assert block.dataloaders(pets, drop_bad=True).vocab == ["Birman", "great_pyrenees", "pug"]


def test_labels_that_look_empty_to_python_are_there():
    assert not any(is_missing(label) for label in (0, 0.0, False, "0", "a", " a ", np.int64(0), torch.tensor(0)))


def test_a_pattern_that_misses_some_names_lists_them(pets):
    for name in ("pug.jpg", "xyz.jpg"):
        save_photo(pets / name, 30, 30, 0)
    message = refused(pets_block(), pets)
    assert "2 of 28" in message and "pug.jpg" in message and "xyz.jpg" in message


def test_a_mistake_in_a_function_of_the_user_is_reported_once_with_its_traceback(pets):
    def broken(file):
        return file.nmae

    with pytest.raises(DataError, match="nmae") as caught:
        pets_block(get_y=broken).dataloaders(pets)
    assert isinstance(caught.value.__cause__, AttributeError)


def test_no_get_y_is_explained(pets):
    assert "get_y" in refused(DataBlock(item_tfms=Resize(8)), pets)


def test_damaged_images_come_in_one_table_before_training(pets):
    whole = (pets / "pug_1.jpg").read_bytes()
    (pets / "pug_1.jpg").write_bytes(whole[: len(whole) // 2])
    (pets / "pug_2.jpg").write_text("<html>404</html>")
    (pets / "pug_3.jpg").write_bytes(b"")
    message = refused(pets_block(), pets)
    for part in ("pug_1.jpg", "pug_2.jpg", "HTML", "pug_3.jpg", "empty"):
        assert part in message


def test_without_the_cache_a_damaged_image_is_named_when_it_is_read(pets):
    damaged = pets / "pug_1.jpg"
    damaged.write_bytes(damaged.read_bytes()[:-50])
    at = get_image_files(pets).index(damaged)
    with pytest.raises(DataError, match=r"pug_1\.jpg .* cut off"):
        batches(pets_block(splitter=IndexSplitter([0, at])).dataloaders(pets, cache=False).valid)
    with pytest.warns(UserWarning, match=r"pug_1\.jpg .*cut off"):
        batches(pets_block(splitter=IndexSplitter([0])).dataloaders(pets, cache=False).train)


@pytest.mark.parametrize("workers", [0, 1])
def test_images_of_different_sizes_name_the_transform_that_is_missing(pets, workers):
    dls = pets_block(item_tfms=None).dataloaders(pets, bs=4, num_workers=workers)
    with pytest.raises(DataError) as caught:
        next(iter(dls.train))
    message = str(caught.value)
    assert "4 different sizes" in message and "Resize(" in message and ".jpg" in message


def test_images_of_one_size_need_no_item_transform(tmp_path):
    for i in range(6):
        save_photo(tmp_path / "same" / f"{'ab'[i % 2]}_{i}.png", 20, 15, i)
    dls = DataBlock(get_y=lambda f: f.name[0]).dataloaders(tmp_path / "same", bs=2)
    assert dls.one_batch()[0].shape == (2, 3, 15, 20)


def test_a_single_class_warns_and_is_refused_for_training(pets):
    block = pets_block(get_y=lambda file: "pet")
    with pytest.warns(UserWarning, match="only one class"):
        dls = block.dataloaders(pets)
    with pytest.raises(DataError, match="pet"):
        dls.check_trainable()
    pets_block().dataloaders(pets).check_trainable()


def test_classes_that_only_validation_has_are_listed_with_counts():
    labels = ["a", "b", "c", "c", "d"]
    with pytest.raises(DataError) as caught:
        choose_vocab(labels, [0, 1], [2, 3, 4])
    message = str(caught.value)
    assert "'c'" in message and "0 for training, 2 for validation" in message and "StratifiedSplitter" in message


def test_a_class_that_only_validation_has_is_allowed_when_the_vocabulary_asks_for_it():
    with pytest.warns(UserWarning, match="Classes without a training image"):
        assert choose_vocab(["a", "b"], [0], [1], vocab=["b", "a", "z"]).vocab == ["b", "a", "z"]


def test_labels_that_a_given_vocabulary_lacks_are_listed_with_counts(pets):
    message = refused(pets_block(blocks=(ImageBlock, CategoryBlock(vocab=["pug", "Birman"]))), pets)
    assert "'great_pyrenees'" in message and "6 items" in message


@pytest.mark.parametrize(
    ("splitter", "says"),
    [
        (lambda items: ([0], [1, 2]), "Only 1"),
        (lambda items: ([0, 1, 2], [2, 3]), "1 items are on both sides"),
        (lambda items: ([0, 1, 99], [2]), "these do not: [99]"),
    ],
)
def test_impossible_splits_are_refused(pets, splitter, says):
    assert says in refused(pets_block(splitter=splitter), pets)


def test_items_that_a_split_leaves_out_are_counted(pets):
    with pytest.warns(UserWarning, match="leaves out 6 of 26"):
        pets_block(splitter=lambda items: (list(range(16)), list(range(16, 20)))).dataloaders(pets)


def test_several_labels_for_an_image_are_refused(pets):
    assert "several labels" in refused(pets_block(get_y=lambda file: ["a", "b"]), pets)


@pytest.mark.parametrize("tfms", [[Resize(8), Resize(9)], "Resize", aug_transforms()])
def test_item_transforms_that_are_none_are_refused(tfms):
    with pytest.raises(DataError, match="item_tfms"):
        DataBlock(get_y=parent_label, item_tfms=tfms)


def test_a_list_of_one_item_transform_is_that_transform():
    assert DataBlock(item_tfms=[Resize(8)]).item_tfms == Resize(8)


def test_stacking_names_every_size_once():
    images = [np.zeros((h, 5, 3), np.uint8) for h in (4, 6, 4, 7)]
    with pytest.raises(DataError) as caught:
        stack_pixels(images, ["a.jpg", "b.jpg", "c.jpg", "d.jpg"])
    message = str(caught.value)
    assert all(part in message for part in ("4 x 5", "6 x 5", "7 x 5", "a.jpg", "b.jpg", "d.jpg", "Resize(4)"))
    assert "c.jpg" not in message


def test_a_sound_data_set_gives_no_warning(pets):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dls = pets_block().dataloaders(pets, bs=8)
        batches(dls.train)


# ---- leaving out what is bad


def test_drop_bad_leaves_out_what_cannot_be_used_and_lists_it(pets, capsys):
    (pets / "pug_1.jpg").write_bytes((pets / "pug_1.jpg").read_bytes()[:-50])
    (pets / "pug_2.jpg").write_bytes(b"")
    save_photo(pets / "nameless.jpg", 30, 30, 0)
    dls = pets_block().dataloaders(pets, drop_bad=True)
    assert dls.train.n + dls.valid.n == 24
    told = capsys.readouterr().out
    assert "3 of 27 items cannot be used and are left out" in told
    assert [problem.item.split("/")[-1] for problem in dls.left_out] == ["nameless.jpg", "pug_1.jpg", "pug_2.jpg"]
    assert dls.left_out[1].cause == "damaged or cut off" and pets_block().dataloaders(pets, drop_bad=True).train.n == 20
    assert dls.left_out[1].remedy == read_facts(pets / "pug_1.jpg").remedy != ""
    assert not pets_block(get_items=None).dataloaders(list(dls.train.items), drop_bad=True).left_out


def test_drop_bad_gives_the_remedy_of_the_fault(pets):
    (pets / "pug_2.jpg").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200))
    (problem,) = pets_block().dataloaders(pets, drop_bad=True).left_out
    assert problem.cause == "unsupported format" and "again" not in problem.remedy


def test_drop_bad_does_not_shift_the_positions_of_a_split(pets):
    "Positions given beforehand count all items: without the first of them each would mean its neighbour."
    files = get_image_files(pets)
    block = pets_block(splitter=IndexSplitter([1, 2]))
    assert block.dataloaders(pets, drop_bad=True).valid.items == files[1:3]
    files[0].write_bytes(b"")
    message = refused(block, pets, drop_bad=True)
    assert "IndexSplitter counts all items" in message and "audit(items)" in message


def test_drop_bad_keeps_the_rows_of_a_table_together(pets):
    table = table_of(pets)
    table.loc[3, "file"] = "gone_1.jpg"
    table.loc[7, "breed"] = None
    block = pets_block(get_items=None, get_x=ColReader("file", pref=pets), get_y=ColReader("breed"))
    dls = block.dataloaders(table, drop_bad=True)
    assert {problem.item for problem in dls.left_out} == {"3: row 3", "7: row 7"}
    for dl in (dls.train, dls.valid):
        assert [dls.vocab[i] for i in dl.targets] == list(dl.items["breed"])
        assert [source.name for source in dl.sources] == list(dl.items["file"])


def test_drop_bad_of_everything_is_refused(pets):
    for file in get_image_files(pets):
        file.write_bytes(b"")
    assert "None of the items can be used" in refused(pets_block(), pets, drop_bad=True)


# ---- arguments that cannot be


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"bs": 0}, "bs=0"),
        ({"bs": 2.5}, "bs=2.5"),
        ({"val_bs": -1}, "val_bs=-1"),
        ({"val_bs": 0}, "val_bs=0"),
        ({"num_workers": -1}, "num_workers=-1"),
        ({"batch_size": 8}, "did you mean bs?"),
        ({"sed": 8}, "did you mean seed?"),
        ({"weights": [1, 2]}, "2 values for 26 items"),
    ],
)
def test_arguments_that_cannot_be_are_named(pets, arguments, says):
    assert says in refused(pets_block(), pets, **arguments)
    assert not (home() / "presize").exists(), "refused before any image is opened"


def test_batch_transforms_that_are_none_are_refused_before_any_image_is_opened(pets):
    assert "no batch transform" in refused(pets_block(batch_tfms=[Resize(8)]), pets)
    assert not (home() / "presize").exists()


@pytest.mark.parametrize(("name", "least"), [("bs", 1), ("num_workers", 0)])
def test_what_to_do_about_a_wrong_number_names_the_argument_and_no_number_of_ours(name, least):
    with pytest.raises(DataError) as caught:
        check_whole(name, -1, least)
    assert caught.value.remedy == f"leave {name} out, or give such a number"
    assert f"{least} or more" in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"get_yy": parent_label}, "did you mean get_y?"),
        ({"get_y": "breed"}, "get_y must be a function, and is a str"),
        ({"splitter": 0.2}, "splitter must be a function"),
        ({"blocks": (ImageBlock,)}, "blocks="),
        ({"blocks": (CategoryBlock, ImageBlock)}, "use blocks="),
    ],
)
def test_recipes_that_cannot_be_are_refused_when_written(arguments, says):
    with pytest.raises(DataError, match=re.escape(says)):
        DataBlock(**arguments)


def test_a_file_is_no_source_and_the_message_says_how_to_read_it(pets):
    table_of(pets).to_csv(pets / "labels.csv", index=False)
    assert "from_csv" in refused(pets_block(), pets / "labels.csv")
    assert "pass the folder" in refused(pets_block(), str(pets / "pug_1.jpg"))


def test_nothing_to_test_is_refused(pets):
    with pytest.raises(DataError, match="no items"):
        pets_block().dataloaders(pets).test_dl([])


def test_a_recipe_describes_itself():
    block = DataBlock(get_items=get_image_files, get_y=parent_label, item_tfms=Resize(24))
    assert repr(block) == (
        "DataBlock(blocks=(ImageBlock(), CategoryBlock(vocab=None)), get_items=get_image_files, get_y=parent_label, "
        "item_tfms=Resize(size=24, method=ResizeMethod.Crop, pad_mode='reflection'))"
    )


# ---- summary


def test_summary_narrates_every_step(pets, capsys):
    pets_block().summary(pets, bs=3)
    told = capsys.readouterr().out
    for part in (
        "26",
        "21 for training, 5 for validation",
        "Birman (8)",
        "Resize(",
        "(3, 3, 24, 24)",
        "(3, 3, 16, 16)",
    ):
        assert part in told
    assert "Warp(" in told and "does not work" not in told


def test_summary_shows_the_sizes_that_do_not_fit_and_the_cure(pets, capsys):
    pets_block(item_tfms=None).summary(pets)
    told = capsys.readouterr().out
    assert "21 for training" in told and "4 different sizes" in told and "item_tfms=Resize(" in told


def test_summary_of_a_wrong_folder_ends_in_words(tmp_path, capsys):
    pets_block().summary(tmp_path / "nowhere")
    assert "no folder" in capsys.readouterr().out


# ---- short cuts


def test_short_cuts_give_the_same_data(pets):
    files, pat = get_image_files(pets), r"(.+)_\d+.jpg$"
    kwargs = {"item_tfms": Resize(24), "batch_tfms": AUGMENT, "bs": 8}
    table_of(pets).to_csv(pets / "labels.csv", index=False)
    expected = pets_block().dataloaders(pets, bs=8)
    made = [
        ImageDataLoaders.from_name_re(pets, files, pat, **kwargs),
        ImageDataLoaders.from_name_func(pets, files, lambda name: name.rsplit("_", 1)[0], **kwargs),
        ImageDataLoaders.from_path_func(pets, [f.name for f in files], lambda f: f.name.rsplit("_", 1)[0], **kwargs),
        ImageDataLoaders.from_df(table_of(pets), pets, **kwargs),
        ImageDataLoaders.from_csv(pets, **kwargs),
        ImageDataLoaders.from_df(
            table_of(pets), pets.parent, folder="pets", label_col="breed", fn_col="file", **kwargs
        ),
    ]
    for dls in made:
        assert dls.vocab == expected.vocab and dls.valid.sources == expected.valid.sources
        assert_same(batches(dls.train), batches(expected.train))


def test_files_below_the_folder_come_before_those_of_the_same_name_where_we_happen_to_be(pets, tmp_path, monkeypatch):
    names = [file.name for file in get_image_files(pets)]
    (tmp_path / "here" / "elsewhere").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    save_photo(Path(names[0]), 9, 9, 0)
    rest = [save_photo(Path("elsewhere") / f"pug_9{i}.jpg", 20, 20, i) for i in range(2)]
    kwargs = {"label_func": lambda file: file.name.rsplit("_", 1)[0], "item_tfms": Resize(16)}
    dls = ImageDataLoaders.from_path_func(pets, [*names, *rest, str(pets / names[1])], **kwargs)
    expected = sorted([*(pets / name for name in names), *rest, pets / names[1]])
    assert sorted([*dls.train.items, *dls.valid.items]) == expected


def test_from_folder_takes_train_and_valid_folders_or_a_random_part(tiny_images, tmp_path):
    whole = ImageDataLoaders.from_folder(tiny_images, valid_pct=0.25, item_tfms=Resize(16))
    assert whole.vocab == ["dark", "light"] and (whole.train.n, whole.valid.n) == (9, 3)
    for side, n in (("train", 4), ("valid", 2)):
        for label in ("a", "b"):
            for i in range(n):
                save_photo(tmp_path / "two" / side / label / f"{i}.png", 20, 20, i)
    dls = ImageDataLoaders.from_folder(tmp_path / "two", item_tfms=Resize(16))
    assert (dls.train.n, dls.valid.n, dls.vocab) == (8, 4, ["a", "b"])


def test_from_df_splits_by_a_column_if_told(pets):
    dls = ImageDataLoaders.from_df(table_of(pets), pets, valid_col="is_valid", item_tfms=Resize(16))
    assert dls.valid.n == 7


# ---- devices


def test_the_default_device_is_the_accelerator_if_there_is_one(pets):
    expected = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
    assert default_device() == expected == pets_block().dataloaders(pets).device


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("workers", [0, 2])
def test_batches_on_a_gpu_are_those_of_the_cpu(pets, workers):
    cpu, gpu = (pets_block().dataloaders(pets, bs=4, device=d, num_workers=workers) for d in ("cpu", "cuda"))
    for (x1, y1), (x2, y2) in zip(batches(cpu.train), batches(gpu.train), strict=True):
        assert x2.is_cuda and torch.equal(y1, y2.cpu()) and (x1 - x2.cpu()).abs().max() < 2 / 255
