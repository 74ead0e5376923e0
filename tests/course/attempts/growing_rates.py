"""Wrong attempts at `growing_rates`, written by someone who has not seen the catalogue."""

import math

import torch


def ends_at_the_end(start_lr: float, end_lr: float, num_it: int) -> list[float]:
    """Puts `end_lr` into the list as its last rate: the factor is too large, and one rate divides by zero."""
    factor = (end_lr / start_lr) ** (1 / (num_it - 1))
    return [start_lr * factor**i for i in range(num_it)]


def leaves_out_the_end_of_a_full_scale(start_lr: float, end_lr: float, num_it: int) -> list[float]:
    """Makes `num_it` rates from start to end and drops the last: one rate too few."""
    factor = (end_lr / start_lr) ** (1 / max(num_it - 1, 1))
    return [start_lr * factor**i for i in range(num_it - 1)]


def grows_by_a_constant_step(start_lr: float, end_lr: float, num_it: int) -> list[float]:
    """Adds instead of multiplying: right for one rate only."""
    return [start_lr + (end_lr - start_lr) * i / num_it for i in range(num_it)]


def one_rate_too_many(start_lr: float, end_lr: float, num_it: int) -> list[float]:
    """Returns the end as well: `num_it` + 1 rates."""
    factor = (end_lr / start_lr) ** (1 / num_it)
    return [start_lr * factor**i for i in range(num_it + 1)]


def starts_one_late(start_lr: float, end_lr: float, num_it: int) -> list[float]:
    """Counts from 1: the start is missing and the end is in."""
    factor = (end_lr / start_lr) ** (1 / num_it)
    return [start_lr * factor ** (i + 1) for i in range(num_it)]


def multiplies_before_it_appends(start_lr: float, end_lr: float, num_it: int) -> list[float]:
    """Grows the rate before it goes into the list: the start is missing."""
    factor = (end_lr / start_lr) ** (1 / num_it)
    rates, rate = [], start_lr
    for _ in range(num_it):
        rate *= factor
        rates.append(rate)
    return rates


def appends_while_not_above_the_end(start_lr: float, end_lr: float, num_it: int) -> list[float]:
    """Loops until the end is passed: 1 to 16 in 4 gives 1, 2, 4, 8, 16."""
    factor = (end_lr / start_lr) ** (1 / num_it)
    rates, rate = [], start_lr
    while rate <= end_lr and len(rates) <= num_it:
        rates.append(rate)
        rate *= factor
    return rates


def always_a_hundred(start_lr: float, end_lr: float, num_it: int) -> list[float]:
    """Takes 100 for the number of rates in the exponent."""
    return [start_lr * (end_lr / start_lr) ** (i / 100) for i in range(num_it)]


def grows_tenfold(start_lr: float, end_lr: float, num_it: int) -> list[float]:
    """Multiplies by 10 each time: right if the span has as many decades as rates."""
    return [start_lr * 10**i for i in range(num_it)]


def forgets_the_start(start_lr: float, end_lr: float, num_it: int) -> list[float]:
    """Leaves out the start before the power: right for start 1 only."""
    factor = (end_lr / start_lr) ** (1 / num_it)
    return [factor**i for i in range(num_it)]


def factor_from_the_difference(start_lr: float, end_lr: float, num_it: int) -> list[float]:
    """Takes the root of end minus start instead of the ratio."""
    factor = (end_lr - start_lr) ** (1 / num_it)
    return [start_lr * factor**i for i in range(num_it)]


def factor_divided_not_rooted(start_lr: float, end_lr: float, num_it: int) -> list[float]:
    """Divides the ratio by the number of rates instead of taking the root. Right for one rate."""
    factor = end_lr / start_lr / num_it
    return [start_lr * factor**i for i in range(num_it)]


def factor_grows_too(start_lr: float, end_lr: float, num_it: int) -> list[float]:
    """Squares the share: the factor between neighbours isn't constant. Right for one rate."""
    return [start_lr * (end_lr / start_lr) ** ((i / num_it) ** 2) for i in range(num_it)]


def falls_instead(start_lr: float, end_lr: float, num_it: int) -> list[float]:
    """Returns the rates from the largest to the smallest."""
    factor = (end_lr / start_lr) ** (1 / num_it)
    return [start_lr * factor**i for i in range(num_it)][::-1]


def a_tensor(start_lr: float, end_lr: float, num_it: int) -> list[float]:
    """Returns a tensor of float32, not a list of floats."""
    return start_lr * (end_lr / start_lr) ** (torch.arange(num_it) / num_it)


def a_generator(start_lr: float, end_lr: float, num_it: int) -> list[float]:
    """Returns a generator: no length, and empty after the first pass."""
    return (start_lr * (end_lr / start_lr) ** (i / num_it) for i in range(num_it))


def appends_while_below_the_end(start_lr: float, end_lr: float, num_it: int) -> list[float]:
    """Loops while the rate is below the end: rounding lets one rate too many in, from 1e-6 to 10 in 100."""
    factor = (end_lr / start_lr) ** (1 / num_it)
    rates, rate = [], start_lr
    while rate < end_lr:
        rates.append(rate)
        rate *= factor
    return rates
