"""Wrong attempts at `confusion_matrix`, written by someone who has not seen the catalogue."""

import torch
from torch import Tensor
from torch.nn import functional


def columns_are_actual(actual: Tensor, predicted: Tensor, n: int) -> Tensor:
    """Puts the actual classes into the columns: right for symmetric counts."""
    return torch.bincount(predicted * n + actual, minlength=n * n).reshape(n, n)


def adds_one_for_each_pair_once(actual: Tensor, predicted: Tensor, n: int) -> Tensor:
    """Adds through an index: a pair that occurs twice counts once."""
    matrix = torch.zeros(n, n, dtype=torch.int64)
    matrix[actual, predicted] += 1
    return matrix


def floats(actual: Tensor, predicted: Tensor, n: int) -> Tensor:
    """Forgets the dtype: torch.zeros makes float32."""
    matrix = torch.zeros(n, n)
    for row, column in zip(actual, predicted, strict=True):
        matrix[row, column] += 1
    return matrix


def int32(actual: Tensor, predicted: Tensor, n: int) -> Tensor:
    """Counts in int32: int64 is asked for."""
    matrix = torch.zeros(n, n, dtype=torch.int32)
    for row, column in zip(actual, predicted, strict=True):
        matrix[row, column] += 1
    return matrix


def counts_in_bytes(actual: Tensor, predicted: Tensor, n: int) -> Tensor:
    """Counts in uint8 and converts at the end: 256 becomes 0."""
    counts = torch.zeros(n * n, dtype=torch.uint8)
    counts.index_add_(0, actual * n + predicted, torch.ones(len(actual), dtype=torch.uint8))
    return counts.reshape(n, n).long()


def shares_of_each_row(actual: Tensor, predicted: Tensor, n: int) -> Tensor:
    """Divides each row by its sum: shares instead of counts."""
    counts = torch.bincount(actual * n + predicted, minlength=n * n).reshape(n, n)
    return counts / counts.sum(dim=1, keepdim=True)


def bincount_without_length(actual: Tensor, predicted: Tensor, n: int) -> Tensor:
    """Lets bincount find the length: reshape fails unless the last class was taken for itself."""
    return torch.bincount(actual * n + predicted).reshape(n, n)


def classes_that_occur(actual: Tensor, predicted: Tensor, n: int) -> Tensor:
    """Makes rows for the classes that occur only: shape and places are wrong if one is missing."""
    classes = torch.cat([actual, predicted]).unique()
    rows = [[((actual == row) & (predicted == column)).sum() for column in classes] for row in classes]
    return torch.tensor(rows, dtype=torch.int64)


def fails_without_photos(actual: Tensor, predicted: Tensor, n: int) -> Tensor:
    """Adds up one matrix for each photo: torch.stack fails for N = 0."""
    singles = []
    for row, column in zip(actual, predicted, strict=True):
        single = torch.zeros(n, n, dtype=torch.int64)
        single[row, column] = 1
        singles.append(single)
    return torch.stack(singles).sum(dim=0)


def mistakes_only(actual: Tensor, predicted: Tensor, n: int) -> Tensor:
    """Counts wrong answers only: the diagonal is 0."""
    wrong = actual != predicted
    return torch.bincount(actual[wrong] * n + predicted[wrong], minlength=n * n).reshape(n, n)


def right_answers_only(actual: Tensor, predicted: Tensor, n: int) -> Tensor:
    """Counts right answers only: all but the diagonal is 0."""
    right = actual[actual == predicted]
    return torch.diag(torch.bincount(right, minlength=n))


def both_directions(actual: Tensor, predicted: Tensor, n: int) -> Tensor:
    """Counts each mistake in both directions: right for right answers only."""
    matrix = torch.zeros(n, n, dtype=torch.int64)
    for row, column in zip(actual, predicted, strict=True):
        matrix[row, column] += 1
        if row != column:
            matrix[column, row] += 1
    return matrix


def changes_actual(actual: Tensor, predicted: Tensor, n: int) -> Tensor:
    """Multiplies `actual` in place: right matrix, but the input is changed."""
    actual *= n
    return torch.bincount(actual + predicted, minlength=n * n).reshape(n, n)


def list_of_lists(actual: Tensor, predicted: Tensor, n: int) -> Tensor:
    """Returns lists instead of a tensor."""
    return torch.bincount(actual * n + predicted, minlength=n * n).reshape(n, n).tolist()


def flat_counts(actual: Tensor, predicted: Tensor, n: int) -> Tensor:
    """Forgets to reshape: shape (n * n,)."""
    return torch.bincount(actual * n + predicted, minlength=n * n)


def one_class_too_many(actual: Tensor, predicted: Tensor, n: int) -> Tensor:
    """Adds a class: shape (n + 1, n + 1)."""
    size = n + 1
    return torch.bincount(actual * size + predicted, minlength=size * size).reshape(size, size)
