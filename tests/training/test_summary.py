"""The table of layers."""

import torch
from torch import nn

from coursekit.training.summary import output_shapes, summarise


def small_model():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 2))


def test_every_weight_is_counted_once_and_frozen_ones_do_not_train():
    model = small_model()
    model[0].requires_grad_(False)
    table = summarise(model, [[model[0], model[1]], [model[4]]], torch.zeros(2, 3, 8, 8))
    assert table.layer.tolist() == ["0", "1", "4", "all"]
    assert table.parameters.tolist() == [4 * 27 + 4, 8, 2 * 144 + 2, sum(p.numel() for p in model.parameters())]
    assert table.trains.tolist()[:3] == [0, 8, 290] and table.trains.iloc[-1] == 298
    assert table.group.tolist()[:3] == [0, 0, 1]


def test_shapes_are_those_that_come_out():
    shapes = output_shapes(small_model(), torch.zeros(2, 3, 8, 8))
    assert shapes["0"] == (2, 4, 6, 6) and shapes["4"] == (2, 2) == shapes[""]


def test_looking_changes_nothing():
    model = small_model().train()
    model[1].eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    summarise(model, [[model]], torch.randn(2, 3, 8, 8))
    assert model.training and not model[1].training
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())
