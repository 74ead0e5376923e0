"""Wrong attempts at `average_gradients`, written by someone who has not seen the catalogue."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def _message(parameters: list[nn.Parameter]) -> Tensor:
    return torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in parameters])


def _cut(message: Tensor, parameters: list[nn.Parameter]) -> list[Tensor]:
    pieces = message.split([p.numel() for p in parameters])
    return [piece.view_as(p) for piece, p in zip(pieces, parameters, strict=True)]


def sum_of_gradients(parameters: list[nn.Parameter], size: int, all_reduce: Callable[[Tensor], Tensor]) -> list[Tensor]:
    """Forgets to divide."""
    return _cut(all_reduce(_message(parameters)), parameters)


def divides_by_parameters(
    parameters: list[nn.Parameter], size: int, all_reduce: Callable[[Tensor], Tensor]
) -> list[Tensor]:
    """Divides by the number of parameters."""
    return _cut(all_reduce(_message(parameters)) / len(parameters), parameters)


def always_two(parameters: list[nn.Parameter], size: int, all_reduce: Callable[[Tensor], Tensor]) -> list[Tensor]:
    """Divides by 2, whatever the size."""
    return _cut(all_reduce(_message(parameters)) / 2, parameters)


def divides_twice(parameters: list[nn.Parameter], size: int, all_reduce: Callable[[Tensor], Tensor]) -> list[Tensor]:
    """Divides before sending and again after."""
    return _cut(all_reduce(_message(parameters) / size) / size, parameters)


def a_message_for_each(
    parameters: list[nn.Parameter], size: int, all_reduce: Callable[[Tensor], Tensor]
) -> list[Tensor]:
    """Sends a message for each parameter."""
    return [all_reduce(torch.zeros_like(p) if p.grad is None else p.grad) / size for p in parameters]


def leaves_out_what_has_no_gradient(
    parameters: list[nn.Parameter], size: int, all_reduce: Callable[[Tensor], Tensor]
) -> list[Tensor]:
    """Sends a shorter message where a gradient is missing."""
    trained = [p for p in parameters if p.grad is not None]
    return _cut(all_reduce(_message(trained)) / size, trained)


def none_stays_none(
    parameters: list[nn.Parameter], size: int, all_reduce: Callable[[Tensor], Tensor]
) -> list[Tensor | None]:
    """Sends zeros for a missing gradient, but doesn't take what the others have."""
    averaged = _cut(all_reduce(_message(parameters)) / size, parameters)
    return [None if p.grad is None else mean for mean, p in zip(averaged, parameters, strict=True)]


def zero_stays_zero(parameters: list[nn.Parameter], size: int, all_reduce: Callable[[Tensor], Tensor]) -> list[Tensor]:
    """Returns zeros where this process has no gradient, although others may have one."""
    averaged = _cut(all_reduce(_message(parameters)) / size, parameters)
    return [torch.zeros_like(p) if p.grad is None else mean for mean, p in zip(averaged, parameters, strict=True)]


def no_thought_of_none(
    parameters: list[nn.Parameter], size: int, all_reduce: Callable[[Tensor], Tensor]
) -> list[Tensor]:
    """Flattens a gradient that may be None."""
    return _cut(all_reduce(torch.cat([p.grad.flatten() for p in parameters])) / size, parameters)


def one_zero_for_none(
    parameters: list[nn.Parameter], size: int, all_reduce: Callable[[Tensor], Tensor]
) -> list[Tensor]:
    """Sends a single zero for a missing gradient."""
    own = [torch.zeros(1) if p.grad is None else p.grad for p in parameters]
    total = all_reduce(torch.cat([gradient.flatten() for gradient in own])) / size
    return [piece.view_as(p) for piece, p in zip(total.split([g.numel() for g in own]), parameters, strict=True)]


def flat_pieces(parameters: list[nn.Parameter], size: int, all_reduce: Callable[[Tensor], Tensor]) -> list[Tensor]:
    """Cuts the message, but leaves the pieces flat."""
    return list((all_reduce(_message(parameters)) / size).split([p.numel() for p in parameters]))


def one_long_vector(parameters: list[nn.Parameter], size: int, all_reduce: Callable[[Tensor], Tensor]) -> Tensor:
    """Doesn't cut the message."""
    return all_reduce(_message(parameters)) / size


def writes_them_and_returns_nothing(
    parameters: list[nn.Parameter], size: int, all_reduce: Callable[[Tensor], Tensor]
) -> None:
    """Writes the means into .grad, as an optimizer would like it, and returns nothing."""
    for p, mean in zip(parameters, _cut(all_reduce(_message(parameters)) / size, parameters), strict=True):
        p.grad = mean


def averages_the_weights(
    parameters: list[nn.Parameter], size: int, all_reduce: Callable[[Tensor], Tensor]
) -> list[Tensor]:
    """Sends the parameters themselves."""
    return _cut(all_reduce(torch.cat([p.detach().flatten() for p in parameters])) / size, parameters)


def ignores_the_answer(
    parameters: list[nn.Parameter], size: int, all_reduce: Callable[[Tensor], Tensor]
) -> list[Tensor]:
    """Believes that all_reduce changes the message in place."""
    message = _message(parameters)
    all_reduce(message)
    return _cut(message / size, parameters)


def never_asks(parameters: list[nn.Parameter], size: int, all_reduce: Callable[[Tensor], Tensor]) -> list[Tensor]:
    """Divides its own gradients, and talks to nobody."""
    return _cut(_message(parameters) / size, parameters)


def pieces_of_equal_length(
    parameters: list[nn.Parameter], size: int, all_reduce: Callable[[Tensor], Tensor]
) -> list[Tensor]:
    """Cuts the message into pieces of the same length."""
    pieces = (all_reduce(_message(parameters)) / size).chunk(len(parameters))
    return [piece.view_as(p) for piece, p in zip(pieces, parameters, strict=True)]


def counts_rows(parameters: list[nn.Parameter], size: int, all_reduce: Callable[[Tensor], Tensor]) -> list[Tensor]:
    """Takes the number of rows for the number of elements."""
    pieces = (all_reduce(_message(parameters)) / size).split([len(p) for p in parameters])
    return [piece.view_as(p) for piece, p in zip(pieces, parameters, strict=True)]


def stacks(parameters: list[nn.Parameter], size: int, all_reduce: Callable[[Tensor], Tensor]) -> list[Tensor]:
    """Stacks gradients as if they all had one shape."""
    own = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    return list(all_reduce(torch.stack(own)) / size)


def columns_first(parameters: list[nn.Parameter], size: int, all_reduce: Callable[[Tensor], Tensor]) -> list[Tensor]:
    """Flattens matrices by columns, and reads them back by rows."""
    own = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    return _cut(all_reduce(torch.cat([g.mT.flatten() if g.ndim > 1 else g for g in own])) / size, parameters)


def adds_its_own_again(
    parameters: list[nn.Parameter], size: int, all_reduce: Callable[[Tensor], Tensor]
) -> list[Tensor]:
    """Takes what comes back for the gradients of the others, and adds its own."""
    message = _message(parameters)
    return _cut((message + all_reduce(message)) / size, parameters)


def clears_the_gradients(
    parameters: list[nn.Parameter], size: int, all_reduce: Callable[[Tensor], Tensor]
) -> list[Tensor]:
    """Removes the gradients after sending them."""
    averaged = _cut(all_reduce(_message(parameters)) / size, parameters)
    for p in parameters:
        p.grad = None
    return averaged


def divides_by_those_who_have_one(
    parameters: list[nn.Parameter], size: int, all_reduce: Callable[[Tensor], Tensor]
) -> list[Tensor]:
    """Divides by one less where its own gradient is missing."""
    totals = _cut(all_reduce(_message(parameters)), parameters)
    return [total / (size - (p.grad is None)) for total, p in zip(totals, parameters, strict=True)]


def in_half_precision(
    parameters: list[nn.Parameter], size: int, all_reduce: Callable[[Tensor], Tensor]
) -> list[Tensor]:
    """Sends fewer digits, to save time."""
    return _cut(all_reduce(_message(parameters).half()) / size, parameters)


def sends_it_twice(parameters: list[nn.Parameter], size: int, all_reduce: Callable[[Tensor], Tensor]) -> list[Tensor]:
    """Asks once for the shapes and once for the numbers."""
    shapes = all_reduce(_message(parameters)).shape
    return _cut(all_reduce(_message(parameters)).view(shapes) / size, parameters)


def in_place_division(
    parameters: list[nn.Parameter], size: int, all_reduce: Callable[[Tensor], Tensor]
) -> list[Tensor]:
    """Divides its own gradients in place before sending them, and what comes back not at all."""
    for p in parameters:
        if p.grad is not None:
            p.grad /= size
    return _cut(all_reduce(_message(parameters)), parameters)
