"""Events, their order, and the table that is printed."""

import math
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure

from coursekit.core import TrainingError
from coursekit.data.batches import Batches
from coursekit.losses import cross_entropy
from coursekit.training.callbacks import (
    Callback,
    CSVLog,
    CutMix,
    EarlyStopping,
    GradientAccumulation,
    GradientClip,
    MixUp,
    ProgressTable,
    SaveBest,
    StopTraining,
    TensorBoardLog,
    format_cell,
    with_defaults,
)
from coursekit.training.checkpoint import callbacks_by_name
from coursekit.training.live import LivePlot
from coursekit.training.loop import TrainingLoop
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


class Losses(Callback):
    """Sets validation losses, so that a test knows which epoch is the best."""

    order = 60  # after the recorder

    def __init__(self, values):
        self.values = values

    def after_validate(self, learn):
        learn.recorder.values[-1][2] = self.values[learn.epoch]


def weights_of(learn):
    return {name: tensor.clone() for name, tensor in learn.model.state_dict().items()}


def test_save_best_ends_with_the_best_epoch(make_toy_learner, tmp_path):
    class Keep(Callback):
        order = 155
        states = ()

        def after_epoch(self, learn):
            self.states += (weights_of(learn),)

    learn, keep = make_toy_learner(), Keep()
    learn.fit(4, 1e-2, cbs=[Losses([0.5, 0.3, 0.2, 0.4]), SaveBest(tmp_path / "best"), keep])
    best = keep.states[2]
    assert all(torch.equal(best[name], tensor) for name, tensor in learn.model.state_dict().items())
    assert learn.epochs_done == 4  # what comes next is the fifth epoch all the same


def test_the_best_of_an_interrupted_run_stays_on_disk_and_the_learner_as_it_is(make_toy_learner, tmp_path):
    class Interrupt(Callback):
        def before_epoch(self, learn):
            if learn.epoch == 2:
                raise KeyboardInterrupt

    learn = make_toy_learner()
    with pytest.raises(KeyboardInterrupt):
        learn.fit(4, 1e-2, cbs=[Losses([0.1, 0.3]), SaveBest(tmp_path / "best"), Interrupt()])
    second = weights_of(learn)
    learn.load(tmp_path / "best", with_opt=False)
    assert any(not torch.equal(second[name], tensor) for name, tensor in learn.model.state_dict().items())


def test_a_nan_leaves_the_best_file_alone(make_toy_learner, tmp_path):
    class Spoil(Callback):
        def before_batch(self, learn):
            if learn.epoch == 1:
                learn.xb = learn.xb * math.nan

    learn = make_toy_learner()
    with pytest.raises(TrainingError, match="nan in epoch 1, batch 0"):
        learn.fit(3, cbs=[SaveBest(tmp_path / "best"), Spoil()])
    learn.load(tmp_path / "best")
    assert all(tensor.isfinite().all() for tensor in learn.model.state_dict().values())


def test_early_stopping_waits_as_long_as_it_was_told(toy_learner, capsys):
    toy_learner.fit(9, cbs=[Losses([5, 4, 4.5, 3, 3.5, 3.2, 9, 9, 9]), EarlyStopping(patience=2)])
    assert len(toy_learner.recorder.values) == 6  # the best is epoch 3; 4 and 5 were not better
    assert "stopped" in capsys.readouterr().out


def test_higher_is_better_for_accuracy_and_lower_for_losses_and_errors(toy_learner):
    assert SaveBest(monitor="accuracy").sign == 1
    assert SaveBest(monitor="error_rate").sign == SaveBest(monitor="train_loss").sign == -1


@pytest.mark.parametrize("kind", [EarlyStopping, SaveBest])
def test_a_column_that_is_not_there_is_refused_before_training(toy_learner, kind):
    with pytest.raises(TrainingError, match="train_loss, valid_loss, error_rate"):
        toy_learner.fit(1, cbs=kind(monitor="acuracy"))
    assert toy_learner.epochs_done == 0


def test_the_csv_log_is_the_table(toy_learner, tmp_path):
    toy_learner.fit(2, cbs=CSVLog(tmp_path / "logs" / "history.csv"))
    table = pd.read_csv(tmp_path / "logs" / "history.csv")
    assert list(table.columns) == toy_learner.recorder.names
    assert table.to_numpy().tolist() == pytest.approx(np.array(toy_learner.recorder.values, dtype=float))


def test_tensorboard_reads_what_its_log_holds(toy_learner, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    toy_learner.fit(2, cbs=TensorBoardLog(tmp_path / "runs"))
    log = EventAccumulator(str(tmp_path / "runs"))
    log.Reload()
    assert [event.value for event in log.Scalars("batch/train_loss")] == pytest.approx(toy_learner.recorder.losses)
    assert [e.value for e in log.Scalars("epoch/valid_loss")] == pytest.approx(
        [row[2] for row in toy_learner.recorder.values]
    )


def test_without_tensorboard_the_remedy_is_named(toy_learner, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(TrainingError, match="pip install tensorboard"):
        toy_learner.fit(1, cbs=TensorBoardLog(tmp_path))


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
