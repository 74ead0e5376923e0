"""fastai on the same images, split, weights and head. `make bench` installs it; only what needs it imports this."""

import pandas as pd
import torch
from fastai.vision import all as fastai
from torch import nn

from benchmarks.photos import STATS
from coursekit.models.model import VisionModel


def fastai_loaders(table: pd.DataFrame, size: int, bs: int) -> fastai.DataLoaders:
    """fastai's batches of such a table as `photos.solar_table` makes, with its default augmentation and workers."""
    cells = fastai.DataBlock(
        blocks=(fastai.ImageBlock, fastai.CategoryBlock),
        get_x=fastai.ColReader("image"),
        get_y=fastai.ColReader("label"),
        splitter=fastai.ColSplitter("is_valid"),
        item_tfms=fastai.Resize(size),
        batch_tfms=[*fastai.aug_transforms(), fastai.Normalize.from_stats(*STATS)],
    )
    return cells.dataloaders(table, bs=bs)


def fastai_learner(dls: fastai.DataLoaders, model: VisionModel, seed: int = 42) -> fastai.Learner:
    """fastai's learner for tf_efficientnet_lite0, all else at its defaults, frozen, with the weights of `model`."""
    fastai.set_seed(seed)
    learn = fastai.vision_learner(dls, "tf_efficientnet_lite0", pretrained=False, metrics=fastai.error_rate)
    learn.model[0].model.load_state_dict(model.body.state_dict())
    copy_in_order(model.head, learn.model[1])
    learn.freeze()
    return learn


def copy_in_order(source: nn.Module, target: nn.Module) -> None:
    """Copies parameters that have other names and the same shapes, in order; raises ValueError where these differ."""
    with torch.no_grad():
        for a, b in zip(source.parameters(), target.parameters(), strict=True):
            if a.shape != b.shape:
                raise ValueError(f"{tuple(a.shape)} does not fit {tuple(b.shape)}")
            b.copy_(a)
