"""What does not belong together is named, whoever holds it."""

import pytest
import torch
from torch import nn

from coursekit.augment.colour import Normalize
from coursekit.core import TrainingError
from coursekit.models.model import build_model
from coursekit.training.consistency import (
    check_covered,
    check_normalized_once,
    fingerprint,
    holds,
    list_metrics,
    make_optimiser,
    try_metrics,
)


def test_a_fingerprint_changes_with_each_kind_of_tensor_and_comes_back():
    model = nn.Sequential(nn.Linear(2, 2).bfloat16(), nn.BatchNorm1d(2))
    before = fingerprint(model)
    for tensor in (model[0].weight, model[1].bias, model[1].running_mean, model[1].num_batches_tracked):
        kept = tensor.detach().clone()
        tensor.data.add_(1)
        assert fingerprint(model) != before
        tensor.data.copy_(kept)
    assert fingerprint(model) == before


def test_frozen_parameters_need_no_group():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    groups = [{"params": list(model[1].parameters())}]
    with pytest.raises(TrainingError, match=r"6 parameters .* 0\.weight"):
        check_covered(model, groups)
    model[0].requires_grad_(False)
    check_covered(model, groups)


def test_a_new_optimiser_remembers_what_is_still_there():
    first, second = nn.Linear(2, 1), nn.Linear(1, 1)
    before = make_optimiser(torch.optim.AdamW, [{"params": list(first.parameters()), "lr": 0.1}])
    first(torch.ones(1, 2)).sum().backward()
    before.step()
    groups = [{"params": [first.weight, *second.parameters()], "lr": 0.1}]
    opt = make_optimiser(torch.optim.AdamW, groups, before)
    assert holds(opt, groups) and not holds(before, groups)
    assert set(opt.state) == {first.weight} and opt.state[first.weight]["step"] == 1


def test_only_one_of_model_and_data_normalises(image_loaders):
    normalised = image_loaders(extra_tfms=(Normalize.from_stats((0.5,) * 3, (0.25,) * 3),))
    model = build_model("test_resnet", 2)
    with pytest.raises(TrainingError, match="twice"):
        check_normalized_once(nn.DataParallel(model), normalised)
    check_normalized_once(build_model("test_resnet", 2, mean=[0.0] * 3, std=[1.0] * 3), normalised)
    check_normalized_once(nn.Linear(1, 1), normalised)


@pytest.mark.parametrize("classes", [2, 3000])
def test_metrics_are_tried_on_all_classes(image_loaders, classes):
    def seen(logits, targets):
        shapes.append((tuple(logits.shape), len(targets.unique())))
        return torch.tensor(0.5)

    shapes = []
    try_metrics([seen], image_loaders().valid.targets, classes)
    assert shapes == [((12, classes), 2)]


def test_the_list_of_metrics_stays_the_same_list():
    metrics = [abs]
    assert list_metrics(metrics) is metrics and list_metrics(abs) == list_metrics((abs,)) == metrics
