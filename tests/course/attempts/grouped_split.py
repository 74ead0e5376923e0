"""Wrong attempts at `grouped_split`, written by someone who has not seen the catalogue."""

import itertools
import math
import random
import zlib

import numpy as np
import torch

SHARED_GENERATOR = random.Random(0)


def split_items_not_groups(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Shuffles the items themselves: with ["a", "a", "b", "b", ...] a group lands on both sides."""
    positions = list(range(len(groups)))
    random.Random(seed).shuffle(positions)
    size = math.ceil(share * len(groups))
    return sorted(positions[size:]), sorted(positions[:size])


def split_tail_of_list(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Cuts the list at one place, no shuffle, no groups: the group at the cut is on both sides for any seed."""
    size = math.ceil(share * len(groups))
    cut = len(groups) - size
    return list(range(cut)), list(range(cut, len(groups)))


def split_in_file_order(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Takes the groups in the order of the list: every seed gives the same split."""
    chosen: set[str | int] = set()
    for group in dict.fromkeys(groups):
        if sum(g in chosen for g in groups) >= share * len(groups):
            break
        chosen.add(group)
    train = [i for i, g in enumerate(groups) if g not in chosen]
    valid = [i for i, g in enumerate(groups) if g in chosen]
    return train, valid


def split_always_seed_42(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Shuffles with 42 whatever the seed: every seed gives the same split."""
    order = list(dict.fromkeys(groups))
    random.Random(42).shuffle(order)
    chosen: set[str | int] = set()
    for group in order:
        if sum(g in chosen for g in groups) >= share * len(groups):
            break
        chosen.add(group)
    train = [i for i, g in enumerate(groups) if g not in chosen]
    valid = [i for i, g in enumerate(groups) if g in chosen]
    return train, valid


def split_shuffled_copy_thrown_away(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Shuffles a temporary list and goes on with the sorted one: every seed gives the same split."""
    order = sorted(set(groups))
    random.Random(seed).shuffle(list(order))
    chosen: set[str | int] = set()
    for group in order:
        if sum(g in chosen for g in groups) >= share * len(groups):
            break
        chosen.add(group)
    train = [i for i, g in enumerate(groups) if g not in chosen]
    valid = [i for i, g in enumerate(groups) if g in chosen]
    return train, valid


def split_global_random(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Seeds Python's global generator: random.getstate() differs after any call."""
    order = list(dict.fromkeys(groups))
    random.seed(seed)
    random.shuffle(order)
    chosen: set[str | int] = set()
    for group in order:
        if sum(g in chosen for g in groups) >= share * len(groups):
            break
        chosen.add(group)
    train = [i for i, g in enumerate(groups) if g not in chosen]
    valid = [i for i, g in enumerate(groups) if g in chosen]
    return train, valid


def split_global_numpy(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Seeds numpy's global generator: np.random.get_state() differs after any call."""
    names = list(dict.fromkeys(groups))
    np.random.seed(seed)
    order = [names[i] for i in np.random.permutation(len(names))]
    chosen: set[str | int] = set()
    for group in order:
        if sum(g in chosen for g in groups) >= share * len(groups):
            break
        chosen.add(group)
    train = [i for i, g in enumerate(groups) if g not in chosen]
    valid = [i for i, g in enumerate(groups) if g in chosen]
    return train, valid


def split_global_torch(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Seeds torch's global generator: torch.get_rng_state() differs after any call."""
    names = list(dict.fromkeys(groups))
    torch.manual_seed(seed)
    order = [names[i] for i in torch.randperm(len(names)).tolist()]
    chosen: set[str | int] = set()
    for group in order:
        if sum(g in chosen for g in groups) >= share * len(groups):
            break
        chosen.add(group)
    train = [i for i, g in enumerate(groups) if g not in chosen]
    valid = [i for i, g in enumerate(groups) if g in chosen]
    return train, valid


def split_without_any_seed(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Makes a generator of its own but gives it no seed: two calls with the same seed differ."""
    order = list(dict.fromkeys(groups))
    random.Random().shuffle(order)
    chosen: set[str | int] = set()
    for group in order:
        if sum(g in chosen for g in groups) >= share * len(groups):
            break
        chosen.add(group)
    train = [i for i, g in enumerate(groups) if g not in chosen]
    valid = [i for i, g in enumerate(groups) if g in chosen]
    return train, valid


def split_seed_zero_is_none(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Writes `seed or None`: with seed 0, and only there, two calls differ."""
    order = list(dict.fromkeys(groups))
    random.Random(seed or None).shuffle(order)
    chosen: set[str | int] = set()
    for group in order:
        if sum(g in chosen for g in groups) >= share * len(groups):
            break
        chosen.add(group)
    train = [i for i, g in enumerate(groups) if g not in chosen]
    valid = [i for i, g in enumerate(groups) if g in chosen]
    return train, valid


def split_generator_of_module(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Draws on from one generator made at import: the second call with the same seed gives another split."""
    order = list(dict.fromkeys(groups))
    SHARED_GENERATOR.shuffle(order)
    chosen: set[str | int] = set()
    for group in order:
        if sum(g in chosen for g in groups) >= share * len(groups):
            break
        chosen.add(group)
    train = [i for i, g in enumerate(groups) if g not in chosen]
    valid = [i for i, g in enumerate(groups) if g in chosen]
    return train, valid


def split_order_of_set(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Shuffles the set's own order: with string groups the same seed differs from process to process."""
    order = list(set(groups))
    random.Random(seed).shuffle(order)
    chosen: set[str | int] = set()
    for group in order:
        if sum(g in chosen for g in groups) >= share * len(groups):
            break
        chosen.add(group)
    train = [i for i, g in enumerate(groups) if g not in chosen]
    valid = [i for i, g in enumerate(groups) if g in chosen]
    return train, valid


def split_by_hash(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Decides by a checksum of the group: the seed is ignored. (Python's hash() gives others in each process.)"""
    train: list[int] = []
    valid: list[int] = []
    for i, group in enumerate(groups):
        if zlib.crc32(str(group).encode()) % 100 < share * 100:
            valid.append(i)
        else:
            train.append(i)
    return train, valid


def split_coin_for_each_group(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Tosses a coin for each group: with few groups validation is often empty or below the share."""
    generator = random.Random(seed)
    chosen = {group for group in dict.fromkeys(groups) if generator.random() < share}
    train = [i for i, g in enumerate(groups) if g not in chosen]
    valid = [i for i, g in enumerate(groups) if g in chosen]
    return train, valid


def split_first_group_only(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Holds out one group only: with ten equal groups and share 0.3 validation has 0.1 of the items."""
    order = list(dict.fromkeys(groups))
    random.Random(seed).shuffle(order)
    chosen = order[0]
    train = [i for i, g in enumerate(groups) if g != chosen]
    valid = [i for i, g in enumerate(groups) if g == chosen]
    return train, valid


def split_share_of_groups(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Counts groups, not items: with nine groups of one item and one of ninety, share 0.5, far off either way."""
    order = list(dict.fromkeys(groups))
    random.Random(seed).shuffle(order)
    chosen = set(order[: math.ceil(share * len(order))])
    train = [i for i, g in enumerate(groups) if g not in chosen]
    valid = [i for i, g in enumerate(groups) if g in chosen]
    return train, valid


def split_always_a_fifth(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Ignores the share and holds out 0.2: with share 0.5 and ten equal groups validation has two groups."""
    order = list(dict.fromkeys(groups))
    random.Random(seed).shuffle(order)
    chosen: set[str | int] = set()
    for group in order:
        if sum(g in chosen for g in groups) >= 0.2 * len(groups):
            break
        chosen.add(group)
    train = [i for i, g in enumerate(groups) if g not in chosen]
    valid = [i for i, g in enumerate(groups) if g in chosen]
    return train, valid


def split_share_as_percent(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Takes the share for a percentage: share 0.5 is reached by the first group, whatever its size."""
    order = list(dict.fromkeys(groups))
    random.Random(seed).shuffle(order)
    chosen: set[str | int] = set()
    for group in order:
        if sum(g in chosen for g in groups) >= share / 100 * len(groups):
            break
        chosen.add(group)
    train = [i for i, g in enumerate(groups) if g not in chosen]
    valid = [i for i, g in enumerate(groups) if g in chosen]
    return train, valid


def split_never_above_share(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Stops before the group that would pass the share: three groups of 3, share 0.5, leaves 3 of 9 items."""
    order = list(dict.fromkeys(groups))
    random.Random(seed).shuffle(order)
    chosen: set[str | int] = set()
    held = 0
    for group in order:
        if held + groups.count(group) > share * len(groups):
            break
        chosen.add(group)
        held += groups.count(group)
    train = [i for i, g in enumerate(groups) if g not in chosen]
    valid = [i for i, g in enumerate(groups) if g in chosen]
    return train, valid


def split_one_group_too_many(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Goes on while exactly at the share: four equal groups with share 0.25 give two groups, not one."""
    order = list(dict.fromkeys(groups))
    random.Random(seed).shuffle(order)
    chosen: set[str | int] = set()
    held = 0
    for group in order:
        if held > share * len(groups):
            break
        chosen.add(group)
        held += groups.count(group)
    train = [i for i, g in enumerate(groups) if g not in chosen]
    valid = [i for i, g in enumerate(groups) if g in chosen]
    return train, valid


def split_rounded_down(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Rounds the wanted number down: ten groups of one item with share 0.25 give 2 items, below the share."""
    order = list(dict.fromkeys(groups))
    random.Random(seed).shuffle(order)
    wanted = int(share * len(groups))
    chosen: set[str | int] = set()
    held = 0
    for group in order:
        if held >= wanted:
            break
        chosen.add(group)
        held += groups.count(group)
    train = [i for i, g in enumerate(groups) if g not in chosen]
    valid = [i for i, g in enumerate(groups) if g in chosen]
    return train, valid


def split_share_goes_to_train(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Fills the training side up to the share: with share 0.2 and ten equal groups validation has 0.8."""
    order = list(dict.fromkeys(groups))
    random.Random(seed).shuffle(order)
    chosen: set[str | int] = set()
    for group in order:
        if sum(g in chosen for g in groups) >= share * len(groups):
            break
        chosen.add(group)
    train = [i for i, g in enumerate(groups) if g in chosen]
    valid = [i for i, g in enumerate(groups) if g not in chosen]
    return train, valid


def split_largest_groups_first(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Sorts by size after the shuffle: with groups of different sizes every seed gives the same split."""
    order = list(dict.fromkeys(groups))
    random.Random(seed).shuffle(order)
    order.sort(key=groups.count, reverse=True)
    chosen: set[str | int] = set()
    for group in order:
        if sum(g in chosen for g in groups) >= share * len(groups):
            break
        chosen.add(group)
    train = [i for i, g in enumerate(groups) if g not in chosen]
    valid = [i for i, g in enumerate(groups) if g in chosen]
    return train, valid


def split_last_group_cut_in_two(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Cuts the last group to hit the share: three groups of 3, share 0.5, leaves one group on both sides."""
    order = list(dict.fromkeys(groups))
    random.Random(seed).shuffle(order)
    positions = [i for group in order for i, g in enumerate(groups) if g == group]
    size = math.ceil(share * len(groups))
    return sorted(positions[size:]), sorted(positions[:size])


def split_surplus_dropped(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Drops what validation has above the share: three groups of 3, share 0.5, loses one position."""
    order = list(dict.fromkeys(groups))
    random.Random(seed).shuffle(order)
    wanted = math.ceil(share * len(groups))
    valid: list[int] = []
    train: list[int] = []
    for group in order:
        members = [i for i, g in enumerate(groups) if g == group]
        if len(valid) < wanted:
            valid.extend(members)
        else:
            train.extend(members)
    return train, valid[:wanted]


def split_loses_group_at_break(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Pops a group, then sees it has enough: with three equal groups, share 0.5, the third is on neither side."""
    order = list(dict.fromkeys(groups))
    random.Random(seed).shuffle(order)
    valid: list[int] = []
    while order:
        group = order.pop()
        if len(valid) >= share * len(groups):
            break
        valid.extend(i for i, g in enumerate(groups) if g == group)
    train = [i for i, g in enumerate(groups) if g in order]
    return train, valid


def split_one_item_per_group(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Keeps one position for each group in a dict: with ["a", "a", "b"] the position 0 is lost."""
    position_of = {group: i for i, group in enumerate(groups)}
    order = list(position_of)
    random.Random(seed).shuffle(order)
    size = math.ceil(share * len(order))
    return [position_of[g] for g in order[size:]], [position_of[g] for g in order[:size]]


def split_positions_by_index(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Looks positions up with list.index: with ["a", "a", "b"] position 0 comes twice, position 1 never."""
    order = list(dict.fromkeys(groups))
    random.Random(seed).shuffle(order)
    chosen: set[str | int] = set()
    for group in order:
        if sum(g in chosen for g in groups) >= share * len(groups):
            break
        chosen.add(group)
    train = [groups.index(g) for g in groups if g not in chosen]
    valid = [groups.index(g) for g in groups if g in chosen]
    return train, valid


def split_train_keeps_everything(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Does not take validation out of training: every held-out position is on both sides."""
    order = list(dict.fromkeys(groups))
    random.Random(seed).shuffle(order)
    valid: list[int] = []
    for group in order:
        if len(valid) >= share * len(groups):
            break
        valid.extend(i for i, g in enumerate(groups) if g == group)
    return list(range(len(groups))), valid


def split_neighbours_are_groups(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Groups only neighbours (itertools.groupby): with ["a", "b", "a", "b"] a group may be on both sides."""
    runs: list[list[int]] = []
    for _, run in itertools.groupby(range(len(groups)), key=lambda i: groups[i]):
        runs.append(list(run))
    random.Random(seed).shuffle(runs)
    train: list[int] = []
    valid: list[int] = []
    for run_positions in runs:
        if len(valid) < share * len(groups):
            valid.extend(run_positions)
        else:
            train.extend(run_positions)
    return train, valid


def split_sorts_its_input(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Sorts the caller's list, so positions mean another order: with ["b", "a", "b"] groups fall apart."""
    groups.sort()
    order = list(dict.fromkeys(groups))
    random.Random(seed).shuffle(order)
    chosen: set[str | int] = set()
    for group in order:
        if sum(g in chosen for g in groups) >= share * len(groups):
            break
        chosen.add(group)
    train = [i for i, g in enumerate(groups) if g not in chosen]
    valid = [i for i, g in enumerate(groups) if g in chosen]
    return train, valid


def split_sides_swapped(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Returns validation first: with share 0.2 the second list holds the larger part."""
    order = list(dict.fromkeys(groups))
    random.Random(seed).shuffle(order)
    chosen: set[str | int] = set()
    for group in order:
        if sum(g in chosen for g in groups) >= share * len(groups):
            break
        chosen.add(group)
    train = [i for i, g in enumerate(groups) if g not in chosen]
    valid = [i for i, g in enumerate(groups) if g in chosen]
    return valid, train


def split_returns_groups(groups: list[str | int], share: float, seed: int) -> tuple[list[str | int], list[str | int]]:
    """Returns the names of the groups instead of positions: ["a", "a", "b"] gives "a" and "b"."""
    order = list(dict.fromkeys(groups))
    random.Random(seed).shuffle(order)
    valid: list[str | int] = []
    held = 0
    while order and held < share * len(groups):
        group = order.pop()
        valid.append(group)
        held += groups.count(group)
    return order, valid


def split_counts_from_one(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Numbers the positions from 1: position 0 is missing and one past the end is there."""
    order = list(dict.fromkeys(groups))
    random.Random(seed).shuffle(order)
    chosen: set[str | int] = set()
    for group in order:
        if sum(g in chosen for g in groups) >= share * len(groups):
            break
        chosen.add(group)
    train = [i for i, g in enumerate(groups, start=1) if g not in chosen]
    valid = [i for i, g in enumerate(groups, start=1) if g in chosen]
    return train, valid


def split_returns_sets(groups: list[str | int], share: float, seed: int) -> tuple[set[int], set[int]]:
    """Returns two sets instead of two lists, on any input."""
    order = list(dict.fromkeys(groups))
    random.Random(seed).shuffle(order)
    valid: set[int] = set()
    for group in order:
        if len(valid) >= share * len(groups):
            break
        valid |= {i for i, g in enumerate(groups) if g == group}
    return set(range(len(groups))) - valid, valid


def split_forgets_group_zero(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Skips what is false: with ints the items of group 0 are on neither side."""
    order = [group for group in dict.fromkeys(groups) if group]
    random.Random(seed).shuffle(order)
    train: list[int] = []
    valid: list[int] = []
    for group in order:
        members = [i for i, g in enumerate(groups) if g == group]
        if len(valid) < share * len(groups):
            valid.extend(members)
        else:
            train.extend(members)
    return train, valid


def split_compares_with_strings(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Turns chosen groups into strings: with int groups none is ever found again, validation is empty."""
    order = list(dict.fromkeys(groups))
    random.Random(seed).shuffle(order)
    chosen: set[str] = set()
    held = 0
    for group in order:
        if held >= share * len(groups):
            break
        chosen.add(str(group))
        held += groups.count(group)
    train = [i for i, g in enumerate(groups) if g not in chosen]
    valid = [i for i, g in enumerate(groups) if g in chosen]
    return train, valid


def split_looks_for_substrings(groups: list[str | int], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Looks the group up inside a joined string: when "p12" is chosen, "p1" goes to validation unasked."""
    order = list(dict.fromkeys(groups))
    random.Random(seed).shuffle(order)
    chosen = ""
    held = 0
    for group in order:
        if held >= share * len(groups):
            break
        chosen += f"{group},"
        held += groups.count(group)
    train = [i for i, g in enumerate(groups) if str(g) not in chosen]
    valid = [i for i, g in enumerate(groups) if str(g) in chosen]
    return train, valid


def split_returns_nothing(groups: list[str | int], share: float, seed: int) -> None:
    """Prints the two lists and forgets to return them: gives None on any input."""
    order = list(dict.fromkeys(groups))
    random.Random(seed).shuffle(order)
    chosen: set[str | int] = set()
    for group in order:
        if sum(g in chosen for g in groups) >= share * len(groups):
            break
        chosen.add(group)
    train = [i for i, g in enumerate(groups) if g not in chosen]
    valid = [i for i, g in enumerate(groups) if g in chosen]
    print(train, valid)
