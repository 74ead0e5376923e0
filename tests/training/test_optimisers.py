"""Optimisers of every kind: scheduled, recorded, saved, resumed bit for bit; none takes the state of another."""

import pytest
import timm.optim
import torch
from torch import nn

from coursekit.core import TrainingError
from coursekit.training.callbacks import Callback
from coursekit.training.checkpoint import read_checkpoint
from coursekit.training.optimisers import (
    check_optimiser,
    describe_optimiser,
    load_optimiser,
    optimiser_numbers,
    optimiser_tensors,
)
from coursekit.training.schedule import get_momentum


def sgd_with_momentum(groups):
    return torch.optim.SGD(groups, lr=1e-2, momentum=0.9)


def sgd(groups):
    return torch.optim.SGD(groups, lr=1e-2)


def rmsprop(groups):
    return torch.optim.RMSprop(groups, lr=1e-2)


def lion(groups):
    return timm.optim.Lion(groups, lr=1e-3)


def lamb(groups):
    """Counts its steps in the groups."""
    return timm.optim.Lamb(groups, lr=1e-3)


def ada_belief(groups):
    """Counts its steps in plain numbers, one for each parameter."""
    return timm.optim.AdaBelief(groups, lr=1e-3)


def nadam(groups):
    """Keeps a product for each parameter, a tensor without dimensions."""
    return torch.optim.NAdam(groups, lr=1e-3)


def plain_adamw(groups):
    return torch.optim.AdamW(groups, lr=1e-3, fused=False)


ALL = [sgd_with_momentum, sgd, rmsprop, lion, lamb, ada_belief, nadam, plain_adamw]


def same_weights(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


@pytest.fixture
def make(make_toy_learner):
    """A function that makes a learner with the optimiser that a function of parameter groups makes."""

    def make_with(opt_func):
        return make_toy_learner(opt_func=opt_func)

    return make_with


class Interrupt(Callback):
    def before_batch(self, learn):
        if learn.epoch == 2 and learn.batch == 1:
            raise KeyboardInterrupt


@pytest.mark.parametrize("opt_func", ALL)
def test_a_run_that_was_interrupted_ends_as_one_that_was_not(make, tmp_path, opt_func):
    whole, broken, resumed = make(opt_func), make(opt_func), make(opt_func)
    whole.fit_one_cycle(3, 1e-2)
    with pytest.raises(KeyboardInterrupt):
        broken.fit_one_cycle(3, 1e-2, resume=tmp_path / "run.safetensors", cbs=Interrupt())
    resumed.fit_one_cycle(3, 1e-2, resume=tmp_path / "run.safetensors")
    assert same_weights(whole.model, resumed.model)
    assert resumed.recorder.moms == whole.recorder.moms and resumed.recorder.lrs == whole.recorder.lrs


@pytest.mark.parametrize(
    ("opt_func", "momentum"),
    [(sgd_with_momentum, (0.95, 0.85)), (sgd, (0, 0)), (rmsprop, (0, 0)), (lion, (0.95, 0.85))],
)
def test_one_cycle_moves_the_momentum_where_there_is_one(make, opt_func, momentum):
    learn = make(opt_func)
    learn.fit_one_cycle(2, 1e-2)
    assert (max(learn.recorder.moms), min(learn.recorder.moms)) == pytest.approx(momentum, abs=5e-3)
    assert max(learn.recorder.lrs) == pytest.approx(1e-2, rel=0.05)
    assert learn.recorder.plot_sched().axes


def test_the_momentum_of_a_group_is_found_under_either_name():
    weights = [nn.Parameter(torch.ones(2))]
    assert get_momentum(sgd_with_momentum(weights).param_groups[0]) == 0.9
    assert get_momentum(lion(weights).param_groups[0]) == 0.9
    assert get_momentum(torch.optim.Adagrad(weights).param_groups[0]) == 0


@pytest.mark.parametrize(
    ("there", "here", "words"),
    [
        (sgd_with_momentum, plain_adamw, "SGD there, AdamW here"),
        (plain_adamw, lion, "AdamW there, Lion here"),
        (sgd_with_momentum, sgd, "momentum 0.9 there, 0 here"),
    ],
)
def test_the_state_of_another_kind_is_refused_by_name_and_the_weights_can_be_had(make, tmp_path, there, here, words):
    first, second = make(there), make(here)
    first.fit(1)
    file = first.save(tmp_path / "stage-1")
    before = {name: tensor.clone() for name, tensor in second.model.state_dict().items()}
    with pytest.raises(TrainingError, match=rf"state of another optimiser(.|\n)*{words}(.|\n)*with_opt=False"):
        second.load(file)
    assert all(torch.equal(before[name], tensor) for name, tensor in second.model.state_dict().items())
    second.load(file, with_opt=False).fit(1)


def test_what_remembers_nothing_can_be_loaded_by_any_and_leaves_no_trace(make, tmp_path):
    first, second = make(sgd), make(plain_adamw)
    first.fit(1)
    second.load(first.save(tmp_path / "stage-1")).fit(1)
    third = make(plain_adamw)
    third.fit(1)
    assert [set(group) for group in second.opt.param_groups] == [set(group) for group in third.opt.param_groups]


def test_another_optimiser_makes_another_run(make, tmp_path):
    make(sgd_with_momentum).fit(1, resume=tmp_path / "run.safetensors")
    with pytest.raises(TrainingError, match=r"optimiser kind SGD there, AdamW here"):
        make(plain_adamw).fit(1, resume=tmp_path / "run.safetensors")
    with pytest.raises(TrainingError, match=r"Cause: optimiser momentum 0.9 there, 0.8 here\.\n"):
        make(lambda groups: torch.optim.SGD(groups, momentum=0.8)).fit(1, resume=tmp_path / "run.safetensors")


def test_checkpoints_from_before_other_optimisers_are_those_of_adamw(make, make_toy_learner, tmp_path):
    learn = make_toy_learner()
    learn.fit(1, resume=tmp_path / "run.safetensors")
    facts = read_checkpoint(tmp_path / "run.safetensors")[1]
    older = {key: value for key, value in facts.items() if key not in ("optimiser", "opt_numbers", "planned by")}
    rewrite(tmp_path / "run.safetensors", older)
    make_toy_learner().fit(1, resume=tmp_path / "run.safetensors")
    with pytest.raises(TrainingError, match="AdamW there, SGD here"):
        make(sgd).load(tmp_path / "run.safetensors")


def rewrite(file, facts):
    from coursekit.training.checkpoint import write_checkpoint

    write_checkpoint(file, read_checkpoint(file)[0], facts)


def step(model, opt, n):
    generator = torch.Generator().manual_seed(n)
    (model(torch.randn(8, 3, 5, 5, generator=generator)) ** 2).mean().backward()
    opt.step(), opt.zero_grad()


@pytest.mark.parametrize("opt_func", [*ALL, lambda groups: torch.optim.AdamW(groups, fused=True)])
def test_an_optimiser_goes_on_as_if_nothing_had_happened(opt_func):
    def build():
        model = nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
        return model, opt_func([{"params": list(model.parameters())}])

    (first, opt), (second, other) = build(), build()
    step(first, opt, 1), step(first, opt, 2)
    second.load_state_dict(first.state_dict())
    load_optimiser(second, other, optimiser_tensors(first, opt), optimiser_numbers(first, opt))
    step(first, opt, 3), step(second, other, 3)
    assert same_weights(first, second)
    shapes = [{k: getattr(v, "shape", type(v)) for k, v in o.state.items() for k, v in v.items()} for o in (opt, other)]
    assert shapes[0] == shapes[1]


def test_a_state_that_cannot_be_written_is_refused_by_name():
    model = nn.Linear(2, 1)
    opt = torch.optim.SGD(model.parameters(), momentum=0.9)
    opt.state[model.weight]["history"] = [torch.ones(2)]
    with pytest.raises(TrainingError, match="state of SGD cannot be written"):
        optimiser_numbers(model, opt)


def test_settings_that_make_no_other_state_are_no_other_kind():
    weights = [nn.Parameter(torch.ones(2))]
    kept = describe_optimiser(torch.optim.AdamW(weights, betas=(0.9, 0.99), fused=True))
    check_optimiser("file", kept, torch.optim.AdamW(weights, betas=(0.8, 0.9), eps=1e-5, fused=False))
    with pytest.raises(TrainingError, match="amsgrad False there, True here"):
        check_optimiser("file", kept, torch.optim.AdamW(weights, amsgrad=True))
