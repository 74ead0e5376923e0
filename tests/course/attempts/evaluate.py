"""Wrong attempts at `evaluate`, written by someone who has not seen the catalogue."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def mean_of_batch_means(model: nn.Module, batches: list, metric: Callable[..., Tensor]) -> float:
    """Averages the batches: right for equal sizes, wrong for batches of 3 and 1."""
    was_training = model.training
    model.eval()
    with torch.no_grad():
        values = [metric(model(x), y).item() for x, y in batches]
    model.train(was_training)
    return sum(values) / len(values)


def stays_in_eval_mode(model: nn.Module, batches: list, metric: Callable[..., Tensor]) -> float:
    """Never goes back: wrong for a model that was in training mode."""
    model.eval()
    total, count = 0.0, 0
    with torch.no_grad():
        for x, y in batches:
            total += metric(model(x), y).item() * len(x)
            count += len(x)
    return total / count


def always_trains_afterwards(model: nn.Module, batches: list, metric: Callable[..., Tensor]) -> float:
    """Switches to training mode at the end: wrong for a model that was in evaluation mode."""
    model.eval()
    total, count = 0.0, 0
    with torch.no_grad():
        for x, y in batches:
            total += metric(model(x), y).item() * len(x)
            count += len(x)
    model.train()
    return total / count


def reads_the_mode_too_late(model: nn.Module, batches: list, metric: Callable[..., Tensor]) -> float:
    """Asks for the mode after eval(): it "goes back" to evaluation mode always."""
    model.eval()
    was_training = model.training
    total, count = 0.0, 0
    with torch.no_grad():
        for x, y in batches:
            total += metric(model(x), y).item() * len(x)
            count += len(x)
    model.train(was_training)
    return total / count


def forgets_eval_mode(model: nn.Module, batches: list, metric: Callable[..., Tensor]) -> float:
    """Evaluates in whatever mode the model is: dropout, and batch norm learns from the validation set."""
    total, count = 0.0, 0
    with torch.no_grad():
        for x, y in batches:
            total += metric(model(x), y).item() * len(x)
            count += len(x)
    return total / count


def eval_mode_of_the_top_module_only(model: nn.Module, batches: list, metric: Callable[..., Tensor]) -> float:
    """Sets the flag of the outermost module: the modules inside stay in training mode."""
    was_training = model.training
    model.training = False
    total, count = 0.0, 0
    with torch.no_grad():
        for x, y in batches:
            total += metric(model(x), y).item() * len(x)
            count += len(x)
    model.training = was_training
    return total / count


def eval_mode_from_the_second_batch(model: nn.Module, batches: list, metric: Callable[..., Tensor]) -> float:
    """Calls eval() after the first forward: the first batch runs in the old mode."""
    was_training = model.training
    total, count = 0.0, 0
    with torch.no_grad():
        for x, y in batches:
            outputs = model(x)
            model.eval()
            total += metric(outputs, y).item() * len(x)
            count += len(x)
    model.train(was_training)
    return total / count


def back_to_training_after_each_batch(model: nn.Module, batches: list, metric: Callable[..., Tensor]) -> float:
    """Restores the mode inside the loop: the second batch runs in training mode."""
    was_training = model.training
    model.eval()
    total, count = 0.0, 0
    with torch.no_grad():
        for x, y in batches:
            total += metric(model(x), y).item() * len(x)
            count += len(x)
            model.train(was_training)
    return total / count


def detaches_the_outputs(model: nn.Module, batches: list, metric: Callable[..., Tensor]) -> float:
    """Cuts the graph off after it has been recorded: the forward pass still records."""
    was_training = model.training
    model.eval()
    total, count = 0.0, 0
    for x, y in batches:
        total += metric(model(x).detach(), y).item() * len(x)
        count += len(x)
    model.train(was_training)
    return total / count


def no_grad_around_the_metric_only(model: nn.Module, batches: list, metric: Callable[..., Tensor]) -> float:
    """Calls the model outside of no_grad: the forward pass records."""
    was_training = model.training
    model.eval()
    total, count = 0.0, 0
    for x, y in batches:
        outputs = model(x)
        with torch.no_grad():
            total += metric(outputs, y).item() * len(x)
        count += len(x)
    model.train(was_training)
    return total / count


def turns_recording_off_for_good(model: nn.Module, batches: list, metric: Callable[..., Tensor]) -> float:
    """Switches the recording off and leaves it off: no training after this."""
    was_training = model.training
    model.eval()
    torch.set_grad_enabled(False)
    total, count = 0.0, 0
    for x, y in batches:
        total += metric(model(x), y).item() * len(x)
        count += len(x)
    model.train(was_training)
    return total / count


def turns_recording_on_afterwards(model: nn.Module, batches: list, metric: Callable[..., Tensor]) -> float:
    """Switches the recording on at the end: wrong if it was off when called (inside no_grad)."""
    was_training = model.training
    model.eval()
    torch.set_grad_enabled(False)
    total, count = 0.0, 0
    for x, y in batches:
        total += metric(model(x), y).item() * len(x)
        count += len(x)
    torch.set_grad_enabled(True)
    model.train(was_training)
    return total / count


def returns_a_tensor(model: nn.Module, batches: list, metric: Callable[..., Tensor]) -> float:
    """Adds up tensors: right value, but not a float."""
    was_training = model.training
    model.eval()
    total, count = 0, 0
    with torch.no_grad():
        for x, y in batches:
            total = total + metric(model(x), y) * len(x)
            count += len(x)
    model.train(was_training)
    return total / count


def accuracy_whatever_the_metric(model: nn.Module, batches: list, metric: Callable[..., Tensor]) -> float:
    """Compares the classes itself and never calls the metric."""
    was_training = model.training
    model.eval()
    hits, count = 0, 0
    with torch.no_grad():
        for x, y in batches:
            hits += (model(x).argmax(dim=-1) == y).sum().item()
            count += len(x)
    model.train(was_training)
    return hits / count


def swaps_the_arguments(model: nn.Module, batches: list, metric: Callable[..., Tensor]) -> float:
    """Calls metric(y, outputs): right for symmetric metrics only."""
    was_training = model.training
    model.eval()
    total, count = 0.0, 0
    with torch.no_grad():
        for x, y in batches:
            total += metric(y, model(x)).item() * len(x)
            count += len(x)
    model.train(was_training)
    return total / count


def counts_from_one(model: nn.Module, batches: list, metric: Callable[..., Tensor]) -> float:
    """Starts the count at 1 "against division by zero": a little too small on every input but 0."""
    was_training = model.training
    model.eval()
    total, count = 0.0, 1
    with torch.no_grad():
        for x, y in batches:
            total += metric(model(x), y).item() * len(x)
            count += len(x)
    model.train(was_training)
    return total / count
