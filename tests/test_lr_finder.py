"""The sweep, its suggestions (golden numbers) and the promise that nothing has happened afterwards."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from coursekit.core import TrainingError
from coursekit.lr_finder import Sweep, left_as_it_was, minimum, rate_at, slide, smooth, steep, suggest, sweep, valley


@pytest.fixture
def synthetic():
    """The curve that `golden["lr_find"]["synthetic_curve"]` describes."""
    i = np.arange(100)
    return Sweep(1e-7 * 1e8 ** (i / 100), 4 - 3 * np.exp(-(((i - 60) / 20) ** 2)))


def test_suggestions_on_the_synthetic_curve_are_golden(golden, synthetic):
    found = suggest(synthetic, 100, (valley, slide, minimum, steep))
    for name, rate in golden["lr_find"]["suggestions"].items():
        assert getattr(found, name) == pytest.approx(rate, rel=1e-5), name


def test_suggestions_come_named_and_in_the_order_asked(synthetic):
    lr_min, lr_steep = found = suggest(synthetic, 100, (minimum, steep))
    assert found._fields == ("minimum", "steep")
    assert (lr_min, lr_steep) == (minimum(*synthetic.trimmed(100)), steep(*synthetic.trimmed(100)))


def test_rates_grow_as_golden_says(golden):
    numbers = golden["lr_find"]
    for i in (0, 1, 50, 99):
        assert rate_at(i, numbers["num_it"], numbers["start_lr"], numbers["end_lr"]) == pytest.approx(
            1e-7 * 1e8 ** (i / 100)
        )


def test_sweep_defaults_are_the_golden_ones(golden):
    numbers, seen = golden["lr_find"], []
    sweep(lambda lr: seen.append(lr) or 1.0)
    assert len(seen) == numbers["num_it"] and seen[0] == numbers["start_lr"]
    assert seen[-1] == pytest.approx(rate_at(99, 100, numbers["start_lr"], numbers["end_lr"]))


def test_smoothing_is_golden(golden):
    numbers = golden["recorder_smoothing"]
    assert smooth(numbers["losses"], numbers["beta"]) == pytest.approx(numbers["smoothed"], abs=1e-5)


def test_sweep_stops_when_the_smoothed_loss_is_four_times_its_best():
    losses = iter([1.0] * 20 + [1000.0] * 80)
    curve = sweep(lambda lr: next(losses))
    assert len(curve.lrs) == 21


def test_sweep_goes_on_to_the_end_when_told_never_to_stop():
    losses = iter([1.0] * 20 + [1000.0] * 80)
    assert len(sweep(lambda lr: next(losses), stop_factor=math.inf).lrs) == 100


def test_a_loss_that_is_not_a_number_ends_the_sweep_and_is_left_out():
    losses = iter([1.0] * 30 + [math.nan])
    curve = sweep(lambda lr: next(losses))
    assert len(curve.lrs) == 30 and np.isfinite(curve.losses).all()


def test_a_sweep_that_broke_off_at_once_is_explained():
    losses = iter([1.0, math.nan])
    with pytest.raises(TrainingError, match=r"ended after 1 batches.*\n.*Cause.*\n.*start_lr"):
        suggest(sweep(lambda lr: next(losses)), 100, (valley,))


def network():
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 2))


def train_a_little(model):
    model.train()
    for parameter in model.parameters():
        parameter.requires_grad = True
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.1)
    for _ in range(3):
        model(torch.randn(16, 4)).square().mean().backward()
        optimiser.step()


@pytest.mark.parametrize("ending", [None, RuntimeError, KeyboardInterrupt])
def test_model_and_random_state_are_as_before_whatever_the_ending(ending):
    model = network().eval()
    model[0].weight.requires_grad = False
    state = {k: v.clone() for k, v in model.state_dict().items()}
    random_state = torch.get_rng_state()
    try:
        with left_as_it_was(model):
            train_a_little(model)
            assert not torch.equal(model[1].running_mean, state["1.running_mean"])
            if ending:
                raise ending
    except (RuntimeError, KeyboardInterrupt):
        pass
    assert all(torch.equal(v, state[k]) for k, v in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random_state)
    assert not any(m.training for m in model.modules())
    assert not model[0].weight.requires_grad and model[3].weight.requires_grad
    assert all(p.grad is None for p in model.parameters())
