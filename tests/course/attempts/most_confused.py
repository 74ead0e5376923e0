"""Wrong attempts at `most_confused`, written by someone who has not seen the catalogue."""

from torch import Tensor


def _mistakes(matrix: Tensor, vocab: list[str], min_val: int) -> list[tuple[str, str, int]]:
    """Returns the mistakes in the order of the matrix (right)."""
    counts = matrix.tolist()
    return [
        (vocab[i], vocab[j], counts[i][j])
        for i in range(len(vocab))
        for j in range(len(vocab))
        if i != j and counts[i][j] >= max(min_val, 1)
    ]


def more_than_the_least(matrix: Tensor, vocab: list[str], min_val: int = 1) -> list[tuple[str, str, int]]:
    """Says > for "less than min_val is left out": counts equal to min_val are missing."""
    found = [mistake for mistake in _mistakes(matrix, vocab, 1) if mistake[2] > min_val]
    return sorted(found, key=lambda mistake: -mistake[2])


def ignores_min_val(matrix: Tensor, vocab: list[str], min_val: int = 1) -> list[tuple[str, str, int]]:
    """Returns all mistakes: right for min_val 1 and 0."""
    return sorted(_mistakes(matrix, vocab, 1), key=lambda mistake: -mistake[2])


def least_frequent_first(matrix: Tensor, vocab: list[str], min_val: int = 1) -> list[tuple[str, str, int]]:
    """Sorts upwards."""
    return sorted(_mistakes(matrix, vocab, min_val), key=lambda mistake: mistake[2])


def not_sorted(matrix: Tensor, vocab: list[str], min_val: int = 1) -> list[tuple[str, str, int]]:
    """Returns the order of the matrix: right if the counts happen to fall."""
    return _mistakes(matrix, vocab, min_val)


def equal_counts_by_name(matrix: Tensor, vocab: list[str], min_val: int = 1) -> list[tuple[str, str, int]]:
    """Sorts equal counts by their names: right for an alphabetical vocab only."""
    return sorted(_mistakes(matrix, vocab, min_val), key=lambda mistake: (-mistake[2], mistake[0], mistake[1]))


def equal_counts_column_by_column(matrix: Tensor, vocab: list[str], min_val: int = 1) -> list[tuple[str, str, int]]:
    """Runs through the columns first: equal counts stand column by column."""
    counts = matrix.tolist()
    size = range(len(vocab))
    found = [(vocab[i], vocab[j], counts[i][j]) for j in size for i in size if i != j]
    return sorted([m for m in found if m[2] >= max(min_val, 1)], key=lambda mistake: -mistake[2])


def argsort_turned_around(matrix: Tensor, vocab: list[str], min_val: int = 1) -> list[tuple[str, str, int]]:
    """Turns the flat argsort around: equal counts stand in the reverse order."""
    order = matrix.flatten().argsort(stable=True).flip(0).tolist()
    found = [(vocab[k // len(vocab)], vocab[k % len(vocab)], int(matrix.flatten()[k])) for k in order]
    return [mistake for mistake in found if mistake[0] != mistake[1] and mistake[2] >= max(min_val, 1)]


def count_first(matrix: Tensor, vocab: list[str], min_val: int = 1) -> list[tuple[str, str, int]]:
    """Returns (how often, actual, predicted)."""
    found = [(count, actual, predicted) for actual, predicted, count in _mistakes(matrix, vocab, min_val)]
    return sorted(found, key=lambda mistake: -mistake[0])


def numbers_for_names(matrix: Tensor, vocab: list[str], min_val: int = 1) -> list[tuple[str, str, int]]:
    """Returns the classes' numbers instead of their names."""
    found = [(vocab.index(a), vocab.index(p), count) for a, p, count in _mistakes(matrix, vocab, min_val)]
    return sorted(found, key=lambda mistake: -mistake[2])


def counts_as_tensors(matrix: Tensor, vocab: list[str], min_val: int = 1) -> list[tuple[str, str, int]]:
    """Leaves the counts tensors without dimensions: they aren't of type int."""
    size = range(len(vocab))
    found = [(vocab[i], vocab[j], matrix[i, j]) for i in size for j in size if i != j]
    return sorted([m for m in found if m[2] >= max(min_val, 1)], key=lambda mistake: -mistake[2])


def counts_of_numpy(matrix: Tensor, vocab: list[str], min_val: int = 1) -> list[tuple[str, str, int]]:
    """Goes through numpy: the counts are numpy.int64, not int, though they look like it."""
    counts = matrix.numpy()
    size = range(len(vocab))
    found = [(vocab[i], vocab[j], counts[i, j]) for i in size for j in size if i != j]
    return sorted([m for m in found if m[2] >= max(min_val, 1)], key=lambda mistake: -mistake[2])


def counts_as_floats(matrix: Tensor, vocab: list[str], min_val: int = 1) -> list[tuple[str, str, int]]:
    """Turns the counts into floats: 3.0 equals 3, but isn't an int."""
    found = [(actual, predicted, float(count)) for actual, predicted, count in _mistakes(matrix, vocab, min_val)]
    return sorted(found, key=lambda mistake: -mistake[2])


def lists_for_tuples(matrix: Tensor, vocab: list[str], min_val: int = 1) -> list[tuple[str, str, int]]:
    """Returns a list of lists."""
    return [list(m) for m in sorted(_mistakes(matrix, vocab, min_val), key=lambda mistake: -mistake[2])]


def clears_the_diagonal(matrix: Tensor, vocab: list[str], min_val: int = 1) -> list[tuple[str, str, int]]:
    """Writes zeros into the matrix's diagonal: right result, but the input is changed."""
    matrix.fill_diagonal_(0)
    return sorted(_mistakes(matrix, vocab, min_val), key=lambda mistake: -mistake[2])


def both_directions_together(matrix: Tensor, vocab: list[str], min_val: int = 1) -> list[tuple[str, str, int]]:
    """Adds up both directions of a mistake and names it once."""
    found = _mistakes(matrix + matrix.T, vocab, min_val)
    found = [mistake for mistake in found if vocab.index(mistake[0]) < vocab.index(mistake[1])]
    return sorted(found, key=lambda mistake: -mistake[2])


def above_the_diagonal_only(matrix: Tensor, vocab: list[str], min_val: int = 1) -> list[tuple[str, str, int]]:
    """Looks at the pairs i < j only: mistakes below the diagonal are missing."""
    return sorted(_mistakes(matrix.triu(), vocab, min_val), key=lambda mistake: -mistake[2])
