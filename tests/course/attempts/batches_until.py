"""Wrong attempts at `batches_until`, written by someone who has not seen the catalogue."""

import math


def rounded_down(share, momentum=0.1):
    """int() rounds down: more than `share` is left."""
    return int(math.log(share) / math.log(1 - momentum))


def rounded_to_the_nearest(share, momentum=0.1):
    """round() may round down."""
    return round(math.log(share) / math.log(1 - momentum))


def down_and_one_more(share, momentum=0.1):
    """int() + 1: one too many where the quotient is whole."""
    return int(math.log(share) / math.log(1 - momentum)) + 1


def not_rounded(share, momentum=0.1):
    """Forgets to round."""
    return math.log(share) / math.log(1 - momentum)


def keeps_momentum(share, momentum=0.1):
    """Thinks that momentum is what is kept."""
    return math.ceil(math.log(share) / math.log(momentum))


def share_that_is_gone(share, momentum=0.1):
    """Asks when `share` is gone."""
    return math.ceil(math.log(1 - share) / math.log(1 - momentum))


def momentum_ignored(share, momentum=0.1):
    """Always keeps 0.9."""
    return math.ceil(math.log(share) / math.log(0.9))


def other_default(share, momentum=0.9):
    """Optimisers have 0.9."""
    return math.ceil(math.log(share) / math.log(1 - momentum))


def equal_losses(share, momentum=0.1):
    """Loses `momentum` of the first value with each batch: a line."""
    return math.ceil((1 - share) / momentum)


def small_momentum(share, momentum=0.1):
    """Takes -momentum for the logarithm: right for a small one."""
    return math.ceil(-math.log(share) / momentum)


def mixed_logarithms(share, momentum=0.1):
    """log10 over log."""
    return math.ceil(math.log10(share) / math.log(1 - momentum))


def loop_until_less(share, momentum=0.1):
    """Goes on while exactly `share` is left: 'at most' is not 'less than'."""
    left, n = 1.0, 0
    while left >= share:
        left *= 1 - momentum
        n += 1
    return n


def loop_counts_from_one(share, momentum=0.1):
    """Begins to count at 1."""
    left, n = 1.0, 1
    while left > share:
        left *= 1 - momentum
        n += 1
    return n


def loop_of_a_hundred(share, momentum=0.1):
    """Gives up after 100 batches: right for the default."""
    left = 1.0
    for n in range(1, 101):
        left *= 1 - momentum
        if left <= share:
            return n
    return 100


def half_lives(share, momentum=0.1):
    """Whole half-lives only."""
    half = math.ceil(math.log(0.5) / math.log(1 - momentum))
    return half * math.ceil(math.log2(1 / share))


def list_of_shares(share, momentum=0.1):
    """Returns what is left, not how many batches."""
    left = 1.0
    while left > share:
        left *= 1 - momentum
    return left
