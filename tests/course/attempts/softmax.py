"""Wrong attempts at `softmax`, written by someone who has not seen the catalogue."""

import torch
from torch import Tensor


def plain_formula(x: Tensor, dim: int = -1) -> Tensor:
    """Never subtracts the maximum, so exp overflows: logits of 1000 give nan."""
    powers = x.exp()
    return powers / powers.sum(dim=dim, keepdim=True)


def one_maximum_for_all(x: Tensor, dim: int = -1) -> Tensor:
    """One maximum for the whole batch: a row around -1000 beside a row around 1000 becomes 0 / 0."""
    powers = (x - x.max()).exp()
    return powers / powers.sum(dim=dim, keepdim=True)


def detached_from_graph(x: Tensor, dim: int = -1) -> Tensor:
    """Detaches the logits first: no gradient for any x that requires one."""
    values = x.detach()
    powers = (values - values.amax(dim=dim, keepdim=True)).exp()
    return powers / powers.sum(dim=dim, keepdim=True)


def through_float16(x: Tensor, dim: int = -1) -> Tensor:
    """Computes in half precision and casts back: ordinary random rows are off by some 1e-4."""
    small = (x - x.amax(dim=dim, keepdim=True)).half()
    powers = small.exp()
    return (powers / powers.sum(dim=dim, keepdim=True)).to(x.dtype)


def shifts_input_in_place(x: Tensor, dim: int = -1) -> Tensor:
    """Subtracts the maximum in place: x is changed afterwards, and a leaf that requires grad raises."""
    x -= x.amax(dim=dim, keepdim=True)
    powers = x.exp()
    return powers / powers.sum(dim=dim, keepdim=True)


def always_last_dim(x: Tensor, dim: int = -1) -> Tensor:
    """Ignores dim and works along the last one: wrong for a matrix with dim=0."""
    powers = (x - x.amax(dim=-1, keepdim=True)).exp()
    return powers / powers.sum(dim=-1, keepdim=True)


def hard_coded_dim_one(x: Tensor, dim: int = -1) -> Tensor:
    """Works along dimension 1 whatever is asked: raises for a vector, wrong for three dimensions."""
    powers = (x - x.amax(dim=1, keepdim=True)).exp()
    return powers / powers.sum(dim=1, keepdim=True)


def negative_dim_means_one(x: Tensor, dim: int = -1) -> Tensor:
    """Takes every negative dim for 1: wrong for (2, 3, 4) with dim=-1, raises for a vector."""
    if dim < 0:
        dim = 1
    powers = (x - x.amax(dim=dim, keepdim=True)).exp()
    return powers / powers.sum(dim=dim, keepdim=True)


def sum_without_keepdim(x: Tensor, dim: int = -1) -> Tensor:
    """Forgets keepdim in the sum: a square batch is divided by other rows' sums, other batches raise."""
    powers = (x - x.amax(dim=dim, keepdim=True)).exp()
    return powers / powers.sum(dim=dim)


def maximum_without_keepdim(x: Tensor, dim: int = -1) -> Tensor:
    """Forgets keepdim in the maximum: a square batch gets other rows' maxima, column by column."""
    powers = (x - x.max(dim=dim).values).exp()
    return powers / powers.sum(dim=dim, keepdim=True)


def column_maximum_for_rows(x: Tensor, dim: int = -1) -> Tensor:
    """Subtracts the maximum along dimension 0: the logits of one row get different shifts, vectors pass."""
    powers = (x - x.amax(dim=0, keepdim=True)).exp()
    return powers / powers.sum(dim=dim, keepdim=True)


def maximum_along_last_dim(x: Tensor, dim: int = -1) -> Tensor:
    """Takes the maximum along the last dimension, the sum along dim: wrong for dim=0 with unequal rows."""
    powers = (x - x.amax(dim=-1, keepdim=True)).exp()
    return powers / powers.sum(dim=dim, keepdim=True)


def sums_whole_tensor(x: Tensor, dim: int = -1) -> Tensor:
    """Divides by the sum of everything: right for one row, two rows add up to one together."""
    powers = (x - x.amax(dim=dim, keepdim=True)).exp()
    return powers / powers.sum()


def clamps_logits(x: Tensor, dim: int = -1) -> Tensor:
    """Clamps the logits to -50 ... 50 against overflow: (1000, 60) comes out as one half each."""
    powers = x.clamp(-50, 50).exp()
    return powers / powers.sum(dim=dim, keepdim=True)


def smooths_with_epsilon(x: Tensor, dim: int = -1) -> Tensor:
    """Adds 1e-4 to keep all positive: adds up to one, but (0, -20) gives 1e-4 instead of 2e-9."""
    powers = (x - x.amax(dim=dim, keepdim=True)).exp() + 1e-4
    return powers / powers.sum(dim=dim, keepdim=True)


def calls_torch_softmax(x: Tensor, dim: int = -1) -> Tensor:
    """Calls torch's softmax, which is not allowed: shows on every input."""
    return torch.softmax(x, dim=dim)


def exponent_of_log_softmax(x: Tensor, dim: int = -1) -> Tensor:
    """Hides behind the method log_softmax, which is not allowed either: shows on every input."""
    return x.log_softmax(dim).exp()


def stays_in_float64(x: Tensor, dim: int = -1) -> Tensor:
    """Computes in float64 and never casts back: wrong dtype on every float32 input."""
    wide = x.double()
    powers = (wide - wide.amax(dim=dim, keepdim=True)).exp()
    return powers / powers.sum(dim=dim, keepdim=True)


def applied_twice(x: Tensor, dim: int = -1) -> Tensor:
    """Takes the softmax of the softmax: far too flat on (0, 5), right for uniform rows only."""
    powers = (x - x.amax(dim=dim, keepdim=True)).exp()
    once = powers / powers.sum(dim=dim, keepdim=True)
    powers = once.exp()
    return powers / powers.sum(dim=dim, keepdim=True)


def prints_result(x: Tensor, dim: int = -1) -> Tensor:
    """Prints the answer and returns None: shows on every input."""
    powers = (x - x.amax(dim=dim, keepdim=True)).exp()
    print(powers / powers.sum(dim=dim, keepdim=True))


def base_two(x: Tensor, dim: int = -1) -> Tensor:
    """Uses powers of two instead of e: (0, 1) gives 1/3 and 2/3, uniform rows pass."""
    powers = 2 ** (x - x.amax(dim=dim, keepdim=True))
    return powers / powers.sum(dim=dim, keepdim=True)


def rounded_e(x: Tensor, dim: int = -1) -> Tensor:
    """Writes e as 2.718: ordinary rows such as (0, 1) are off by 2e-5, a loose tolerance lets it through."""
    powers = 2.718 ** (x - x.amax(dim=dim, keepdim=True))
    return powers / powers.sum(dim=dim, keepdim=True)


def divides_without_exp(x: Tensor, dim: int = -1) -> Tensor:
    """Divides the logits themselves by their sum: adds up to one, but (-1, 3) gives -0.5 and 1.5."""
    return x / x.sum(dim=dim, keepdim=True)


def shifts_by_mean(x: Tensor, dim: int = -1) -> Tensor:
    """Subtracts the mean instead of the maximum: fine for (1000, 1001), overflows for (0, 0, 0, 1000)."""
    powers = (x - x.mean(dim=dim, keepdim=True)).exp()
    return powers / powers.sum(dim=dim, keepdim=True)


def shifts_by_minimum(x: Tensor, dim: int = -1) -> Tensor:
    """Subtracts the minimum: fine for (1000, 1001) and (-1000, -999), overflows for (0, 200)."""
    powers = (x - x.amin(dim=dim, keepdim=True)).exp()
    return powers / powers.sum(dim=dim, keepdim=True)


def shifts_by_absolute_maximum(x: Tensor, dim: int = -1) -> Tensor:
    """Subtracts the largest absolute value: (-1000, -999) becomes exp(-2000) and 0 / 0."""
    powers = (x - x.abs().amax(dim=dim, keepdim=True)).exp()
    return powers / powers.sum(dim=dim, keepdim=True)


def maximum_starts_at_zero(x: Tensor, dim: int = -1) -> Tensor:
    """Lets the maximum never fall below 0: right for 1000, nan for a row with all logits at -1000."""
    top = x.amax(dim=dim, keepdim=True).clamp(min=0)
    powers = (x - top).exp()
    return powers / powers.sum(dim=dim, keepdim=True)


def shifts_only_large_logits(x: Tensor, dim: int = -1) -> Tensor:
    """Shifts only if something exceeds 80: a batch of nothing but -1000 gives nan."""
    if x.max() > 80:
        x = x - x.amax(dim=dim, keepdim=True)
    powers = x.exp()
    return powers / powers.sum(dim=dim, keepdim=True)


def max_pair_not_unpacked(x: Tensor, dim: int = -1) -> Tensor:
    """Subtracts the pair (values, indices) that max returns: TypeError on every input."""
    powers = (x - x.max(dim=dim, keepdim=True)).exp()
    return powers / powers.sum(dim=dim, keepdim=True)


def squeezed_result(x: Tensor, dim: int = -1) -> Tensor:
    """Squeezes the result: a batch of one row, (1, 5), comes back with shape (5,)."""
    powers = (x - x.amax(dim=dim, keepdim=True)).exp()
    return (powers / powers.sum(dim=dim, keepdim=True)).squeeze()


def loop_over_rows(x: Tensor, dim: int = -1) -> Tensor:
    """Loops over the first dimension: a vector gives all ones, three dimensions or dim=0 go wrong."""
    rows = []
    for row in x:
        powers = (row - row.max()).exp()
        rows.append(powers / powers.sum())
    return torch.stack(rows)


def sigmoid_shares(x: Tensor, dim: int = -1) -> Tensor:
    """Normalises sigmoids instead of exponentials: (0, 5) is far too flat, uniform rows pass."""
    shares = x.sigmoid()
    return shares / shares.sum(dim=dim, keepdim=True)


def rounded_to_four_places(x: Tensor, dim: int = -1) -> Tensor:
    """Rounds to four decimals: three equal logits add up to 0.9999, and the gradient is zero."""
    powers = (x - x.amax(dim=dim, keepdim=True)).exp()
    return (powers / powers.sum(dim=dim, keepdim=True)).round(decimals=4)


def moved_dim_stays_last(x: Tensor, dim: int = -1) -> Tensor:
    """Moves dim to the end and forgets to move it back: shape (2, 3) with dim=0 returns (3, 2)."""
    moved = x.movedim(dim, -1)
    powers = (moved - moved.amax(dim=-1, keepdim=True)).exp()
    return powers / powers.sum(dim=-1, keepdim=True)


def scales_by_maximum(x: Tensor, dim: int = -1) -> Tensor:
    """Divides by the maximum instead of subtracting it: (1, 2) becomes (0.5, 1), zeros give nan."""
    powers = (x / x.amax(dim=dim, keepdim=True)).exp()
    return powers / powers.sum(dim=dim, keepdim=True)


def view_after_transpose(x: Tensor, dim: int = -1) -> Tensor:
    """Calls view on a transposed tensor: RuntimeError for shape (2, 3, 4) with dim=0 or 1."""
    turned = x.transpose(dim, -1)
    rows = turned.view(-1, turned.shape[-1])
    powers = (rows - rows.amax(dim=1, keepdim=True)).exp()
    shares = powers / powers.sum(dim=1, keepdim=True)
    return shares.view(turned.shape).transpose(dim, -1)


def denominator_detached(x: Tensor, dim: int = -1) -> Tensor:
    """Detaches the sum: right values, but the gradient misses a part, e.g. that of the first output."""
    top = x.amax(dim=dim, keepdim=True).detach()
    powers = (x - top).exp()
    return powers / powers.sum(dim=dim, keepdim=True).detach()


def float64_without_shift(x: Tensor, dim: int = -1) -> Tensor:
    """Trusts float64 not to overflow: right up to logits of 700, nan at 1000 and -1000."""
    powers = x.double().exp()
    return (powers / powers.sum(dim=dim, keepdim=True)).to(x.dtype)


def attention_temperature(x: Tensor, dim: int = -1) -> Tensor:
    """Divides the logits by the root of their number as in attention: too flat on (0, 5)."""
    scaled = x / x.shape[dim] ** 0.5
    powers = (scaled - scaled.amax(dim=dim, keepdim=True)).exp()
    return powers / powers.sum(dim=dim, keepdim=True)


def adds_batch_dimension(x: Tensor, dim: int = -1) -> Tensor:
    """Makes a vector a batch of one and leaves it so: shape (5,) comes back as (1, 5)."""
    if x.ndim == 1:
        x = x.unsqueeze(0)
        dim = 1
    powers = (x - x.amax(dim=dim, keepdim=True)).exp()
    return powers / powers.sum(dim=dim, keepdim=True)


def nan_replaced_by_one(x: Tensor, dim: int = -1) -> Tensor:
    """Overflows and paints nan over with 1: passes (1000, 0), but (1000, 999) gives (1, 1)."""
    powers = x.exp()
    return (powers / powers.sum(dim=dim, keepdim=True)).nan_to_num(nan=1.0)


def where_with_both_branches(x: Tensor, dim: int = -1) -> Tensor:
    """Chooses between plain and shifted with where: right values, but the gradient at 1000 is nan."""
    top = x.amax(dim=dim, keepdim=True)
    plain = x.exp() / x.exp().sum(dim=dim, keepdim=True)
    powers = (x - top).exp()
    shifted = powers / powers.sum(dim=dim, keepdim=True)
    return torch.where(top.abs() > 30, shifted, plain)
