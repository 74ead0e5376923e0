"""Wrong attempts at `freeze`, written by someone who has not seen the catalogue."""

import copy
from torch import nn


def _count(group):
    return sum(p.numel() for layer in group for p in layer.parameters())


def gradients_only(groups):
    """Forbids gradients and forgets evaluation mode."""
    for group in groups[:-1]:
        for layer in group:
            layer.requires_grad_(False)
    for layer in groups[-1]:
        layer.requires_grad_(True).train()
    return _count(groups[-1])


def leaves_the_last_and_counts_what_trains(groups):
    """Doesn't touch the last group, and counts what requires a gradient."""
    for group in groups[:-1]:
        for layer in group:
            layer.requires_grad_(False).eval()
    return sum(p.numel() for layer in groups[-1] for p in layer.parameters() if p.requires_grad)


def last_without_its_mode(groups):
    """Gives the last group gradients, but no training mode."""
    for group in groups[:-1]:
        for layer in group:
            layer.requires_grad_(False).eval()
    for layer in groups[-1]:
        layer.requires_grad_(True)
    return _count(groups[-1])


def all_but_the_first(groups):
    """Freezes all but the first."""
    for group in groups[1:]:
        for layer in group:
            layer.requires_grad_(False).eval()
    for layer in groups[0]:
        layer.requires_grad_(True).train()
    return _count(groups[0])


def middle_trains(groups):
    """groups[:-2]: the middle group is neither frozen nor switched on."""
    for group in groups[:-2]:
        for layer in group:
            layer.requires_grad_(False).eval()
    for layer in groups[-1]:
        layer.requires_grad_(True).train()
    return _count(groups[-1])


def counts_rows(groups):
    """len(p): the first dimension only. Right for biases."""
    for group in groups[:-1]:
        for layer in group:
            layer.requires_grad_(False).eval()
    for layer in groups[-1]:
        layer.requires_grad_(True).train()
    return sum(len(p) for layer in groups[-1] for p in layer.parameters())


def counts_statistics_too(groups):
    """Counts the state dict: running statistics are in it. Right without batch normalisation."""
    for group in groups[:-1]:
        for layer in group:
            layer.requires_grad_(False).eval()
    for layer in groups[-1]:
        layer.requires_grad_(True).train()
    return sum(t.numel() for layer in groups[-1] for t in layer.state_dict().values())


def counts_the_last_layer(groups):
    """The loop's variable after the loop: counts the last layer of the last group."""
    for group in groups[:-1]:
        for layer in group:
            layer.requires_grad_(False).eval()
    for layer in groups[-1]:
        layer.requires_grad_(True).train()
    return sum(p.numel() for p in layer.parameters())


def inner_modules_forgotten(groups):
    """Sets `training` of the layer itself: inner modules stay in training mode."""
    for group in groups[:-1]:
        for layer in group:
            layer.requires_grad_(False)
            layer.training = False
    for layer in groups[-1]:
        layer.requires_grad_(True)
        layer.training = True
    return _count(groups[-1])


def own_parameters_only(groups):
    """recurse=False: parameters inside containers keep their gradients."""
    for group in groups[:-1]:
        for layer in group:
            layer.eval()
            for p in layer.parameters(recurse=False):
                p.requires_grad = False
    for layer in groups[-1]:
        layer.train()
        for p in layer.parameters(recurse=False):
            p.requires_grad = True
    return _count(groups[-1])


def attribute_of_a_module(groups):
    """Sets layer.requires_grad, which a module does not have."""
    for group in groups[:-1]:
        for layer in group:
            layer.requires_grad = False
            layer.eval()
    for layer in groups[-1]:
        layer.requires_grad = True
        layer.train()
    return _count(groups[-1])


def norms_go_on(groups):
    """Leaves batch normalisation's weights to train, as fastai does."""
    for group in groups[:-1]:
        for layer in group:
            layer.requires_grad_(False).eval()
            for module in layer.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.requires_grad_(True)
    for layer in groups[-1]:
        layer.requires_grad_(True).train()
    return _count(groups[-1])


def only_layers_with_parameters(groups):
    """Passes over layers without parameters: a dropout between the layers keeps its mode."""
    for group in groups[:-1]:
        for layer in group:
            if list(layer.parameters()):
                layer.requires_grad_(False).eval()
    for layer in groups[-1]:
        if list(layer.parameters()):
            layer.requires_grad_(True).train()
    return _count(groups[-1])


def resets_statistics(groups):
    """Resets the statistics of the frozen layers."""
    for group in groups[:-1]:
        for layer in group:
            layer.requires_grad_(False).eval()
            for module in layer.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.reset_running_stats()
    for layer in groups[-1]:
        layer.requires_grad_(True).train()
    return _count(groups[-1])


def first_layer_of_each_group(groups):
    """Takes group[0] for the group."""
    for group in groups[:-1]:
        group[0].requires_grad_(False).eval()
    groups[-1][0].requires_grad_(True).train()
    return _count(groups[-1])


def freezes_a_copy(groups):
    """Works on a copy."""
    groups = copy.deepcopy(groups)
    for group in groups[:-1]:
        for layer in group:
            layer.requires_grad_(False).eval()
    for layer in groups[-1]:
        layer.requires_grad_(True).train()
    return _count(groups[-1])
