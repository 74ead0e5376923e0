"""Wrong attempts at `one_cycle`, written by someone who has not seen the catalogue."""

import math

import torch


def _half(a: float, b: float, share: float) -> float:
    return a + (1 - math.cos(math.pi * share)) / 2 * (b - a)


def peak_one_step_late(
    step: int, total: int, lr_max: float, pct_start: float = 0.3, div: float = 25.0, final_div: float = 1e4
) -> float:
    """Puts the peak at pct_start * total: torch counts from 0."""
    peak, last = pct_start * total, total - 1
    if step <= peak:
        return _half(lr_max / div, lr_max, step / peak)
    return _half(lr_max, lr_max / div / final_div, (step - peak) / (last - peak))


def peak_cut_off(
    step: int, total: int, lr_max: float, pct_start: float = 0.3, div: float = 25.0, final_div: float = 1e4
) -> float:
    """Cuts the peak's step to a whole number: right if pct_start * total is one."""
    peak, last = int(pct_start * total) - 1, total - 1
    if step <= peak:
        return _half(lr_max / div, lr_max, step / max(peak, 1))
    return _half(lr_max, lr_max / div / final_div, (step - peak) / (last - peak))


def peak_rounded(
    step: int, total: int, lr_max: float, pct_start: float = 0.3, div: float = 25.0, final_div: float = 1e4
) -> float:
    """Rounds the peak's step: right if pct_start * total is a whole number."""
    peak, last = round(pct_start * total) - 1, total - 1
    if step <= peak:
        return _half(lr_max / div, lr_max, step / max(peak, 1))
    return _half(lr_max, lr_max / div / final_div, (step - peak) / (last - peak))


def peak_of_the_last_step(
    step: int, total: int, lr_max: float, pct_start: float = 0.3, div: float = 25.0, final_div: float = 1e4
) -> float:
    """Takes pct_start of total - 1 for the peak: near, but not pct_start * total - 1."""
    last = total - 1
    peak = pct_start * last
    if step <= peak:
        return _half(lr_max / div, lr_max, step / peak)
    return _half(lr_max, lr_max / div / final_div, (step - peak) / (last - peak))


def ends_after_the_last_step(
    step: int, total: int, lr_max: float, pct_start: float = 0.3, div: float = 25.0, final_div: float = 1e4
) -> float:
    """Reaches the final rate at `total`, one step after the last."""
    peak = pct_start * total - 1
    if step <= peak:
        return _half(lr_max / div, lr_max, step / peak)
    return _half(lr_max, lr_max / div / final_div, (step - peak) / (total - peak))


def straight_lines(
    step: int, total: int, lr_max: float, pct_start: float = 0.3, div: float = 25.0, final_div: float = 1e4
) -> float:
    """Goes up and down in straight lines: right at start, middle, peak and end."""
    peak, last = pct_start * total - 1, total - 1
    low, end = lr_max / div, lr_max / div / final_div
    if step <= peak:
        return low + (lr_max - low) * step / peak
    return lr_max + (end - lr_max) * (step - peak) / (last - peak)


def straight_up_cosine_down(
    step: int, total: int, lr_max: float, pct_start: float = 0.3, div: float = 25.0, final_div: float = 1e4
) -> float:
    """Goes up in a straight line: right from the peak on."""
    peak, last = pct_start * total - 1, total - 1
    if step <= peak:
        return lr_max / div + (lr_max - lr_max / div) * step / peak
    return _half(lr_max, lr_max / div / final_div, (step - peak) / (last - peak))


def cosine_of_the_logarithm(
    step: int, total: int, lr_max: float, pct_start: float = 0.3, div: float = 25.0, final_div: float = 1e4
) -> float:
    """Anneals the logarithm of the rate: right at start, peak and end."""
    peak, last = pct_start * total - 1, total - 1
    low, high, end = (math.log(lr) for lr in (lr_max / div, lr_max, lr_max / div / final_div))
    if step <= peak:
        return math.exp(_half(low, high, step / peak))
    return math.exp(_half(high, end, (step - peak) / (last - peak)))


def a_whole_cosine(
    step: int, total: int, lr_max: float, pct_start: float = 0.3, div: float = 25.0, final_div: float = 1e4
) -> float:
    """Takes 2 pi for pi: comes back to where it began in each half."""
    peak, last = pct_start * total - 1, total - 1
    if step <= peak:
        return _half(lr_max / div, lr_max, 2 * step / peak)
    return _half(lr_max, lr_max / div / final_div, 2 * (step - peak) / (last - peak))


def cosine_of_degrees(
    step: int, total: int, lr_max: float, pct_start: float = 0.3, div: float = 25.0, final_div: float = 1e4
) -> float:
    """Gives degrees to math.cos, which takes radians."""
    peak, last = pct_start * total - 1, total - 1
    low, end = lr_max / div, lr_max / div / final_div
    if step <= peak:
        return low + (1 - math.cos(180 * step / peak)) / 2 * (lr_max - low)
    return lr_max + (1 - math.cos(180 * (step - peak) / (last - peak))) / 2 * (end - lr_max)


def final_rate_without_div(
    step: int, total: int, lr_max: float, pct_start: float = 0.3, div: float = 25.0, final_div: float = 1e4
) -> float:
    """Ends at lr_max / final_div: 25 times too high."""
    peak, last = pct_start * total - 1, total - 1
    if step <= peak:
        return _half(lr_max / div, lr_max, step / peak)
    return _half(lr_max, lr_max / final_div, (step - peak) / (last - peak))


def ends_at_zero(
    step: int, total: int, lr_max: float, pct_start: float = 0.3, div: float = 25.0, final_div: float = 1e4
) -> float:
    """Goes down to 0: off by 4e-6 of lr_max at the end, far more with a small final_div."""
    peak, last = pct_start * total - 1, total - 1
    if step <= peak:
        return _half(lr_max / div, lr_max, step / peak)
    return _half(lr_max, 0.0, (step - peak) / (last - peak))


def ends_where_it_began(
    step: int, total: int, lr_max: float, pct_start: float = 0.3, div: float = 25.0, final_div: float = 1e4
) -> float:
    """Goes down to lr_max / div and forgets final_div."""
    peak, last = pct_start * total - 1, total - 1
    if step <= peak:
        return _half(lr_max / div, lr_max, step / peak)
    return _half(lr_max, lr_max / div, (step - peak) / (last - peak))


def starts_at_zero(
    step: int, total: int, lr_max: float, pct_start: float = 0.3, div: float = 25.0, final_div: float = 1e4
) -> float:
    """Goes up from 0 instead of lr_max / div."""
    peak, last = pct_start * total - 1, total - 1
    if step <= peak:
        return _half(0.0, lr_max, step / peak)
    return _half(lr_max, lr_max / div / final_div, (step - peak) / (last - peak))


def way_down_counts_from_the_start(
    step: int, total: int, lr_max: float, pct_start: float = 0.3, div: float = 25.0, final_div: float = 1e4
) -> float:
    """Takes step / last for the share of the way down: jumps at the peak, right at the end."""
    peak, last = pct_start * total - 1, total - 1
    if step <= peak:
        return _half(lr_max / div, lr_max, step / peak)
    return _half(lr_max, lr_max / div / final_div, step / last)


def a_tensor(
    step: int, total: int, lr_max: float, pct_start: float = 0.3, div: float = 25.0, final_div: float = 1e4
) -> float:
    """Calculates with torch: a tensor of float32 instead of a float."""
    peak, last = pct_start * total - 1, total - 1
    if step <= peak:
        a, b, share = lr_max / div, lr_max, step / peak
    else:
        a, b, share = lr_max, lr_max / div / final_div, (step - peak) / (last - peak)
    return a + (1 - torch.cos(torch.tensor(math.pi * share))) / 2 * (b - a)
