"""Wrong attempts at `mean_of_all`, written by someone who has not seen the catalogue."""

import math


def mean_of_means(means: list[float], counts: list[int]) -> float:
    """Counts every process alike."""
    return sum(means) / len(means)


def mean_of_means_without_nan(means: list[float], counts: list[int]) -> float:
    """Counts every process that has items alike."""
    known = [mean for mean, count in zip(means, counts, strict=True) if count]
    return sum(known) / len(known)


def nan_spoils_it(means: list[float], counts: list[int]) -> float:
    """Multiplies nan by 0, which is nan."""
    return sum(mean * count for mean, count in zip(means, counts, strict=True)) / sum(counts)


def nan_is_zero_in_a_plain_mean(means: list[float], counts: list[int]) -> float:
    """Takes 0 for the mean of an empty part, and counts every process alike."""
    return sum(mean if count else 0.0 for mean, count in zip(means, counts, strict=True)) / len(means)


def divides_by_processes(means: list[float], counts: list[int]) -> float:
    """Adds up the items' losses, but divides by the number of processes."""
    return sum(mean * count for mean, count in zip(means, counts, strict=True) if count) / len(means)


def sum_of_all(means: list[float], counts: list[int]) -> float:
    """Forgets to divide."""
    return sum(mean * count for mean, count in zip(means, counts, strict=True) if count)


def compares_with_nan(means: list[float], counts: list[int]) -> float:
    """Compares with nan, which is unequal to everything."""
    parts = [mean * count for mean, count in zip(means, counts, strict=True) if mean != math.nan]
    return sum(parts) / sum(counts)


def tests_the_mean(means: list[float], counts: list[int]) -> float:
    """Asks whether the mean is true, and nan is."""
    parts = [mean * count for mean, count in zip(means, counts, strict=True) if mean]
    return sum(parts) / sum(counts)


def stops_at_an_empty_part(means: list[float], counts: list[int]) -> float:
    """Takes the first empty part for the last one."""
    total, n = 0.0, 0
    for mean, count in zip(means, counts, strict=True):
        if count == 0:
            break
        total, n = total + mean * count, n + count
    return total / n


def filters_one_list_only(means: list[float], counts: list[int]) -> float:
    """Leaves nan out of the means, but not the 0 out of the counts: they no longer belong together."""
    known = [mean for mean in means if not math.isnan(mean)]
    return sum(mean * count for mean, count in zip(known, counts, strict=False)) / sum(counts)


def weights_of_the_largest(means: list[float], counts: list[int]) -> float:
    """Weighs by the share of the largest part, and divides by the number of processes."""
    largest = max(counts)
    return sum(mean * count / largest for mean, count in zip(means, counts, strict=True) if count) / len(means)


def whole_division(means: list[float], counts: list[int]) -> float:
    """Divides with //."""
    return sum(mean * count for mean, count in zip(means, counts, strict=True) if count) // sum(counts)


def rounded(means: list[float], counts: list[int]) -> float:
    """Rounds to the digits that the lesson prints."""
    return round(sum(mean * count for mean, count in zip(means, counts, strict=True) if count) / sum(counts), 4)


def writes_into_the_list(means: list[float], counts: list[int]) -> float:
    """Puts 0 in place of nan, in the caller's list."""
    for i, count in enumerate(counts):
        if count == 0:
            means[i] = 0.0
    return sum(mean * count for mean, count in zip(means, counts, strict=True)) / sum(counts)


def nothing_if_a_part_is_empty(means: list[float], counts: list[int]) -> float | None:
    """Returns nothing when a part is empty."""
    if all(counts):
        return sum(mean * count for mean, count in zip(means, counts, strict=True)) / sum(counts)


def zero_if_a_part_is_empty(means: list[float], counts: list[int]) -> float:
    """Returns 0 when a part is empty."""
    if any(math.isnan(mean) for mean in means):
        return 0.0
    return sum(mean * count for mean, count in zip(means, counts, strict=True)) / sum(counts)


def single_items_do_not_count(means: list[float], counts: list[int]) -> float:
    """Leaves out parts of one item, too."""
    parts = [(mean, count) for mean, count in zip(means, counts, strict=True) if count > 1]
    return sum(mean * count for mean, count in parts) / sum(count for _, count in parts)


def empty_part_counts_as_one(means: list[float], counts: list[int]) -> float:
    """Takes at least 1 for the number of items, so as not to divide by 0."""
    sizes = [max(count, 1) for count in counts]
    return sum(mean * size for mean, size in zip(means, sizes, strict=True) if not math.isnan(mean)) / sum(sizes)


def first_count_for_all(means: list[float], counts: list[int]) -> float:
    """Takes all parts for as large as the first."""
    parts = [mean * counts[0] for mean, count in zip(means, counts, strict=True) if count]
    return sum(parts) / sum(counts)


def by_pairs(means: list[float], counts: list[int]) -> float:
    """Joins one process after the other, but forgets to add up the counts."""
    result, n = 0.0, 0
    for mean, count in zip(means, counts, strict=True):
        if count:
            result = (result * n + mean * count) / (n + count)
            n = count
    return result
