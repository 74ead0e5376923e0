"""Wrong attempts at `threshold_for`, most of them by a learner who has not seen the catalogue."""

import math

import torch


def quantile(scores, positive, wanted):
    """A quantile may lie between two scores."""
    return torch.quantile(scores[positive], 1 - wanted).item()


def product_as_position(scores, positive, wanted):
    """Takes int(n * wanted) for the position."""
    ranked = scores[positive].sort(descending=True).values
    return ranked[int(len(ranked) * wanted)].item()


def product_rounded_up(scores, positive, wanted):
    """math.ceil of a product that is a little above a whole number: right for most n and shares."""
    ranked = scores[positive].sort(descending=True).values
    return ranked[math.ceil(len(ranked) * wanted) - 1].item()


def from_below_and_cut_off(scores, positive, wanted):
    """int((1 - wanted) * n): a little below a whole number it takes one score too low."""
    rising = scores[positive].sort().values
    return rising[int((1 - wanted) * len(rising))].item()


def rounded_to_the_nearest(scores, positive, wanted):
    """round() may find too few."""
    ranked = scores[positive].sort(descending=True).values
    return ranked[max(round(len(ranked) * wanted), 1) - 1].item()


def of_all_scores(scores, positive, wanted):
    """Counts among all photos."""
    ranked = scores.sort(descending=True).values
    return ranked[math.ceil(len(ranked) * wanted) - 1].item()


def hundredths(scores, positive, wanted):
    """Tries thresholds in steps of 0.01."""
    for hundredth in range(100, -1, -1):
        if (scores[positive] >= hundredth / 100).float().mean() >= wanted:
            return hundredth / 100


def smallest_that_works(scores, positive, wanted):
    """Goes up through all scores, and takes the first that works."""
    for threshold in scores.sort().values:
        if (scores[positive] >= threshold).float().mean() >= wanted:
            return threshold.item()


def above_only(scores, positive, wanted):
    """> in place of >=: the photo at the threshold isn't counted."""
    for threshold in scores[positive].sort(descending=True).values:
        if (scores[positive] > threshold).float().mean() >= wanted:
            return threshold.item()
    return scores[positive].min().item()


def accuracy(scores, positive, wanted):
    """Asks for the share of right answers."""
    best = 0.0
    for threshold in scores.tolist():
        if ((scores >= threshold) == positive).float().mean() >= wanted:
            best = max(best, threshold)
    return best


def precision(scores, positive, wanted):
    """Asks for the share of the alarms that are right."""
    best = 0.0
    for threshold in scores.tolist():
        found = scores >= threshold
        if (found & positive).sum() / found.sum() >= wanted:
            best = max(best, threshold)
    return best


def always_one_half(scores, positive, wanted):
    """Takes 0.5, as for the most probable of two classes."""
    return 0.5


def share_of_the_highest_score(scores, positive, wanted):
    """Takes the highest score of a positive photo, times what may be missed."""
    return (1 - wanted) * scores[positive].max().item()
