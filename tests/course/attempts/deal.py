"""Wrong attempts at `deal`, written by someone who has not seen the catalogue."""

import math

import torch
from torch import Tensor


def blocks_of_equal_length(positions: list[int], rank: int, size: int) -> list[int]:
    """Cuts the batch into blocks: nothing is lost, but nobody deals cards that way."""
    length = math.ceil(len(positions) / size)
    return positions[rank * length : (rank + 1) * length]


def balanced_blocks(positions: list[int], rank: int, size: int) -> list[int]:
    """Cuts the batch into blocks, of which the first are one longer."""
    length, rest = divmod(len(positions), size)
    begin = rank * length + min(rank, rest)
    return positions[begin : begin + length + (rank < rest)]


def blocks_without_the_rest(positions: list[int], rank: int, size: int) -> list[int]:
    """Cuts the batch into blocks of the same length, and loses what is left."""
    length = len(positions) // size
    return positions[rank * length : (rank + 1) * length]


def ranks_from_one(positions: list[int], rank: int, size: int) -> list[int]:
    """Counts processes from 1."""
    return positions[rank - 1 :: size]


def begins_one_too_late(positions: list[int], rank: int, size: int) -> list[int]:
    """Begins with the position after its own."""
    return positions[rank + 1 :: size]


def equal_parts_only(positions: list[int], rank: int, size: int) -> list[int]:
    """Deals in turn, but leaves out the last round if it doesn't go round."""
    whole = len(positions) - len(positions) % size
    return positions[rank:whole:size]


def fills_up_from_the_front(positions: list[int], rank: int, size: int) -> list[int]:
    """Repeats the first positions until all parts are equally long."""
    missing = -len(positions) % size
    return (positions + positions[:missing])[rank::size]


def repeats_the_last(positions: list[int], rank: int, size: int) -> list[int]:
    """Gives a process that would have nothing the last position."""
    return positions[rank::size] or positions[-1:]


def by_value(positions: list[int], rank: int, size: int) -> list[int]:
    """Deals by the number itself, not by its place in the batch."""
    return [position for position in positions if position % size == rank]


def places_instead_of_positions(positions: list[int], rank: int, size: int) -> list[int]:
    """Returns where the positions stand in the batch."""
    return list(range(rank, len(positions), size))


def ignores_the_rank(positions: list[int], rank: int, size: int) -> list[int]:
    """Gives every process the part of process 0."""
    return positions[::size]


def every_second(positions: list[int], rank: int, size: int) -> list[int]:
    """Deals to two processes, whatever the size."""
    return positions[rank::2]


def rank_and_size_swapped(positions: list[int], rank: int, size: int) -> list[int]:
    """Begins with number `size` and takes every `rank`-th."""
    return positions[size :: rank or 1]


def stops_before_the_last(positions: list[int], rank: int, size: int) -> list[int]:
    """Takes `len(positions) - 1` for the end of the range."""
    return [positions[i] for i in range(rank, len(positions) - 1, size)]


def same_number_for_all(positions: list[int], rank: int, size: int) -> list[int]:
    """Reads as many as the longest part has: there is an error in the shorter ones."""
    return [positions[rank + i * size] for i in range(math.ceil(len(positions) / size))]


def all_parts(positions: list[int], rank: int, size: int) -> list[list[int]]:
    """Returns the parts of all processes."""
    return [positions[r::size] for r in range(size)]


def takes_cards_from_the_list(positions: list[int], rank: int, size: int) -> list[int]:
    """Takes the dealt positions out of the caller's list."""
    mine, turn = [], 0
    while positions:
        position = positions.pop(0)
        if turn % size == rank:
            mine.append(position)
        turn += 1
    return mine


def nothing_for_an_empty_part(positions: list[int], rank: int, size: int) -> list[int] | None:
    """Returns None where a part is empty."""
    if rank < len(positions):
        return positions[rank::size]


def first_one_is_sure(positions: list[int], rank: int, size: int) -> list[int]:
    """Begins with its first position, which may not exist."""
    mine = [positions[rank]]
    for i in range(rank + size, len(positions), size):
        mine.append(positions[i])
    return mine


def back_and_forth(positions: list[int], rank: int, size: int) -> list[int]:
    """Deals from left to right, then from right to left."""
    mine = []
    for begin in range(0, len(positions), size):
        turn = positions[begin : begin + size]
        place = rank if begin // size % 2 == 0 else size - 1 - rank
        mine += turn[place : place + 1]
    return mine


def sorted_first(positions: list[int], rank: int, size: int) -> list[int]:
    """Sorts the batch, which was shuffled on purpose."""
    return sorted(positions)[rank::size]


def step_one_too_long(positions: list[int], rank: int, size: int) -> list[int]:
    """Skips `size` positions between two of its own."""
    return positions[rank :: size + 1]


def as_tensor(positions: list[int], rank: int, size: int) -> Tensor:
    """Returns a tensor."""
    return torch.tensor(positions)[rank::size]


def one_at_a_time(positions: list[int], rank: int, size: int):
    """Yields the positions."""
    for i, position in enumerate(positions):
        if i % size == rank:
            yield position
