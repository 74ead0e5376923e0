"""Wrong attempts at `scaled_step`, written by someone who has not seen the catalogue."""

import torch
from torch import Tensor
from torch.optim import Optimizer


def _with_gradient(optimiser: Optimizer) -> list[Tensor]:
    return [p for group in optimiser.param_groups for p in group["params"] if p.grad is not None]


def divides_the_loss_again(loss: Tensor, optimiser: Optimizer, scale: float) -> bool:
    """Multiplies the loss and divides it before the backward pass: nothing is scaled there."""
    optimiser.zero_grad()
    (loss * scale / scale).backward()
    if not all(p.grad.isfinite().all() for p in _with_gradient(optimiser)):
        return False
    optimiser.step()
    return True


def forgets_to_divide(loss: Tensor, optimiser: Optimizer, scale: float) -> bool:
    """Steps with the scaled gradients: `scale` times too far for SGD, hardly to be seen with Adam."""
    optimiser.zero_grad()
    (loss * scale).backward()
    if not all(p.grad.isfinite().all() for p in _with_gradient(optimiser)):
        return False
    optimiser.step()
    return True


def divides_the_rate_instead(loss: Tensor, optimiser: Optimizer, scale: float) -> bool:
    """Divides the learning rates for one step: right for plain SGD; with momentum, decay or Adam it isn't."""
    optimiser.zero_grad()
    (loss * scale).backward()
    if not all(p.grad.isfinite().all() for p in _with_gradient(optimiser)):
        return False
    rates = [group["lr"] for group in optimiser.param_groups]
    for group in optimiser.param_groups:
        group["lr"] = group["lr"] / scale
    optimiser.step()
    for group, rate in zip(optimiser.param_groups, rates, strict=True):
        group["lr"] = rate
    return True


def divides_the_first_group_only(loss: Tensor, optimiser: Optimizer, scale: float) -> bool:
    """Divides the gradients of the first parameter group: those of the others stay scaled."""
    optimiser.zero_grad()
    (loss * scale).backward()
    for p in optimiser.param_groups[0]["params"]:
        if p.grad is not None:
            p.grad /= scale
    if not all(p.grad.isfinite().all() for p in _with_gradient(optimiser)):
        return False
    optimiser.step()
    return True


def checks_the_last_parameter_only(loss: Tensor, optimiser: Optimizer, scale: float) -> bool:
    """Overwrites the verdict for each parameter: the last one decides."""
    optimiser.zero_grad()
    (loss * scale).backward()
    good = True
    for p in _with_gradient(optimiser):
        p.grad /= scale
        good = bool(p.grad.isfinite().all())
    if good:
        optimiser.step()
    return good


def any_finite_number_will_do(loss: Tensor, optimiser: Optimizer, scale: float) -> bool:
    """Skips only if no number at all of a gradient is finite: one infinite number among others goes through."""
    optimiser.zero_grad()
    (loss * scale).backward()
    for p in _with_gradient(optimiser):
        p.grad /= scale
    if not all(p.grad.isfinite().any() for p in _with_gradient(optimiser)):
        return False
    optimiser.step()
    return True


def checks_for_nan_only(loss: Tensor, optimiser: Optimizer, scale: float) -> bool:
    """Looks for nan: an infinite gradient goes into the weights."""
    optimiser.zero_grad()
    (loss * scale).backward()
    for p in _with_gradient(optimiser):
        p.grad /= scale
    if any(p.grad.isnan().any() for p in _with_gradient(optimiser)):
        return False
    optimiser.step()
    return True


def checks_for_infinity_only(loss: Tensor, optimiser: Optimizer, scale: float) -> bool:
    """Looks for infinities: a nan goes into the weights."""
    optimiser.zero_grad()
    (loss * scale).backward()
    for p in _with_gradient(optimiser):
        p.grad /= scale
    if any(p.grad.isinf().any() for p in _with_gradient(optimiser)):
        return False
    optimiser.step()
    return True


def checks_the_loss(loss: Tensor, optimiser: Optimizer, scale: float) -> bool:
    """Looks at the scaled loss, not at the gradients: they overflow in float16 while the loss is finite."""
    optimiser.zero_grad()
    scaled = loss * scale
    if not scaled.isfinite():
        return False
    scaled.backward()
    for p in _with_gradient(optimiser):
        p.grad /= scale
    optimiser.step()
    return True


def never_skips(loss: Tensor, optimiser: Optimizer, scale: float) -> bool:
    """Steps whatever the gradients are."""
    optimiser.zero_grad()
    (loss * scale).backward()
    for p in _with_gradient(optimiser):
        p.grad /= scale
    optimiser.step()
    return True


def checks_after_the_step(loss: Tensor, optimiser: Optimizer, scale: float) -> bool:
    """Steps first and then looks at the gradients: the weights are spoilt already."""
    optimiser.zero_grad()
    (loss * scale).backward()
    for p in _with_gradient(optimiser):
        p.grad /= scale
    optimiser.step()
    return all(bool(p.grad.isfinite().all()) for p in _with_gradient(optimiser))


def repairs_the_gradients(loss: Tensor, optimiser: Optimizer, scale: float) -> bool:
    """Replaces nan and infinities by numbers and steps: the step should be skipped."""
    optimiser.zero_grad()
    (loss * scale).backward()
    for p in _with_gradient(optimiser):
        p.grad = torch.nan_to_num(p.grad, nan=0.0, posinf=0.0, neginf=0.0) / scale
    optimiser.step()
    return True


def fails_without_a_gradient(loss: Tensor, optimiser: Optimizer, scale: float) -> bool:
    """Divides the gradient of every parameter: TypeError where there's none."""
    optimiser.zero_grad()
    (loss * scale).backward()
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    for p in parameters:
        p.grad = p.grad / scale
    if not all(p.grad.isfinite().all() for p in parameters):
        return False
    optimiser.step()
    return True


def clears_after_the_step_only(loss: Tensor, optimiser: Optimizer, scale: float) -> bool:
    """Clears the gradients at the end: right from the second call on, unless others leave some, or it skips."""
    (loss * scale).backward()
    for p in _with_gradient(optimiser):
        p.grad /= scale
    if not all(p.grad.isfinite().all() for p in _with_gradient(optimiser)):
        return False
    optimiser.step()
    optimiser.zero_grad()
    return True


def says_whether_it_skipped(loss: Tensor, optimiser: Optimizer, scale: float) -> bool:
    """Returns True for a skipped step and False for one that was taken."""
    optimiser.zero_grad()
    (loss * scale).backward()
    for p in _with_gradient(optimiser):
        p.grad /= scale
    if not all(p.grad.isfinite().all() for p in _with_gradient(optimiser)):
        return True
    optimiser.step()
    return False


def returns_nothing(loss: Tensor, optimiser: Optimizer, scale: float) -> bool:
    """Forgets to say whether the step was taken."""
    optimiser.zero_grad()
    (loss * scale).backward()
    for p in _with_gradient(optimiser):
        p.grad /= scale
    if all(p.grad.isfinite().all() for p in _with_gradient(optimiser)):
        optimiser.step()
