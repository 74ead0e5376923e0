"""Annealing and the one-cycle policy: golden numbers, and equality with torch's `OneCycleLR`."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from coursekit.core import TrainingError
from coursekit.training.precision import adamw
from coursekit.training.schedule import (
    ParamScheduler,
    anneal_constant,
    anneal_cosine,
    anneal_exponential,
    anneal_linear,
    anneal_polynomial,
    flat_cos,
    in_sequence,
    one_cycle,
    one_cycle_momentum,
    set_hyper,
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


@pytest.mark.parametrize("anneal", [anneal_linear, anneal_cosine, anneal_exponential, anneal_polynomial])
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


@pytest.mark.parametrize("shares", [[0.5, 0.4], [1.5, -0.5], [1.0], []])
def test_shares_that_make_no_whole_are_refused(shares):
    with pytest.raises(ValueError, match="sum to 1"):
        in_sequence(shares, [anneal_linear(0, 1)] * 2)


@pytest.mark.parametrize(("pct_start", "at_start", "at_end"), [(0.0, 1.0, 1e-5), (1.0, 0.04, 1.0)])
def test_one_half_of_the_cycle_may_be_missing(pct_start, at_start, at_end):
    lr = one_cycle(1.0, pct_start=pct_start)
    values = [lr(i / 20) for i in range(21)]
    assert values[0] == pytest.approx(at_start)
    assert all(math.isfinite(value) for value in values)
    assert values[-1] == pytest.approx(at_end)


def test_a_polynomial_follows_its_power_and_a_constant_stays():
    for power in (0.5, 1.0, 3.0):
        assert anneal_polynomial(1.0, 3.0, power)(0.3) == pytest.approx(1 + 2 * 0.3**power)
    assert {anneal_constant(0.2)(p) for p in (0, 0.5, 1)} == {0.2}


def test_flat_cos_is_flat_for_three_quarters_and_ends_at_a_hundred_thousandth():
    lr = flat_cos(0.1)
    assert [lr(p) for p in (0, 0.3, 0.75)] == pytest.approx([0.1, 0.1, 0.1])
    assert lr(0.875) == pytest.approx((0.1 + 1e-6) / 2) and lr(1) == pytest.approx(1e-6)


# ---- the scheduler


def learner(progress=0.25, training=True, optimiser=adamw):
    """What a scheduler sees of a learner with two layer groups, each with a decayed and a spared parameter group."""
    groups = [
        {"params": [nn.Parameter(torch.zeros(shape))], "lr": 1.0, "weight_decay": decay, "layer_group": group}
        for group in (0, 1)
        for shape, decay in (((2, 2), 0.01), ((2,), 0.0))
    ]
    return SimpleNamespace(training=training, progress=progress, opt=optimiser(groups))


def values(learn, key):
    return [group[key] for group in learn.opt.param_groups]


def test_each_layer_group_follows_its_own_schedule_and_one_schedule_serves_all():
    learn = learner()
    scheduler = ParamScheduler({"lr": [one_cycle(1e-4), one_cycle(1e-2)], "momentum": one_cycle_momentum()})
    scheduler.before_fit(learn)
    scheduler.before_batch(learn)
    assert values(learn, "lr") == [1e-4, 1e-4, 1e-2, 1e-2]
    assert values(learn, "betas") == [(0.85, 0.99)] * 4


def test_weight_decay_is_scheduled_where_there_is_any():
    learn = learner(progress=0.5)
    scheduler = ParamScheduler({"weight_decay": anneal_linear(0.0, 0.2)})
    scheduler.before_fit(learn)
    scheduler.before_batch(learn)
    assert values(learn, "weight_decay") == [0.1, 0.0, 0.1, 0.0]
    assert values(learn, "lr") == [1.0] * 4


def test_momentum_of_sgd_and_other_numbers_can_be_scheduled():
    learn = learner(optimiser=lambda groups: torch.optim.SGD(groups, momentum=0.9))
    scheduler = ParamScheduler({"momentum": anneal_linear(0.8, 0.4), "dampening": anneal_constant(0.1)})
    learn.opt.param_groups[0]["dampening"] = 0.0
    for group in learn.opt.param_groups:
        group["dampening"] = 0.0
    scheduler.before_fit(learn)
    scheduler.before_batch(learn)
    assert values(learn, "momentum") == pytest.approx([0.7] * 4) and values(learn, "dampening") == [0.1] * 4


@pytest.mark.parametrize(
    ("schedules", "message"),
    [
        ({"wd": anneal_constant(0.1)}, "eps, lr, momentum, weight_decay"),
        ({"lr": [anneal_constant(0.1)] * 3}, "3 schedules of 'lr' for 2 layer groups"),
    ],
)
def test_what_cannot_be_scheduled_is_refused_before_training(schedules, message):
    with pytest.raises(TrainingError, match=message):
        ParamScheduler(schedules).before_fit(learner())


def test_setting_momentum_keeps_the_other_beta():
    group = {"params": [], "betas": (0.9, 0.99)}
    set_hyper(group, "momentum", 0.5)
    assert group["betas"] == (0.5, 0.99) and "momentum" not in group
