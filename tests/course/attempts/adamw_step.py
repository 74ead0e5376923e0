"""Wrong attempts at `adamw_step`, written by someone who has not seen the catalogue."""

import torch
from torch import Tensor


def _averages(grad: Tensor, mean: Tensor, square: Tensor, betas: tuple[float, float]) -> tuple[Tensor, Tensor]:
    """Returns the new running averages (right)."""
    return betas[0] * mean + (1 - betas[0]) * grad, betas[1] * square + (1 - betas[1]) * grad**2


def corrects_the_mean_only(
    w: Tensor,
    grad: Tensor,
    mean: Tensor,
    square: Tensor,
    step: int,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> tuple[Tensor, Tensor, Tensor]:
    """Leaves the square uncorrected."""
    mean, square = _averages(grad, mean, square, betas)
    hat = mean / (1 - betas[0] ** step)
    return w * (1 - lr * weight_decay) - lr * hat / (square.sqrt() + eps), mean, square


def decay_in_the_gradient(
    w: Tensor,
    grad: Tensor,
    mean: Tensor,
    square: Tensor,
    step: int,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> tuple[Tensor, Tensor, Tensor]:
    """Adds the decay to the gradient, as Adam does: right for weight_decay 0 only."""
    mean, square = _averages(grad + weight_decay * w, mean, square, betas)
    hat, hat_square = mean / (1 - betas[0] ** step), square / (1 - betas[1] ** step)
    return w - lr * hat / (hat_square.sqrt() + eps), mean, square


def decay_without_the_rate(
    w: Tensor,
    grad: Tensor,
    mean: Tensor,
    square: Tensor,
    step: int,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> tuple[Tensor, Tensor, Tensor]:
    """Shrinks `w` by 1 - weight_decay: the rate is missing."""
    mean, square = _averages(grad, mean, square, betas)
    hat, hat_square = mean / (1 - betas[0] ** step), square / (1 - betas[1] ** step)
    return w * (1 - weight_decay) - lr * hat / (hat_square.sqrt() + eps), mean, square


def decay_of_the_new_weights(
    w: Tensor,
    grad: Tensor,
    mean: Tensor,
    square: Tensor,
    step: int,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> tuple[Tensor, Tensor, Tensor]:
    """Shrinks after the step: the step is shrunk too ("shrinks the old `w`"). Off by lr * lr * weight_decay only."""
    mean, square = _averages(grad, mean, square, betas)
    hat, hat_square = mean / (1 - betas[0] ** step), square / (1 - betas[1] ** step)
    return (w - lr * hat / (hat_square.sqrt() + eps)) * (1 - lr * weight_decay), mean, square


def decay_of_matrices_only(
    w: Tensor,
    grad: Tensor,
    mean: Tensor,
    square: Tensor,
    step: int,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> tuple[Tensor, Tensor, Tensor]:
    """Spares tensors with one dimension or none, as one does for biases: "any shape"."""
    mean, square = _averages(grad, mean, square, betas)
    hat, hat_square = mean / (1 - betas[0] ** step), square / (1 - betas[1] ** step)
    if w.dim() > 1:
        w = w * (1 - lr * weight_decay)
    return w - lr * hat / (hat_square.sqrt() + eps), mean, square


def decay_of_the_averages_too(
    w: Tensor,
    grad: Tensor,
    mean: Tensor,
    square: Tensor,
    step: int,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> tuple[Tensor, Tensor, Tensor]:
    """Shrinks the mean as well: the decay touches nothing but `w`."""
    mean, square = _averages(grad, mean, square, betas)
    mean = mean * (1 - lr * weight_decay)
    hat, hat_square = mean / (1 - betas[0] ** step), square / (1 - betas[1] ** step)
    return w * (1 - lr * weight_decay) - lr * hat / (hat_square.sqrt() + eps), mean, square


def eps_under_the_root(
    w: Tensor,
    grad: Tensor,
    mean: Tensor,
    square: Tensor,
    step: int,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> tuple[Tensor, Tensor, Tensor]:
    """Adds eps before the root: shows for small gradients or a large eps."""
    mean, square = _averages(grad, mean, square, betas)
    hat, hat_square = mean / (1 - betas[0] ** step), square / (1 - betas[1] ** step)
    return w * (1 - lr * weight_decay) - lr * hat / (hat_square + eps).sqrt(), mean, square


def eps_before_the_correction(
    w: Tensor,
    grad: Tensor,
    mean: Tensor,
    square: Tensor,
    step: int,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> tuple[Tensor, Tensor, Tensor]:
    """Adds eps to the root of the uncorrected square: shows for small gradients or a large eps."""
    mean, square = _averages(grad, mean, square, betas)
    hat = mean / (1 - betas[0] ** step)
    root = (square.sqrt() + eps) / (1 - betas[1] ** step) ** 0.5
    return w * (1 - lr * weight_decay) - lr * hat / root, mean, square


def forgets_eps(
    w: Tensor,
    grad: Tensor,
    mean: Tensor,
    square: Tensor,
    step: int,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> tuple[Tensor, Tensor, Tensor]:
    """Adds no eps: 0 / 0 is nan where the gradient is zero."""
    mean, square = _averages(grad, mean, square, betas)
    hat, hat_square = mean / (1 - betas[0] ** step), square / (1 - betas[1] ** step)
    return w * (1 - lr * weight_decay) - lr * hat / hat_square.sqrt(), mean, square


def counts_steps_from_zero(
    w: Tensor,
    grad: Tensor,
    mean: Tensor,
    square: Tensor,
    step: int,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> tuple[Tensor, Tensor, Tensor]:
    """Corrects with step + 1, as if the first step were 0."""
    mean, square = _averages(grad, mean, square, betas)
    hat, hat_square = mean / (1 - betas[0] ** (step + 1)), square / (1 - betas[1] ** (step + 1))
    return w * (1 - lr * weight_decay) - lr * hat / (hat_square.sqrt() + eps), mean, square


def product_for_power(
    w: Tensor,
    grad: Tensor,
    mean: Tensor,
    square: Tensor,
    step: int,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> tuple[Tensor, Tensor, Tensor]:
    """Corrects with 1 - beta * step: right in the first step only."""
    mean, square = _averages(grad, mean, square, betas)
    hat, hat_square = mean / (1 - betas[0] * step), square / (1 - betas[1] * step)
    return w * (1 - lr * weight_decay) - lr * hat / (hat_square.sqrt() + eps), mean, square


def forgets_the_root(
    w: Tensor,
    grad: Tensor,
    mean: Tensor,
    square: Tensor,
    step: int,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> tuple[Tensor, Tensor, Tensor]:
    """Divides by the square itself."""
    mean, square = _averages(grad, mean, square, betas)
    hat, hat_square = mean / (1 - betas[0] ** step), square / (1 - betas[1] ** step)
    return w * (1 - lr * weight_decay) - lr * hat / (hat_square + eps), mean, square


def one_beta_for_both_corrections(
    w: Tensor,
    grad: Tensor,
    mean: Tensor,
    square: Tensor,
    step: int,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> tuple[Tensor, Tensor, Tensor]:
    """Corrects the square with the first beta."""
    mean, square = _averages(grad, mean, square, betas)
    hat, hat_square = mean / (1 - betas[0] ** step), square / (1 - betas[0] ** step)
    return w * (1 - lr * weight_decay) - lr * hat / (hat_square.sqrt() + eps), mean, square


def changes_the_averages(
    w: Tensor,
    grad: Tensor,
    mean: Tensor,
    square: Tensor,
    step: int,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> tuple[Tensor, Tensor, Tensor]:
    """Updates the averages in place: right values, but the arguments are changed."""
    mean.mul_(betas[0]).add_(grad, alpha=1 - betas[0])
    square.mul_(betas[1]).addcmul_(grad, grad, value=1 - betas[1])
    hat, hat_square = mean / (1 - betas[0] ** step), square / (1 - betas[1] ** step)
    return w * (1 - lr * weight_decay) - lr * hat / (hat_square.sqrt() + eps), mean, square


def in_single_precision(
    w: Tensor,
    grad: Tensor,
    mean: Tensor,
    square: Tensor,
    step: int,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> tuple[Tensor, Tensor, Tensor]:
    """Turns all into float32: float64 loses its dtype."""
    w, grad, mean, square = w.float(), grad.float(), mean.float(), square.float()
    mean, square = _averages(grad, mean, square, betas)
    hat, hat_square = mean / (1 - betas[0] ** step), square / (1 - betas[1] ** step)
    return w * (1 - lr * weight_decay) - lr * hat / (hat_square.sqrt() + eps), mean, square


def goes_uphill(
    w: Tensor,
    grad: Tensor,
    mean: Tensor,
    square: Tensor,
    step: int,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> tuple[Tensor, Tensor, Tensor]:
    """Adds the step."""
    mean, square = _averages(grad, mean, square, betas)
    hat, hat_square = mean / (1 - betas[0] ** step), square / (1 - betas[1] ** step)
    return w * (1 - lr * weight_decay) + lr * hat / (hat_square.sqrt() + eps), mean, square
