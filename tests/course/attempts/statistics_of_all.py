"""Wrong attempts at `statistics_of_all`, written by someone who has not seen the catalogue."""

import math
import statistics

import torch
from torch import tensor


def _mean(counts: list[int], means: list[float]) -> float:
    return sum(n * m for n, m in zip(counts, means, strict=True)) / sum(counts)


def mean_of_variances(counts: list[int], means: list[float], variances: list[float]) -> tuple[float, float]:
    """Forgets that the parts' means differ."""
    return _mean(counts, means), _mean(counts, variances)


def plain_means(counts: list[int], means: list[float], variances: list[float]) -> tuple[float, float]:
    """Counts every process alike, in both."""
    return sum(means) / len(means), sum(variances) / len(variances)


def plain_mean_of_means(counts: list[int], means: list[float], variances: list[float]) -> tuple[float, float]:
    """Counts every process alike in the mean, and by its items in the variance."""
    mean = sum(means) / len(means)
    return mean, sum(n * (v + (m - mean) ** 2) for n, m, v in zip(counts, means, variances, strict=True)) / sum(counts)


def plain_variance(counts: list[int], means: list[float], variances: list[float]) -> tuple[float, float]:
    """Counts every process by its items in the mean, and alike in the variance."""
    mean = _mean(counts, means)
    return mean, sum(v + (m - mean) ** 2 for m, v in zip(means, variances, strict=True)) / len(means)


def one_less(counts: list[int], means: list[float], variances: list[float]) -> tuple[float, float]:
    """Divides the variance by one less than the number of items."""
    mean = _mean(counts, means)
    total = sum(n * (v + (m - mean) ** 2) for n, m, v in zip(counts, means, variances, strict=True))
    return mean, total / (sum(counts) - 1)


def one_less_in_each_part(counts: list[int], means: list[float], variances: list[float]) -> tuple[float, float]:
    """Pools the variances as a statistics book does for samples."""
    mean, n = _mean(counts, means), sum(counts)
    within = sum((c - 1) * v for c, v in zip(counts, variances, strict=True))
    between = sum(c * (m - mean) ** 2 for c, m in zip(counts, means, strict=True))
    return mean, (within + between) / n


def only_between_parts(counts: list[int], means: list[float], variances: list[float]) -> tuple[float, float]:
    """Takes the variance of the means for that of all items."""
    mean = _mean(counts, means)
    return mean, sum(n * (m - mean) ** 2 for n, m in zip(counts, means, strict=True)) / sum(counts)


def distance_counts_once(counts: list[int], means: list[float], variances: list[float]) -> tuple[float, float]:
    """Weighs the variances by items, and adds the plain mean of squared distances."""
    mean = _mean(counts, means)
    return mean, _mean(counts, variances) + sum((m - mean) ** 2 for m in means) / len(means)


def distance_not_squared(counts: list[int], means: list[float], variances: list[float]) -> tuple[float, float]:
    """Adds the distance of the means, not its square."""
    mean = _mean(counts, means)
    return mean, _mean(counts, [v + abs(m - mean) for m, v in zip(means, variances, strict=True)])


def standard_deviation(counts: list[int], means: list[float], variances: list[float]) -> tuple[float, float]:
    """Returns the standard deviation."""
    mean = _mean(counts, means)
    return mean, math.sqrt(_mean(counts, [v + (m - mean) ** 2 for m, v in zip(means, variances, strict=True)]))


def takes_standard_deviations(counts: list[int], means: list[float], variances: list[float]) -> tuple[float, float]:
    """Squares the variances, as if they were standard deviations."""
    mean = _mean(counts, means)
    return mean, _mean(counts, [v**2 + (m - mean) ** 2 for m, v in zip(means, variances, strict=True)])


def variance_first(counts: list[int], means: list[float], variances: list[float]) -> tuple[float, float]:
    """Returns the variance, then the mean."""
    mean = _mean(counts, means)
    return _mean(counts, [v + (m - mean) ** 2 for m, v in zip(means, variances, strict=True)]), mean


def only_the_variance(counts: list[int], means: list[float], variances: list[float]) -> float:
    """Returns the variance only."""
    mean = _mean(counts, means)
    return _mean(counts, [v + (m - mean) ** 2 for m, v in zip(means, variances, strict=True)])


def squares_do_not_belong_together(
    counts: list[int], means: list[float], variances: list[float]
) -> tuple[float, float]:
    """Takes the variance for the mean square, without the part's own mean."""
    mean = _mean(counts, means)
    return mean, _mean(counts, variances) - mean**2


def forgets_to_subtract(counts: list[int], means: list[float], variances: list[float]) -> tuple[float, float]:
    """Returns the mean square."""
    return _mean(counts, means), _mean(counts, [v + m**2 for m, v in zip(means, variances, strict=True)])


def sum_of_squares(counts: list[int], means: list[float], variances: list[float]) -> tuple[float, float]:
    """Forgets to divide the squares."""
    mean = _mean(counts, means)
    return mean, sum(n * (v + (m - mean) ** 2) for n, m, v in zip(counts, means, variances, strict=True))


def from_the_library(counts: list[int], means: list[float], variances: list[float]) -> tuple[float, float]:
    """Takes mean and variance of the means, and adds the mean variance: right for equal parts."""
    return statistics.fmean(means), statistics.pvariance(means) + statistics.fmean(variances)


def weighted_means_then_torch(counts: list[int], means: list[float], variances: list[float]) -> tuple[float, float]:
    """Adds the variance of the means as torch computes it, divided by one less."""
    between = tensor(means, dtype=torch.float64).var().item() if len(means) > 1 else 0.0
    return _mean(counts, means), _mean(counts, variances) + between


def distance_from_the_first(counts: list[int], means: list[float], variances: list[float]) -> tuple[float, float]:
    """Measures distances from the first part's mean."""
    squares = [v + (m - means[0]) ** 2 for m, v in zip(means, variances, strict=True)]
    return _mean(counts, means), _mean(counts, squares)


def merges_two_at_a_time(counts: list[int], means: list[float], variances: list[float]) -> tuple[float, float]:
    """Merges one part after the other, but doesn't add the distance between the two."""
    n, mean, variance = counts[0], means[0], variances[0]
    for c, m, v in zip(counts[1:], means[1:], variances[1:], strict=True):
        mean, variance = (n * mean + c * m) / (n + c), (n * variance + c * v) / (n + c)
        n += c
    return mean, variance


def merges_with_the_new_mean(counts: list[int], means: list[float], variances: list[float]) -> tuple[float, float]:
    """Merges one part after the other, and measures the distance from the mean that it has just moved."""
    n, mean, variance = 0, 0.0, 0.0
    for c, m, v in zip(counts, means, variances, strict=True):
        mean = (n * mean + c * m) / (n + c)
        variance = (n * variance + c * (v + (m - mean) ** 2)) / (n + c)
        n += c
    return mean, variance


def merges_and_forgets_the_count(counts: list[int], means: list[float], variances: list[float]) -> tuple[float, float]:
    """Merges one part after the other, and halves each time."""
    mean, variance = means[0], variances[0]
    for m, v in zip(means[1:], variances[1:], strict=True):
        variance = (variance + v) / 2 + ((mean - m) / 2) ** 2
        mean = (mean + m) / 2
    return mean, variance


def the_first_two(counts: list[int], means: list[float], variances: list[float]) -> tuple[float, float]:
    """Joins two parts, and forgets the others."""
    if len(counts) == 1:
        return means[0], variances[0]
    (a, b), (p, q), (v, w) = counts[:2], means[:2], variances[:2]
    n = a + b
    return (a * p + b * q) / n, (a * v + b * w) / n + a * b * (p - q) ** 2 / n**2


def parts_without_variance_do_not_count(
    counts: list[int], means: list[float], variances: list[float]
) -> tuple[float, float]:
    """Leaves out parts whose variance is 0."""
    mean = _mean(counts, means)
    return mean, sum(n * (v + (m - mean) ** 2) for n, m, v in zip(counts, means, variances, strict=True) if v) / sum(
        counts
    )


def one_bracket_too_early(counts: list[int], means: list[float], variances: list[float]) -> tuple[float, float]:
    """Multiplies the variance by the count, but not the distance."""
    mean = _mean(counts, means)
    return mean, sum(n * v + (m - mean) ** 2 for n, m, v in zip(counts, means, variances, strict=True)) / sum(counts)
