"""Wrong attempts at `cross_entropy_gradient`, written by someone who has not seen the catalogue."""

import torch
from torch import Tensor
from torch.nn import functional


def gradient_of_the_sum(logits: Tensor, targets: Tensor) -> Tensor:
    """Forgets to divide by N: right for one row, N times too large for N rows."""
    hot = functional.one_hot(targets, logits.shape[1])
    return torch.softmax(logits, dim=1) - hot


def divides_by_classes(logits: Tensor, targets: Tensor) -> Tensor:
    """Divides by C instead of N: right for square batches, wrong for (4, 3)."""
    hot = functional.one_hot(targets, logits.shape[1])
    return (torch.softmax(logits, dim=1) - hot) / logits.shape[1]


def divides_by_all_entries(logits: Tensor, targets: Tensor) -> Tensor:
    """Divides by N * C: C times too small on every input."""
    hot = functional.one_hot(targets, logits.shape[1])
    return (torch.softmax(logits, dim=1) - hot) / logits.numel()


def divides_by_one_less(logits: Tensor, targets: Tensor) -> Tensor:
    """Divides by N - 1: too large on every batch, infinite for one row."""
    hot = functional.one_hot(targets, logits.shape[1])
    return (torch.softmax(logits, dim=1) - hot) / (len(targets) - 1)


def sign_flipped(logits: Tensor, targets: Tensor) -> Tensor:
    """Returns (y - p) / N, the direction of descent: the sign is wrong on every input."""
    hot = functional.one_hot(targets, logits.shape[1])
    return (hot - torch.softmax(logits, dim=1)) / len(targets)


def forgets_the_targets(logits: Tensor, targets: Tensor) -> Tensor:
    """Returns p / N and never subtracts the one-hot rows: shows on every input."""
    return torch.softmax(logits, dim=1) / len(targets)


def divides_one_hot_only(logits: Tensor, targets: Tensor) -> Tensor:
    """Forgets the brackets, p - y / N: right for one row, wrong for two."""
    hot = functional.one_hot(targets, logits.shape[1])
    return torch.softmax(logits, dim=1) - hot / len(targets)


def normalises_columns(logits: Tensor, targets: Tensor) -> Tensor:
    """Takes the softmax along dimension 0: wrong in general, passes for constant square batches."""
    hot = functional.one_hot(targets, logits.shape[1])
    return (torch.softmax(logits, dim=0) - hot) / len(targets)


def softmax_of_everything(logits: Tensor, targets: Tensor) -> Tensor:
    """Takes one softmax over the whole batch: right for one row, wrong for two."""
    hot = functional.one_hot(targets, logits.shape[1])
    shares = torch.softmax(logits.flatten(), dim=0).view(logits.shape)
    return (shares - hot) / len(targets)


def one_hot_counts_classes(logits: Tensor, targets: Tensor) -> Tensor:
    """Lets one_hot guess C: raises or broadcasts when the last class is not among the targets."""
    return (torch.softmax(logits, dim=1) - functional.one_hot(targets)) / len(targets)


def all_rows_all_targets(logits: Tensor, targets: Tensor) -> Tensor:
    """Subtracts 1 at every target's column in every row: right for one row or one target repeated."""
    gradient = torch.softmax(logits, dim=1)
    gradient[:, targets] -= 1
    return gradient / len(targets)


def rows_of_the_targets(logits: Tensor, targets: Tensor) -> Tensor:
    """Subtracts 1 from whole rows numbered by the targets: wrong on every input of two or more classes."""
    gradient = torch.softmax(logits, dim=1)
    gradient[targets] -= 1
    return gradient / len(targets)


def subtracts_class_numbers(logits: Tensor, targets: Tensor) -> Tensor:
    """Subtracts the number of the class from the whole row instead of a one-hot row: always wrong."""
    return (torch.softmax(logits, dim=1) - targets.unsqueeze(1)) / len(targets)


def one_hot_transposed(logits: Tensor, targets: Tensor) -> Tensor:
    """Scatters along dimension 0, ones at (target, row): right for symmetric squares, else wrong or raises."""
    hot = torch.zeros_like(logits)
    hot.scatter_(0, targets.unsqueeze(0), 1.0)
    return (torch.softmax(logits, dim=1) - hot) / len(targets)


def flat_index_without_rows(logits: Tensor, targets: Tensor) -> Tensor:
    """Subtracts at the target's place in the flat tensor, in the first row: right for one row only."""
    gradient = torch.softmax(logits, dim=1).flatten()
    gradient[targets] -= 1
    return gradient.view(logits.shape) / len(targets)


def flat_index_with_wrong_stride(logits: Tensor, targets: Tensor) -> Tensor:
    """Steps by N instead of C in the flat tensor: right for square batches and one row, wrong for (2, 3)."""
    count = len(targets)
    gradient = torch.softmax(logits, dim=1).flatten()
    gradient[torch.arange(count) * count + targets] -= 1
    return gradient.view(logits.shape) / count


def diagonal_of_ones(logits: Tensor, targets: Tensor) -> Tensor:
    """Takes the identity for the one-hot rows: right for targets 0, 1, 2, ... in order only."""
    hot = torch.eye(len(targets), logits.shape[1])
    return (torch.softmax(logits, dim=1) - hot) / len(targets)


def sorted_targets(logits: Tensor, targets: Tensor) -> Tensor:
    """Sorts the targets, but not the rows: right for targets in rising order only."""
    hot = functional.one_hot(targets.sort().values, logits.shape[1])
    return (torch.softmax(logits, dim=1) - hot) / len(targets)


def favourite_for_target(logits: Tensor, targets: Tensor) -> Tensor:
    """Makes the one-hot rows from the predictions: right only if every target is the largest logit."""
    hot = functional.one_hot(logits.argmax(dim=1), logits.shape[1])
    return (torch.softmax(logits, dim=1) - hot) / len(targets)


def counts_classes_from_one(logits: Tensor, targets: Tensor) -> Tensor:
    """Subtracts one from the targets: the 1 goes to the neighbouring class, to the last for target 0."""
    rows = torch.arange(len(targets))
    gradient = torch.softmax(logits, dim=1)
    gradient[rows, targets - 1] -= 1
    return gradient / len(targets)


def overflowing_softmax(logits: Tensor, targets: Tensor) -> Tensor:
    """Writes the softmax itself without a shift: nan for logits of 1000."""
    hot = functional.one_hot(targets, logits.shape[1])
    powers = logits.exp()
    return (powers / powers.sum(dim=1, keepdim=True) - hot) / len(targets)


def one_maximum_for_all(logits: Tensor, targets: Tensor) -> Tensor:
    """One maximum for the whole batch: a row of 0 beside a row of 1000 becomes nan."""
    hot = functional.one_hot(targets, logits.shape[1])
    powers = (logits - logits.max()).exp()
    return (powers / powers.sum(dim=1, keepdim=True) - hot) / len(targets)


def sigmoid_instead_of_softmax(logits: Tensor, targets: Tensor) -> Tensor:
    """Uses the sigmoid, the gradient of another loss: rows don't add up to 0, (0, 0) passes."""
    hot = functional.one_hot(targets, logits.shape[1])
    return (logits.sigmoid() - hot) / len(targets)


def softmax_applied_twice(logits: Tensor, targets: Tensor) -> Tensor:
    """Takes the softmax of the softmax: wrong for (0, 5), uniform rows pass."""
    hot = functional.one_hot(targets, logits.shape[1])
    shares = torch.softmax(torch.softmax(logits, dim=1), dim=1)
    return (shares - hot) / len(targets)


def asks_autograd(logits: Tensor, targets: Tensor) -> Tensor:
    """Lets autograd do the work, which is not allowed: shows on every input."""
    leaf = logits.detach().clone().requires_grad_()
    loss = functional.cross_entropy(leaf, targets)
    return torch.autograd.grad(loss, leaf)[0]


def finite_differences(logits: Tensor, targets: Tensor) -> Tensor:
    """Moves each logit by 1e-3 and looks at the loss in float32: off by 1e-4 and more, worse at 1000."""
    step = 1e-3
    rows = torch.arange(len(targets))
    gradient = torch.zeros_like(logits)
    before = (torch.logsumexp(logits, dim=1) - logits[rows, targets]).mean()
    for i in range(logits.shape[0]):
        for j in range(logits.shape[1]):
            moved = logits.clone()
            moved[i, j] += step
            after = (torch.logsumexp(moved, dim=1) - moved[rows, targets]).mean()
            gradient[i, j] = (after - before) / step
    return gradient


def target_entries_only(logits: Tensor, targets: Tensor) -> Tensor:
    """Returns p - 1 at the targets, shape (N,) instead of (N, C)."""
    rows = torch.arange(len(targets))
    return (torch.softmax(logits, dim=1)[rows, targets] - 1) / len(targets)


def zero_off_the_target(logits: Tensor, targets: Tensor) -> Tensor:
    """Leaves the other classes without gradient: right at the target, 0 elsewhere on every input."""
    hot = functional.one_hot(targets, logits.shape[1])
    return (torch.softmax(logits, dim=1) - hot) * hot / len(targets)


def averaged_over_the_batch(logits: Tensor, targets: Tensor) -> Tensor:
    """Takes the mean over the rows: shape (C,) instead of (N, C)."""
    hot = functional.one_hot(targets, logits.shape[1])
    return (torch.softmax(logits, dim=1) - hot).mean(dim=0)


def transposed_result(logits: Tensor, targets: Tensor) -> Tensor:
    """Returns the transposed gradient, (C, N): a square batch has the right shape, but wrong values."""
    hot = functional.one_hot(targets, logits.shape[1])
    return ((torch.softmax(logits, dim=1) - hot) / len(targets)).T


def by_the_probabilities(logits: Tensor, targets: Tensor) -> Tensor:
    """Returns the gradient by the probabilities, -y / p / N, not by the logits: shows on every input."""
    hot = functional.one_hot(targets, logits.shape[1])
    return -hot / torch.softmax(logits, dim=1) / len(targets)


def times_softmax_slope(logits: Tensor, targets: Tensor) -> Tensor:
    """Multiplies by p (1 - p) once more, as for squared errors: too small on every ordinary input."""
    hot = functional.one_hot(targets, logits.shape[1])
    shares = torch.softmax(logits, dim=1)
    return (shares - hot) * shares * (1 - shares) / len(targets)


def subtracts_before_softmax(logits: Tensor, targets: Tensor) -> Tensor:
    """Subtracts the ones from the logits themselves, in place, then takes the softmax: wrong everywhere."""
    rows = torch.arange(len(targets))
    logits[rows, targets] -= 1
    return torch.softmax(logits, dim=1) / len(targets)


def floor_division(logits: Tensor, targets: Tensor) -> Tensor:
    """Divides by N with //: every entry becomes 0 or -1."""
    hot = functional.one_hot(targets, logits.shape[1])
    return (torch.softmax(logits, dim=1) - hot) // len(targets)


def integer_copy(logits: Tensor, targets: Tensor) -> Tensor:
    """Writes the result into an integer tensor: the fractions are cut off, dtype int64, nearly all 0."""
    gradient = torch.zeros(logits.shape, dtype=torch.int64)
    hot = functional.one_hot(targets, logits.shape[1])
    gradient[:] = (torch.softmax(logits, dim=1) - hot) / len(targets)
    return gradient


def through_float16(logits: Tensor, targets: Tensor) -> Tensor:
    """Rounds the logits to half precision: random rows are off by 1e-4, (1000.2, 1000) by 0.05."""
    hot = functional.one_hot(targets, logits.shape[1])
    return (torch.softmax(logits.half().float(), dim=1) - hot) / len(targets)


def clipped_to_norm_one(logits: Tensor, targets: Tensor) -> Tensor:
    """Clips the gradient's norm at 1: only a batch of one confidently wrong row, (0, 20) target 0, shows it."""
    hot = functional.one_hot(targets, logits.shape[1])
    gradient = (torch.softmax(logits, dim=1) - hot) / len(targets)
    return gradient / gradient.norm().clamp(min=1)


def skips_class_zero(logits: Tensor, targets: Tensor) -> Tensor:
    """Takes target 0 for padding: rows with target 0 get a gradient of 0."""
    hot = functional.one_hot(targets, logits.shape[1])
    gradient = (torch.softmax(logits, dim=1) - hot) / len(targets)
    gradient[targets == 0] = 0
    return gradient


def nested_lists(logits: Tensor, targets: Tensor) -> Tensor:
    """Returns nested Python lists instead of a tensor: shows on every input."""
    hot = functional.one_hot(targets, logits.shape[1])
    return ((torch.softmax(logits, dim=1) - hot) / len(targets)).tolist()


def prints_result(logits: Tensor, targets: Tensor) -> Tensor:
    """Prints the gradient and returns None: shows on every input."""
    hot = functional.one_hot(targets, logits.shape[1])
    print((torch.softmax(logits, dim=1) - hot) / len(targets))
