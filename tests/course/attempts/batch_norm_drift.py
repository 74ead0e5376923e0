"""Wrong attempts at `batch_norm_drift`, written by someone who has not seen the catalogue."""

from torch import nn


def _parts(model, before):
    for name, module in model.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            old = before[f"{name}.running_mean"]
            deviation = (before[f"{name}.running_var"] + module.eps).sqrt()
            yield name, module, module.running_mean, old, deviation


def eps_outside_the_root(model, before):
    """Adds eps after the root."""
    drift = {}
    for name, module in model.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            deviation = before[f"{name}.running_var"].sqrt() + module.eps
            drift[name] = ((module.running_mean - before[f"{name}.running_mean"]).abs() / deviation).mean().item()
    return drift


def absolute_at_the_end(model, before):
    """Takes the absolute value of the mean."""
    return {name: abs(((new - old) / dev).mean().item()) for name, _, new, old, dev in _parts(model, before)}


def deviation_of_now(model, before):
    """Takes the variance of now."""
    drift = {}
    for name, module in model.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            deviation = (module.running_var + module.eps).sqrt()
            drift[name] = ((module.running_mean - before[f"{name}.running_mean"]).abs() / deviation).mean().item()
    return drift


def largest_channel(model, before):
    """Takes the channel that moved most."""
    return {name: ((new - old).abs() / dev).max().item() for name, _, new, old, dev in _parts(model, before)}


def root_mean_square(model, before):
    """Averages squares, and takes the root."""
    return {name: ((new - old) / dev).square().mean().sqrt().item() for name, _, new, old, dev in _parts(model, before)}


def share_of_the_length(model, before):
    """As weights_moved does: the change's length as a share of the old length."""
    return {name: ((new - old).norm() / old.norm()).item() for name, _, new, old, _ in _parts(model, before)}


def ratio_of_averages(model, before):
    """Averages distances and deviations apart."""
    return {name: ((new - old).abs().mean() / dev.mean()).item() for name, _, new, old, dev in _parts(model, before)}


def multiplies_by_the_deviation(model, before):
    """Multiplies."""
    return {name: ((new - old).abs() * dev).mean().item() for name, _, new, old, dev in _parts(model, before)}


def channels_not_averaged(model, before):
    """Gives one number for each channel."""
    return {name: ((new - old).abs() / dev).tolist() for name, _, new, old, dev in _parts(model, before)}


def last_part_of_the_name(model, before):
    """Takes the last part of the name: bn1 of two blocks are one."""
    return {
        name.split(".")[-1]: ((new - old).abs() / dev).mean().item() for name, _, new, old, dev in _parts(model, before)
    }


def first_level_only(model, before):
    """named_children: layers inside blocks are missed."""
    drift = {}
    for name, module in model.named_children():
        if isinstance(module, nn.BatchNorm2d):
            deviation = (before[f"{name}.running_var"] + module.eps).sqrt()
            drift[name] = ((module.running_mean - before[f"{name}.running_mean"]).abs() / deviation).mean().item()
    return drift


def all_that_have_statistics(model, before):
    """Goes by the attribute: the head's BatchNorm1d comes too."""
    drift = {}
    for name, module in model.named_modules():
        if hasattr(module, "running_mean"):
            deviation = (before[f"{name}.running_var"] + module.eps).sqrt()
            drift[name] = ((module.running_mean - before[f"{name}.running_mean"]).abs() / deviation).mean().item()
    return drift


def by_the_word_bn(model, before):
    """Goes by the name: a layer that is called otherwise is missed."""
    return {
        name: ((new - old).abs() / dev).mean().item()
        for name, _, new, old, dev in _parts(model, before)
        if "bn" in name
    }


def exact_class_only(model, before):
    """type(...) is: the subclass that timm uses is missed."""
    return {
        name: ((new - old).abs() / dev).mean().item()
        for name, module, new, old, dev in _parts(model, before)
        if type(module) is nn.BatchNorm2d
    }


def changes_the_model(model, before):
    """Subtracts in place, from the model's own statistics."""
    drift = {}
    for name, module in model.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            deviation = (before[f"{name}.running_var"] + module.eps).sqrt()
            moved = module.running_mean
            moved -= before[f"{name}.running_mean"]
            drift[name] = (moved.abs() / deviation).mean().item()
    return drift


def returns_after_the_first(model, before):
    """The return stands in the loop."""
    drift = {}
    for name, module in model.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            deviation = (before[f"{name}.running_var"] + module.eps).sqrt()
            drift[name] = ((module.running_mean - before[f"{name}.running_mean"]).abs() / deviation).mean().item()
            return drift
