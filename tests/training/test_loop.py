"""The loop itself: what it refuses, what it explains, and what is left when a batch goes wrong."""

import math

import pytest
import torch
from torch import nn

from coursekit.core import TrainingError, torch_seeded
from coursekit.data import batches as library
from coursekit.losses import cross_entropy
from coursekit.training.callbacks import Callback, SkipStep
from coursekit.training.faults import TerminateOnNaN, is_out_of_memory
from coursekit.training.loop import TrainingLoop
from coursekit.training.precision import Engine, adamw


class Batches(list, library.Batches):
    """Batches that are the same in every epoch."""

    epochs: tuple = ()

    def set_epoch(self, epoch):
        self.epochs += (epoch,)


@pytest.fixture
def batches():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(40, 4, generator=generator), torch.arange(40) % 2
    return Batches(zip(x.split(8), y.split(8), strict=True))


def make_loop(cbs=(), loss_func=cross_entropy, model=None):
    with torch_seeded(0):
        model = model or nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))
    opt = adamw([{"params": list(model.parameters()), "lr": 0.01}])
    return TrainingLoop(model, loss_func, opt, cbs=cbs, engine=Engine(torch.device("cpu"), "fp32"), seed=0)


def state_of(loop):
    return {name: tensor.clone() for name, tensor in loop.model.state_dict().items()}


# ---- a loss that is not finite (fault 33)


def bad_at(call):
    """A loss that is infinite at its `call`th time, counted from 1; `calls` counts them."""

    def loss_func(logits, targets):
        loss_func.calls += 1
        return cross_entropy(logits, targets) * (math.inf if loss_func.calls == call else 1)

    loss_func.calls = 0
    return loss_func


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_ends_training_at_once_and_says_where(batches, bad):
    loop = make_loop(loss_func=lambda logits, targets: logits.sum() * bad)
    with pytest.raises(TrainingError, match=r"in epoch 0, batch 0, at learning rate 1\.0e-02") as error:
        loop.run(1, batches, batches)
    assert "learning rate is too high" in str(error.value)


def test_the_bad_batch_is_counted_within_its_epoch(batches):
    loop = make_loop(
        loss_func=bad_at(len(batches) + 1 + 3)
    )  # epoch 0: each batch, all of validation at once; then three more
    with pytest.raises(TrainingError, match="inf in epoch 1, batch 2,"):
        loop.run(2, batches, batches)


def test_weights_optimiser_and_statistics_are_good_after_a_bad_loss(batches):
    class Before(Callback):
        def before_batch(self, loop):
            self.state = state_of(loop)

        def before_epoch(self, loop):
            self.at_start = state_of(loop)

    before = Before()
    loop = make_loop([before], bad_at(3))
    with pytest.raises(TrainingError):
        loop.run(1, batches, batches)
    for name, tensor in loop.model.state_dict().items():
        is_statistic = "running" in name or "num_batches" in name
        assert torch.equal(tensor, (before.at_start if is_statistic else before.state)[name]), name
    assert all(v.isfinite().all() for state in loop.opt.state.values() for v in state.values())
    loop.loss_func = cross_entropy
    loop.run(1, batches, batches)  # it can be used


def test_where_python_looks_a_batch_later_the_step_does_not_happen_either(batches):
    """The way of accelerators, forced on the CPU: the loss is not read, the fused optimiser is told."""

    class Unread(TerminateOnNaN):
        def after_loss(self, learn):
            before, self.unread = self.unread, (learn.batch, learn.loss.detach(), 0.01)
            self._check(before, learn)

    class Weights(Callback):
        order = 1

        def before_fit(self, loop):
            self.seen = []

        def after_batch(self, loop):
            self.seen.append([p.detach().clone() for p in loop.model.parameters()])

    weights = Weights()
    loop = make_loop([weights], bad_at(3))
    loop.cbs[0] = Unread()
    with pytest.raises(TrainingError, match="batch 2,"):
        loop.run(1, batches, batches)
    second, third = weights.seen[1], weights.seen[2]
    assert len(weights.seen) == 3 and all(map(torch.equal, second, third))
    assert not all(map(torch.equal, weights.seen[0], second))


def test_the_last_batch_of_an_epoch_is_read_too(batches):
    class Unread(TerminateOnNaN):
        def after_loss(self, learn):
            self.unread = (learn.batch, learn.loss.detach(), 0.01)

    loop = make_loop(loss_func=bad_at(len(batches)))
    loop.cbs[0] = Unread()
    with pytest.raises(TrainingError, match=f"batch {len(batches) - 1},"):
        loop.run(1, batches, batches)


# ---- out of memory (fault 34)


def test_out_of_memory_proposes_half_the_batch_and_accumulation(batches):
    def greedy(x):
        return torch.empty(10**15) if len(x) == 8 else x  # torch's own failure to allocate a petabyte

    loop = make_loop()
    with pytest.raises(TrainingError, match="out of memory at a batch of 8") as error:
        loop.run(1, batches, batches, forward=greedy)
    assert "bs=4" in str(error.value) and "GradientAccumulation(2)" in str(error.value)
    assert len(loop.xb) == 0  # what the batch held is gone
    loop.run(1, batches, batches)


def test_out_of_memory_while_a_batch_is_made_names_the_size_that_was_wanted(batches):
    class Full(Batches):
        bs = 8

        def __iter__(self):
            raise torch.OutOfMemoryError

    loop = make_loop()
    for _ in range(2):  # the second time there is an earlier batch to be mistaken for it
        with pytest.raises(TrainingError, match="batch of 8"):
            loop.run(1, Full(batches), batches)


def test_an_optimiser_that_is_not_fused_is_looked_after_too(batches):
    loop = make_loop(loss_func=bad_at(3))
    loop.opt = torch.optim.SGD(loop.model.parameters(), lr=0.01, momentum=0.9)
    loop.opt.param_groups[0]["betas"] = (0.9, 0.99)  # what the recorder writes down
    before = state_of(loop)
    with pytest.raises(TrainingError, match="batch 2,"):
        loop.run(1, batches, batches)
    assert any(not torch.equal(before[name], tensor) for name, tensor in loop.model.state_dict().items())
    assert all(p.isfinite().all() for p in loop.model.parameters()) and loop.opt.found_inf is None


def test_the_error_that_devices_raise_counts_as_out_of_memory():
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"))
    assert not is_out_of_memory(ValueError("no"))


@pytest.mark.parametrize(
    "words",
    [
        "[enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate memory",
        "MPS backend out of memory (MPS allocated: 17.02 GB, other allocations: 1.04 GB, max allowed: 18.13 GB)",
        "Invalid buffer size: 256.00 GiB",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    ],
)
def test_so_do_the_words_of_devices_that_raise_a_plain_error(words):
    assert is_out_of_memory(RuntimeError(words))


# ---- errors of the user (fault 44)


@pytest.mark.parametrize("culprit", ["loss", "metric", "callback"])
def test_an_error_of_the_users_own_code_says_in_which_batch(batches, culprit):
    def third(*args):
        third.calls += 1
        if third.calls == fails_at:
            raise ZeroDivisionError("mine")
        return cross_entropy(*args) if args[0].ndim == 2 else None

    class Mine(Callback):
        def after_batch(self, loop):
            third(torch.zeros(1))

    third.calls, fails_at = 0, 1 if culprit == "metric" else 3
    loop = make_loop([Mine()] if culprit == "callback" else (), third if culprit == "loss" else cross_entropy)
    if culprit == "metric":
        loop.metrics = [third]
    with pytest.raises(ZeroDivisionError, match="mine") as error:
        loop.run(1, batches, batches)
    where = "validation" if culprit == "metric" else "training batch 2"
    if hasattr(error.value, "__notes__"):  # Python 3.11 and newer
        assert f"in {where} of epoch 0" in error.value.__notes__[0]
    assert any(frame.name == "third" for frame in error.traceback)
    third.calls = 3  # and the learner can be used
    loop.run(1, batches, batches)


# ---- batches of one (fault 43)


def test_batches_of_one_are_refused_before_the_first_step_where_batchnorm_trains():
    one = Batches([(torch.zeros(1, 4), torch.tensor([0]))])
    one.bs = 1
    loop = make_loop()
    before = state_of(loop)
    with pytest.raises(TrainingError, match="batch of one image"):
        loop.run(1, one, one)
    after = {name: tensor for name, tensor in loop.model.state_dict().items() if tensor.is_floating_point()}
    assert all(torch.equal(before[name], tensor) for name, tensor in after.items())
    make_loop(model=nn.Linear(4, 2)).run(1, one, one)  # without BatchNorm it works


# ---- steps, epochs, modes


def test_a_skipped_step_keeps_the_gradients(batches):
    class OnlyTheSecond(Callback):
        def before_step(self, loop):
            self.norm = loop.model[0].weight.grad.norm().item()
            if loop.batch != 1:
                raise SkipStep

    loop = make_loop([OnlyTheSecond()], model=nn.Sequential(nn.Linear(4, 2)))
    expected = nn.Sequential(nn.Linear(4, 2))
    expected.load_state_dict(loop.model.state_dict())
    opt = adamw([{"params": list(expected.parameters()), "lr": 0.01}])
    for x, y in batches[:2]:
        cross_entropy(expected(x), y).backward()
    opt.step()
    loop.run(1, Batches(batches[:2]), batches)
    assert all(map(torch.equal, loop.model.parameters(), expected.parameters()))


def test_epochs_are_counted_through_all_runs(batches):
    loop = make_loop()
    loop.run(2, batches, batches), loop.run(1, batches, batches)
    assert batches.epochs == (0, 1, 2) and loop.epochs_done == 3


def test_validation_runs_in_evaluation_mode_without_gradients_over_all_items_at_once(batches):
    def watching(logits, targets):
        seen.append((loop.training, loop.model.training, logits.requires_grad, len(targets)))
        return cross_entropy(logits, targets)

    seen: list = []
    loop = make_loop(loss_func=watching)
    loop.run(1, batches, batches)
    assert seen == [(True, True, True, 8)] * 5 + [(False, False, False, 40)]


def test_a_callback_cannot_change_what_validation_reports(batches):
    class Zeros(Callback):
        def before_batch(self, loop):
            loop.xb = torch.zeros_like(loop.xb)

    loop = make_loop([Zeros()])
    loop.run(1, batches, batches)
    assert loop.results == loop.evaluate(batches) != loop.evaluate([(torch.zeros_like(x), y) for x, y in batches])


def test_a_run_that_was_interrupted_is_not_completed(batches):
    class Interrupt(Callback):
        def before_epoch(self, loop):
            if loop.epoch == 1:
                raise KeyboardInterrupt

    loop = make_loop()
    loop.run(1, batches, batches)
    assert loop.completed
    with pytest.raises(KeyboardInterrupt):
        loop.run(3, batches, batches, cbs=[Interrupt()])
    assert not loop.completed and loop.epochs_done == 2
    assert all(p.grad is None for p in loop.model.parameters())
