"""What is remembered of a run."""

import pytest
import torch

from coursekit.core import TrainingError
from coursekit.metrics import accuracy, error_rate
from coursekit.training.callbacks import Callback
from coursekit.training.lr_finder import smooth
from coursekit.training.recorder import Averages


def test_one_row_an_epoch_and_one_loss_a_batch(make_toy_learner):
    learn = make_toy_learner(metrics=[error_rate, accuracy])
    learn.fit(3)
    recorder, n = learn.recorder, len(learn.dls.train)
    assert recorder.names == ["epoch", "train_loss", "valid_loss", "error_rate", "accuracy"]
    assert [row[0] for row in recorder.values] == [0, 1, 2]
    assert len(recorder.losses) == len(recorder.lrs) == len(recorder.moms) == 3 * n
    assert recorder.iters == [n, 2 * n, 3 * n]
    assert recorder.values[-1][1] == pytest.approx(smooth(recorder.losses)[-1])
    assert recorder.values[-1][3] == pytest.approx(1 - recorder.values[-1][4])


def test_recorded_validation_results_are_those_of_validate(toy_learner):
    toy_learner.fit(1)
    assert toy_learner.recorder.values[-1][2:] == pytest.approx(toy_learner.validate(), abs=1e-5)


def test_means_are_weighted_by_batch_size():
    averages = Averages()
    averages.add([torch.tensor(1.0), torch.tensor(0.0)], 10)
    averages.add([torch.tensor(4.0), 3.0], 5)  # a metric may return a plain number
    assert averages.means() == [2.0, 1.0]


def test_any_function_of_logits_and_targets_is_a_metric(make_toy_learner):
    def share_of_first_class(logits, targets):
        return float((logits.argmax(1) == 0).float().mean())

    learn = make_toy_learner(metrics=share_of_first_class)
    learn.fit(1)
    assert learn.recorder.names[-1] == "share_of_first_class"
    assert learn.recorder.values[-1][-1] == pytest.approx(learn.validate()[-1])


def test_what_an_interrupted_epoch_has_seen_is_recorded(toy_learner):
    class Interrupt(Callback):
        def before_batch(self, learn):
            if learn.epoch == 1 and learn.batch == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        toy_learner.fit(3, cbs=Interrupt())
    recorder, n = toy_learner.recorder, len(toy_learner.dls.train)
    assert len(recorder.losses) == n + 2 and len(recorder.values) == 1
    recorder.plot_loss()


def test_plots_show_what_was_recorded(toy_learner):
    toy_learner.fit_one_cycle(2)
    training, validation = toy_learner.recorder.plot_loss(skip_start=2).axes[0].lines
    assert len(training.get_ydata()) == 2 * len(toy_learner.dls.train) - 2
    assert list(validation.get_ydata()) == [row[2] for row in toy_learner.recorder.values]
    rate, momentum = (axes.lines[0].get_ydata() for axes in toy_learner.recorder.plot_sched().axes)
    assert list(rate) == toy_learner.recorder.lrs and list(momentum) == toy_learner.recorder.moms


def test_plot_lr_find_needs_a_sweep(toy_learner):
    with pytest.raises(TrainingError, match="lr_find"):
        toy_learner.recorder.plot_lr_find()
