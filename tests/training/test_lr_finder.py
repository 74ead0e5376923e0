"""The sweep, its suggestions (golden numbers) and the promise that nothing has happened afterwards."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from coursekit.core import TrainingError
from coursekit.training.callbacks import Callback, GradientClip, MixUp, SkipStep
from coursekit.training.lr_finder import (
    Sweep,
    average_sweeps,
    check_sweep,
    keep_state,
    minimum,
    plot_sweep,
    rate_at,
    slide,
    smooth,
    steep,
    suggest,
    sweep,
    valley,
    why_unreadable,
)


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
        with keep_state(model):
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


class Stateful(nn.Module):
    """A model with everything that a sweep can touch: a buffer that is not saved, a frozen layer in its own mode."""

    def __init__(self):
        super().__init__()
        self.frozen, self.norm, self.last = nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 2)
        self.register_buffer("seen", torch.zeros(()), persistent=False)
        self.frozen.requires_grad_(False)
        self.norm.eval()

    def forward(self, x):
        self.seen += 1
        return self.last(torch.dropout(self.norm(self.frozen(x)), 0.5, self.training))


def everything_about(model):
    tensors = {name: t.clone() for name, t in [*model.named_parameters(), *model.named_buffers()]}
    grads = {name: None if p.grad is None else p.grad.clone() for name, p in model.named_parameters()}
    flags = {name: p.requires_grad for name, p in model.named_parameters()}
    return tensors, grads, flags, {name: m.training for name, m in model.named_modules()}


def assert_same(before, after):
    for old, new in zip(before[:2], after[:2], strict=True):
        assert old.keys() == new.keys()
        for name, tensor in old.items():
            assert (tensor is None) == (new[name] is None), name
            assert tensor is None or torch.equal(tensor, new[name]), name
    assert before[2:] == after[2:]


class DiskIsFull(OSError):
    pass


@pytest.mark.parametrize("ending", [None, DiskIsFull, KeyboardInterrupt])
def test_a_real_sweep_leaves_nothing_behind_whatever_ends_it(ending, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = Stateful()
    model(torch.randn(3, 4)).sum().backward()  # gradients that were there before
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3)
    optimiser.step()
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**20)
    before, random_state = everything_about(model), torch.get_rng_state()
    steps_before = {k: v["step"].item() for k, v in optimiser.state_dict()["state"].items()}
    calls = []

    def train_batch(lr):
        calls.append(lr)
        if ending and len(calls) == 30:
            raise ending("in the middle")
        model.train().requires_grad_(True)
        optimiser.param_groups[0]["lr"] = lr
        loss = model(torch.randn(16, 4)).square().mean()
        scaler.scale(loss * math.inf if len(calls) == 5 else loss).backward()
        scaler.step(optimiser)
        scaler.update()
        optimiser.zero_grad()
        return loss.item()

    def run():
        with keep_state(model, optimiser, scaler):
            sweep(train_batch, stop_factor=math.inf)

    if ending:
        with pytest.raises(ending, match="in the middle"):
            run()
    else:
        run()
    assert len(calls) == (30 if ending else 100)
    assert_same(before, everything_about(model))
    assert torch.equal(torch.get_rng_state(), random_state)
    assert optimiser.param_groups[0]["lr"] == 1e-3 and scaler.get_scale() == 2.0**20
    assert {k: v["step"].item() for k, v in optimiser.state_dict()["state"].items()} == steps_before
    assert list(tmp_path.iterdir()) == []


def test_gradients_of_before_are_not_added_to():
    model = nn.Linear(2, 1)
    model(torch.ones(1, 2)).sum().backward()
    kept = model.weight.grad
    with keep_state(model):
        assert model.weight.grad is None
        model(torch.ones(1, 2)).sum().backward()
    assert model.weight.grad is kept and torch.equal(kept, torch.ones(1, 2))


# ---- curves that say nothing

LRS = 1e-7 * 1e8 ** (np.arange(100) / 100)


def noisy(seed, level=0.7, noise=0.1):
    raw = level + noise * np.random.default_rng(seed).standard_normal(100)
    return Sweep(LRS, smooth(raw), raw)


@pytest.mark.parametrize(
    ("losses", "why"),
    [
        (np.full(100, 0.7), "is flat"),
        (np.linspace(0.7, 3, 100), "only rises"),
        (0.7 + np.maximum(0, np.arange(100) - 60) ** 2 / 400, "only rises"),
        (np.linspace(0.7, 0.6971, 100), "is flat"),
    ],
    ids=["constant", "line up", "flat then up", "falls by less than a hundredth"],
)
def test_a_curve_that_is_flat_or_only_rises_gives_no_suggestion_and_says_so(losses, why):
    with pytest.warns(UserWarning, match=f"(?s)No learning rate.*{why}.*n_sweeps"):
        found = suggest(Sweep(LRS, losses), 100, (minimum, steep, valley, slide))
    assert found._fields == ("minimum", "steep", "valley", "slide")
    assert all(math.isnan(rate) for rate in found)


def test_pure_noise_is_seldom_taken_for_a_fall_and_hardly_ever_once_it_is_averaged():
    singles = [why_unreadable(noisy(seed), 100) == "" for seed in range(200)]
    assert sum(singles) < 40
    averages = [average_sweeps([noisy(1000 * i + seed) for seed in range(5)]) for i in range(40)]
    assert sum(why_unreadable(curve, 100) == "" for curve in averages) < 8


def test_a_fall_well_above_the_noise_is_read():
    for seed in range(20):
        raw = noisy(seed, level=0.0, noise=0.05).raw + 1.0 - 0.6 / (1 + np.exp((30 - np.arange(100)) / 5))
        assert why_unreadable(Sweep(LRS, smooth(raw), raw), 100) == ""


def test_a_sweep_keeps_raw_and_smoothed_losses():
    losses = [float(i % 7) + 4 for i in range(100)]
    batches = iter(losses)
    curve = sweep(lambda lr: next(batches))
    assert curve.raw.tolist() == losses and np.allclose(curve.losses, smooth(losses))


# ---- averages


def test_an_average_goes_as_far_as_the_shortest_sweep_and_keeps_each():
    one, other = noisy(1), Sweep(LRS[:60], np.full(60, 2.0), np.full(60, 3.0))
    average = average_sweeps([one, other])
    assert average.lrs.tolist() == LRS[:60].tolist()
    assert np.allclose(average.losses, (one.losses[:60] + 2) / 2) and np.allclose(average.raw, (one.raw[:60] + 3) / 2)
    assert len(average.runs) == 2 and np.array_equal(average.runs[0], one.losses[:60])


def test_the_average_of_one_is_that_one(synthetic):
    assert average_sweeps([synthetic]) is synthetic


def test_the_spread_of_several_sweeps_is_in_the_picture(synthetic):
    average = average_sweeps([synthetic, Sweep(synthetic.lrs, synthetic.losses + 1)])
    (band,) = plot_sweep(average).axes[0].collections
    heights = band.get_paths()[0].vertices[:, 1]
    assert heights.min() == pytest.approx(synthetic.losses.min())
    assert heights.max() == pytest.approx(synthetic.losses.max() + 1)
    assert plot_sweep(synthetic).axes[0].collections[:] == []


def test_every_suggestion_is_marked_on_the_curve_or_named_as_missing(synthetic):
    found = {"valley": 1e-4, "minimum": math.nan}
    axes = plot_sweep(synthetic, found).axes[0]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["valley: 1.0e-04", "minimum: none"]
    (x,), (y,) = axes.lines[1].get_data()
    assert x == 1e-4 and y == pytest.approx(np.interp(math.log(1e-4), np.log(synthetic.lrs), synthetic.losses))
    assert "Nothing to read" in plot_sweep(synthetic, {"valley": math.nan}).axes[0].get_title()


# ---- what is refused before a batch is trained


@pytest.mark.parametrize(
    "functions", [(1,), (), ("valley",), (valley, valley), (lambda lrs, losses: 0.1,), (valley, None)]
)
def test_what_is_no_suggestion_function_is_refused_with_an_example(functions):
    with pytest.raises(TrainingError, match=r"(?s)suggest_funcs=.*minimum, steep"):
        check_sweep(1e-7, 10, 100, functions)


@pytest.mark.parametrize(
    ("start", "end"), [(0, 1), (-1e-3, 1), (1, 1e-3), (1e-3, 1e-3), (1e-7, math.inf), (math.nan, 1)]
)
def test_a_range_that_does_not_grow_is_refused(start, end):
    with pytest.raises(TrainingError, match="cannot go from"):
        check_sweep(start, end, 100, (valley,))


@pytest.mark.parametrize(("num_it", "n_sweeps"), [(6, 1), (0, 1), (100, 0)])
def test_too_few_batches_or_sweeps_are_refused(num_it, n_sweeps):
    with pytest.raises(TrainingError, match="nothing to read"):
        check_sweep(1e-7, 10, num_it, (valley,), n_sweeps)


def test_the_defaults_are_accepted_and_so_is_a_function_of_ones_own():
    def edge(lrs, losses):
        return float(lrs[-1])

    check_sweep(1e-7, 10.0, 100, (minimum, steep, valley, slide, edge), 5)


@pytest.mark.parametrize("n", [2, 3, 5, 8])
def test_valley_stays_on_curves_of_a_few_points(n):
    lrs = np.logspace(-5, -1, n)
    assert valley(lrs, np.linspace(1, 0, n)) in lrs[: max(n // 2, 1) + 1]


# ---- through the learner


def test_several_sweeps_of_a_learner_differ_are_averaged_and_leave_no_trace(make_toy_learner):
    learn = make_toy_learner()
    before = everything_about(learn.model)
    learn.lr_find(num_it=20, n_sweeps=3, stop_div=False)
    assert_same(before, everything_about(learn.model))
    curve = learn.recorder.sweep
    assert len(curve.runs) == 3 and np.allclose(curve.losses, np.mean(curve.runs, axis=0))
    assert not np.array_equal(curve.runs[0], curve.runs[1])


def test_a_wrong_suggestion_function_is_refused_before_a_batch_is_trained(make_toy_learner, monkeypatch):
    learn = make_toy_learner()
    monkeypatch.setattr(learn.engine, "backward", lambda loss: pytest.fail("a batch was trained"))
    with pytest.raises(TrainingError, match="are not suggestion functions"):
        learn.lr_find(suggest_funcs=(1,))


def test_a_sweep_runs_the_step_of_fit_with_the_callbacks_that_change_it(make_toy_learner):
    class Watch(Callback):
        changes_step = True
        order = 30  # after MixUp
        ndims, steps = (), 0

        def before_batch(self, learn):
            Watch.ndims += (learn.yb.ndim,)

        def before_step(self, learn):
            raise SkipStep if learn.batch % 2 else ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        make_toy_learner().lr_find(num_it=20, cbs=[MixUp(), Watch()])
    assert set(Watch.ndims) == {2}  # mixed targets

    learn = make_toy_learner(cbs=GradientClip(1e-9))
    before = everything_about(learn.model)
    learn.lr_find(num_it=20, stop_div=False)
    clipped, raw = learn.recorder.sweep, make_toy_learner()
    raw.lr_find(num_it=20, stop_div=False)
    assert not np.allclose(clipped.raw, raw.recorder.sweep.raw)
    assert_same(before, everything_about(learn.model))


def test_callbacks_that_only_look_are_not_in_a_sweep_and_no_state_of_the_learner_moves(make_toy_learner):
    class Looks(Callback):
        def before_batch(self, learn):
            pytest.fail("it does not change a step")

    learn = make_toy_learner(cbs=Looks())
    learn.dls.train.set_epoch(3)
    losses, opt = learn.recorder.losses, learn.opt
    learn.lr_find(num_it=20, stop_div=False)
    assert learn.recorder.losses is losses and learn.opt is opt
    assert (learn.epoch, learn.batch, learn.training, learn.dls.train.epoch) == (0, -1, False, 3)


def test_out_of_memory_in_a_sweep_is_said_in_plain_words(make_toy_learner):
    def greedy(logits, targets):
        return torch.empty(10**15).sum()

    with pytest.raises(TrainingError, match="out of memory at a batch of 8"):
        make_toy_learner(loss_func=greedy).lr_find()
