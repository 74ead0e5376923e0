"""Wrong attempts at `warmup`: those of a learner who walked through the lesson, and a few more."""

import math
from collections.abc import Callable

Schedule = Callable[[float], float]


def _cosine(start: float, end: float, share: float) -> float:
    return start + (end - start) * (1 - math.cos(math.pi * share)) / 2


def climbs_along_a_cosine(schedule: Schedule, climb: float) -> Schedule:
    """Climbs as one-cycle does: line and half cosine agree at 0, in the middle and at the end of the climb."""

    def new(share: float) -> float:
        if share < climb:
            return _cosine(0, schedule(0), share / climb)
        return schedule((share - climb) / (1 - climb))

    return new


def neither_filled_nor_stretched(schedule: Schedule, climb: float) -> Schedule:
    """Multiplies by the share of the run, not of the climb, and cuts off the start of the schedule."""

    def new(share: float) -> float:
        if share < climb:
            return schedule(0) * share
        return schedule(share)

    return new


def not_stretched(schedule: Schedule, climb: float) -> Schedule:
    """Goes on in the middle of the schedule."""

    def new(share: float) -> float:
        if share < climb:
            return schedule(0) * share / climb
        return schedule(share)

    return new


def shifted_only(schedule: Schedule, climb: float) -> Schedule:
    """Never reaches the end of the schedule."""

    def new(share: float) -> float:
        if share < climb:
            return schedule(0) * share / climb
        return schedule(share - climb)

    return new


def divides_by_a_climb_of_zero(schedule: Schedule, climb: float) -> Schedule:
    """Counts the end of the climb as a part of it."""

    def new(share: float) -> float:
        if share <= climb:
            return schedule(0) * share / climb
        return schedule((share - climb) / (1 - climb))

    return new


def no_function_inside(schedule: Schedule, climb: float) -> Schedule:
    """Has no share to ask about."""
    if share < climb:  # noqa: F821
        return schedule(0) * share / climb  # noqa: F821
    return schedule((share - climb) / (1 - climb))  # noqa: F821


def climbs_to_a_later_rate(schedule: Schedule, climb: float) -> Schedule:
    """Climbs to the rate that the schedule has after the share of the climb."""

    def new(share: float) -> float:
        if share < climb:
            return schedule(climb) * share / climb
        return schedule((share - climb) / (1 - climb))

    return new


def multiplies(schedule: Schedule, climb: float) -> Schedule:
    """Lets the schedule fall while it climbs; a climb of 0 divides by zero."""
    return lambda share: schedule(share) * min(1, share / climb)


def stretched_without_a_shift(schedule: Schedule, climb: float) -> Schedule:
    """Has left the beginning of the schedule when the climb ends."""

    def new(share: float) -> float:
        if share < climb:
            return schedule(0) * share / climb
        return schedule(share / (1 - climb))

    return new


def the_schedule_itself(schedule: Schedule, climb: float) -> Schedule:
    """Doesn't climb at all."""
    return schedule


def climbs_in_a_curve(schedule: Schedule, climb: float) -> Schedule:
    """Squares the part of the climb."""

    def new(share: float) -> float:
        if share < climb:
            return schedule(0) * (share / climb) ** 2
        return schedule((share - climb) / (1 - climb))

    return new


def calls_its_own_function(schedule: Schedule, climb: float) -> float:
    """Returns the first rate instead of the schedule."""

    def new(share: float) -> float:
        if share < climb:
            return schedule(0) * share / climb
        return schedule((share - climb) / (1 - climb))

    return new(0)
