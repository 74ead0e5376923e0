"""Wrong attempts at `log_softmax`, written by someone who has not seen the catalogue."""

import torch
from torch import Tensor
from torch.nn import functional


def log_of_stable_softmax(x: Tensor, dim: int = -1) -> Tensor:
    """Takes the log of a shifted softmax: the small probability of (0, 200) is 0 and its log -inf."""
    powers = (x - x.amax(dim=dim, keepdim=True)).exp()
    return (powers / powers.sum(dim=dim, keepdim=True)).log()


def unshifted_log_sum(x: Tensor, dim: int = -1) -> Tensor:
    """Writes log-sum-exp out without a shift: logits of 1000 give -inf, of -1000 inf."""
    return x - x.exp().sum(dim=dim, keepdim=True).log()


def log_plus_epsilon(x: Tensor, dim: int = -1) -> Tensor:
    """Adds 1e-9 before the log: finite for (0, 200), but -20.7 instead of -200."""
    powers = (x - x.amax(dim=dim, keepdim=True)).exp()
    shares = powers / powers.sum(dim=dim, keepdim=True)
    return (shares + 1e-9).log()


def clamped_probabilities(x: Tensor, dim: int = -1) -> Tensor:
    """Clamps probabilities at 1e-30: right down to -69, but (0, 200) gives -69 instead of -200."""
    powers = (x - x.amax(dim=dim, keepdim=True)).exp()
    shares = powers / powers.sum(dim=dim, keepdim=True)
    return shares.clamp(min=1e-30).log()


def calls_log_softmax(x: Tensor, dim: int = -1) -> Tensor:
    """Calls torch's log_softmax, which is not allowed: shows on every input."""
    return functional.log_softmax(x, dim=dim)


def one_maximum_for_all(x: Tensor, dim: int = -1) -> Tensor:
    """One maximum for the whole batch: a row of -1000 beside a row of 1000 becomes inf."""
    shifted = x - x.max()
    return shifted - shifted.exp().sum(dim=dim, keepdim=True).log()


def hard_coded_dim_one(x: Tensor, dim: int = -1) -> Tensor:
    """Normalises along dimension 1 whatever is asked: raises for a vector, wrong for three dimensions."""
    return x - torch.logsumexp(x, dim=1, keepdim=True)


def always_last_dim(x: Tensor, dim: int = -1) -> Tensor:
    """Ignores dim: wrong for a matrix with dim=0."""
    return x - torch.logsumexp(x, dim=-1, keepdim=True)


def logsumexp_without_keepdim(x: Tensor, dim: int = -1) -> Tensor:
    """Forgets keepdim: a square batch gets other rows' normalisers, other batches raise, vectors pass."""
    return x - torch.logsumexp(x, dim=dim)


def sign_flipped(x: Tensor, dim: int = -1) -> Tensor:
    """Returns the negative logarithm, as if it were a loss already: positive values on every input."""
    return torch.logsumexp(x, dim=dim, keepdim=True) - x


def shift_not_undone(x: Tensor, dim: int = -1) -> Tensor:
    """Shifts inside the exponentials only: right if the maximum is 0 as in (0, -1000), wrong for (1, 2)."""
    top = x.amax(dim=dim, keepdim=True)
    return x - (x - top).exp().sum(dim=dim, keepdim=True).log()


def shift_counted_twice(x: Tensor, dim: int = -1) -> Tensor:
    """Subtracts the maximum and then a normaliser that contains it too: wrong unless the maximum is 0."""
    shifted = x - x.amax(dim=dim, keepdim=True)
    return shifted - torch.logsumexp(x, dim=dim, keepdim=True)


def normaliser_detached(x: Tensor, dim: int = -1) -> Tensor:
    """Detaches the normaliser: right values, but the gradient lacks the minus softmax on every input."""
    return x - torch.logsumexp(x, dim=dim, keepdim=True).detach()


def without_gradient(x: Tensor, dim: int = -1) -> Tensor:
    """Computes under no_grad: no gradient for any x that requires one."""
    with torch.no_grad():
        return x - torch.logsumexp(x, dim=dim, keepdim=True)


def normaliser_in_base_two(x: Tensor, dim: int = -1) -> Tensor:
    """Takes log2 of the sum: right where one class has it all as in (0, 200), wrong for (0, 0)."""
    shifted = x - x.amax(dim=dim, keepdim=True)
    return shifted - shifted.exp().sum(dim=dim, keepdim=True).log2()


def log_one_plus_sum(x: Tensor, dim: int = -1) -> Tensor:
    """Takes log1p of a sum which holds the one already: -0.69 too small for (0, 200)."""
    shifted = x - x.amax(dim=dim, keepdim=True)
    return shifted - shifted.exp().sum(dim=dim, keepdim=True).log1p()


def shifts_input_in_place(x: Tensor, dim: int = -1) -> Tensor:
    """Subtracts in place: x itself holds the result afterwards, and a leaf that requires grad raises."""
    x -= torch.logsumexp(x, dim=dim, keepdim=True)
    return x


def stays_in_float64(x: Tensor, dim: int = -1) -> Tensor:
    """Returns float64: wrong dtype on every float32 input."""
    wide = x.double()
    return wide - torch.logsumexp(wide, dim=dim, keepdim=True)


def through_float16(x: Tensor, dim: int = -1) -> Tensor:
    """Rounds the shifted logits to half precision: ordinary random rows are off by some 1e-3."""
    shifted = (x - x.amax(dim=dim, keepdim=True)).half().float()
    return shifted - shifted.exp().sum(dim=dim, keepdim=True).log()


def normalised_over_everything(x: Tensor, dim: int = -1) -> Tensor:
    """One normaliser for the whole tensor: right for one row, wrong for two."""
    return x - torch.logsumexp(x.flatten(), dim=0)


def floor_at_minus_hundred(x: Tensor, dim: int = -1) -> Tensor:
    """Cuts the result off at -100: (0, 200) gives -100 instead of -200, without gradient there."""
    return (x - torch.logsumexp(x, dim=dim, keepdim=True)).clamp(min=-100)


def infinities_made_finite(x: Tensor, dim: int = -1) -> Tensor:
    """Replaces the -inf of a log of 0: (0, 200) is finite, but -3.4e38 instead of -200."""
    powers = (x - x.amax(dim=dim, keepdim=True)).exp()
    return (powers / powers.sum(dim=dim, keepdim=True)).log().nan_to_num()


def log_of_raw_shares(x: Tensor, dim: int = -1) -> Tensor:
    """Takes the log of x divided by its sum, without exp: (1, 3) is wrong, (-1, 3) gives nan."""
    return (x / x.sum(dim=dim, keepdim=True)).log()


def mean_instead_of_sum(x: Tensor, dim: int = -1) -> Tensor:
    """Averages the exponentials instead of adding them: too large by log C on every row of two or more."""
    shifted = x - x.amax(dim=dim, keepdim=True)
    return shifted - shifted.exp().mean(dim=dim, keepdim=True).log()


def maximum_only(x: Tensor, dim: int = -1) -> Tensor:
    """Takes the maximum for the log-sum-exp: right for (0, 200) and (0, -1000), wrong for (0, 0)."""
    return x - x.amax(dim=dim, keepdim=True)


def softmax_before_log_softmax(x: Tensor, dim: int = -1) -> Tensor:
    """Takes the log-softmax of the probabilities: too flat on (0, 5), uniform rows pass."""
    shares = (x - torch.logsumexp(x, dim=dim, keepdim=True)).exp()
    return shares - torch.logsumexp(shares, dim=dim, keepdim=True)


def log_of_sigmoid(x: Tensor, dim: int = -1) -> Tensor:
    """Takes the log of the sigmoid of each logit by itself: right for (0, 0), wrong for (1, 2)."""
    return functional.logsigmoid(x)


def loop_over_rows(x: Tensor, dim: int = -1) -> Tensor:
    """Loops over the first dimension: a vector gives zeros, dim=0 or three dimensions go wrong."""
    return torch.stack([row - torch.logsumexp(row, dim=-1) for row in x])


def float64_without_shift(x: Tensor, dim: int = -1) -> Tensor:
    """Trusts float64 not to overflow: right for (0, 200), infinite for logits of 1000 and -1000."""
    wide = x.double()
    return (wide - wide.exp().sum(dim=dim, keepdim=True).log()).to(x.dtype)


def float64_softmax_then_log(x: Tensor, dim: int = -1) -> Tensor:
    """Takes the log of a float64 softmax: right for (0, 200), but (0, -1000) gives -inf."""
    wide = x.double()
    powers = (wide - wide.amax(dim=dim, keepdim=True)).exp()
    return (powers / powers.sum(dim=dim, keepdim=True)).log().to(x.dtype)


def maximum_starts_at_zero(x: Tensor, dim: int = -1) -> Tensor:
    """Lets the maximum never fall below 0: right for 1000, inf for a row with all logits at -1000."""
    shifted = x - x.amax(dim=dim, keepdim=True).clamp(min=0)
    return shifted - shifted.exp().sum(dim=dim, keepdim=True).log()


def moved_dim_stays_last(x: Tensor, dim: int = -1) -> Tensor:
    """Moves dim to the end and forgets to move it back: shape (2, 3) with dim=0 returns (3, 2)."""
    moved = x.movedim(dim, -1)
    return moved - torch.logsumexp(moved, dim=-1, keepdim=True)


def returns_probabilities(x: Tensor, dim: int = -1) -> Tensor:
    """Forgets the logarithm and returns the softmax: shows on every input."""
    return (x - torch.logsumexp(x, dim=dim, keepdim=True)).exp()


def prints_result(x: Tensor, dim: int = -1) -> Tensor:
    """Prints the answer and returns None: shows on every input."""
    print(x - torch.logsumexp(x, dim=dim, keepdim=True))


def squeezed_result(x: Tensor, dim: int = -1) -> Tensor:
    """Squeezes the result: a batch of one row, (1, 5), comes back with shape (5,)."""
    return (x - torch.logsumexp(x, dim=dim, keepdim=True)).squeeze()


def patched_with_where(x: Tensor, dim: int = -1) -> Tensor:
    """Uses the shifted logit where the probability is 0: (0, 200, 200) lacks log 2, the gradient is nan."""
    shifted = x - x.amax(dim=dim, keepdim=True)
    powers = shifted.exp()
    shares = powers / powers.sum(dim=dim, keepdim=True)
    return torch.where(shares > 0, shares.log(), shifted)
