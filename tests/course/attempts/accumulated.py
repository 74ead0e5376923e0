"""Wrong attempts at `accumulated`, written by someone who has not seen the catalogue."""

from collections.abc import Callable

import torch
from torch import Tensor


def mean_of_batch_means(loss_of: Callable[[Tensor], Tensor], batches: list[Tensor]) -> float:
    """Divides by the number of batches: right for equal sizes only."""
    total = 0.0
    for batch in batches:
        loss = loss_of(batch) / len(batches)
        loss.backward()
        total += loss.item()
    return total


def right_gradient_wrong_mean(loss_of: Callable[[Tensor], Tensor], batches: list[Tensor]) -> float:
    """Weighs the gradients, but returns the mean of the batch means."""
    count = sum(len(batch) for batch in batches)
    total = 0.0
    for batch in batches:
        loss = loss_of(batch)
        (loss * len(batch) / count).backward()
        total += loss.item()
    return total / len(batches)


def one_backward_pass_at_the_end(loss_of: Callable[[Tensor], Tensor], batches: list[Tensor]) -> float:
    """Adds up the losses and calls backward() once: right numbers, but all batches are in memory."""
    count = sum(len(batch) for batch in batches)
    loss = sum(loss_of(batch) * len(batch) / count for batch in batches)
    loss.backward()
    return loss.item()


def all_losses_first(loss_of: Callable[[Tensor], Tensor], batches: list[Tensor]) -> float:
    """Computes all losses, then all backward passes: right numbers, but all batches are in memory."""
    count = sum(len(batch) for batch in batches)
    losses = [loss_of(batch) * len(batch) / count for batch in batches]
    for loss in losses:
        loss.backward()
    return sum(loss.item() for loss in losses)


def one_batch_ahead(loss_of: Callable[[Tensor], Tensor], batches: list[Tensor]) -> float:
    """Computes the next loss before the backward pass of this one: two batches are in memory."""
    count = sum(len(batch) for batch in batches)
    total, waiting = 0.0, None
    for batch in batches:
        loss = loss_of(batch) * len(batch) / count
        if waiting is not None:
            waiting.backward()
            total += waiting.item()
        waiting = loss
    waiting.backward()
    return total + waiting.item()


def one_large_batch(loss_of: Callable[[Tensor], Tensor], batches: list[Tensor]) -> float:
    """Joins the batches into one: right numbers, but all are in memory."""
    loss = loss_of(torch.cat(batches))
    loss.backward()
    return loss.item()


def backward_of_the_running_total(loss_of: Callable[[Tensor], Tensor], batches: list[Tensor]) -> float:
    """Calls backward() on the total so far: earlier batches count again and again, and stay in memory."""
    count = sum(len(batch) for batch in batches)
    total = 0.0
    for batch in batches:
        total = total + loss_of(batch) * len(batch) / count
        total.backward(retain_graph=True)
    return total.item()


def divides_by_the_items_so_far(loss_of: Callable[[Tensor], Tensor], batches: list[Tensor]) -> float:
    """Divides by the number of items seen so far: right for the last batch only."""
    total, count = 0.0, 0
    for batch in batches:
        count += len(batch)
        loss = loss_of(batch)
        (loss * len(batch) / count).backward()
        total += loss.item() * len(batch)
    return total / count


def size_of_the_first_batch(loss_of: Callable[[Tensor], Tensor], batches: list[Tensor]) -> float:
    """Takes all batches to be as large as the first: wrong for a smaller last one."""
    count = len(batches[0]) * len(batches)
    total = 0.0
    for batch in batches:
        loss = loss_of(batch) * len(batches[0]) / count
        loss.backward()
        total += loss.item()
    return total


def counts_columns(loss_of: Callable[[Tensor], Tensor], batches: list[Tensor]) -> float:
    """Takes the last dimension for the number of items: in effect the mean of the batch means."""
    count = sum(batch.shape[-1] for batch in batches) if batches[0].dim() > 1 else len(batches)
    total = 0.0
    for batch in batches:
        weight = batch.shape[-1] if batch.dim() > 1 else 1
        loss = loss_of(batch) * weight / count
        loss.backward()
        total += loss.item()
    return total


def divides_the_mean_by_all_items(loss_of: Callable[[Tensor], Tensor], batches: list[Tensor]) -> float:
    """Divides each batch's mean by the number of all items: right for batches of one item."""
    count = sum(len(batch) for batch in batches)
    total = 0.0
    for batch in batches:
        loss = loss_of(batch) / count
        loss.backward()
        total += loss.item()
    return total


def leaves_out_the_rest(loss_of: Callable[[Tensor], Tensor], batches: list[Tensor]) -> float:
    """Skips batches that are smaller than the first."""
    full = [batch for batch in batches if len(batch) == len(batches[0])]
    total = 0.0
    for batch in full:
        loss = loss_of(batch) / len(full)
        loss.backward()
        total += loss.item()
    return total


def gradient_of_the_last_batch(loss_of: Callable[[Tensor], Tensor], batches: list[Tensor]) -> float:
    """Calls backward() after the loop: only the last batch leaves a gradient."""
    count = sum(len(batch) for batch in batches)
    total = 0.0
    for batch in batches:
        loss = loss_of(batch) * len(batch) / count
        total += loss.item()
    loss.backward()
    return total


def returns_inside_the_loop(loss_of: Callable[[Tensor], Tensor], batches: list[Tensor]) -> float:
    """Returns after the first batch: right for one batch only."""
    count = sum(len(batch) for batch in batches)
    total = 0.0
    for batch in batches:
        loss = loss_of(batch) * len(batch) / count
        loss.backward()
        total += loss.item()
        return total


def returns_a_tensor(loss_of: Callable[[Tensor], Tensor], batches: list[Tensor]) -> float:
    """Adds up the tensors: right value, but no float, and its graph reaches back to every batch."""
    count = sum(len(batch) for batch in batches)
    total = 0.0
    for batch in batches:
        loss = loss_of(batch) * len(batch) / count
        loss.backward()
        total = total + loss
    return total


def loss_without_gradient(loss_of: Callable[[Tensor], Tensor], batches: list[Tensor]) -> float:
    """Makes a fresh tensor of the mean and calls its backward(): the parameters get no gradient."""
    count = sum(len(batch) for batch in batches)
    total = sum(loss_of(batch).item() * len(batch) / count for batch in batches)
    torch.tensor(total, requires_grad=True).backward()
    return total
