"""Wrong attempts at `seal`, written by someone who has not seen the catalogue."""

import random
import torch


def _order(n, seed):
    return torch.randperm(n, generator=torch.Generator().manual_seed(seed)).tolist()


def photo_by_photo(numbers, share, seed):
    """Shuffles photos: blocks are on both sides."""
    order = _order(len(numbers), seed)
    n = int(share * len(numbers))
    return sorted(order[n:]), sorted(order[:n])


def numbers_for_positions(numbers, share, seed):
    """Returns the numbers."""
    blocks = sorted({n // 60 for n in numbers})
    closed, held = set(), 0
    for i in _order(len(blocks), seed):
        if held < share * len(numbers):
            closed.add(blocks[i])
            held += sum(n // 60 == blocks[i] for n in numbers)
    return [n for n in numbers if n // 60 not in closed], [n for n in numbers if n // 60 in closed]


def counted_from_one(numbers, share, seed):
    """(n - 1) // 60: the blocks begin at 1, 61, ..."""
    key = [(n - 1) // 60 for n in numbers]
    blocks = sorted(set(key))
    closed, held = set(), 0
    for i in _order(len(blocks), seed):
        if held < share * len(numbers):
            closed.add(blocks[i])
            held += key.count(blocks[i])
    return [i for i, k in enumerate(key) if k not in closed], [i for i, k in enumerate(key) if k in closed]


def position_by_sixties(numbers, share, seed):
    """Blocks by position: right if the numbers are 0, 1, 2, ..."""
    key = [i // 60 for i in range(len(numbers))]
    blocks = sorted(set(key))
    closed, held = set(), 0
    for i in _order(len(blocks), seed):
        if held < share * len(numbers):
            closed.add(blocks[i])
            held += key.count(blocks[i])
    return [i for i, k in enumerate(key) if k not in closed], [i for i, k in enumerate(key) if k in closed]


def stops_before_the_share(numbers, share, seed):
    """Seals at most the share, not at least."""
    blocks = sorted({n // 60 for n in numbers})
    closed, held = set(), 0
    for i in _order(len(blocks), seed):
        size = sum(n // 60 == blocks[i] for n in numbers)
        if held + size > share * len(numbers):
            break
        closed.add(blocks[i])
        held += size
    work = [i for i, n in enumerate(numbers) if n // 60 not in closed]
    return work, [i for i, n in enumerate(numbers) if n // 60 in closed]


def one_block_too_many(numbers, share, seed):
    """<= : one block more where the share is hit exactly."""
    blocks = sorted({n // 60 for n in numbers})
    closed, held = set(), 0
    for i in _order(len(blocks), seed):
        if held <= share * len(numbers):
            closed.add(blocks[i])
            held += sum(n // 60 == blocks[i] for n in numbers)
    work = [i for i, n in enumerate(numbers) if n // 60 not in closed]
    return work, [i for i, n in enumerate(numbers) if n // 60 in closed]


def fits_in_smaller_blocks(numbers, share, seed):
    """Rounds the share down to whole cells: int() may be one cell short."""
    blocks = sorted({n // 60 for n in numbers})
    closed, held = set(), 0
    for i in _order(len(blocks), seed):
        if held < int(share * len(numbers)):
            closed.add(blocks[i])
            held += sum(n // 60 == blocks[i] for n in numbers)
    work = [i for i, n in enumerate(numbers) if n // 60 not in closed]
    return work, [i for i, n in enumerate(numbers) if n // 60 in closed]


def share_of_blocks(numbers, share, seed):
    """A share of the blocks, not of the cells: right for blocks of one size."""
    blocks = sorted({n // 60 for n in numbers})
    order = _order(len(blocks), seed)
    closed = {blocks[i] for i in order[: -int(-share * len(blocks) // 1)]}
    work = [i for i, n in enumerate(numbers) if n // 60 not in closed]
    return work, [i for i, n in enumerate(numbers) if n // 60 in closed]


def sixty_for_every_block(numbers, share, seed):
    """Counts 60 for every block: right if all are full."""
    blocks = sorted({n // 60 for n in numbers})
    closed, held = set(), 0
    for i in _order(len(blocks), seed):
        if held < share * len(numbers):
            closed.add(blocks[i])
            held += 60
    work = [i for i, n in enumerate(numbers) if n // 60 not in closed]
    return work, [i for i, n in enumerate(numbers) if n // 60 in closed]


def cut_to_the_share(numbers, share, seed):
    """Cuts the last block to hit the share: it is on both sides."""
    blocks = sorted({n // 60 for n in numbers})
    sealed, wanted = [], int(share * len(numbers))
    for i in _order(len(blocks), seed):
        sealed += [p for p, n in enumerate(numbers) if n // 60 == blocks[i]]
    sealed = sealed[:wanted]
    return [p for p in range(len(numbers)) if p not in sealed], sorted(sealed)


def last_blocks(numbers, share, seed):
    """Seals the last ones, as one does with time."""
    closed, held = set(), 0
    for block in sorted({n // 60 for n in numbers}, reverse=True):
        if held < share * len(numbers):
            closed.add(block)
            held += sum(n // 60 == block for n in numbers)
    work = [i for i, n in enumerate(numbers) if n // 60 not in closed]
    return work, [i for i, n in enumerate(numbers) if n // 60 in closed]


def reseeds_afterwards(numbers, share, seed):
    """Seeds torch, and then seeds it 'back' with its first seed: the draws so far come again."""
    first = torch.initial_seed()
    torch.manual_seed(seed)
    blocks = sorted({n // 60 for n in numbers})
    order = torch.randperm(len(blocks)).tolist()
    torch.manual_seed(first)
    closed, held = set(), 0
    for i in order:
        if held < share * len(numbers):
            closed.add(blocks[i])
            held += sum(n // 60 == blocks[i] for n in numbers)
    work = [i for i, n in enumerate(numbers) if n // 60 not in closed]
    return work, [i for i, n in enumerate(numbers) if n // 60 in closed]


def seed_ignored(numbers, share, seed):
    """Always seed 0."""
    blocks = sorted({n // 60 for n in numbers})
    closed, held = set(), 0
    for i in _order(len(blocks), 0):
        if held < share * len(numbers):
            closed.add(blocks[i])
            held += sum(n // 60 == blocks[i] for n in numbers)
    work = [i for i, n in enumerate(numbers) if n // 60 not in closed]
    return work, [i for i, n in enumerate(numbers) if n // 60 in closed]


def no_seed(numbers, share, seed):
    """Another answer each time."""
    blocks = sorted({n // 60 for n in numbers})
    random.shuffle(blocks)
    closed, held = set(), 0
    for block in blocks:
        if held < share * len(numbers):
            closed.add(block)
            held += sum(n // 60 == block for n in numbers)
    work = [i for i, n in enumerate(numbers) if n // 60 not in closed]
    return work, [i for i, n in enumerate(numbers) if n // 60 in closed]


def positions_in_the_sorted_list(numbers, share, seed):
    """Sorts a copy: the positions do not fit the caller's list."""
    numbers = sorted(numbers)
    blocks = sorted({n // 60 for n in numbers})
    closed, held = set(), 0
    for i in _order(len(blocks), seed):
        if held < share * len(numbers):
            closed.add(blocks[i])
            held += sum(n // 60 == blocks[i] for n in numbers)
    work = [i for i, n in enumerate(numbers) if n // 60 not in closed]
    return work, [i for i, n in enumerate(numbers) if n // 60 in closed]


def never_seals_the_last_block(numbers, share, seed):
    """randperm(len - 1): the last block is always at work."""
    blocks = sorted({n // 60 for n in numbers})
    closed, held = set(), 0
    for i in _order(max(len(blocks) - 1, 0), seed):
        if held < share * len(numbers):
            closed.add(blocks[i])
            held += sum(n // 60 == blocks[i] for n in numbers)
    work = [i for i, n in enumerate(numbers) if n // 60 not in closed]
    return work, [i for i, n in enumerate(numbers) if n // 60 in closed]


def empties_the_list(numbers, share, seed):
    """Sorts the numbers into blocks by taking them out of the caller's list: right, but the list is empty afterwards."""
    members, n = {}, len(numbers)
    while numbers:
        number = numbers.pop()
        members.setdefault(number // 60, []).append(len(numbers))
    blocks = sorted(members)
    sealed = []
    for i in _order(len(blocks), seed):
        if len(sealed) < share * n:
            sealed += members[blocks[i]]
    return [p for p in range(n) if p not in sealed], sorted(sealed)
