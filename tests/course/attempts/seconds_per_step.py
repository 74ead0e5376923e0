"""Wrong attempts at `seconds_per_step`, written by someone who has not seen the catalogue."""

import math


def fractions_of_images(batch: int, per_image: float, megabytes: float, speed: float, size: int) -> float:
    """Divides the batch evenly: the largest part decides."""
    return batch / size * per_image + 2 * (size - 1) / size * megabytes / speed


def rounds_down(batch: int, per_image: float, megabytes: float, speed: float, size: int) -> float:
    """Takes the smallest part."""
    return batch // size * per_image + 2 * (size - 1) / size * megabytes / speed


def rounds_to_the_nearest(batch: int, per_image: float, megabytes: float, speed: float, size: int) -> float:
    """Rounds to the nearest number of images."""
    return round(batch / size) * per_image + 2 * (size - 1) / size * megabytes / speed


def always_one_more(batch: int, per_image: float, megabytes: float, speed: float, size: int) -> float:
    """Adds one image even if the batch can be divided."""
    return (batch // size + 1) * per_image + 2 * (size - 1) / size * megabytes / speed


def rest_on_top(batch: int, per_image: float, megabytes: float, speed: float, size: int) -> float:
    """Gives the whole rest to one process."""
    return (batch // size + batch % size) * per_image + 2 * (size - 1) / size * megabytes / speed


def rounds_too_late(batch: int, per_image: float, megabytes: float, speed: float, size: int) -> float:
    """Rounds up what has been rounded down."""
    return math.ceil(batch // size) * per_image + 2 * (size - 1) / size * megabytes / speed


def rounds_up_the_seconds(batch: int, per_image: float, megabytes: float, speed: float, size: int) -> float:
    """Rounds up the seconds instead of the images."""
    return math.ceil(batch / size * per_image) + 2 * (size - 1) / size * megabytes / speed


def everyone_computes_everything(batch: int, per_image: float, megabytes: float, speed: float, size: int) -> float:
    """Doesn't share the batch."""
    return batch * per_image + 2 * (size - 1) / size * megabytes / speed


def only_computing(batch: int, per_image: float, megabytes: float, speed: float, size: int) -> float:
    """Forgets the sending."""
    return math.ceil(batch / size) * per_image


def one_way_only(batch: int, per_image: float, megabytes: float, speed: float, size: int) -> float:
    """Sends the pieces round once."""
    return math.ceil(batch / size) * per_image + (size - 1) / size * megabytes / speed


def sends_everything_each_time(batch: int, per_image: float, megabytes: float, speed: float, size: int) -> float:
    """Sends all gradients, not a piece, in each of the turns."""
    return math.ceil(batch / size) * per_image + 2 * (size - 1) * megabytes / speed


def sends_all_once(batch: int, per_image: float, megabytes: float, speed: float, size: int) -> float:
    """Sends all gradients once, even to nobody."""
    return math.ceil(batch / size) * per_image + megabytes / speed


def one_process_sends_too(batch: int, per_image: float, megabytes: float, speed: float, size: int) -> float:
    """Sends twice all gradients."""
    return math.ceil(batch / size) * per_image + 2 * megabytes / speed


def one_piece_only(batch: int, per_image: float, megabytes: float, speed: float, size: int) -> float:
    """Sends one piece there and one back."""
    return math.ceil(batch / size) * per_image + 2 / size * megabytes / speed


def times_speed(batch: int, per_image: float, megabytes: float, speed: float, size: int) -> float:
    """Multiplies by the speed."""
    return math.ceil(batch / size) * per_image + 2 * (size - 1) / size * megabytes * speed


def at_the_same_time(batch: int, per_image: float, megabytes: float, speed: float, size: int) -> float:
    """Lets computing and sending happen at the same time."""
    return max(math.ceil(batch / size) * per_image, 2 * (size - 1) / size * megabytes / speed)


def megabits(batch: int, per_image: float, megabytes: float, speed: float, size: int) -> float:
    """Takes the speed for megabits."""
    return math.ceil(batch / size) * per_image + 2 * (size - 1) / size * megabytes * 8 / speed


def sends_for_each_image(batch: int, per_image: float, megabytes: float, speed: float, size: int) -> float:
    """Sends after every image."""
    return math.ceil(batch / size) * (per_image + 2 * (size - 1) / size * megabytes / speed)


def all_processes_one_after_the_other(batch: int, per_image: float, megabytes: float, speed: float, size: int) -> float:
    """Adds up what all processes send."""
    return math.ceil(batch / size) * per_image + 2 * (size - 1) * megabytes / speed * (size > 1)


def whole_turns(batch: int, per_image: float, megabytes: float, speed: float, size: int) -> float:
    """Divides the turns with //."""
    return math.ceil(batch / size) * per_image + 2 * (size - 1) // size * megabytes / speed


def brackets_forgotten(batch: int, per_image: float, megabytes: float, speed: float, size: int) -> float:
    """Forgets the brackets around size - 1."""
    return math.ceil(batch / size) * per_image + (2 * size - 1) / size * megabytes / speed


def divides_by_everything(batch: int, per_image: float, megabytes: float, speed: float, size: int) -> float:
    """Divides the computing by the speed, too."""
    return (math.ceil(batch / size) * per_image + 2 * (size - 1) / size * megabytes) / speed


def how_many_times_as_fast(batch: int, per_image: float, megabytes: float, speed: float, size: int) -> float:
    """Returns the gain."""
    return batch * per_image / (math.ceil(batch / size) * per_image + 2 * (size - 1) / size * megabytes / speed)


def both_times(batch: int, per_image: float, megabytes: float, speed: float, size: int) -> tuple[float, float]:
    """Returns the two times."""
    return math.ceil(batch / size) * per_image, 2 * (size - 1) / size * megabytes / speed


def rounded(batch: int, per_image: float, megabytes: float, speed: float, size: int) -> float:
    """Rounds to thousandths."""
    return round(math.ceil(batch / size) * per_image + 2 * (size - 1) / size * megabytes / speed, 3)


def images_a_second(batch: int, per_image: float, megabytes: float, speed: float, size: int) -> float:
    """Divides by the time for an image, as if it were images a second."""
    return math.ceil(batch / size) / per_image + 2 * (size - 1) / size * megabytes / speed


def at_least_as_many_images_as_processes(
    batch: int, per_image: float, megabytes: float, speed: float, size: int
) -> float:
    """Leaves out processes that get no image: they still take part in the averaging."""
    used = min(batch, size)
    return math.ceil(batch / used) * per_image + 2 * (used - 1) / used * megabytes / speed
