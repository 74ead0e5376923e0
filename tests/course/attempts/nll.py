"""Wrong attempts at `nll`, written by someone who has not seen the catalogue."""

import torch
from torch import Tensor
from torch.nn import functional


def forgets_the_minus(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Returns the mean log-likelihood without the minus: negative on every ordinary batch."""
    rows = torch.arange(len(targets))
    return log_probs[rows, targets].mean()


def sum_over_rows(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Adds up instead of averaging: right for one row, N times too large for N rows."""
    rows = torch.arange(len(targets))
    return -log_probs[rows, targets].sum()


def divides_by_classes(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Divides the sum by C instead of N: right for square batches, wrong for (4, 3)."""
    rows = torch.arange(len(targets))
    return -log_probs[rows, targets].sum() / log_probs.shape[1]


def all_rows_all_targets(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Takes every target's column in every row: right for one row or one target repeated, else wrong."""
    return -log_probs[:, targets].mean()


def no_mean(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Returns the losses row by row, shape (N,) instead of a tensor without dimensions."""
    rows = torch.arange(len(targets))
    return -log_probs[rows, targets]


def python_number(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Returns a Python float through item(): not a tensor and no gradient on any input."""
    rows = torch.arange(len(targets))
    return -log_probs[rows, targets].mean().item()


def detached_from_graph(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Detaches the log-probabilities: right value, no gradient when they require one."""
    rows = torch.arange(len(targets))
    return -log_probs.detach()[rows, targets].mean()


def rebuilt_from_numbers(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Collects Python numbers in a loop and makes a new tensor: right value, no gradient."""
    losses = []
    for i, target in enumerate(targets):
        losses.append(-log_probs[i, target].item())
    return torch.tensor(losses).mean()


def one_dimension_left(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Averages a gathered column along dimension 0: shape (1,) instead of ()."""
    picked = log_probs.gather(1, targets.unsqueeze(1))
    return -picked.mean(dim=0)


def logarithm_again(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Takes the log of what is a log already: nan on every ordinary batch."""
    rows = torch.arange(len(targets))
    return -log_probs[rows, targets].log().mean()


def probabilities_not_logs(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Averages the probabilities instead of their logs: a negative number on every input."""
    rows = torch.arange(len(targets))
    return -log_probs.exp()[rows, targets].mean()


def log_of_mean_probability(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Averages before the log: right for one row or equal rows, too small when the rows differ."""
    rows = torch.arange(len(targets))
    return -log_probs[rows, targets].exp().mean().log()


def one_hot_mean_of_all(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Averages the one-hot product over N * C entries: C times too small on every input."""
    hot = functional.one_hot(targets, log_probs.shape[1])
    return -(log_probs * hot).mean()


def one_hot_counts_classes(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Lets one_hot guess C: raises or broadcasts when the last class is not among the targets."""
    hot = functional.one_hot(targets)
    return -(log_probs * hot).sum(dim=1).mean()


def most_likely_class(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Takes the largest log-probability of each row: right only if every target is the favourite."""
    return -log_probs.max(dim=1).values.mean()


def entropy_of_rows(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Returns the mean entropy and never looks at the targets: right for uniform rows only."""
    return -(log_probs.exp() * log_probs).sum(dim=1).mean()


def gathers_down_columns(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Gathers along dimension 0, so picks (target, row): right for symmetric squares, else wrong or raises."""
    return -log_probs.gather(0, targets.unsqueeze(0)).mean()


def counts_classes_from_one(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Subtracts one from the targets: picks the neighbouring class, and the last one for target 0."""
    rows = torch.arange(len(targets))
    return -log_probs[rows, targets - 1].mean()


def rows_of_the_targets(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Indexes rows by the targets and averages them: passes uniform values, raises for targets beyond N."""
    return -log_probs[targets].mean()


def diagonal_only(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Takes the diagonal: right for targets 0, 1, 2, ... in order only."""
    return -log_probs.diagonal().mean()


def flat_index_without_rows(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Indexes the flat tensor by the target: always the first row, right for one row or equal rows."""
    return -log_probs.flatten()[targets].mean()


def flat_index_with_wrong_stride(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Steps by N instead of C in the flat tensor: right for square batches and one row, wrong for (2, 3)."""
    count = len(targets)
    return -log_probs.flatten()[torch.arange(count) * count + targets].mean()


def row_numbers_from_classes(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Makes arange of C instead of N: right for square batches, raises for (4, 3)."""
    rows = torch.arange(log_probs.shape[1])
    return -log_probs[rows, targets].mean()


def mean_of_class_means(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Averages within each class first: right if all targets are equally frequent, wrong for (0, 0, 1)."""
    means = [-log_probs[targets == label, label].mean() for label in targets.unique()]
    return torch.stack(means).mean()


def skips_class_zero(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Takes target 0 for padding and leaves it out: wrong with a 0 among the targets, nan if all are 0."""
    kept = torch.nonzero(targets).squeeze(1)
    return -log_probs[kept, targets[kept]].mean()


def sorted_targets(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Sorts the targets, but not the rows: right for targets in rising order only."""
    rows = torch.arange(len(targets))
    return -log_probs[rows, targets.sort().values].mean()


def leaves_out_last_row(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Loops up to N - 1 but divides by N: the last row is missing, one row gives 0."""
    total = log_probs.sum() * 0
    for i in range(len(targets) - 1):
        total = total - log_probs[i, targets[i]]
    return total / len(targets)


def keeps_last_row_only(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Overwrites the total instead of adding to it: right for one row, wrong for two."""
    for i, target in enumerate(targets):
        total = -log_probs[i, target]
    return total / len(targets)


def returns_inside_the_loop(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Returns in the first turn of the loop: the first row's loss, right for one row or equal rows."""
    total = 0
    for i, target in enumerate(targets):
        total = total - log_probs[i, target]
        return total / (i + 1)


def divides_by_one_less(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Divides by N - 1 as a variance would: too large on every batch, infinite for one row."""
    rows = torch.arange(len(targets))
    return -log_probs[rows, targets].sum() / (len(targets) - 1)


def median_of_rows(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Takes the median instead of the mean: right for one row or equal losses, wrong for (1, 2, 9)."""
    rows = torch.arange(len(targets))
    return -log_probs[rows, targets].median()


def capped_at_hundred(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Clamps the log-probabilities at -100: a target with -1000 counts 100 and gets no gradient."""
    rows = torch.arange(len(targets))
    return -log_probs.clamp(min=-100)[rows, targets].mean()


def through_float16(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Rounds to half precision on the way: ordinary batches are off by some 1e-4."""
    rows = torch.arange(len(targets))
    return -log_probs.half()[rows, targets].float().mean()


def rounded_to_four_places(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Rounds the loss to four decimals: nearly right, but the gradient is zero everywhere."""
    rows = torch.arange(len(targets))
    return -log_probs[rows, targets].mean().round(decimals=4)


def negates_input_in_place(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Multiplies its input by -1 in place: raises for a leaf that requires grad, and spoils the caller's."""
    log_probs *= -1
    rows = torch.arange(len(targets))
    return log_probs[rows, targets].mean()


def float_indices(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Turns the targets into floats before indexing with them: IndexError on every input."""
    rows = torch.arange(len(targets))
    return -log_probs[rows, targets.float()].mean()


def prints_result(log_probs: Tensor, targets: Tensor) -> Tensor:
    """Prints the loss and returns None: shows on every input."""
    rows = torch.arange(len(targets))
    print("loss:", -log_probs[rows, targets].mean())
