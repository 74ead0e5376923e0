"""Wrong attempts at `put_back_in_order`, written by someone who has not seen the catalogue."""

from itertools import chain, zip_longest

import numpy as np
import torch


def one_after_the_other(parts: list[list]) -> list:
    """Joins the parts."""
    return [item for part in parts for item in part]


def sum_of_lists(parts: list[list]) -> list:
    """Joins the parts with sum."""
    return sum(parts, [])


def zip_loses_the_rest(parts: list[list]) -> list:
    """Stops at the shortest part."""
    return [item for turn in zip(*parts, strict=False) for item in turn]


def parts_must_be_equal(parts: list[list]) -> list:
    """Fails if parts differ in length."""
    return [item for turn in zip(*parts, strict=True) for item in turn]


def none_for_what_is_missing(parts: list[list]) -> list:
    """Fills up with None."""
    return [item for turn in zip_longest(*parts) for item in turn]


def leaves_out_what_is_false(parts: list[list]) -> list:
    """Leaves out 0, too, and whatever else counts as false."""
    return [item for turn in zip_longest(*parts) for item in turn if item]


def sorts(parts: list[list]) -> list:
    """Sorts, as if the old order were the sorted one."""
    return sorted(chain(*parts))


def as_many_as_the_first(parts: list[list]) -> list:
    """Takes all parts for as long as the first."""
    return [part[i] for i in range(len(parts[0])) for part in parts]


def as_many_as_the_last(parts: list[list]) -> list:
    """Takes all parts for as long as the last, the shortest."""
    return [part[i] for i in range(len(parts[-1])) for part in parts]


def empties_the_parts(parts: list[list]) -> list:
    """Takes the things out of the caller's lists."""
    result = []
    while any(parts):
        for part in parts:
            if part:
                result.append(part.pop(0))
    return result


def from_the_end(parts: list[list]) -> list:
    """Takes the last thing of each part first."""
    result, copies = [], [list(part) for part in parts]
    while any(copies):
        for part in copies:
            if part:
                result.append(part.pop())
    return result


def place_and_process_swapped(parts: list[list]) -> list:
    """Swaps % and //."""
    n, size = sum(len(part) for part in parts), len(parts)
    return [parts[i // size][i % size] for i in range(n)]


def last_process_first(parts: list[list]) -> list:
    """Begins each turn with the last process."""
    longest = max(map(len, parts))
    return [part[i] for i in range(longest) for part in reversed(parts) if i < len(part)]


def turns_are_kept(parts: list[list]) -> list:
    """Returns a list of turns."""
    longest = max(map(len, parts))
    return [[part[i] for part in parts if i < len(part)] for i in range(longest)]


def for_two_processes(parts: list[list]) -> list:
    """Puts two parts together, and forgets the others."""
    result = []
    for i in range(len(parts[0])):
        result.append(parts[0][i])
        if len(parts) > 1 and i < len(parts[1]):
            result.append(parts[1][i])
    return result


def everything_once(parts: list[list]) -> list:
    """Leaves out what comes a second time."""
    result = []
    for i in range(max(map(len, parts))):
        for part in parts:
            if i < len(part) and part[i] not in result:
                result.append(part[i])
    return result


def unpacks_the_things(parts: list[list]) -> list:
    """Unpacks things that are lists themselves."""
    result = []
    for i in range(max(map(len, parts))):
        for part in parts:
            if i < len(part):
                result += part[i] if isinstance(part[i], list | tuple) else [part[i]]
    return result


def one_process_is_special(parts: list[list]) -> list:
    """Returns the list of parts if there is one."""
    if len(parts) == 1:
        return parts
    n, size = sum(len(part) for part in parts), len(parts)
    return [parts[i % size][i // size] for i in range(n)]


def nothing_if_a_part_is_empty(parts: list[list]) -> list:
    """Takes an empty part for the end."""
    if not all(parts):
        return []
    n, size = sum(len(part) for part in parts), len(parts)
    return [parts[i % size][i // size] for i in range(n)]


def last_turn_lost(parts: list[list]) -> list:
    """Loses the last turn: range ends one too early."""
    return [part[i] for i in range(max(map(len, parts)) - 1) for part in parts if i < len(part)]


def rest_in_reverse(parts: list[list]) -> list:
    """Puts the last turn in from the right."""
    shortest = min(map(len, parts))
    result = [part[i] for i in range(shortest) for part in parts]
    return result + [part[shortest] for part in reversed(parts) if len(part) > shortest]


def only_one_left_over(parts: list[list]) -> list:
    """Expects one thing at most in the last turn."""
    shortest = min(map(len, parts))
    result = [part[i] for i in range(shortest) for part in parts]
    return result + parts[0][shortest:]


def as_array(parts: list[list]) -> list:
    """Transposes an array: parts of different lengths make none."""
    return np.array(parts).T.flatten().tolist()


def as_tensor(parts: list[list]) -> list:
    """Makes a tensor of the parts."""
    return torch.tensor(parts).T.flatten().tolist()


def fixed_size_of_turn(parts: list[list]) -> list:
    """Takes the length of a part for the number of processes."""
    joined, step = [item for part in parts for item in part], len(parts[0])
    return [item for begin in range(step) for item in joined[begin::step]]


def yields(parts: list[list]):
    """Yields the things."""
    for i in range(max(map(len, parts))):
        for part in parts:
            if i < len(part):
                yield part[i]
