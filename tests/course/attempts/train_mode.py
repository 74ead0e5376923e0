"""Wrong attempts at `train_mode`, written by someone who has not seen the catalogue."""

import copy
from torch import nn


def no_parameters_is_frozen(model):
    """Takes modules without parameters for frozen: dropout is off everywhere."""
    model.train()
    for module in model.modules():
        if not any(p.requires_grad for p in module.parameters()):
            module.eval()
    return model


def one_frozen_is_enough(model):
    """Frozen if any parameter is."""
    model.train()
    for module in model.modules():
        if any(not p.requires_grad for p in module.parameters()):
            module.eval()
    return model


def weight_decides(model):
    """Looks at `weight`: containers have none, so dropout in a frozen one stays on."""
    model.train()
    for module in model.modules():
        weight = getattr(module, "weight", None)
        if weight is not None and not weight.requires_grad:
            module.eval()
    return model


def flag_of_the_module_only(model):
    """Sets `training` without what is inside: dropout in a frozen container stays on."""
    model.train()
    for module in model.modules():
        parameters = list(module.parameters())
        if parameters and not any(p.requires_grad for p in parameters):
            module.training = False
    return model


def children_only(model):
    """Looks at the first level: a frozen block inside a training one is missed."""
    model.train()
    for module in model.children():
        parameters = list(module.parameters())
        if parameters and not any(p.requires_grad for p in parameters):
            module.eval()
    return model


def containers_only(model):
    """Looks at containers: a frozen layer in a training container is missed."""
    model.train()
    for module in model.modules():
        parameters = list(module.parameters())
        if list(module.children()) and parameters and not any(p.requires_grad for p in parameters):
            module.eval()
    return model


def norms_only(model):
    """Puts frozen batch normalisation in evaluation mode, and nothing else."""
    model.train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d) and not any(p.requires_grad for p in module.parameters()):
            module.eval()
    return model


def all_norms(model):
    """Puts all batch normalisation in evaluation mode."""
    model.train()
    for module in model.modules():
        parameters = list(module.parameters())
        if isinstance(module, nn.BatchNorm2d) or parameters and not any(p.requires_grad for p in parameters):
            module.eval()
    return model


def dropout_on_everywhere(model):
    """Switches every dropout on at the end."""
    model.train()
    for module in model.modules():
        parameters = list(module.parameters())
        if parameters and not any(p.requires_grad for p in parameters):
            module.eval()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.train()
    return model


def top_down_by_train(model):
    """train(mode) for every module, top down: dropout in a frozen block is switched on again."""
    for module in model.modules():
        parameters = list(module.parameters())
        module.train(not parameters or any(p.requires_grad for p in parameters))
    return model


def bottom_up_by_train(model):
    """train(mode) bottom up: a training container undoes what its layers got."""
    for module in reversed(list(model.modules())):
        parameters = list(module.parameters())
        module.train(not parameters or any(p.requires_grad for p in parameters))
    return model


def never_calls_train(model):
    """Forgets model.train(): what was in evaluation mode stays there."""
    for module in model.modules():
        parameters = list(module.parameters())
        if parameters and not any(p.requires_grad for p in parameters):
            module.eval()
    return model


def only_layers_with_parameters_train(model):
    """Starts from eval(), and switches on what has parameters that train: dropout stays off."""
    model.eval()
    for module in model.modules():
        if any(p.requires_grad for p in module.parameters(recurse=False)):
            module.training = True
    return model


def root_left_out(model):
    """Leaves out the model itself: a model that is frozen as a whole stays in training mode."""
    model.train()
    for name, module in model.named_modules():
        parameters = list(module.parameters())
        if name and parameters and not any(p.requires_grad for p in parameters):
            module.eval()
    return model


def majority(model):
    """Frozen if most parameters are."""
    model.train()
    for module in model.modules():
        parameters = list(module.parameters())
        if parameters and sum(p.requires_grad for p in parameters) < len(parameters) / 2:
            module.eval()
    return model


def a_copy(model):
    """Works on a copy, and returns it."""
    model = copy.deepcopy(model)
    model.train()
    for module in model.modules():
        parameters = list(module.parameters())
        if parameters and not any(p.requires_grad for p in parameters):
            module.eval()
    return model
