"""Wrong attempts at `has_exploded`, written by someone who has not seen the catalogue."""

import math


def _smoothed(losses: list[float], beta: float = 0.98) -> list[float]:
    average, result = 0.0, []
    for n, loss in enumerate(losses, start=1):
        average = beta * average + (1 - beta) * loss
        result.append(average / (1 - beta**n))
    return result


def _uncorrected(losses: list[float], beta: float = 0.98) -> list[float]:
    average, result = 0.0, []
    for loss in losses:
        average = beta * average + (1 - beta) * loss
        result.append(average)
    return result


def raw_losses(losses: list[float], stop_factor: float = 4.0) -> bool:
    """Compares the raw losses: one outlier at the end counts as an explosion."""
    return not math.isfinite(losses[-1]) or losses[-1] > stop_factor * min(losses)


def raw_loss_against_smoothed(losses: list[float], stop_factor: float = 4.0) -> bool:
    """Compares the raw last loss with the lowest smoothed one."""
    return not math.isfinite(losses[-1]) or losses[-1] > stop_factor * min(_smoothed(losses))


def smoothed_loss_against_raw(losses: list[float], stop_factor: float = 4.0) -> bool:
    """Compares the smoothed last loss with the lowest raw one: one lucky batch counts as an explosion."""
    return not math.isfinite(losses[-1]) or _smoothed(losses)[-1] > stop_factor * min(losses)


def forgets_infinity(losses: list[float], stop_factor: float = 4.0) -> bool:
    """Tests for nan only: a first infinite loss isn't more than 4 times itself."""
    values = _smoothed(losses)
    return math.isnan(losses[-1]) or values[-1] > stop_factor * min(values)


def forgets_nan(losses: list[float], stop_factor: float = 4.0) -> bool:
    """Tests for infinity only: nan exceeds nothing."""
    values = _smoothed(losses)
    return math.isinf(losses[-1]) or values[-1] > stop_factor * min(values)


def compares_nan_with_equals(losses: list[float], stop_factor: float = 4.0) -> bool:
    """Tests nan with ==, which is always false."""
    values = _smoothed(losses)
    return losses[-1] == math.nan or math.isinf(losses[-1]) or values[-1] > stop_factor * min(values)


def against_the_first(losses: list[float], stop_factor: float = 4.0) -> bool:
    """Compares with the first loss, not with the lowest: late after a good descent."""
    values = _smoothed(losses)
    return not math.isfinite(losses[-1]) or values[-1] > stop_factor * values[0]


def against_the_one_before(losses: list[float], stop_factor: float = 4.0) -> bool:
    """Compares with the smoothed loss before: smoothed ones hardly ever grow fourfold in one step."""
    values = _smoothed(losses)
    return not math.isfinite(losses[-1]) or (len(values) > 1 and values[-1] > stop_factor * values[-2])


def against_the_lowest_before(losses: list[float], stop_factor: float = 4.0) -> bool:
    """Leaves the last out of the lowest: min() of nothing fails for one loss."""
    values = _smoothed(losses)
    return not math.isfinite(losses[-1]) or values[-1] > stop_factor * min(values[:-1])


def ignores_the_factor(losses: list[float], stop_factor: float = 4.0) -> bool:
    """Always takes 4."""
    values = _smoothed(losses)
    return not math.isfinite(losses[-1]) or values[-1] > 4 * min(values)


def waits_for_ten_losses(losses: list[float], stop_factor: float = 4.0) -> bool:
    """Says no to the first ten losses whatever they are."""
    if len(losses) <= 10:
        return False
    values = _smoothed(losses)
    return not math.isfinite(losses[-1]) or values[-1] > stop_factor * min(values)


def adds_the_factor(losses: list[float], stop_factor: float = 4.0) -> bool:
    """Adds the factor to the lowest instead of multiplying."""
    values = _smoothed(losses)
    return not math.isfinite(losses[-1]) or values[-1] > stop_factor + min(values)


def factor_on_the_wrong_side(losses: list[float], stop_factor: float = 4.0) -> bool:
    """Multiplies the last instead of the lowest: yes to nearly everything."""
    values = _smoothed(losses)
    return not math.isfinite(losses[-1]) or stop_factor * values[-1] > min(values)


def whole_number_of_times(losses: list[float], stop_factor: float = 4.0) -> bool:
    """Divides with //: 4.5 times is "4 times", which doesn't exceed 4."""
    values = _smoothed(losses)
    return not math.isfinite(losses[-1]) or values[-1] // max(min(values), 1e-12) > stop_factor


def any_smoothed_loss(losses: list[float], stop_factor: float = 4.0) -> bool:
    """Asks whether any smoothed loss exceeds the limit: a good descent has "exploded" at its start."""
    values = _smoothed(losses)
    return not math.isfinite(losses[-1]) or max(values) > stop_factor * min(values)


def last_twenty_only(losses: list[float], stop_factor: float = 4.0) -> bool:
    """Smooths the last twenty losses only: an earlier lowest is forgotten."""
    values = _smoothed(losses[-20:])
    return not math.isfinite(losses[-1]) or values[-1] > stop_factor * min(values)
