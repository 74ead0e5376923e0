"""Wrong attempts at `overlap`, written by someone who has not seen the catalogue."""

import math
from coursekit.results.compare import wilson_interval


def a_is_the_lower(wrong_a, wrong_b, n):
    """Right if a has fewer mistakes."""
    (_, high_a), (low_b, _) = wilson_interval(wrong_a, n), wilson_interval(wrong_b, n)
    return high_a >= low_b


def negated(wrong_a, wrong_b, n):
    """Says whether they are apart."""
    (low_a, high_a), (low_b, high_b) = wilson_interval(wrong_a, n), wilson_interval(wrong_b, n)
    return low_a > high_b or low_b > high_a


def or_for_and(wrong_a, wrong_b, n):
    """`or`: one of the two is always true."""
    (low_a, high_a), (low_b, high_b) = wilson_interval(wrong_a, n), wilson_interval(wrong_b, n)
    return low_a <= high_b or low_b <= high_a


def low_of_a_in_b(wrong_a, wrong_b, n):
    """Asks for the low end of a only."""
    (low_a, _), (low_b, high_b) = wilson_interval(wrong_a, n), wilson_interval(wrong_b, n)
    return low_b <= low_a <= high_b


def a_inside_b(wrong_a, wrong_b, n):
    """Asks whether one lies inside the other."""
    (low_a, high_a), (low_b, high_b) = wilson_interval(wrong_a, n), wilson_interval(wrong_b, n)
    return (low_b <= low_a and high_a <= high_b) or (low_a <= low_b and high_b <= high_a)


def either_share_in_the_other_interval(wrong_a, wrong_b, n):
    """Asks it both ways."""
    (low_a, high_a), (low_b, high_b) = wilson_interval(wrong_a, n), wilson_interval(wrong_b, n)
    return low_a <= wrong_b / n <= high_a or low_b <= wrong_a / n <= high_b


def counts_against_shares(wrong_a, wrong_b, n):
    """Compares a count with ends that are shares."""
    low, high = wilson_interval(wrong_a, n)
    return low <= wrong_b <= high


def normal_intervals(wrong_a, wrong_b, n):
    """p +- 1.96 standard errors, not Wilson: near, but not for few mistakes."""

    def interval(wrong):
        p = wrong / n
        margin = 1.96 * math.sqrt(p * (1 - p) / n)
        return p - margin, p + margin

    (low_a, high_a), (low_b, high_b) = interval(wrong_a), interval(wrong_b)
    return low_a <= high_b and low_b <= high_a


def shares_for_counts(wrong_a, wrong_b, n):
    """Gives wilson_interval a share."""
    (low_a, high_a), (low_b, high_b) = wilson_interval(wrong_a / n, n), wilson_interval(wrong_b / n, n)
    return low_a <= high_b and low_b <= high_a


def always_656(wrong_a, wrong_b, n):
    """Takes the lesson's number of photos."""
    (low_a, high_a), (low_b, high_b) = wilson_interval(wrong_a, 656), wilson_interval(wrong_b, 656)
    return low_a <= high_b and low_b <= high_a


def twice_the_photos(wrong_a, wrong_b, n):
    """Adds up the photos of both models."""
    (low_a, high_a), (low_b, high_b) = wilson_interval(wrong_a, 2 * n), wilson_interval(wrong_b, 2 * n)
    return low_a <= high_b and low_b <= high_a


def rounded_to_percent(wrong_a, wrong_b, n):
    """Rounds the ends to whole percent."""
    (low_a, high_a), (low_b, high_b) = (
        [round(100 * end) for end in wilson_interval(wrong, n)] for wrong in (wrong_a, wrong_b)
    )
    return low_a <= high_b and low_b <= high_a


def whole_counts(wrong_a, wrong_b, n):
    """Turns the ends into whole counts, and looks for a common one."""
    ranges = []
    for wrong in (wrong_a, wrong_b):
        low, high = wilson_interval(wrong, n)
        ranges.append(set(range(round(low * n), round(high * n))))
    return bool(ranges[0] & ranges[1])


def within_half_widths(wrong_a, wrong_b, n):
    """Takes the error for the middle of its interval, which it isn't."""
    (low_a, high_a), (low_b, high_b) = wilson_interval(wrong_a, n), wilson_interval(wrong_b, n)
    return abs(wrong_a - wrong_b) / n <= (high_a - low_a) / 2 + (high_b - low_b) / 2


def interval_of_the_difference(wrong_a, wrong_b, n):
    """Tests the difference, which sees smaller ones than overlapping intervals do."""
    a, b = wrong_a / n, wrong_b / n
    return abs(a - b) <= 1.96 * math.sqrt(a * (1 - a) / n + b * (1 - b) / n)


def length_of_the_overlap(wrong_a, wrong_b, n):
    """Returns how long the overlap is."""
    (low_a, high_a), (low_b, high_b) = wilson_interval(wrong_a, n), wilson_interval(wrong_b, n)
    return max(0.0, min(high_a, high_b) - max(low_a, low_b))
