"""Predictions belong to the items that were asked for: the whole set, in order, read as in training."""

import operator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

from coursekit.augment.resize import Resize
from coursekit.core import DataError, TrainingError
from coursekit.data.block import CategoryBlock, DataBlock, ImageBlock
from coursekit.data.tables_in import ColReader
from coursekit.losses import CrossEntropyLoss
from coursekit.results.interpret import ClassificationInterpretation
from coursekit.training.predict import item_losses, pick_loader


@pytest.fixture
def make_dls():
    """A function that makes loaders of a source with readers for it; validation is every fourth item."""

    def make(items, get_x, get_y):
        n = len(items)
        split = [i for i in range(n) if i % 4], list(range(0, n, 4))
        block = DataBlock(
            (ImageBlock, CategoryBlock), get_x=get_x, get_y=get_y, splitter=lambda _: split, item_tfms=Resize(24)
        )
        return block.dataloaders(items, bs=4, cache=False, device="cpu")

    return make


@pytest.fixture
def photos(tiny_images):
    """Twelve photos: half of them dark, half light."""
    return sorted(tiny_images.glob("*/*.png"))


# ---- which loader


def test_a_training_loader_is_predicted_in_order_whole_and_not_augmented(make_small_learner, image_loaders):
    learn = make_small_learner(image_loaders(bs=7))  # 36 images: one is left over in training
    train = learn.dls.train
    assert len(train.items) % 7 == 1 and train.augment
    plain, targets = learn.get_preds(ds_idx=0)
    assert targets.tolist() == train.targets
    for dl in (train, learn.dls.train_eval, 0):
        assert torch.equal(learn.get_preds(dl=dl)[0], plain)
        assert learn.validate(dl) == learn.validate(learn.dls.train_eval)
        assert torch.equal(learn.tta(dl=dl, n=1)[0], learn.tta(ds_idx=0, n=1)[0])
        assert learn.get_features(dl).shape == (36, learn.model.head.norm1.num_features)
        assert ClassificationInterpretation.from_learner(learn, dl=dl).targets.tolist() == train.targets
    seen = ClassificationInterpretation.from_learner(learn, dl=train)
    assert seen.items == train.sources and torch.equal(seen.probs, plain)
    first = learn.show_results(dl=train, max_n=3).axes[0].get_title()
    assert first.startswith(learn.dls.vocab[train.targets[0]])
    assert train.training and train.augment  # the loader itself is as it was


def test_a_loader_in_the_place_of_ds_idx_is_that_loader(make_small_learner):
    learn = make_small_learner()
    some = learn.dls.test_dl(learn.dls.train.sources[:3])
    assert torch.equal(learn.get_preds(some)[0], learn.get_preds(dl=some)[0]) and len(learn.get_preds(some)[0]) == 3
    assert learn.validate(ds_idx=0) == learn.validate(0) == learn.validate(learn.dls.train)


@pytest.mark.parametrize(
    "wrong", ["photos", Path("photos"), 2, -1, None, torch.zeros(2, 3, 8, 8), pd.DataFrame({"a": [1]})]
)
def test_what_is_no_loader_is_refused_with_the_way_to_make_one(image_loaders, wrong):
    dls = image_loaders()
    for which in (wrong, dls, dls.valid.sources):
        with pytest.raises(TrainingError, match=r"test_dl"):
            pick_loader(dls, which)


def test_batches_of_ones_own_are_taken_but_cannot_be_augmented(make_small_learner):
    learn = make_small_learner()
    batch = learn.dls.valid.one_batch()
    assert torch.allclose(learn.get_preds(dl=[batch])[0], learn.get_preds()[0][: len(batch[0])], atol=1e-6)
    with pytest.raises(TrainingError, match="several times"):
        learn.tta(dl=[batch])


# ---- which image


def test_a_row_of_the_table_is_read_by_get_x(make_small_learner, make_dls, photos):
    table = pd.DataFrame({"name": [f"{p.parent.name}/{p.name}" for p in photos], "y": [p.parent.name for p in photos]})
    learn = make_small_learner(make_dls(table, ColReader("name", pref=photos[0].parents[1]), ColReader("y")))
    expected = [learn.predict(photo)[2] for photo in photos[:3]]
    rows = [table.iloc[i] for i in range(3)]
    for i, row in enumerate(rows):
        assert torch.equal(learn.predict(row)[2], expected[i])
        assert torch.equal(learn.predict(row.to_dict())[2], expected[i])
    for several in (rows, table[:3], list(table[:3].itertuples())):
        assert torch.equal(torch.stack([probs for _, _, probs in learn.predict(several)]), torch.stack(expected))
    with pytest.raises(DataError, match="no file"):
        learn.predict(pd.Series({"name": "dark/none.png", "y": "dark"}))


def test_an_item_of_the_datas_kind_goes_through_get_x_and_an_image_does_not(make_small_learner, make_dls, photos):
    def inverted(path):
        return 255 - np.asarray(Image.open(path))

    learn = make_small_learner(make_dls(photos, inverted, lambda path: path.parent.name))
    probs = learn.get_preds(dl=learn.dls.test_dl(photos[:1]))[0][0]
    for item in (photos[0], str(photos[0]), inverted(photos[0])):
        assert torch.equal(learn.predict(item)[2], probs)
    assert not torch.equal(learn.predict(Image.open(photos[0]))[2], probs)


def test_pairs_as_items_are_read_by_get_x(make_small_learner, make_dls, photos):
    pairs = [(photo, photo.parent.name) for photo in photos]
    learn = make_small_learner(make_dls(pairs, operator.itemgetter(0), operator.itemgetter(1)))
    assert torch.equal(learn.predict(pairs[0])[2], learn.predict(photos[0])[2])
    assert len(learn.predict(pairs[:2])) == 2


# ---- losses and features


def test_the_loss_of_each_item_is_that_of_training(make_small_learner):
    weights = torch.tensor([1.0, 3.0])
    for loss in (None, CrossEntropyLoss(weight=weights), nn.CrossEntropyLoss(), lambda x, y: F.cross_entropy(x, y)):
        learn = make_small_learner(loss_func=loss)
        probs, targets, losses = learn.get_preds(with_loss=True)
        expected = -probs.log().gather(1, targets[:, None])[:, 0]
        weighted = isinstance(loss, CrossEntropyLoss)
        assert torch.allclose(losses, expected * weights[targets] if weighted else expected, atol=1e-5)
        total = losses.sum() / (weights[targets].sum() if weighted else len(losses))
        assert total.item() == pytest.approx(learn.validate()[0], abs=1e-5)
    assert learn.loss_func is not None and nn.CrossEntropyLoss().reduction == "mean"
    unlabelled = learn.dls.test_dl(learn.dls.valid.sources[:2])
    with pytest.raises(TrainingError, match="no labels"):
        learn.get_preds(dl=unlabelled, with_loss=True)


def test_item_losses_leave_the_loss_as_it_is():
    loss = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0]))
    item_losses(loss, torch.zeros(3, 2), torch.tensor([0, 1, 1]))
    assert loss.reduction == "mean"


def test_features_are_what_the_head_sees_in_the_order_of_the_items(make_small_learner):
    learn = make_small_learner()
    features = learn.get_features(ds_idx=0)
    assert features.dtype == torch.float32 and features.device.type == "cpu"
    with torch.no_grad():
        probs = learn.model.eval().head(features).softmax(1)
    assert torch.allclose(probs, learn.get_preds(ds_idx=0)[0], atol=1e-6)
    photo = learn.dls.train.sources[5]
    assert torch.allclose(learn.get_features(learn.dls.test_dl([photo]))[0], features[5], atol=1e-5)


def test_a_model_without_a_body_has_no_features(toy_learner):
    with pytest.raises(TrainingError, match="vision_learner"):
        toy_learner.get_features()
