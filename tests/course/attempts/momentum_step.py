"""Wrong attempts at `momentum_step`, written by someone who has not seen the catalogue."""

import torch
from torch import Tensor


def running_average(
    w: Tensor, grad: Tensor, velocity: Tensor, lr: float, momentum: float = 0.9
) -> tuple[Tensor, Tensor]:
    """Gives the gradient the share 1 - momentum (torch's dampening): right for momentum 0 only."""
    velocity = momentum * velocity + (1 - momentum) * grad
    return w - lr * velocity, velocity


def velocity_holds_the_rate(
    w: Tensor, grad: Tensor, velocity: Tensor, lr: float, momentum: float = 0.9
) -> tuple[Tensor, Tensor]:
    """Puts the rate into the velocity: `w` is right as long as the rate stays the same, the velocity isn't."""
    velocity = momentum * velocity + lr * grad
    return w - velocity, velocity


def velocity_with_minus(
    w: Tensor, grad: Tensor, velocity: Tensor, lr: float, momentum: float = 0.9
) -> tuple[Tensor, Tensor]:
    """Keeps the velocity with the opposite sign: `w` is right, the velocity isn't."""
    velocity = momentum * velocity - grad
    return w + lr * velocity, velocity


def nesterov(w: Tensor, grad: Tensor, velocity: Tensor, lr: float, momentum: float = 0.9) -> tuple[Tensor, Tensor]:
    """Looks ahead as nesterov=True does: the velocity is right, `w` isn't."""
    velocity = momentum * velocity + grad
    return w - lr * (grad + momentum * velocity), velocity


def moves_by_the_old_velocity(
    w: Tensor, grad: Tensor, velocity: Tensor, lr: float, momentum: float = 0.9
) -> tuple[Tensor, Tensor]:
    """Moves `w` by the velocity of the last step: the first step doesn't move it."""
    return w - lr * velocity, momentum * velocity + grad


def moves_by_the_gradient(
    w: Tensor, grad: Tensor, velocity: Tensor, lr: float, momentum: float = 0.9
) -> tuple[Tensor, Tensor]:
    """Moves `w` by the gradient alone: right in the first step."""
    return w - lr * grad, momentum * velocity + grad


def momentum_for_the_sum(
    w: Tensor, grad: Tensor, velocity: Tensor, lr: float, momentum: float = 0.9
) -> tuple[Tensor, Tensor]:
    """Multiplies the gradient by the momentum too."""
    velocity = momentum * (velocity + grad)
    return w - lr * velocity, velocity


def goes_uphill(w: Tensor, grad: Tensor, velocity: Tensor, lr: float, momentum: float = 0.9) -> tuple[Tensor, Tensor]:
    """Adds where it should subtract."""
    velocity = momentum * velocity + grad
    return w + lr * velocity, velocity


def swaps_the_results(
    w: Tensor, grad: Tensor, velocity: Tensor, lr: float, momentum: float = 0.9
) -> tuple[Tensor, Tensor]:
    """Returns the velocity first."""
    velocity = momentum * velocity + grad
    return velocity, w - lr * velocity


def returns_the_weights_only(
    w: Tensor, grad: Tensor, velocity: Tensor, lr: float, momentum: float = 0.9
) -> tuple[Tensor, Tensor]:
    """Returns the new `w` alone: the velocity is lost."""
    return w - lr * (momentum * velocity + grad)


def changes_a_second_name(
    w: Tensor, grad: Tensor, velocity: Tensor, lr: float, momentum: float = 0.9
) -> tuple[Tensor, Tensor]:
    """Gives the velocity a second name and changes that: it's the same tensor."""
    new_velocity = velocity
    new_velocity *= momentum
    new_velocity += grad
    return w - lr * new_velocity, new_velocity


def ignores_the_momentum(
    w: Tensor, grad: Tensor, velocity: Tensor, lr: float, momentum: float = 0.9
) -> tuple[Tensor, Tensor]:
    """Always takes 0.9."""
    velocity = 0.9 * velocity + grad
    return w - lr * velocity, velocity


def in_single_precision(
    w: Tensor, grad: Tensor, velocity: Tensor, lr: float, momentum: float = 0.9
) -> tuple[Tensor, Tensor]:
    """Turns all into float32: float64 loses its dtype."""
    w, grad, velocity = w.float(), grad.float(), velocity.float()
    velocity = momentum * velocity + grad
    return w - lr * velocity, velocity


def row_by_row(w: Tensor, grad: Tensor, velocity: Tensor, lr: float, momentum: float = 0.9) -> tuple[Tensor, Tensor]:
    """Loops over the first dimension: fails for a tensor without dimensions ("any shape")."""
    new_velocity = torch.stack([momentum * velocity[i] + grad[i] for i in range(len(w))])
    new_w = torch.stack([w[i] - lr * new_velocity[i] for i in range(len(w))])
    return new_w, new_velocity


def number_by_number(
    w: Tensor, grad: Tensor, velocity: Tensor, lr: float, momentum: float = 0.9
) -> tuple[Tensor, Tensor]:
    """Loops over all numbers and makes flat tensors from lists: shape and dtype are lost."""
    new_velocity = [momentum * v + g for v, g in zip(velocity.flatten().tolist(), grad.flatten().tolist(), strict=True)]
    new_w = [x - lr * v for x, v in zip(w.flatten().tolist(), new_velocity, strict=True)]
    return torch.tensor(new_w), torch.tensor(new_velocity)


def limits_the_velocity(
    w: Tensor, grad: Tensor, velocity: Tensor, lr: float, momentum: float = 0.9
) -> tuple[Tensor, Tensor]:
    """Keeps the velocity between -1 and 1: right for small gradients."""
    velocity = (momentum * velocity + grad).clamp(-1, 1)
    return w - lr * velocity, velocity
