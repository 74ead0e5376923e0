"""Wrong attempts at `steepest`: those of a learner who walked through the lesson, and a few more."""

import math


def _falls(losses: list[float], span: int) -> list[float]:
    return [losses[i] - losses[i + span] for i in range(len(losses) - span)]


def last_of_equal_falls(rates: list[float], losses: list[float], span: int = 20) -> float:
    """Compares with >=, so that the last of several equal falls counts."""
    best, found = 0.0, None
    for i in range(len(losses) - span):
        if losses[i] - losses[i + span] >= best:
            best, found = losses[i] - losses[i + span], i
    return rates[found + span // 2] if best > 0 else math.nan


def middle_between_the_ends(rates: list[float], losses: list[float], span: int = 20) -> float:
    """Takes the geometric middle: the same for an even span, and a rate that wasn't tried for an odd one."""
    falls = _falls(losses, span)
    best = max(falls, default=0)
    i = falls.index(best) if falls else 0
    return math.sqrt(rates[i] * rates[i + span]) if best > 0 else math.nan


def fails_on_a_short_curve(rates: list[float], losses: list[float], span: int = 20) -> float:
    """Takes the maximum of an empty list."""
    falls = _falls(losses, span)
    return rates[falls.index(max(falls)) + span // 2] if max(falls) > 0 else math.nan


def always_a_rate(rates: list[float], losses: list[float], span: int = 20) -> float:
    """Has no nan."""
    falls = _falls(losses, span)
    return rates[falls.index(max(falls)) + span // 2]


def largest_rise(rates: list[float], losses: list[float], span: int = 20) -> float:
    """Subtracts the wrong way round."""
    rises = [losses[i + span] - losses[i] for i in range(len(losses) - span)]
    i = rises.index(max(rises))
    return rates[i + span // 2] if rises[i] > 0 else math.nan


def left_end(rates: list[float], losses: list[float], span: int = 20) -> float:
    """Returns the rate at which the fall begins."""
    falls = _falls(losses, span)
    i = falls.index(max(falls))
    return rates[i] if falls[i] > 0 else math.nan


def without_the_last_window(rates: list[float], losses: list[float], span: int = 20) -> float:
    """Ends one window too early."""
    falls = _falls(losses[:-1], span)
    i = falls.index(max(falls))
    return rates[i + span // 2] if falls[i] > 0 else math.nan


def beyond_the_end(rates: list[float], losses: list[float], span: int = 20) -> float:
    """Asks for losses that aren't there."""
    falls = [losses[i] - losses[i + span] for i in range(len(losses))]
    i = falls.index(max(falls))
    return rates[i + span // 2] if falls[i] > 0 else math.nan


def a_flat_curve_falls(rates: list[float], losses: list[float], span: int = 20) -> float:
    """Takes a fall of 0 for a fall."""
    falls = _falls(losses, span)
    return math.nan if max(falls, default=-1) < 0 else rates[falls.index(max(falls)) + span // 2]


def none_for_no_fall(rates: list[float], losses: list[float], span: int = 20) -> float | None:
    """Returns None instead of nan."""
    falls = _falls(losses, span)
    return rates[falls.index(max(falls)) + span // 2] if max(falls, default=0) > 0 else None


def lowest_loss(rates: list[float], losses: list[float], span: int = 20) -> float:
    """Looks for the minimum."""
    return rates[losses.index(min(losses))]


def largest_share(rates: list[float], losses: list[float], span: int = 20) -> float:
    """Divides each fall by the loss at its beginning, which prefers falls at low losses."""
    falls = [(losses[i] - losses[i + span]) / losses[i] for i in range(len(losses) - span)]
    return rates[falls.index(max(falls)) + span // 2] if max(falls, default=0) > 0 else math.nan
