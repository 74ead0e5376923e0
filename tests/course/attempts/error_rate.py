"""Wrong attempts at `error_rate`, written by someone who has not seen the catalogue."""

import torch
from torch import Tensor
from torch.nn import functional


def accuracy_instead(predictions: Tensor, targets: Tensor) -> Tensor:
    """Returns the share of right rows: passes if exactly half of them are right."""
    return (predictions.argmax(dim=1) == targets).float().mean()


def number_of_errors(predictions: Tensor, targets: Tensor) -> Tensor:
    """Counts the wrong rows instead of giving their share: passes for one row or no errors."""
    return (predictions.argmax(dim=1) != targets).float().sum()


def in_percent(predictions: Tensor, targets: Tensor) -> Tensor:
    """Returns percent: a hundred times too large unless there are no errors."""
    return (predictions.argmax(dim=1) != targets).float().mean() * 100


def divides_by_classes(predictions: Tensor, targets: Tensor) -> Tensor:
    """Divides the number of errors by C: right for square batches, wrong for (4, 3)."""
    return (predictions.argmax(dim=1) != targets).sum() / predictions.shape[1]


def divides_by_all_entries(predictions: Tensor, targets: Tensor) -> Tensor:
    """Divides the number of errors by N * C: C times too small whenever there is an error."""
    return (predictions.argmax(dim=1) != targets).sum() / predictions.numel()


def divides_by_one_less(predictions: Tensor, targets: Tensor) -> Tensor:
    """Divides by N - 1: too large with any error, nan or inf for one row."""
    return (predictions.argmax(dim=1) != targets).sum() / (len(targets) - 1)


def floor_division(predictions: Tensor, targets: Tensor) -> Tensor:
    """Divides integers with //: 0 unless every row is wrong, and an int64 tensor."""
    return (predictions.argmax(dim=1) != targets).sum() // len(targets)


def best_row_of_each_class(predictions: Tensor, targets: Tensor) -> Tensor:
    """Takes argmax along dimension 0: a square batch has the right shape, others raise."""
    return (predictions.argmax(dim=0) != targets).float().mean()


def argmax_of_everything(predictions: Tensor, targets: Tensor) -> Tensor:
    """Calls argmax without dim: one flat position for all rows, right for one row only."""
    return (predictions.argmax() != targets).float().mean()


def smallest_value(predictions: Tensor, targets: Tensor) -> Tensor:
    """Takes the smallest value for the prediction: (0.1, 0.9) with target 1 counts as an error."""
    return (predictions.argmin(dim=1) != targets).float().mean()


def largest_absolute_value(predictions: Tensor, targets: Tensor) -> Tensor:
    """Takes the largest absolute value: right for probabilities, wrong for logits (-5, 1) with target 1."""
    return (predictions.abs().argmax(dim=1) != targets).float().mean()


def values_instead_of_places(predictions: Tensor, targets: Tensor) -> Tensor:
    """Compares the largest value itself, not its place, with the target: nearly always 1."""
    return (predictions.max(dim=1).values != targets).float().mean()


def less_than_half(predictions: Tensor, targets: Tensor) -> Tensor:
    """Calls a row wrong if the target has less than 0.5: (0.4, 0.3, 0.3) with target 0 is right."""
    rows = torch.arange(len(targets))
    return (predictions[rows, targets] < 0.5).float().mean()


def below_the_mean(predictions: Tensor, targets: Tensor) -> Tensor:
    """Calls a row right if the target is above the row's mean: right for two classes, wrong for (5, 4, 0)."""
    rows = torch.arange(len(targets))
    return (predictions[rows, targets] < predictions.mean(dim=1)).float().mean()


def negative_logit(predictions: Tensor, targets: Tensor) -> Tensor:
    """Calls a row wrong if the target's logit is not positive: probabilities never count as errors."""
    rows = torch.arange(len(targets))
    return (predictions[rows, targets] <= 0).float().mean()


def entry_by_entry(predictions: Tensor, targets: Tensor) -> Tensor:
    """Compares all entries above 0.5 with the one-hot rows: for (0.9, 0.1) right, wrong for three classes."""
    hot = functional.one_hot(targets, predictions.shape[1]).bool()
    return ((predictions > 0.5) != hot).float().mean()


def missing_probability(predictions: Tensor, targets: Tensor) -> Tensor:
    """Returns one minus the target's mean probability: 0.1 instead of 0 for (0.9, 0.1) with target 0."""
    rows = torch.arange(len(targets))
    return 1 - predictions[rows, targets].mean()


def loss_instead_of_errors(predictions: Tensor, targets: Tensor) -> Tensor:
    """Returns the cross-entropy: wrong on every ordinary input."""
    return functional.cross_entropy(predictions, targets)


def mean_of_booleans(predictions: Tensor, targets: Tensor) -> Tensor:
    """Takes the mean of booleans: RuntimeError on every input."""
    return (predictions.argmax(dim=1) != targets).mean()


def column_against_row(predictions: Tensor, targets: Tensor) -> Tensor:
    """Compares (N, 1) with (N,) and gets (N, N): right for one row or one target repeated, else wrong."""
    return (predictions.argmax(dim=1, keepdim=True) != targets).float().mean()


def one_dimension_left(predictions: Tensor, targets: Tensor) -> Tensor:
    """Keeps a dimension: shape (1,) instead of ()."""
    guesses = predictions.argmax(dim=1, keepdim=True)
    return (guesses != targets.unsqueeze(1)).float().mean(dim=0)


def no_mean(predictions: Tensor, targets: Tensor) -> Tensor:
    """Returns a 0 or 1 for each row, shape (N,)."""
    return (predictions.argmax(dim=1) != targets).float()


def errors_and_total(predictions: Tensor, targets: Tensor) -> Tensor:
    """Returns the pair (errors, rows) instead of their quotient."""
    wrong = (predictions.argmax(dim=1) != targets).sum()
    return wrong, len(targets)


def float64_mean(predictions: Tensor, targets: Tensor) -> Tensor:
    """Returns a float64 tensor: the dtype is wrong on every input."""
    return (predictions.argmax(dim=1) != targets).double().mean()


def rounded_to_two_places(predictions: Tensor, targets: Tensor) -> Tensor:
    """Rounds to two decimals: one error in three rows gives 0.33, one in four passes."""
    return round((predictions.argmax(dim=1) != targets).float().mean().item(), 2)


def mean_in_float16(predictions: Tensor, targets: Tensor) -> Tensor:
    """Averages in half precision: one error in three rows gives 0.33325, halves and quarters pass."""
    share = (predictions.argmax(dim=1) != targets).half().mean()
    return share.float()


def predictions_in_float16(predictions: Tensor, targets: Tensor) -> Tensor:
    """Rounds the predictions to half precision: (1000.1, 1000.2) becomes a tie, target 1 is missed."""
    return (predictions.half().argmax(dim=1) != targets).float().mean()


def predictions_cut_to_integers(predictions: Tensor, targets: Tensor) -> Tensor:
    """Cuts the predictions to integers: all probabilities become 0, so (0.2, 0.8) with target 1 is missed."""
    return (predictions.long().argmax(dim=1) != targets).float().mean()


def sum_in_one_byte(predictions: Tensor, targets: Tensor) -> Tensor:
    """Counts errors in uint8: right up to 255 errors, 256 wrong rows come out as 0."""
    return (predictions.argmax(dim=1) != targets).sum(dtype=torch.uint8) / len(targets)


def exp_before_argmax(predictions: Tensor, targets: Tensor) -> Tensor:
    """Takes exp first, without a shift: logits (1000, 2000) are both inf, target 1 is missed."""
    return (predictions.exp().argmax(dim=1) != targets).float().mean()


def softmax_down_the_batch(predictions: Tensor, targets: Tensor) -> Tensor:
    """Takes a softmax along dimension 0 first: the largest entry of a row moves when its column is large."""
    shares = torch.softmax(predictions, dim=0)
    return (shares.argmax(dim=1) != targets).float().mean()


def top_two(predictions: Tensor, targets: Tensor) -> Tensor:
    """Accepts the second place as well: (5, 4, 0) with target 1 counts as right, two classes give 0."""
    best = predictions.topk(2, dim=1).indices
    return (best != targets.unsqueeze(1)).all(dim=1).float().mean()


def classes_present_only(predictions: Tensor, targets: Tensor) -> Tensor:
    """Looks only at classes that occur among the targets: misses errors towards an absent class."""
    present = targets.unique()
    guesses = present[predictions[:, present].argmax(dim=1)]
    return (guesses != targets).float().mean()


def distance_between_labels(predictions: Tensor, targets: Tensor) -> Tensor:
    """Averages how far the labels are apart: right for two classes, 2 for class 2 against target 0."""
    return (predictions.argmax(dim=1) - targets).abs().float().mean()


def too_high_only(predictions: Tensor, targets: Tensor) -> Tensor:
    """Counts guesses above the target only: right if all targets are 0, misses class 0 against target 1."""
    return (predictions.argmax(dim=1) > targets).float().mean()


def histograms_compared(predictions: Tensor, targets: Tensor) -> Tensor:
    """Compares how often each class is guessed: two swapped rows, guesses (0, 1) for (1, 0), give 0."""
    count = predictions.shape[1]
    guessed = torch.bincount(predictions.argmax(dim=1), minlength=count)
    expected = torch.bincount(targets, minlength=count)
    return (guessed - expected).abs().sum() / 2 / len(targets)


def whole_batch_wrong(predictions: Tensor, targets: Tensor) -> Tensor:
    """Compares the batch as a whole: 1 as soon as one row is wrong, passes for one row."""
    return float(predictions.argmax(dim=1).tolist() != targets.tolist())


def compares_identity(predictions: Tensor, targets: Tensor) -> Tensor:
    """Compares with `is not`, which is true for two objects: 1 on every input."""
    return torch.tensor(float(predictions.argmax(dim=1) is not targets))


def mean_of_class_rates(predictions: Tensor, targets: Tensor) -> Tensor:
    """Averages the rates of the classes: right if all targets are equally frequent, else wrong."""
    wrong = (predictions.argmax(dim=1) != targets).float()
    return torch.stack([wrong[targets == label].mean() for label in targets.unique()]).mean()


def mean_of_chunk_rates(predictions: Tensor, targets: Tensor) -> Tensor:
    """Averages the rates of chunks of 64: right up to 64 rows, a short last chunk counts too much."""
    wrong = (predictions.argmax(dim=1) != targets).float()
    return torch.stack([chunk.mean() for chunk in wrong.split(64)]).mean()


def skips_class_zero(predictions: Tensor, targets: Tensor) -> Tensor:
    """Leaves rows with target 0 out: wrong if their rate differs from the others', nan if all are 0."""
    wrong = (predictions.argmax(dim=1) != targets).float()
    return wrong[targets > 0].mean()


def counts_classes_from_one(predictions: Tensor, targets: Tensor) -> Tensor:
    """Adds one to the guess: perfect predictions have an error rate of 1."""
    return (predictions.argmax(dim=1) + 1 != targets).float().mean()


def as_many_rows_as_classes(predictions: Tensor, targets: Tensor) -> Tensor:
    """Loops over C rows instead of N: right for square batches, misses rows of (4, 3), raises for (2, 3)."""
    wrong = 0
    for i in range(predictions.shape[1]):
        if predictions[i].argmax() != targets[i]:
            wrong += 1
    return wrong / len(targets)


def leaves_out_last_row(predictions: Tensor, targets: Tensor) -> Tensor:
    """Stops before the last row: an error in the last row is missed."""
    wrong = (predictions[:-1].argmax(dim=1) != targets[:-1]).sum()
    return wrong / len(targets)


def prints_result(predictions: Tensor, targets: Tensor) -> Tensor:
    """Prints the rate and returns None: shows on every input."""
    print("error rate:", (predictions.argmax(dim=1) != targets).float().mean().item())
