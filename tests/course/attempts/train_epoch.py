"""Wrong attempts at `train_epoch`, written by someone who has not seen the catalogue."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer


def forgets_zero_grad(model: nn.Module, batches: list, loss_func: Callable[..., Tensor], optimiser: Optimizer) -> float:
    """Never clears the gradients: right for one batch without leftovers, else they add up."""
    model.train()
    total, count = 0.0, 0
    for x, y in batches:
        loss = loss_func(model(x), y)
        loss.backward()
        optimiser.step()
        total += loss.item() * len(x)
        count += len(x)
    return total / count


def clears_once_before_the_loop(
    model: nn.Module, batches: list, loss_func: Callable[..., Tensor], optimiser: Optimizer
) -> float:
    """Clears the gradients once: right for one batch, from the second batch on they add up."""
    model.train()
    optimiser.zero_grad()
    total, count = 0.0, 0
    for x, y in batches:
        loss = loss_func(model(x), y)
        loss.backward()
        optimiser.step()
        total += loss.item() * len(x)
        count += len(x)
    return total / count


def clears_after_the_step_only(
    model: nn.Module, batches: list, loss_func: Callable[..., Tensor], optimiser: Optimizer
) -> float:
    """Clears after each step: what was left from before the call goes into the first step."""
    model.train()
    total, count = 0.0, 0
    for x, y in batches:
        loss = loss_func(model(x), y)
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        total += loss.item() * len(x)
        count += len(x)
    return total / count


def clears_between_backward_and_step(
    model: nn.Module, batches: list, loss_func: Callable[..., Tensor], optimiser: Optimizer
) -> float:
    """Throws the fresh gradient away before the step: plain SGD never moves."""
    model.train()
    total, count = 0.0, 0
    for x, y in batches:
        loss = loss_func(model(x), y)
        loss.backward()
        optimiser.zero_grad()
        optimiser.step()
        total += loss.item() * len(x)
        count += len(x)
    return total / count


def forgets_train_mode(
    model: nn.Module, batches: list, loss_func: Callable[..., Tensor], optimiser: Optimizer
) -> float:
    """Trains in whatever mode the model is: no dropout if it was evaluated before."""
    total, count = 0.0, 0
    for x, y in batches:
        optimiser.zero_grad()
        loss = loss_func(model(x), y)
        loss.backward()
        optimiser.step()
        total += loss.item() * len(x)
        count += len(x)
    return total / count


def train_mode_of_the_top_module_only(
    model: nn.Module, batches: list, loss_func: Callable[..., Tensor], optimiser: Optimizer
) -> float:
    """Sets the flag of the outermost module: dropout and batch norm inside it stay in evaluation mode."""
    model.training = True
    total, count = 0.0, 0
    for x, y in batches:
        optimiser.zero_grad()
        loss = loss_func(model(x), y)
        loss.backward()
        optimiser.step()
        total += loss.item() * len(x)
        count += len(x)
    return total / count


def train_mode_after_the_first_forward(
    model: nn.Module, batches: list, loss_func: Callable[..., Tensor], optimiser: Optimizer
) -> float:
    """Calls train() between forward and backward: the first batch runs in the old mode."""
    total, count = 0.0, 0
    for x, y in batches:
        optimiser.zero_grad()
        loss = loss_func(model(x), y)
        model.train()
        loss.backward()
        optimiser.step()
        total += loss.item() * len(x)
        count += len(x)
    return total / count


def loss_after_the_step(
    model: nn.Module, batches: list, loss_func: Callable[..., Tensor], optimiser: Optimizer
) -> float:
    """Measures each batch again after its step: the losses are those after, not before."""
    model.train()
    total, count = 0.0, 0
    for x, y in batches:
        optimiser.zero_grad()
        loss_func(model(x), y).backward()
        optimiser.step()
        with torch.no_grad():
            total += loss_func(model(x), y).item() * len(x)
        count += len(x)
    return total / count


def all_losses_before_any_step(
    model: nn.Module, batches: list, loss_func: Callable[..., Tensor], optimiser: Optimizer
) -> float:
    """Measures all batches first: later batches have not seen the earlier steps. Right for one batch."""
    model.train()
    with torch.no_grad():
        total = sum(loss_func(model(x), y).item() * len(x) for x, y in batches)
    for x, y in batches:
        optimiser.zero_grad()
        loss_func(model(x), y).backward()
        optimiser.step()
    return total / sum(len(x) for x, _ in batches)


def returns_a_tensor_with_graph(
    model: nn.Module, batches: list, loss_func: Callable[..., Tensor], optimiser: Optimizer
) -> float:
    """Adds up the loss tensors: right value, but a tensor with its graph instead of a float."""
    model.train()
    total, count = 0.0, 0
    for x, y in batches:
        optimiser.zero_grad()
        loss = loss_func(model(x), y)
        loss.backward()
        optimiser.step()
        total = total + loss * len(x)
        count += len(x)
    return total / count


def returns_the_last_loss(
    model: nn.Module, batches: list, loss_func: Callable[..., Tensor], optimiser: Optimizer
) -> float:
    """Returns the loss of the last batch: right for one batch only."""
    model.train()
    for x, y in batches:
        optimiser.zero_grad()
        loss = loss_func(model(x), y)
        loss.backward()
        optimiser.step()
    return loss.item()


def counts_columns(model: nn.Module, batches: list, loss_func: Callable[..., Tensor], optimiser: Optimizer) -> float:
    """Takes the last dimension of x for the number of items: in effect the mean of the batch means."""
    model.train()
    total, count = 0.0, 0
    for x, y in batches:
        optimiser.zero_grad()
        loss = loss_func(model(x), y)
        loss.backward()
        optimiser.step()
        total += loss.item() * x.shape[-1]
        count += x.shape[-1]
    return total / count


def leaves_out_small_batches(
    model: nn.Module, batches: list, loss_func: Callable[..., Tensor], optimiser: Optimizer
) -> float:
    """Skips batches that are smaller than the first: a rest gives no step ("one step for each batch")."""
    model.train()
    total, count = 0.0, 0
    for x, y in batches:
        if len(x) < len(batches[0][0]):
            continue
        optimiser.zero_grad()
        loss = loss_func(model(x), y)
        loss.backward()
        optimiser.step()
        total += loss.item() * len(x)
        count += len(x)
    return total / count


def clips_the_gradients(
    model: nn.Module, batches: list, loss_func: Callable[..., Tensor], optimiser: Optimizer
) -> float:
    """Limits the norm of the gradient to 1: right for small gradients only."""
    model.train()
    total, count = 0.0, 0
    for x, y in batches:
        optimiser.zero_grad()
        loss = loss_func(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        total += loss.item() * len(x)
        count += len(x)
    return total / count


def gradient_of_the_sum(
    model: nn.Module, batches: list, loss_func: Callable[..., Tensor], optimiser: Optimizer
) -> float:
    """Turns the mean into a sum before backward(): the step is too long by the batch's size."""
    model.train()
    total, count = 0.0, 0
    for x, y in batches:
        optimiser.zero_grad()
        loss = loss_func(model(x), y) * len(x)
        loss.backward()
        optimiser.step()
        total += loss.item()
        count += len(x)
    return total / count


def returns_inside_the_loop(
    model: nn.Module, batches: list, loss_func: Callable[..., Tensor], optimiser: Optimizer
) -> float:
    """Returns after the first batch: right for one batch only."""
    model.train()
    total, count = 0.0, 0
    for x, y in batches:
        optimiser.zero_grad()
        loss = loss_func(model(x), y)
        loss.backward()
        optimiser.step()
        total += loss.item() * len(x)
        count += len(x)
        return total / count
