"""Wrong attempts at `group_lrs`, written by someone who has not seen the catalogue."""

import math
import numpy as np
import torch


def number_once(lr, n):
    """Gives a number in a list of one."""
    if not isinstance(lr, slice):
        return [lr]
    if n == 1:
        return [lr.stop]
    if lr.start is None:
        return [lr.stop / 10] * (n - 1) + [lr.stop]
    return [lr.start * (lr.stop / lr.start) ** (i / (n - 1)) for i in range(n)]


def only_floats_are_numbers(lr, n):
    """Asks for float: an int falls through to the slice."""
    if isinstance(lr, float):
        return [lr] * n
    if n == 1:
        return [lr.stop]
    if lr.start is None:
        return [lr.stop / 10] * (n - 1) + [lr.stop]
    return [lr.start * (lr.stop / lr.start) ** (i / (n - 1)) for i in range(n)]


def linspace(lr, n):
    """Equal steps by NumPy, as a list."""
    if not isinstance(lr, slice):
        return [lr] * n
    if lr.start is None:
        return [lr.stop / 10] * (n - 1) + [lr.stop]
    return np.linspace(lr.start, lr.stop, n).tolist()


def short_slice_first_high(lr, n):
    """slice(high): the first group gets high."""
    if not isinstance(lr, slice):
        return [lr] * n
    if n == 1:
        return [lr.stop]
    if lr.start is None:
        return [lr.stop] + [lr.stop / 10] * (n - 1)
    return [lr.start * (lr.stop / lr.start) ** (i / (n - 1)) for i in range(n)]


def short_slice_each_a_tenth_of_the_next(lr, n):
    """slice(high): each group a tenth of the one after it."""
    if not isinstance(lr, slice):
        return [lr] * n
    if n == 1:
        return [lr.stop]
    if lr.start is None:
        return [lr.stop / 10 ** (n - 1 - i) for i in range(n)]
    return [lr.start * (lr.stop / lr.start) ** (i / (n - 1)) for i in range(n)]


def short_slice_is_a_start(lr, n):
    """Reads slice(high) as a start without a stop."""
    if not isinstance(lr, slice):
        return [lr] * n
    if lr.stop is None:
        return [lr.start / 10] * (n - 1) + [lr.start]
    if n == 1:
        return [lr.stop]
    return [lr.start * (lr.stop / lr.start) ** (i / (n - 1)) for i in range(n)]


def short_slice_always_three(lr, n):
    """slice(high): always three rates."""
    if not isinstance(lr, slice):
        return [lr] * n
    if n == 1:
        return [lr.stop]
    if lr.start is None:
        return [lr.stop / 10, lr.stop / 10, lr.stop]
    return [lr.start * (lr.stop / lr.start) ** (i / (n - 1)) for i in range(n)]


def one_group_divides_by_zero(lr, n):
    """Forgets the case of one group."""
    if not isinstance(lr, slice):
        return [lr] * n
    if lr.start is None:
        return [lr.stop / 10] * (n - 1) + [lr.stop]
    return [lr.start * (lr.stop / lr.start) ** (i / (n - 1)) for i in range(n)]


def one_group_short_slice_a_tenth(lr, n):
    """One group and slice(high): a tenth."""
    if not isinstance(lr, slice):
        return [lr] * n
    if lr.start is None:
        rates = [lr.stop / 10] * n
        if n > 1:
            rates[-1] = lr.stop
        return rates
    if n == 1:
        return [lr.stop]
    return [lr.start * (lr.stop / lr.start) ** (i / (n - 1)) for i in range(n)]


def starts_above_low(lr, n):
    """Counts groups from 1 and divides by n: the last is right, the first not."""
    if not isinstance(lr, slice):
        return [lr] * n
    if lr.start is None:
        return [lr.stop / 10] * (n - 1) + [lr.stop]
    return [lr.start * (lr.stop / lr.start) ** (i / n) for i in range(1, n + 1)]


def high_near_the_image(lr, n):
    """Turns the order round."""
    if not isinstance(lr, slice):
        return [lr] * n
    if n == 1:
        return [lr.stop]
    if lr.start is None:
        return [lr.stop] + [lr.stop / 10] * (n - 1)
    return [lr.stop * (lr.start / lr.stop) ** (i / (n - 1)) for i in range(n)]


def factor_for_three_groups(lr, n):
    """Takes the square root of the ratio for the factor: right for three groups."""
    if not isinstance(lr, slice):
        return [lr] * n
    if n == 1:
        return [lr.stop]
    if lr.start is None:
        return [lr.stop / 10] * (n - 1) + [lr.stop]
    factor = (lr.stop / lr.start) ** 0.5
    return [lr.start * factor**i for i in range(n)]


def middle_groups_alike(lr, n):
    """Low, the geometric mean for all in between, high: right for three groups."""
    if not isinstance(lr, slice):
        return [lr] * n
    if n == 1:
        return [lr.stop]
    if lr.start is None:
        return [lr.stop / 10] * (n - 1) + [lr.stop]
    return [lr.start] + [math.sqrt(lr.start * lr.stop)] * (n - 2) + [lr.stop]


def geomspace_for_one_group_too(lr, n):
    """geomspace gives the low end for one group."""
    if not isinstance(lr, slice):
        return [lr] * n
    if lr.start is None:
        return [lr.stop / 10] * (n - 1) + [lr.stop]
    return np.geomspace(lr.start, lr.stop, n).tolist()


def logspace_of_the_ends(lr, n):
    """Gives logspace the rates where it wants exponents."""
    if not isinstance(lr, slice):
        return [lr] * n
    if n == 1:
        return [lr.stop]
    if lr.start is None:
        return [lr.stop / 10] * (n - 1) + [lr.stop]
    return torch.logspace(lr.start, lr.stop, n).tolist()


def natural_log_and_ten(lr, n):
    """Takes math.log and goes back with 10 **."""
    if not isinstance(lr, slice):
        return [lr] * n
    if n == 1:
        return [lr.stop]
    if lr.start is None:
        return [lr.stop / 10] * (n - 1) + [lr.stop]
    a, b = math.log(lr.start), math.log(lr.stop)
    return [10 ** (a + (b - a) * i / (n - 1)) for i in range(n)]
