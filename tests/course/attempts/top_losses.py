"""Wrong attempts at `top_losses`, written by someone who has not seen the catalogue."""

import torch
from torch import Tensor
from torch.nn import functional


def _losses(probs: Tensor, targets: Tensor) -> Tensor:
    return -probs[torch.arange(len(targets)), targets].log()


def last_k_turned_around(probs: Tensor, targets: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Takes the last k of an upward order with [-k:]: reverse order of equal losses."""
    losses = _losses(probs, targets)
    positions = losses.argsort(stable=True)[-k:].flip(0)
    return losses[positions], positions


def logarithm_of_base_two(probs: Tensor, targets: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Takes log2: right photos, losses too large by 1.44."""
    losses = -probs[torch.arange(len(targets)), targets].log2()
    values, positions = losses.sort(stable=True, descending=True)
    return values[:k], positions[:k]


def forgets_the_minus(probs: Tensor, targets: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Leaves the minus out: the best photos come first."""
    losses = probs[torch.arange(len(targets)), targets].log()
    values, positions = losses.sort(stable=True, descending=True)
    return values[:k], positions[:k]


def one_minus_probability(probs: Tensor, targets: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Takes 1 - p for the loss: right photos, wrong losses."""
    losses = 1 - probs[torch.arange(len(targets)), targets]
    values, positions = losses.sort(stable=True, descending=True)
    return values[:k], positions[:k]


def loss_of_the_favourite(probs: Tensor, targets: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Takes the most likely class instead of the label: right where the answer is right."""
    losses = -probs.max(dim=1).values.log()
    values, positions = losses.sort(stable=True, descending=True)
    return values[:k], positions[:k]


def mistakes_only(probs: Tensor, targets: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Looks at wrong answers only: photos that were right but unsure are missing."""
    losses = _losses(probs, targets)
    wrong = torch.nonzero(probs.argmax(dim=1) != targets).squeeze(1)
    values, order = losses[wrong].sort(stable=True, descending=True)
    return values[:k], wrong[order[:k]]


def adds_a_small_number(probs: Tensor, targets: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Adds 1e-8 before the logarithm: a probability of 1e-10 loses 4.6 of its loss, though all are above 0."""
    losses = -(probs[torch.arange(len(targets)), targets] + 1e-8).log()
    values, positions = losses.sort(stable=True, descending=True)
    return values[:k], positions[:k]


def dtype_through_a_list(probs: Tensor, targets: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Makes a tensor from a list of numbers: float32 whatever the dtype of `probs`."""
    losses = torch.tensor([-row[target].log().item() for row, target in zip(probs, targets, strict=True)])
    values, positions = losses.sort(stable=True, descending=True)
    return values[:k], positions[:k]


def logarithm_in_place(probs: Tensor, targets: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Takes log_() of `probs`: right result, but the input is changed."""
    losses = -probs.log_()[torch.arange(len(targets)), targets]
    values, positions = losses.sort(stable=True, descending=True)
    return values[:k], positions[:k]


def positions_first(probs: Tensor, targets: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Returns the positions before the losses."""
    values, positions = _losses(probs, targets).sort(stable=True, descending=True)
    return positions[:k], values[:k]


def labels_for_positions(probs: Tensor, targets: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Returns the photos' labels instead of their positions."""
    values, positions = _losses(probs, targets).sort(stable=True, descending=True)
    return values[:k], targets[positions[:k]]


def ranks_for_positions(probs: Tensor, targets: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Sorts twice: the rank of each photo, not the photo of each rank. Right for swaps of two."""
    losses = _losses(probs, targets)
    ranks = losses.argsort(stable=True, descending=True).argsort(stable=True)
    return losses.sort(stable=True, descending=True).values[:k], ranks[:k]


def int32_positions(probs: Tensor, targets: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Returns the positions as int32."""
    values, positions = _losses(probs, targets).sort(stable=True, descending=True)
    return values[:k], positions[:k].int()


def lists(probs: Tensor, targets: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Returns two lists instead of tensors."""
    values, positions = _losses(probs, targets).sort(stable=True, descending=True)
    return values[:k].tolist(), positions[:k].tolist()


def all_photos(probs: Tensor, targets: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Sorts rightly and forgets k: right if k is N or more."""
    values, positions = _losses(probs, targets).sort(stable=True, descending=True)
    return values, positions


def all_columns_of_the_labels(probs: Tensor, targets: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Picks every label's column in every row: shape (N, N)."""
    losses = -probs[:, targets].log()
    values, positions = losses.sort(stable=True, descending=True)
    return values[:k], positions[:k]
