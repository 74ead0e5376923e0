"""Wrong attempts at `cost`, written by someone who has not seen the catalogue."""

import torch


def above_only(probs, targets, threshold, miss, alarm):
    """> in place of >=."""
    thrown = probs > threshold
    return float((miss * (~thrown & (targets == 1)) + alarm * (thrown & (targets == 0))).float().mean())


def misses_only(probs, targets, threshold, miss, alarm):
    """Forgets the alarms."""
    thrown = probs >= threshold
    return float((miss * (~thrown & (targets == 1))).float().mean())


def throws_the_good_ones(probs, targets, threshold, miss, alarm):
    """Throws away what lies below."""
    thrown = probs < threshold
    return float((miss * (~thrown & (targets == 1)) + alarm * (thrown & (targets == 0))).float().mean())


def probability_of_functional(probs, targets, threshold, miss, alarm):
    """Takes the probability for that of functional."""
    thrown = 1 - probs >= threshold
    return float((miss * (~thrown & (targets == 1)) + alarm * (thrown & (targets == 0))).float().mean())


def always_one_half(probs, targets, threshold, miss, alarm):
    """Rounds the probability: ignores the threshold."""
    thrown = probs.round() == 1
    return float((miss * (~thrown & (targets == 1)) + alarm * (thrown & (targets == 0))).float().mean())


def expected_cost(probs, targets, threshold, miss, alarm):
    """Weighs with the probability, not with the target."""
    thrown = probs >= threshold
    return float((miss * ~thrown * probs + alarm * thrown * (1 - probs)).mean())


def all_sold_cost(probs, targets, threshold, miss, alarm):
    """Charges miss for every cell that is sold."""
    thrown = probs >= threshold
    return float((miss * ~thrown + alarm * (thrown & (targets == 0))).float().mean())


def mean_by_class(probs, targets, threshold, miss, alarm):
    """Each kind of mistake as a share of its own class."""
    thrown = probs >= threshold
    missed, wasted = (~thrown) & (targets == 1), thrown & (targets == 0)
    n_defective, n_good = (targets == 1).sum().clamp(min=1), (targets == 0).sum().clamp(min=1)
    return float(miss * missed.sum() / n_defective + alarm * wasted.sum() / n_good)


def mean_by_decision(probs, targets, threshold, miss, alarm):
    """Misses as a share of what is sold, alarms as a share of what is thrown away."""
    thrown = probs >= threshold
    missed, wasted = (~thrown) & (targets == 1), thrown & (targets == 0)
    return float(miss * missed.sum() / (~thrown).sum().clamp(min=1) + alarm * wasted.sum() / thrown.sum().clamp(min=1))


def one_price(probs, targets, threshold, miss, alarm):
    """Each mistake costs miss."""
    thrown = probs >= threshold
    return float((miss * (thrown != (targets == 1))).float().mean())


def share_of_mistakes(probs, targets, threshold, miss, alarm):
    """Ignores the prices."""
    thrown = probs >= threshold
    return float((thrown != (targets == 1)).float().mean())


def prices_as_integers(probs, targets, threshold, miss, alarm):
    """Writes the prices into a tensor of integers: fractions are cut off."""
    costs = torch.zeros_like(targets)
    costs[(probs < threshold) & (targets == 1)] = miss
    costs[(probs >= threshold) & (targets == 0)] = alarm
    return float(costs.float().mean())


def mean_without_float(probs, targets, threshold, miss, alarm):
    """mean() of whole numbers raises."""
    thrown = probs >= threshold
    return float((miss * (~thrown & (targets == 1)) + alarm * (thrown & (targets == 0))).mean())


def python_and(probs, targets, threshold, miss, alarm):
    """`and` between tensors raises."""
    thrown = probs >= threshold
    missed = not thrown and targets == 1
    wasted = thrown and targets == 0
    return float((miss * missed + alarm * wasted).float().mean())


def no_brackets(probs, targets, threshold, miss, alarm):
    """Without brackets & comes before ==."""
    thrown = probs >= threshold
    return float((miss * (~thrown & targets == 1) + alarm * (thrown & targets == 0)).float().mean())


def threshold_by_prices(probs, targets, threshold, miss, alarm):
    """Takes alarm / (alarm + miss) for the threshold."""
    thrown = probs >= alarm / (alarm + miss)
    return float((miss * (~thrown & (targets == 1)) + alarm * (thrown & (targets == 0))).float().mean())
