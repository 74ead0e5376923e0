"""What is remembered of a run."""

import pytest
import torch
from sklearn.metrics import f1_score
from torch import nn

from coursekit.core import TrainingError
from coursekit.data.loaders import BatchLoader
from coursekit.export.folder import load_learner
from coursekit.losses import CrossEntropyLoss, FocalLoss
from coursekit.metrics import F1Score, accuracy, error_rate
from coursekit.models.inference import predict_logits
from coursekit.results.interpret import ClassificationInterpretation
from coursekit.training.callbacks import Callback
from coursekit.training.lr_finder import smooth


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


def macro_f1(logits, targets):
    """scikit-learn's, over all items: no mean over batches gives it."""
    return f1_score(targets.cpu(), logits.argmax(1).cpu(), average="macro")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(
    "loss",
    [None, nn.CrossEntropyLoss(weight=torch.tensor([1.0, 7.0])), CrossEntropyLoss([0, 1]), FocalLoss(weight=[0, 1])],
    ids=["plain", "weighted", "a class of weight 0", "focal"],
)
def test_the_table_validate_and_predictions_agree_to_the_last_digit(make_toy_learner, precision, loss):
    learn = make_toy_learner(metrics=[error_rate, macro_f1, F1Score("macro")], precision=precision, loss_func=loss)
    learn.dls.valid = small_batches(learn.dls.valid)
    learn.fit(2, 0.05)
    in_table = learn.recorder.values[-1][2:]
    assert in_table == learn.validate() and in_table[0] == in_table[0], "not NaN"
    probs, targets = learn.get_preds()
    logits, _ = predict_logits(learn.model, learn.dls.valid)
    assert in_table[0] == float(learn.loss_func(logits, targets))
    assert in_table[1:] == [float(error_rate(probs, targets)), *2 * [macro_f1(probs, targets)]]


def small_batches(valid):
    """Batches of 5, sorted by class as a folder per class gives them: means of batches are far from the whole."""
    return BatchLoader(valid.samples, valid.indices, valid.item_tfm, valid.pipeline, valid.vocab, bs=5)


def test_an_interpretation_and_an_export_say_what_the_table_says_in_every_precision(make_lite0_learner, tmp_path):
    for precision in ("fp32", "bf16"):
        learn = make_lite0_learner(augment=False)
        learn.engine.set_precision(precision)
        learn.fit(1)
        error = learn.recorder.values[-1][3]
        interp = ClassificationInterpretation.from_learner(learn)
        assert interp.losses.mean() == pytest.approx(learn.recorder.values[-1][2], abs=1e-6)
        assert error_rate(interp.probs, interp.targets).item() == error
        predictor = load_learner(learn.export(tmp_path / precision))
        probs = predictor.get_preds(learn.dls.valid.items)
        assert torch.allclose(probs, learn.get_preds()[0], atol=1e-6)
        assert error_rate(probs, torch.tensor(learn.dls.valid.targets)).item() == error


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
