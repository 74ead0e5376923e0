"""Events, their order, and the table that is printed."""

import math
from types import SimpleNamespace

import pytest
import torch
from matplotlib.figure import Figure

from coursekit.arguments import ArgumentError
from coursekit.core import TrainingError
from coursekit.data.batches import Batches
from coursekit.losses import cross_entropy
from coursekit.training.callbacks import (
    Callback,
    CutMix,
    GradientAccumulation,
    GradientClip,
    MixUp,
    ProgressTable,
    StopTraining,
    format_cell,
    with_defaults,
)
from coursekit.training.checkpoint import callbacks_by_name
from coursekit.training.live import LivePlot
from coursekit.training.logs import CSVLog
from coursekit.training.loop import TrainingLoop
from coursekit.training.monitors import EarlyStopping, SaveBest
from coursekit.training.precision import Engine, adamw


class Spy(Callback):
    """Writes down every event, and what the loop was doing."""

    def __init__(self):
        self.seen = []

    def _note(self, learn, event):
        self.seen.append(event)


for name in [n for n in vars(Callback) if n.startswith(("before_", "after_"))]:
    setattr(Spy, name, lambda self, learn, event=name: self._note(learn, event))


def test_events_come_in_the_documented_order(toy_learner):
    spy = Spy()
    toy_learner.fit(1, cbs=[spy])
    n_train = len(toy_learner.dls.train)
    assert spy.seen == [
        "before_fit",
        "before_epoch",
        "before_train",
        *["before_batch", "after_loss", "before_step", "after_batch"] * n_train,
        "after_train",
        "before_validate",
        "after_validate",
        "after_epoch",
        "after_fit",
    ]


def test_lower_order_comes_first(toy_learner):
    calls = []

    class Ordered(Callback):
        def __init__(self, order):
            self.order = order

        def before_fit(self, learn):
            calls.append(self.order)

    toy_learner.fit(1, cbs=[Ordered(3), Ordered(-1), Ordered(7)])
    assert calls == [-1, 3, 7]


def test_stop_training_ends_the_run_in_good_order(toy_learner):
    class StopInSecondEpoch(Callback):
        def before_epoch(self, learn):
            if learn.epoch == 1:
                raise StopTraining

    spy = Spy()
    toy_learner.fit(5, cbs=[StopInSecondEpoch(), spy])
    assert len(toy_learner.recorder.values) == 1
    assert spy.seen[-1] == "after_fit"


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_an_error_in_a_callback_reaches_the_user_and_the_learner_stays_usable(toy_learner, error):
    class Broken(Callback):
        def after_loss(self, learn):
            if learn.batch == 1:
                raise error

    spy = Spy()
    with pytest.raises(error):
        toy_learner.fit(1, cbs=[Broken(), spy])
    assert spy.seen[-1] == "after_fit"
    toy_learner.fit(1)  # callbacks given to a fit are gone after it
    assert len(toy_learner.recorder.values) == 1


def test_table_is_plain_lines_in_a_log_file(toy_learner, capsys):
    toy_learner.fit(2)
    captured = capsys.readouterr()
    header, *rows = captured.out.splitlines()
    assert header.split() == ["epoch", "train_loss", "valid_loss", "error_rate", "time"]
    assert [row.split()[0] for row in rows] == ["0", "1"]
    assert "\r" not in captured.out + captured.err


def test_cells_have_one_width_so_that_columns_align():
    assert {len(format_cell(v)) for v in (0, 1.5, "time", None)} == {12}


def test_a_callback_of_the_kind_of_a_default_takes_its_place(make_toy_learner, capsys):
    class Quiet(ProgressTable):
        def after_epoch(self, learn):
            pass

    quiet = Quiet()
    learn = make_toy_learner(cbs=quiet)
    assert [cb for cb in learn.cbs if isinstance(cb, ProgressTable)] == [quiet]
    assert with_defaults(quiet, [ProgressTable(), CSVLog()])[1:] == [quiet]
    learn.fit(1)
    assert len(capsys.readouterr().out.splitlines()) == 1  # the header alone


def test_progress_table_comes_after_the_recorder(toy_learner):
    assert ProgressTable.order > toy_learner.recorder.order


# ---- the callbacks that come with coursekit


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_clipping_bounds_the_true_gradient(make_toy_learner, precision):
    class Norms(Callback):
        order = 95  # after clipping

        def __init__(self):
            self.norms = []

        def before_step(self, learn):
            grads = [p.grad for p in learn.model.parameters()]
            self.norms.append(torch.nn.utils.get_total_norm(grads).item())

    free, clipped = Norms(), Norms()
    make_toy_learner(precision="fp32").fit(1, cbs=[free])
    make_toy_learner(precision=precision).fit(1, cbs=[GradientClip(0.05), clipped])
    assert max(free.norms) > 0.05 and max(clipped.norms) <= 0.0501


def test_an_error_between_clipping_and_step_leaves_a_learner_that_trains(make_toy_learner):
    class Break(Callback):
        order = 95  # after clipping

        def before_step(self, learn):
            raise ZeroDivisionError

    learn = make_toy_learner(precision="fp16")
    with pytest.raises(ZeroDivisionError):
        learn.fit(1, cbs=[GradientClip(), Break()])
    learn.fit(1, cbs=GradientClip())
    assert math.isfinite(learn.recorder.losses[-1])


def test_accumulating_makes_the_step_of_the_large_batch():
    """Without BatchNorm and dropout the weights are those of large batches, also where the last one is smaller."""
    x, y = torch.randn(22, 3, generator=torch.Generator().manual_seed(0)), torch.arange(22) % 2
    results = []
    for size, n in ((8, 1), (4, 2)):
        model = torch.nn.Linear(3, 2)
        torch.nn.init.ones_(model.weight), torch.nn.init.zeros_(model.bias)
        opt = adamw([{"params": list(model.parameters()), "lr": 0.1}])
        engine = Engine(torch.device("cpu"), "fp32")
        loop = TrainingLoop(model, cross_entropy, opt, cbs=[GradientAccumulation(n)], engine=engine)
        loop.run(2, Fixed(x, y, size), Fixed(x, y, size))
        results.append(model.weight.detach().clone())
    assert torch.allclose(*results, atol=1e-6)


class Fixed(list, Batches):
    def __init__(self, x, y, size):
        super().__init__(zip(x.split(size), y.split(size), strict=True))


@pytest.mark.parametrize("mix", [MixUp(1.0), CutMix()])
def test_mixed_images_have_mixed_targets_in_training_only(make_toy_learner, mix):
    class Watch(Callback):
        order = 30
        seen = ()

        def before_batch(self, learn):
            self.seen += ((learn.training, learn.yb.ndim, learn.yb.float()),)

    watch = Watch()
    learn = make_toy_learner()
    learn.fit(1, cbs=[mix, watch])
    assert {(training, ndim) for training, ndim, _ in watch.seen} == {(True, 2)}
    assert learn.recorder.values[-1][2:] == learn.validate()  # plain images and labels there
    assert all(torch.allclose(y.sum(1), torch.ones(len(y))) for _, _, y in watch.seen)
    other = make_toy_learner()
    other.fit(1, cbs=[mix])
    assert learn.recorder.losses.tolist() == other.recorder.losses.tolist()  # seeded like everything else


def test_the_live_plot_shows_all_batches_so_far_and_draws_for_somebody_only(toy_learner, monkeypatch):
    drawn = []
    show = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda figure, *args, **kwargs: drawn.append(figure) or show(figure, *args, **kwargs)
    )
    toy_learner.fit(1, cbs=LivePlot(seconds=0))
    assert not drawn  # there is no notebook here

    class InANotebook(LivePlot):
        def before_fit(self, learn):
            super().before_fit(learn)
            self.image = SimpleNamespace(value=None)

    plot, n = InANotebook(seconds=0), len(toy_learner.dls.train)
    toy_learner.fit(2, cbs=plot)
    lines = [{line.get_label(): line for line in figure.axes[0].lines} for figure in drawn]
    assert [len(line["each batch"].get_ydata()) for line in lines] == [
        *range(1, n + 1),
        n,
        *range(n + 1, 2 * n + 1),
        2 * n,
    ]
    assert lines[-1]["validation"].get_xdata().tolist() == [n, 2 * n]
    assert lines[-1]["validation"].get_ydata().tolist() == [row[2] for row in toy_learner.recorder.values]
    assert [figure.axes[0].get_xlim() for figure in drawn] == [(0, 2 * n)] * len(drawn)
    assert plot.image.value.startswith(b"\x89PNG")


def test_callbacks_with_one_name_keep_states_of_their_own():
    first, second = SaveBest("a"), SaveBest("b", monitor="error_rate")
    assert list(callbacks_by_name([first, second, CSVLog()])) == ["SaveBest", "SaveBest 2", "CSVLog"]


# ---- callbacks as other libraries write them, and slips


def test_events_may_be_written_without_learn_as_in_fastai(toy_learner):
    class AsInFastai(Callback):
        def before_fit(self):
            self.seen = []

        def after_loss(self):
            self.seen.append((self.learn.logits.shape, self.learn.loss.item()))

        def after_epoch(self, learn):
            assert learn is self.learn

        def after_batch(self, learn, more=None):
            self.batch = learn.batch

    callback = AsInFastai()
    toy_learner.fit(1, cbs=callback)
    assert len(callback.seen) == len(toy_learner.dls.train) and callback.learn is toy_learner
    assert [loss for _, loss in callback.seen] == pytest.approx(toy_learner.recorder.losses)


def test_such_events_are_run_by_the_finder_too(toy_learner):
    class Halve(Callback):
        changes_step, runs = True, []

        def before_batch(self):
            self.learn.xb = self.learn.xb / 2
            self.runs.append(self.learn)

    toy_learner.lr_find(num_it=20, show_plot=False, cbs=Halve())
    assert len(Halve.runs) > 5 and toy_learner not in Halve.runs


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda cb: cb.xb, r"asks for 'xb'(.|\n)*Write self.learn.xb"),
        (lambda cb: cb.pred, r"asks for 'pred'(.|\n)*Write self.learn.logits"),
        (lambda cb: cb.learn.pred, r"Write self.learn.logits"),
        (lambda cb: cb.pct_train, r"Write self.learn.progress"),
        (lambda cb: setattr(cb.learn, "xb", (cb.learn.xb,)), r"tuple of the batch(.|\n)*self\.learn\.xb = images"),
    ],
)
def test_what_fastai_calls_otherwise_is_named(toy_learner, ask, words):
    class Ask(Callback):
        def before_batch(self):
            ask(self)

    with pytest.raises(TrainingError, match=words):
        toy_learner.fit(1, cbs=Ask())
    assert not toy_learner.opt.state  # before the first step


def test_other_mistakes_in_such_an_event_stay_what_they_are(toy_learner):
    class Mistake(Callback):
        def before_batch(self):
            self.nowhere  # noqa: B018

    with pytest.raises(AttributeError, match="nowhere"):
        toy_learner.fit(1, cbs=Mistake())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("before_epochs", "did you mean before_epoch"),
        ("after_pred", "did you mean after_loss"),
        ("after_backward", "did you mean before_step"),
        ("before_backward", "did you mean after_loss"),
        ("after_step", "did you mean after_batch"),
        ("after_cancel_fit", "did you mean"),
        ("on_epoch_end", "Choose one of them"),
        ("on_train_begin", "Choose one of them"),
    ],
)
def test_an_event_that_does_not_exist_is_refused_when_the_class_is_made(name, words):
    with pytest.raises(TrainingError, match=f"Mine.{name} would never be called(.|\n)*{words}"):
        type("Mine", (Callback,), {name: lambda self: None})


def test_what_is_no_event_may_have_any_other_name():
    class Mine(Callback):
        before_training = 3  # no method

        def _after_something(self): ...
        def on_the_way(self): ...

    assert Mine.before_fit is Callback.before_fit


@pytest.mark.parametrize("order", ["run_after", "run_before"])
def test_the_order_of_fastai_is_refused(order):
    with pytest.raises(TrainingError, match=r"order = 60"):
        type("Mine", (Callback,), {order: ProgressTable})


def test_an_event_that_asks_for_more_is_refused():
    with pytest.raises(TrainingError, match=r"Write def after_batch\(self, learn\)"):
        type("Mine", (Callback,), {"after_batch": lambda self, learn, x: None})


def hook(learn): ...


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (MixUp, r"Write MixUp\(\)\."),
        ([EarlyStopping], r"Write EarlyStopping\(\)\."),
        ([MixUp(), CSVLog], r"Write CSVLog\(\)\."),
        (hook, "hook is no callback(.|\n)*a function"),
        ("MixUp", "'MixUp' is no callback(.|\n)*a str"),
        ([3], "3 is no callback"),
        (torch.optim.Adam, "Adam is no callback"),
    ],
)
def test_what_is_no_callback_is_refused_wherever_callbacks_are_taken(make_toy_learner, wrong, words):
    learn = make_toy_learner()
    for take in (
        lambda: make_toy_learner(cbs=wrong),
        lambda: learn.fit(1, cbs=wrong),
        lambda: learn.fit_one_cycle(1, cbs=wrong),
        lambda: learn.fine_tune(1, cbs=wrong),
        lambda: learn.lr_find(num_it=20, show_plot=False, cbs=wrong),
        lambda: TrainingLoop(learn.model, cross_entropy, cbs=wrong),
    ):
        with pytest.raises(TrainingError, match=words):
            take()
    learn.cbs.append(wrong[-1] if isinstance(wrong, list) else wrong)  # behind the learner's back
    with pytest.raises(TrainingError, match=words):
        learn.fit(1)
    assert learn.epochs_done == 0


def test_none_is_no_callbacks_as_in_fastai(make_toy_learner):
    make_toy_learner(cbs=None).fit(1, cbs=None)


@pytest.mark.parametrize(
    "make", [lambda: GradientClip(0), lambda: GradientClip(-1.0), lambda: MixUp(0), lambda: CutMix(-1)]
)
def test_limits_and_shares_that_train_nothing_are_refused(make):
    with pytest.raises(ArgumentError, match="above zero"):
        make()


@pytest.mark.parametrize("n", [0, -2, 1.5])
def test_so_are_counts_of_batches(n):
    with pytest.raises(ArgumentError, match="n_batches"):
        GradientAccumulation(n)


# ---- mixing where it cannot be


@pytest.mark.parametrize("mix", [MixUp, CutMix])
def test_kept_features_are_not_mixed(make_lite0_learner, mix):
    learn = make_lite0_learner()
    for train in (
        lambda: learn.fit(1, cbs=mix(), cache_features=True),
        lambda: learn.lr_find(num_it=20, show_plot=False, cbs=mix(), cache_features=True),
    ):
        with pytest.raises(
            TrainingError, match=rf"{mix.__name__} cannot be used with kept features(.|\n)*cache_features"
        ):
            train()
    assert learn.epochs_done == 0


def gathered(logits, targets):
    return -torch.log_softmax(logits, 1).gather(1, targets[:, None]).mean()


@pytest.mark.parametrize("loss", [gathered, cross_entropy])
@pytest.mark.parametrize("mix", [MixUp, CutMix])
def test_a_loss_that_takes_only_indices_is_refused_before_the_first_step(make_toy_learner, mix, loss):
    learn = make_toy_learner(loss_func=loss)
    words = rf"loss {loss.__name__} cannot be used with {mix.__name__}(.|\n)*CrossEntropyLoss"
    with pytest.raises(TrainingError, match=words):
        learn.fit(1, cbs=mix())
    with pytest.raises(TrainingError, match=words):
        learn.lr_find(num_it=20, show_plot=False, cbs=mix())
    assert learn.epochs_done == 0 and not learn.opt.state


def test_a_loss_of_ones_own_that_takes_probabilities_is_mixed(make_toy_learner):
    make_toy_learner(loss_func=lambda logits, targets: soft(logits, targets)).fit(1, cbs=MixUp())


def soft(logits, targets):
    if targets.ndim == 1:
        targets = torch.nn.functional.one_hot(targets, 2)
    return -(targets * torch.log_softmax(logits, 1)).sum(1).mean()


@pytest.mark.parametrize("second", [MixUp, CutMix])
def test_two_mixers_are_refused_by_name_before_the_first_step(make_toy_learner, second):
    learn = make_toy_learner()
    with pytest.raises(TrainingError, match=f"MixUp and {second.__name__} cannot be used together"):
        learn.fit(1, cbs=[MixUp(), second()])
    assert len(learn.recorder.losses) == 0


def test_a_loss_that_mistakes_probabilities_for_indices_is_seen_with_two_classes(make_toy_learner):
    def brier(logits, targets):
        return ((logits.softmax(1)[:, 1] - targets.float()) ** 2).mean()

    learn = make_toy_learner(loss_func=brier)
    with pytest.raises(TrainingError, match="The loss brier cannot be used with MixUp"):
        learn.fit(1, cbs=MixUp())
    assert len(learn.recorder.losses) == 0


@pytest.mark.parametrize("make", [GradientClip, MixUp, CutMix])
@pytest.mark.parametrize("value", [None, "x", True, math.nan])
def test_what_is_no_number_above_zero_is_refused(make, value):
    with pytest.raises(ArgumentError, match="a number above zero"):
        make(value)
