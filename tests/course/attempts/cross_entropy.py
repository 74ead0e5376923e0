"""Wrong attempts at `cross_entropy`, written by someone who has not seen the catalogue."""

import torch
from torch import Tensor
from torch.nn import functional


def plain_formula(logits: Tensor, targets: Tensor) -> Tensor:
    """Writes the softmax without a shift: nan for logits of 1000."""
    rows = torch.arange(len(targets))
    powers = logits.exp()
    shares = powers / powers.sum(dim=1, keepdim=True)
    return -shares[rows, targets].log().mean()


def log_of_stable_softmax(logits: Tensor, targets: Tensor) -> Tensor:
    """Takes the log after a shifted softmax: (0, 200) with target 0 is inf instead of 200."""
    rows = torch.arange(len(targets))
    powers = (logits - logits.amax(dim=1, keepdim=True)).exp()
    shares = powers / powers.sum(dim=1, keepdim=True)
    return -shares[rows, targets].log().mean()


def log_plus_epsilon(logits: Tensor, targets: Tensor) -> Tensor:
    """Adds 1e-9 before the log: (0, 1000) with target 0 costs 20.7 instead of 1000."""
    rows = torch.arange(len(targets))
    powers = (logits - logits.amax(dim=1, keepdim=True)).exp()
    shares = powers / powers.sum(dim=1, keepdim=True)
    return -(shares[rows, targets] + 1e-9).log().mean()


def clamped_probabilities(logits: Tensor, targets: Tensor) -> Tensor:
    """Clamps probabilities at 1e-7: (0, 30) with target 0 costs 16.1 and gets no gradient."""
    rows = torch.arange(len(targets))
    powers = (logits - logits.amax(dim=1, keepdim=True)).exp()
    shares = (powers / powers.sum(dim=1, keepdim=True)).clamp(min=1e-7)
    return -shares[rows, targets].log().mean()


def calls_torch_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Calls torch's cross_entropy, which is not allowed: shows on every input."""
    return functional.cross_entropy(logits, targets)


def calls_log_softmax(logits: Tensor, targets: Tensor) -> Tensor:
    """Indexes by hand, but calls torch's log_softmax, which is not allowed: shows on every input."""
    rows = torch.arange(len(targets))
    return -logits.log_softmax(dim=1)[rows, targets].mean()


def sum_over_rows(logits: Tensor, targets: Tensor) -> Tensor:
    """Adds up instead of averaging: right for one row, N times too large for N rows."""
    rows = torch.arange(len(targets))
    return (torch.logsumexp(logits, dim=1) - logits[rows, targets]).sum()


def divides_by_classes(logits: Tensor, targets: Tensor) -> Tensor:
    """Divides the sum by C instead of N: right for square batches, wrong for (4, 3)."""
    rows = torch.arange(len(targets))
    losses = torch.logsumexp(logits, dim=1) - logits[rows, targets]
    return losses.sum() / logits.shape[1]


def one_hot_mean_of_all(logits: Tensor, targets: Tensor) -> Tensor:
    """Averages the one-hot product over all N * C entries: C times too small on every input."""
    hot = functional.one_hot(targets, logits.shape[1])
    logs = logits - torch.logsumexp(logits, dim=1, keepdim=True)
    return -(hot * logs).mean()


def one_hot_counts_classes(logits: Tensor, targets: Tensor) -> Tensor:
    """Lets one_hot guess C: raises or broadcasts when the last class is not among the targets."""
    hot = functional.one_hot(targets)
    logs = logits - torch.logsumexp(logits, dim=1, keepdim=True)
    return -(hot * logs).sum(dim=1).mean()


def normalises_columns(logits: Tensor, targets: Tensor) -> Tensor:
    """Normalises along dimension 0, over the batch: wrong in general, one row always costs 0."""
    rows = torch.arange(len(targets))
    logs = logits - torch.logsumexp(logits, dim=0, keepdim=True)
    return -logs[rows, targets].mean()


def normalises_everything(logits: Tensor, targets: Tensor) -> Tensor:
    """One normaliser for the whole batch: right for one row, wrong for two."""
    rows = torch.arange(len(targets))
    logs = logits - torch.logsumexp(logits.flatten(), dim=0)
    return -logs[rows, targets].mean()


def one_maximum_for_all(logits: Tensor, targets: Tensor) -> Tensor:
    """One maximum for the whole batch: a row of 0 beside a row of 1000 becomes infinite."""
    rows = torch.arange(len(targets))
    shifted = logits - logits.max()
    logs = shifted - shifted.exp().sum(dim=1, keepdim=True).log()
    return -logs[rows, targets].mean()


def logsumexp_without_keepdim(logits: Tensor, targets: Tensor) -> Tensor:
    """Forgets keepdim: a square batch gets other rows' normalisers, others raise, one row passes."""
    rows = torch.arange(len(targets))
    logs = logits - torch.logsumexp(logits, dim=1)
    return -logs[rows, targets].mean()


def all_rows_all_targets(logits: Tensor, targets: Tensor) -> Tensor:
    """Takes every target's column in every row: right for one row or one target repeated, else wrong."""
    logs = logits - torch.logsumexp(logits, dim=1, keepdim=True)
    return -logs[:, targets].mean()


def logits_taken_for_logs(logits: Tensor, targets: Tensor) -> Tensor:
    """Forgets the softmax: right only if the logits are log-probabilities already, wrong for zeros."""
    rows = torch.arange(len(targets))
    return -logits[rows, targets].mean()


def softmax_applied_twice(logits: Tensor, targets: Tensor) -> Tensor:
    """Treats the probabilities as logits once more: far too flat on (0, 5), uniform rows pass."""
    rows = torch.arange(len(targets))
    shares = (logits - torch.logsumexp(logits, dim=1, keepdim=True)).exp()
    return (torch.logsumexp(shares, dim=1) - shares[rows, targets]).mean()


def python_number(logits: Tensor, targets: Tensor) -> Tensor:
    """Returns a Python float: not a tensor and no gradient on any input."""
    rows = torch.arange(len(targets))
    return float((torch.logsumexp(logits, dim=1) - logits[rows, targets]).mean())


def detached_from_graph(logits: Tensor, targets: Tensor) -> Tensor:
    """Uses logits.data: right value, no gradient when the logits require one."""
    values = logits.data
    rows = torch.arange(len(targets))
    return (torch.logsumexp(values, dim=1) - values[rows, targets]).mean()


def normaliser_detached(logits: Tensor, targets: Tensor) -> Tensor:
    """Detaches the normaliser: right value, but only the target's entry gets a gradient."""
    rows = torch.arange(len(targets))
    return (torch.logsumexp(logits, dim=1).detach() - logits[rows, targets]).mean()


def fresh_leaf(logits: Tensor, targets: Tensor) -> Tensor:
    """Makes a new leaf that requires grad: the loss has a graph, but the caller's logits get no gradient."""
    leaf = logits.detach().clone().requires_grad_()
    rows = torch.arange(len(targets))
    return (torch.logsumexp(leaf, dim=1) - leaf[rows, targets]).mean()


def no_mean(logits: Tensor, targets: Tensor) -> Tensor:
    """Returns the losses row by row, shape (N,) instead of a tensor without dimensions."""
    rows = torch.arange(len(targets))
    return torch.logsumexp(logits, dim=1) - logits[rows, targets]


def one_dimension_left(logits: Tensor, targets: Tensor) -> Tensor:
    """Keeps the dimension in the mean: shape (1,) instead of ()."""
    rows = torch.arange(len(targets))
    return (torch.logsumexp(logits, dim=1) - logits[rows, targets]).mean(dim=0, keepdim=True)


def forgets_the_minus(logits: Tensor, targets: Tensor) -> Tensor:
    """Returns the mean log-likelihood: negative on every ordinary batch, training would go uphill."""
    rows = torch.arange(len(targets))
    return (logits[rows, targets] - torch.logsumexp(logits, dim=1)).mean()


def binary_for_each_class(logits: Tensor, targets: Tensor) -> Tensor:
    """Adds log(1 - p) of the other classes as well: too large on every row with doubt, nan for (0, 1000)."""
    hot = functional.one_hot(targets, logits.shape[1])
    shares = (logits - torch.logsumexp(logits, dim=1, keepdim=True)).exp()
    return -(hot * shares.log() + (1 - hot) * (1 - shares).log()).sum(dim=1).mean()


def normaliser_in_base_two(logits: Tensor, targets: Tensor) -> Tensor:
    """Takes log2 of the sum: right where one class has it all as in (0, 1000), wrong for (0, 0)."""
    rows = torch.arange(len(targets))
    shifted = logits - logits.amax(dim=1, keepdim=True)
    return (shifted.exp().sum(dim=1).log2() - shifted[rows, targets]).mean()


def log_of_mean_probability(logits: Tensor, targets: Tensor) -> Tensor:
    """Averages the probabilities before the log: right for one row or equal rows, else too small."""
    rows = torch.arange(len(targets))
    shares = (logits - torch.logsumexp(logits, dim=1, keepdim=True)).exp()
    return -shares[rows, targets].mean().log()


def margin_to_the_maximum(logits: Tensor, targets: Tensor) -> Tensor:
    """Takes the maximum for the log-sum-exp: right for (0, 1000), but 0 instead of 0.69 for (0, 0)."""
    rows = torch.arange(len(targets))
    return (logits.amax(dim=1) - logits[rows, targets]).mean()


def shift_not_undone(logits: Tensor, targets: Tensor) -> Tensor:
    """Shifts the normaliser, but not the target's logit: right only if every row's maximum is 0."""
    rows = torch.arange(len(targets))
    shifted = logits - logits.amax(dim=1, keepdim=True)
    return (shifted.exp().sum(dim=1).log() - logits[rows, targets]).mean()


def smoothed_labels(logits: Tensor, targets: Tensor) -> Tensor:
    """Smooths the labels by a tenth: wrong unless the row is uniform, worst for (1000, 0) with target 0."""
    count = logits.shape[1]
    soft = functional.one_hot(targets, count) * 0.9 + 0.1 / count
    logs = logits - torch.logsumexp(logits, dim=1, keepdim=True)
    return -(soft * logs).sum(dim=1).mean()


def mean_of_class_means(logits: Tensor, targets: Tensor) -> Tensor:
    """Averages within each class first: right if all targets are equally frequent, wrong for (0, 0, 1)."""
    rows = torch.arange(len(targets))
    losses = torch.logsumexp(logits, dim=1) - logits[rows, targets]
    return torch.stack([losses[targets == label].mean() for label in targets.unique()]).mean()


def skips_class_zero(logits: Tensor, targets: Tensor) -> Tensor:
    """Takes target 0 for padding and leaves it out: wrong with a 0 among the targets, nan if all are 0."""
    rows = torch.arange(len(targets))
    losses = torch.logsumexp(logits, dim=1) - logits[rows, targets]
    return losses[targets > 0].mean()


def counts_classes_from_one(logits: Tensor, targets: Tensor) -> Tensor:
    """Subtracts one from the targets: picks the neighbouring class, and the last one for target 0."""
    rows = torch.arange(len(targets))
    return (torch.logsumexp(logits, dim=1) - logits[rows, targets - 1]).mean()


def clamps_logits(logits: Tensor, targets: Tensor) -> Tensor:
    """Clamps the logits to -80 ... 80 against overflow: (1000, 999) with target 0 costs 0.69, not 0.31."""
    rows = torch.arange(len(targets))
    small = logits.clamp(-80, 80)
    return (small.exp().sum(dim=1).log() - small[rows, targets]).mean()


def capped_at_hundred(logits: Tensor, targets: Tensor) -> Tensor:
    """Caps each row's loss at 100: (0, 1000) with target 0 costs 100 instead of 1000, without gradient."""
    rows = torch.arange(len(targets))
    return (torch.logsumexp(logits, dim=1) - logits[rows, targets]).clamp(max=100).mean()


def shifts_input_in_place(logits: Tensor, targets: Tensor) -> Tensor:
    """Subtracts the maximum in place: a leaf that requires grad raises, the caller's logits change."""
    logits -= logits.amax(dim=1, keepdim=True)
    rows = torch.arange(len(targets))
    return (logits.exp().sum(dim=1).log() - logits[rows, targets]).mean()


def float64_without_shift(logits: Tensor, targets: Tensor) -> Tensor:
    """Trusts float64 not to overflow: right up to logits of 700, infinite at 1000."""
    rows = torch.arange(len(targets))
    wide = logits.double()
    return (wide.exp().sum(dim=1).log() - wide[rows, targets]).mean().to(logits.dtype)


def through_float16(logits: Tensor, targets: Tensor) -> Tensor:
    """Rounds the logits to half precision: (1000.2, 1000) is off by 0.1, random rows by some 1e-4."""
    rows = torch.arange(len(targets))
    rounded = logits.half().float()
    return (torch.logsumexp(rounded, dim=1) - rounded[rows, targets]).mean()


def prints_result(logits: Tensor, targets: Tensor) -> Tensor:
    """Prints the loss and returns None: shows on every input."""
    rows = torch.arange(len(targets))
    print("loss:", (torch.logsumexp(logits, dim=1) - logits[rows, targets]).mean())
