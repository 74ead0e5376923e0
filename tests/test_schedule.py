"""Annealing and the one-cycle policy: golden numbers, and equality with torch's `OneCycleLR`."""

import math

import pytest
import torch

from coursekit.schedule import (
    anneal_cosine,
    anneal_exponential,
    anneal_linear,
    in_sequence,
    one_cycle,
    one_cycle_momentum,
)


def test_one_cycle_gives_the_golden_rates_and_momenta(golden):
    numbers = golden["one_cycle"]
    lr = one_cycle(1.0, numbers["div"], numbers["div_final"], numbers["pct_start"])
    momentum = one_cycle_momentum(tuple(numbers["moms"]), numbers["pct_start"])
    for pos, want_lr, want_momentum in zip(
        numbers["at"], numbers["lr_fraction_of_max"], numbers["momentum"], strict=True
    ):
        assert lr(pos) == pytest.approx(want_lr, abs=1e-7)
        assert momentum(pos) == pytest.approx(want_momentum, abs=1e-7)


def test_one_cycle_defaults_are_the_golden_ones(golden):
    numbers = golden["one_cycle"]
    explicit = one_cycle(2.0, numbers["div"], numbers["div_final"], numbers["pct_start"])
    assert [one_cycle(2.0)(p) for p in numbers["at"]] == [explicit(p) for p in numbers["at"]]


@pytest.mark.parametrize("phase", ["frozen_phase", "unfrozen_phase"])
def test_both_phases_of_fine_tune_follow_the_golden_rates(golden, phase):
    numbers = golden["fine_tune"][phase]
    lr = one_cycle(1.0, div=numbers["div"], pct_start=numbers["pct_start"])
    assert [lr(p) for p in numbers["at"]] == pytest.approx(numbers["lr_fraction_of_max"], abs=1e-7)


@pytest.mark.parametrize("pct_start", [0.25, 0.3, 0.5])
def test_one_cycle_equals_torch_step_by_step(pct_start):
    """torch has its peak at step `pct_start * total - 1` and its end at `total - 1`; positions are mapped to ours."""
    total, peak = 101, pct_start * 101 - 1
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=0.3, total_steps=total, pct_start=pct_start, div_factor=25, final_div_factor=1e5 / 25
    )
    ours = one_cycle(0.3, 25, 1e5, pct_start)
    for step in range(total):
        up = pct_start * step / peak
        down = pct_start + (1 - pct_start) * (step - peak) / (total - 1 - peak)
        assert ours(up if step <= peak else down) == pytest.approx(theirs.get_last_lr()[0], abs=1e-7)
        optimiser.step()
        if step < total - 1:
            theirs.step()


@pytest.mark.parametrize("anneal", [anneal_linear, anneal_cosine, anneal_exponential])
def test_every_annealing_begins_and_ends_where_it_should_and_never_turns_back(anneal):
    schedule = anneal(2.0, 0.5)
    values = [schedule(i / 50) for i in range(51)]
    assert values[0] == pytest.approx(2.0) and values[-1] == pytest.approx(0.5)
    assert values == sorted(values, reverse=True)


def test_pieces_in_sequence_meet_at_their_borders():
    schedule = in_sequence([0.2, 0.3, 0.5], [anneal_linear(0, 1), anneal_linear(1, 3), anneal_linear(3, 0)])
    assert [schedule(p) for p in (0, 0.2, 0.5, 1)] == pytest.approx([0, 1, 3, 0])
    assert math.isclose(schedule(0.2 - 1e-9), schedule(0.2), abs_tol=1e-6)


def test_shares_that_do_not_sum_to_one_are_refused():
    with pytest.raises(ValueError, match="sum to 1"):
        in_sequence([0.5, 0.4], [anneal_linear(0, 1)] * 2)
