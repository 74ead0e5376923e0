"""Wrong attempts at `accumulated_step`: those of a learner who walked through the lesson, and a few more."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

Loss = Callable[..., Tensor]


def _items(batches: list) -> int:
    return sum(len(x) for x, _ in batches)


def one_backward_at_the_end(model: nn.Module, batches: list, loss_func: Loss, optimiser: Optimizer) -> float:
    """Adds up the losses, so that torch keeps what all batches need: the memory is that of one large batch."""
    optimiser.zero_grad()
    total: Any = 0
    for x, y in batches:
        total = total + loss_func(model(x), y) * len(x)
    loss = total / _items(batches)
    loss.backward()
    optimiser.step()
    return loss.item()


def returns_a_tensor(model: nn.Module, batches: list, loss_func: Loss, optimiser: Optimizer) -> Any:
    """Adds up the losses themselves: the result is a tensor with its graph."""
    optimiser.zero_grad()
    total: Any = 0
    for x, y in batches:
        loss = loss_func(model(x), y) * len(x) / _items(batches)
        loss.backward()
        total += loss
    optimiser.step()
    return total


def sum_of_gradients(model: nn.Module, batches: list, loss_func: Loss, optimiser: Optimizer) -> float:
    """Divides what it returns, and not the gradients."""
    optimiser.zero_grad()
    total = 0.0
    for x, y in batches:
        loss = loss_func(model(x), y)
        loss.backward()
        total += loss.item()
    optimiser.step()
    return total / len(batches)


def mean_of_means(model: nn.Module, batches: list, loss_func: Loss, optimiser: Optimizer) -> float:
    """Divides each loss by the number of batches."""
    optimiser.zero_grad()
    total = 0.0
    for x, y in batches:
        loss = loss_func(model(x), y) / len(batches)
        loss.backward()
        total += loss.item()
    optimiser.step()
    return total


def sum_over_items(model: nn.Module, batches: list, loss_func: Loss, optimiser: Optimizer) -> float:
    """Divides only what it returns by the number of items."""
    optimiser.zero_grad()
    total = 0.0
    for x, y in batches:
        loss = loss_func(model(x), y) * len(x)
        loss.backward()
        total += loss.item()
    optimiser.step()
    return total / _items(batches)


def clears_afterwards(model: nn.Module, batches: list, loss_func: Loss, optimiser: Optimizer) -> float:
    """Lets gradients from before the call take part."""
    total = 0.0
    for x, y in batches:
        loss = loss_func(model(x), y) * len(x) / _items(batches)
        loss.backward()
        total += loss.item()
    optimiser.step()
    optimiser.zero_grad()
    return total


def one_large_batch(model: nn.Module, batches: list, loss_func: Loss, optimiser: Optimizer) -> float:
    """Puts all batches together."""
    optimiser.zero_grad()
    x, y = torch.cat([x for x, _ in batches]), torch.cat([y for _, y in batches])
    loss = loss_func(model(x), y)
    loss.backward()
    optimiser.step()
    return loss.item()


def clears_for_each_batch(model: nn.Module, batches: list, loss_func: Loss, optimiser: Optimizer) -> float:
    """Keeps the gradient of the last batch only."""
    total = 0.0
    for x, y in batches:
        optimiser.zero_grad()
        loss = loss_func(model(x), y) * len(x) / _items(batches)
        loss.backward()
        total += loss.item()
    optimiser.step()
    return total


def steps_for_each_batch(model: nn.Module, batches: list, loss_func: Loss, optimiser: Optimizer) -> float:
    """Steps inside the loop, along the gradients so far."""
    optimiser.zero_grad()
    total = 0.0
    for x, y in batches:
        loss = loss_func(model(x), y) * len(x) / _items(batches)
        loss.backward()
        optimiser.step()
        total += loss.item()
    return total


def size_of_the_first_batch(model: nn.Module, batches: list, loss_func: Loss, optimiser: Optimizer) -> float:
    """Takes all batches to be as large as the first."""
    optimiser.zero_grad()
    total, size = 0.0, len(batches[0][0])
    for x, y in batches:
        loss = loss_func(model(x), y) * size / _items(batches)
        loss.backward()
        total += loss.item()
    optimiser.step()
    return total


def returns_the_last_loss(model: nn.Module, batches: list, loss_func: Loss, optimiser: Optimizer) -> float:
    """Steps rightly, and returns the loss of the last batch."""
    optimiser.zero_grad()
    for x, y in batches:
        loss = loss_func(model(x), y)
        (loss * len(x) / _items(batches)).backward()
    optimiser.step()
    return loss.item()


def never_steps(model: nn.Module, batches: list, loss_func: Loss, optimiser: Optimizer) -> float:
    """Collects the gradients, and leaves the weights alone."""
    optimiser.zero_grad()
    total = 0.0
    for x, y in batches:
        loss = loss_func(model(x), y) * len(x) / _items(batches)
        loss.backward()
        total += loss.item()
    return total


def returns_nothing(model: nn.Module, batches: list, loss_func: Loss, optimiser: Optimizer) -> None:
    """Forgets the return."""
    optimiser.zero_grad()
    for x, y in batches:
        (loss_func(model(x), y) * len(x) / _items(batches)).backward()
    optimiser.step()
