"""Wrong attempts at `lr_find`, written by someone who has not seen the catalogue."""

import copy
import math
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import nn
from torch.optim import SGD, Optimizer


def _remember(model: nn.Module, opt: Optimizer) -> Callable[[], None]:
    """Remembers all that training changes (right)."""
    saved = {name: t.detach().clone() for name, t in [*model.named_parameters(), *model.named_buffers()]}
    modes = [(module, module.training) for module in model.modules()]
    state = copy.deepcopy(opt.state_dict())
    generator = torch.get_rng_state()

    def restore() -> None:
        now = dict([*model.named_parameters(), *model.named_buffers()])
        with torch.no_grad():
            for name, tensor in saved.items():
                now[name].copy_(tensor)
        for module, training in modes:
            module.training = training
        opt.load_state_dict(copy.deepcopy(state))
        torch.set_rng_state(generator)

    return restore


def _train_batch(model: nn.Module, opt: Optimizer, loss_func: Callable, batch: tuple, lr: float) -> float:
    for group in opt.param_groups:
        group["lr"] = lr
    opt.zero_grad()
    loss = loss_func(model(batch[0]), batch[1])
    loss.backward()
    opt.step()
    return loss.item()


def _smoothed(losses: list[float], beta: float = 0.98) -> list[float]:
    average, result = 0.0, []
    for n, loss in enumerate(losses, start=1):
        average = beta * average + (1 - beta) * loss
        result.append(average / (1 - beta**n))
    return result


def _has_exploded(losses: list[float], stop_factor: float = 4.0) -> bool:
    values = _smoothed(losses)
    return not math.isfinite(losses[-1]) or values[-1] > stop_factor * min(values)


def _again_and_again(batches: Iterable) -> Iterator:
    while True:
        yield from batches


def restores_at_the_end_only(
    model: nn.Module, opt: Optimizer, loss_func: Callable, batches: Iterable, rates: list[float], stop_factor: float = 4
) -> tuple[list[float], list[float]]:
    """Puts back after the loop without `finally`: an error or an interrupt leaves the model half trained."""
    restore = _remember(model, opt)
    model.train()
    tried, losses = [], []
    for lr, batch in zip(rates, _again_and_again(batches), strict=False):
        losses.append(_train_batch(model, opt, loss_func, batch, lr))
        tried.append(lr)
        if _has_exploded(losses, stop_factor):
            break
    restore()
    return tried, losses


def swallows_errors(
    model: nn.Module, opt: Optimizer, loss_func: Callable, batches: Iterable, rates: list[float], stop_factor: float = 4
) -> tuple[list[float], list[float]]:
    """Catches every exception and returns what it has: an error should come through."""
    restore = _remember(model, opt)
    model.train()
    tried, losses = [], []
    try:
        for lr, batch in zip(rates, _again_and_again(batches), strict=False):
            losses.append(_train_batch(model, opt, loss_func, batch, lr))
            tried.append(lr)
            if _has_exploded(losses, stop_factor):
                break
    except Exception as error:
        print("stopped:", error)
    finally:
        restore()
    return tried, losses


def another_exception_comes_through(
    model: nn.Module, opt: Optimizer, loss_func: Callable, batches: Iterable, rates: list[float], stop_factor: float = 4
) -> tuple[list[float], list[float]]:
    """Wraps each error in a RuntimeError of its own: a ValueError or a Ctrl-C doesn't come through as such."""
    restore = _remember(model, opt)
    model.train()
    tried, losses = [], []
    try:
        for lr, batch in zip(rates, _again_and_again(batches), strict=False):
            losses.append(_train_batch(model, opt, loss_func, batch, lr))
            tried.append(lr)
            if _has_exploded(losses, stop_factor):
                break
    except BaseException as error:
        raise RuntimeError("the sweep failed") from error
    finally:
        restore()
    return tried, losses


def never_restores(
    model: nn.Module, opt: Optimizer, loss_func: Callable, batches: Iterable, rates: list[float], stop_factor: float = 4
) -> tuple[list[float], list[float]]:
    """Leaves the model as the sweep left it."""
    model.train()
    tried, losses = [], []
    for lr, batch in zip(rates, _again_and_again(batches), strict=False):
        losses.append(_train_batch(model, opt, loss_func, batch, lr))
        tried.append(lr)
        if _has_exploded(losses, stop_factor):
            break
    return tried, losses


def sets_the_first_group_only(
    model: nn.Module, opt: Optimizer, loss_func: Callable, batches: Iterable, rates: list[float], stop_factor: float = 4
) -> tuple[list[float], list[float]]:
    """Sets the rate of the first parameter group: the others train at their own."""
    restore = _remember(model, opt)
    model.train()
    tried, losses = [], []
    try:
        for lr, batch in zip(rates, _again_and_again(batches), strict=False):
            opt.param_groups[0]["lr"] = lr
            opt.zero_grad()
            loss = loss_func(model(batch[0]), batch[1])
            loss.backward()
            opt.step()
            losses.append(loss.item())
            tried.append(lr)
            if _has_exploded(losses, stop_factor):
                break
    finally:
        restore()
    return tried, losses


def ends_with_the_batches(
    model: nn.Module, opt: Optimizer, loss_func: Callable, batches: Iterable, rates: list[float], stop_factor: float = 4
) -> tuple[list[float], list[float]]:
    """Zips rates and batches: the sweep ends when the batches run out, instead of starting them over."""
    restore = _remember(model, opt)
    model.train()
    tried, losses = [], []
    try:
        for lr, batch in zip(rates, batches, strict=False):
            losses.append(_train_batch(model, opt, loss_func, batch, lr))
            tried.append(lr)
            if _has_exploded(losses, stop_factor):
                break
    finally:
        restore()
    return tried, losses


def loss_after_the_step(
    model: nn.Module, opt: Optimizer, loss_func: Callable, batches: Iterable, rates: list[float], stop_factor: float = 4
) -> tuple[list[float], list[float]]:
    """Measures each batch again after its step: the losses should be those before."""
    restore = _remember(model, opt)
    model.train()
    tried, losses = [], []
    try:
        for lr, batch in zip(rates, _again_and_again(batches), strict=False):
            _train_batch(model, opt, loss_func, batch, lr)
            with torch.no_grad():
                losses.append(loss_func(model(batch[0]), batch[1]).item())
            tried.append(lr)
            if _has_exploded(losses, stop_factor):
                break
    finally:
        restore()
    return tried, losses


def returns_smoothed_losses(
    model: nn.Module, opt: Optimizer, loss_func: Callable, batches: Iterable, rates: list[float], stop_factor: float = 4
) -> tuple[list[float], list[float]]:
    """Returns the smoothed losses. Right for one rate."""
    restore = _remember(model, opt)
    model.train()
    tried, losses = [], []
    try:
        for lr, batch in zip(rates, _again_and_again(batches), strict=False):
            losses.append(_train_batch(model, opt, loss_func, batch, lr))
            tried.append(lr)
            if _has_exploded(losses, stop_factor):
                break
    finally:
        restore()
    return tried, _smoothed(losses)


def leaves_out_the_exploded_one(
    model: nn.Module, opt: Optimizer, loss_func: Callable, batches: Iterable, rates: list[float], stop_factor: float = 4
) -> tuple[list[float], list[float]]:
    """Drops the rate and the loss that ended the sweep: "the last one included"."""
    restore = _remember(model, opt)
    model.train()
    tried, losses = [], []
    try:
        for lr, batch in zip(rates, _again_and_again(batches), strict=False):
            loss = _train_batch(model, opt, loss_func, batch, lr)
            if _has_exploded([*losses, loss], stop_factor):
                break
            losses.append(loss)
            tried.append(lr)
    finally:
        restore()
    return tried, losses


def stops_at_a_raw_outlier(
    model: nn.Module, opt: Optimizer, loss_func: Callable, batches: Iterable, rates: list[float], stop_factor: float = 4
) -> tuple[list[float], list[float]]:
    """Compares raw losses: one bad batch ends the sweep."""
    restore = _remember(model, opt)
    model.train()
    tried, losses = [], []
    try:
        for lr, batch in zip(rates, _again_and_again(batches), strict=False):
            losses.append(_train_batch(model, opt, loss_func, batch, lr))
            tried.append(lr)
            if not math.isfinite(losses[-1]) or losses[-1] > stop_factor * min(losses):
                break
    finally:
        restore()
    return tried, losses


def goes_on_after_nan(
    model: nn.Module, opt: Optimizer, loss_func: Callable, batches: Iterable, rates: list[float], stop_factor: float = 4
) -> tuple[list[float], list[float]]:
    """Compares smoothed losses without a test for nan: a sweep with a nan goes on to the last rate."""
    restore = _remember(model, opt)
    model.train()
    tried, losses = [], []
    try:
        for lr, batch in zip(rates, _again_and_again(batches), strict=False):
            losses.append(_train_batch(model, opt, loss_func, batch, lr))
            tried.append(lr)
            values = _smoothed(losses)
            if values[-1] > stop_factor * min(values):
                break
    finally:
        restore()
    return tried, losses


def never_stops_early(
    model: nn.Module, opt: Optimizer, loss_func: Callable, batches: Iterable, rates: list[float], stop_factor: float = 4
) -> tuple[list[float], list[float]]:
    """Tries all rates, whatever the loss."""
    restore = _remember(model, opt)
    model.train()
    tried, losses = [], []
    try:
        for lr, batch in zip(rates, _again_and_again(batches), strict=False):
            losses.append(_train_batch(model, opt, loss_func, batch, lr))
            tried.append(lr)
    finally:
        restore()
    return tried, losses


def clears_gradients_after_the_step(
    model: nn.Module, opt: Optimizer, loss_func: Callable, batches: Iterable, rates: list[float], stop_factor: float = 4
) -> tuple[list[float], list[float]]:
    """Clears after each step: what was left from before takes part in the first."""
    restore = _remember(model, opt)
    model.train()
    tried, losses = [], []
    try:
        for lr, batch in zip(rates, _again_and_again(batches), strict=False):
            for group in opt.param_groups:
                group["lr"] = lr
            loss = loss_func(model(batch[0]), batch[1])
            loss.backward()
            opt.step()
            opt.zero_grad()
            losses.append(loss.item())
            tried.append(lr)
            if _has_exploded(losses, stop_factor):
                break
    finally:
        restore()
    return tried, losses


def state_dicts_only(
    model: nn.Module, opt: Optimizer, loss_func: Callable, batches: Iterable, rates: list[float], stop_factor: float = 4
) -> tuple[list[float], list[float]]:
    """Puts back two state dicts: the modes, the generator and buffers with persistent=False stay changed."""
    weights, state = copy.deepcopy(model.state_dict()), copy.deepcopy(opt.state_dict())
    model.train()
    tried, losses = [], []
    try:
        for lr, batch in zip(rates, _again_and_again(batches), strict=False):
            losses.append(_train_batch(model, opt, loss_func, batch, lr))
            tried.append(lr)
            if _has_exploded(losses, stop_factor):
                break
    finally:
        model.load_state_dict(weights)
        opt.load_state_dict(state)
    return tried, losses


def copies_the_model_alone(
    model: nn.Module, opt: Optimizer, loss_func: Callable, batches: Iterable, rates: list[float], stop_factor: float = 4
) -> tuple[list[float], list[float]]:
    """Trains a copy of the model with the old optimiser, which holds the old parameters: nothing is trained."""
    restore = _remember(model, opt)
    twin = copy.deepcopy(model).train()
    tried, losses = [], []
    try:
        for lr, batch in zip(rates, _again_and_again(batches), strict=False):
            losses.append(_train_batch(twin, opt, loss_func, batch, lr))
            tried.append(lr)
            if _has_exploded(losses, stop_factor):
                break
    finally:
        restore()
    return tried, losses


def sets_the_best_rate(
    model: nn.Module, opt: Optimizer, loss_func: Callable, batches: Iterable, rates: list[float], stop_factor: float = 4
) -> tuple[list[float], list[float]]:
    """Puts all back and then sets the rate of the lowest loss: the learning rates of `opt` aren't as before."""
    restore = _remember(model, opt)
    model.train()
    tried, losses = [], []
    try:
        for lr, batch in zip(rates, _again_and_again(batches), strict=False):
            losses.append(_train_batch(model, opt, loss_func, batch, lr))
            tried.append(lr)
            if _has_exploded(losses, stop_factor):
                break
    finally:
        restore()
    for group in opt.param_groups:
        group["lr"] = tried[losses.index(min(losses))]
    return tried, losses
