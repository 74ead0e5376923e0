"""Wrong attempts at `next_scale`, written by someone who has not seen the catalogue."""


def doubles_one_step_late(scale: float, good_steps: int, taken: bool, interval: int = 2000) -> tuple[float, int]:
    """Tests the count from before this step: doubles after interval + 1 good steps."""
    if not taken:
        return scale / 2, 0
    if good_steps >= interval:
        return scale * 2, 0
    return scale, good_steps + 1


def more_than_the_interval(scale: float, good_steps: int, taken: bool, interval: int = 2000) -> tuple[float, int]:
    """Says > for "reaches": one step late."""
    if not taken:
        return scale / 2, 0
    good_steps += 1
    if good_steps > interval:
        return scale * 2, 0
    return scale, good_steps


def doubles_one_step_early(scale: float, good_steps: int, taken: bool, interval: int = 2000) -> tuple[float, int]:
    """Takes good_steps for a number that starts at 1: doubles after interval - 1 good steps."""
    if not taken:
        return scale / 2, 0
    good_steps += 1
    if good_steps >= interval - 1:
        return scale * 2, 0
    return scale, good_steps


def goes_on_counting_after_doubling(
    scale: float, good_steps: int, taken: bool, interval: int = 2000
) -> tuple[float, int]:
    """Doesn't set the count to 0 when it doubles: with >= it doubles at each step from then on."""
    if not taken:
        return scale / 2, 0
    good_steps += 1
    if good_steps >= interval:
        scale *= 2
    return scale, good_steps


def multiples_of_the_interval(scale: float, good_steps: int, taken: bool, interval: int = 2000) -> tuple[float, int]:
    """Doubles at multiples of the interval and goes on counting: right scale, wrong count."""
    if not taken:
        return scale / 2, 0
    good_steps += 1
    return (scale * 2 if good_steps % interval == 0 else scale), good_steps


def keeps_the_count_when_skipped(scale: float, good_steps: int, taken: bool, interval: int = 2000) -> tuple[float, int]:
    """Halves the scale, but leaves the count: "in a row" is lost."""
    if not taken:
        return scale / 2, good_steps
    good_steps += 1
    if good_steps >= interval:
        return scale * 2, 0
    return scale, good_steps


def counts_skipped_steps(scale: float, good_steps: int, taken: bool, interval: int = 2000) -> tuple[float, int]:
    """Counts every step, and tests before it looks whether the step was taken."""
    good_steps += 1
    if good_steps >= interval:
        return scale * 2, 0
    if not taken:
        return scale / 2, 0
    return scale, good_steps


def doubles_and_halves(scale: float, good_steps: int, taken: bool, interval: int = 2000) -> tuple[float, int]:
    """Doubles when the count is reached even if this step was skipped, then halves: the scale stays."""
    good_steps += 1
    if good_steps >= interval:
        scale, good_steps = scale * 2, 0
    if not taken:
        scale, good_steps = scale / 2, 0
    return scale, good_steps


def begins_again_at_one(scale: float, good_steps: int, taken: bool, interval: int = 2000) -> tuple[float, int]:
    """Sets the count to 1 after doubling: the next interval is shorter by one."""
    if not taken:
        return scale / 2, 0
    good_steps += 1
    if good_steps >= interval:
        return scale * 2, 1
    return scale, good_steps


def begins_again_at_one_when_skipped(
    scale: float, good_steps: int, taken: bool, interval: int = 2000
) -> tuple[float, int]:
    """Sets the count to 1 after a skipped step, as if that were a good one."""
    if not taken:
        return scale / 2, 1
    good_steps += 1
    if good_steps >= interval:
        return scale * 2, 0
    return scale, good_steps


def doubles_when_skipped(scale: float, good_steps: int, taken: bool, interval: int = 2000) -> tuple[float, int]:
    """Takes the two directions for each other."""
    if not taken:
        return scale * 2, 0
    good_steps += 1
    if good_steps >= interval:
        return scale / 2, 0
    return scale, good_steps


def doubles_each_time(scale: float, good_steps: int, taken: bool, interval: int = 2000) -> tuple[float, int]:
    """Doubles after every good step, without waiting: right for interval 1."""
    if not taken:
        return scale / 2, 0
    return scale * 2, 0


def whole_number_half(scale: float, good_steps: int, taken: bool, interval: int = 2000) -> tuple[float, int]:
    """Halves with //: a scale of 1.0 becomes 0.0, and 3.0 becomes 1.0."""
    if not taken:
        return scale // 2, 0
    good_steps += 1
    if good_steps >= interval:
        return scale * 2, 0
    return scale, good_steps


def ignores_the_interval(scale: float, good_steps: int, taken: bool, interval: int = 2000) -> tuple[float, int]:
    """Always takes 2000."""
    if not taken:
        return scale / 2, 0
    good_steps += 1
    if good_steps >= 2000:
        return scale * 2, 0
    return scale, good_steps


def swaps_the_results(scale: float, good_steps: int, taken: bool, interval: int = 2000) -> tuple[float, int]:
    """Returns the count first."""
    if not taken:
        return 0, scale / 2
    good_steps += 1
    if good_steps >= interval:
        return 0, scale * 2
    return good_steps, scale


def returns_the_scale_only(scale: float, good_steps: int, taken: bool, interval: int = 2000) -> tuple[float, int]:
    """Returns a single number."""
    if not taken:
        return scale / 2
    if good_steps + 1 >= interval:
        return scale * 2
    return scale
