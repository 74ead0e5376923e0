"""Wrong attempts at `smoothed`, written by someone who has not seen the catalogue."""

import torch


def forgets_the_correction(losses: list[float], beta: float = 0.98) -> list[float]:
    """Returns the plain running average: much too small at the start."""
    average, result = 0.0, []
    for loss in losses:
        average = beta * average + (1 - beta) * loss
        result.append(average)
    return result


def starts_at_the_first_loss(losses: list[float], beta: float = 0.98) -> list[float]:
    """Starts the average at the first loss instead of correcting: right for one loss or equal losses."""
    average, result = losses[0] if losses else 0.0, []
    for loss in losses:
        average = beta * average + (1 - beta) * loss
        result.append(average)
    return result


def counts_from_zero(losses: list[float], beta: float = 0.98) -> list[float]:
    """Corrects by 1 - beta ** 0: divides by zero at the first loss."""
    average, result = 0.0, []
    for n, loss in enumerate(losses):
        average = beta * average + (1 - beta) * loss
        result.append(average / (1 - beta**n))
    return result


def counts_from_two(losses: list[float], beta: float = 0.98) -> list[float]:
    """Corrects by 1 - beta ** (n + 1): too small, most at the start. Right for beta 0."""
    average, result = 0.0, []
    for n, loss in enumerate(losses, start=1):
        average = beta * average + (1 - beta) * loss
        result.append(average / (1 - beta ** (n + 1)))
    return result


def goes_on_with_the_corrected(losses: list[float], beta: float = 0.98) -> list[float]:
    """Corrects the average itself, so that the next loss starts from there: right for one loss."""
    average, result = 0.0, []
    for n, loss in enumerate(losses, start=1):
        average = (beta * average + (1 - beta) * loss) / (1 - beta**n)
        result.append(average)
    return result


def ignores_beta(losses: list[float], beta: float = 0.98) -> list[float]:
    """Always takes 0.98."""
    average, result = 0.0, []
    for n, loss in enumerate(losses, start=1):
        average = 0.98 * average + 0.02 * loss
        result.append(average / (1 - 0.98**n))
    return result


def product_for_power(losses: list[float], beta: float = 0.98) -> list[float]:
    """Corrects by 1 - beta * n: right for one loss, then negative."""
    average, result = 0.0, []
    for n, loss in enumerate(losses, start=1):
        average = beta * average + (1 - beta) * loss
        result.append(average / (1 - beta * n))
    return result


def corrects_by_the_full_length(losses: list[float], beta: float = 0.98) -> list[float]:
    """Divides all by 1 - beta ** len(losses): right for the last one only."""
    average, result = 0.0, []
    for loss in losses:
        average = beta * average + (1 - beta) * loss
        result.append(average / (1 - beta ** len(losses)))
    return result


def corrects_the_first_ten_only(losses: list[float], beta: float = 0.98) -> list[float]:
    """Leaves the correction out after ten losses, when it "doesn't matter any more": it does for 0.98."""
    average, result = 0.0, []
    for n, loss in enumerate(losses, start=1):
        average = beta * average + (1 - beta) * loss
        result.append(average / (1 - beta**n) if n <= 10 else average)
    return result


def returns_the_last_only(losses: list[float], beta: float = 0.98) -> list[float]:
    """Returns a number, the last average, instead of one for each loss."""
    average = 0.0
    for loss in losses:
        average = beta * average + (1 - beta) * loss
    return average / (1 - beta ** len(losses))


def writes_into_the_argument(losses: list[float], beta: float = 0.98) -> list[float]:
    """Puts the averages into `losses` itself: right values, but the list doesn't stay as it is."""
    average = 0.0
    for i, loss in enumerate(losses):
        average = beta * average + (1 - beta) * loss
        losses[i] = average / (1 - beta ** (i + 1))
    return losses


def uses_the_argument_up(losses: list[float], beta: float = 0.98) -> list[float]:
    """Takes the losses out of the list one by one: right values, but the list is empty afterwards."""
    average, result, n = 0.0, [], 0
    while losses:
        n += 1
        average = beta * average + (1 - beta) * losses.pop(0)
        result.append(average / (1 - beta**n))
    return result


def begins_with_zero(losses: list[float], beta: float = 0.98) -> list[float]:
    """Returns the start of the average too: one value too many."""
    average, result = 0.0, [0.0]
    for n, loss in enumerate(losses, start=1):
        average = beta * average + (1 - beta) * loss
        result.append(average / (1 - beta**n))
    return result


def plain_mean_so_far(losses: list[float], beta: float = 0.98) -> list[float]:
    """Takes the mean of all losses so far: right for one loss or equal losses, near for two."""
    return [sum(losses[: n + 1]) / (n + 1) for n in range(len(losses))]


_RUNNING = [0.0, 0]


def goes_on_from_the_last_call(losses: list[float], beta: float = 0.98) -> list[float]:
    """Keeps average and count between calls: right in the first call only."""
    result = []
    for loss in losses:
        _RUNNING[1] += 1
        _RUNNING[0] = beta * _RUNNING[0] + (1 - beta) * loss
        result.append(_RUNNING[0] / (1 - beta ** _RUNNING[1]))
    return result


def in_single_precision(losses: list[float], beta: float = 0.98) -> list[float]:
    """Returns a tensor of float32 instead of a list of floats."""
    average, result = 0.0, []
    for n, loss in enumerate(losses, start=1):
        average = beta * average + (1 - beta) * loss
        result.append(average / (1 - beta**n))
    return torch.tensor(result)
