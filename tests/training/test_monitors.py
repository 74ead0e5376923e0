"""Watching a column of the table: which way is better, the best epoch, stopping early, lowering the rate."""

import math

import numpy as np
import pytest
import torch

from coursekit.arguments import ArgumentError
from coursekit.core import TrainingError
from coursekit.data.block import DataBlock
from coursekit.data.files import parent_label
from coursekit.losses import cross_entropy, nll_loss
from coursekit.metrics import accuracy, error_rate
from coursekit.training.callbacks import Callback
from coursekit.training.learner import Learner
from coursekit.training.monitors import EarlyStopping, ReduceLROnPlateau, SaveBest, better_mode
from coursekit.training.schedule import ParamScheduler, anneal_constant

KINDS = [EarlyStopping, SaveBest, ReduceLROnPlateau]


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


@pytest.mark.parametrize("kind", [EarlyStopping, SaveBest, ReduceLROnPlateau])
def test_a_column_that_is_not_there_is_refused_before_training(toy_learner, kind):
    with pytest.raises(TrainingError, match=r"did you mean error_rate.*train_loss, valid_loss, error_rate"):
        toy_learner.fit(1, cbs=kind(monitor="eror_rate"))
    assert toy_learner.epochs_done == 0


# ---- which way is better


@pytest.mark.parametrize(
    "name",
    [
        "valid_loss",
        "error_rate",
        "cross_entropy",
        "nll_loss",
        "log_loss",
        "FocalLoss",
        "brier_score",
        "hamming_loss",
        "ece",
        "rmse",
        "top_5_error",
        "expected_calibration_error",
        "false_positive_rate",
    ],
)
def test_lower_is_better_for_losses_and_errors(name):
    assert better_mode(name) == "min"


@pytest.mark.parametrize(
    "name",
    [
        "accuracy",
        "Accuracy",
        "top_5_accuracy",
        "balanced_accuracy_score",
        "f1_score",
        "macro_f1",
        "roc_auc",
        "AUROC",
        "precision",
        "recall",
        "mcc",
        "iou",
        "cohen_kappa_score",
        "jaccard",
        "dice",
        "fbeta_2",
        "top_k",
    ],
)
def test_higher_is_better_for_scores(name):
    assert better_mode(name) == "max"


@pytest.mark.parametrize("name", ["mine", "inaccuracy", "f", "space", "<lambda>"])
def test_a_name_that_tells_nothing_is_refused_with_the_way_out(name):
    with pytest.raises(TrainingError, match='mode="min" or mode="max"'):
        better_mode(name)


def test_a_metric_may_say_it_itself():
    def mine(logits, targets):
        return error_rate(logits, targets)

    mine.lower_is_better = True
    assert better_mode("mine", mine) == better_mode("accuracy", mine) == "min"
    del mine.lower_is_better
    mine.higher_is_better = False  # as torchmetrics says it
    assert better_mode("mine", mine) == "min"
    mine.higher_is_better = None  # and what it says where it does not know
    with pytest.raises(TrainingError):
        better_mode("mine", mine)


@pytest.mark.parametrize("metric", [cross_entropy, nll_loss])
def test_the_lowest_loss_is_the_best_by_whatever_name(make_toy_learner, tmp_path, metric):
    learn = make_toy_learner(metrics=[accuracy, metric])
    best = SaveBest(tmp_path / "best", monitor=metric.__name__)
    learn.fit(4, 1e-1, cbs=best)
    assert best.best == min(row[4] for row in learn.recorder.values)


def test_the_direction_can_be_said(make_toy_learner, tmp_path):
    def mine(logits, targets):
        return accuracy(logits, targets)

    for mode, pick in (("min", min), ("max", max)):
        learn, best = make_toy_learner(metrics=mine), SaveBest(tmp_path / "best", monitor="mine", mode=mode)
        learn.fit(3, 1e-1, cbs=best)
        assert best.best == pick(row[3] for row in learn.recorder.values)
    learn = make_toy_learner(metrics=mine)
    for kind in KINDS:
        with pytest.raises(TrainingError, match="better when it is lower"):
            learn.fit(1, cbs=kind(monitor="mine"))
    assert learn.epochs_done == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"comp": np.less}, "did you mean mode"),
        ({"every_epoch": True}, "no argument 'every_epoch'"),
        ({"with_opt": True}, "no argument 'with_opt'"),
        ({"monitr": "accuracy"}, "did you mean monitor"),
        ({"mode": "lower"}, 'mode="min" if lower is better'),
        ({"monitor": 3}, "cannot watch 3"),
    ],
)
def test_arguments_of_other_libraries_are_refused_in_a_sentence(kind, arguments, words):
    with pytest.raises(ArgumentError, match=words):
        kind(**arguments)


def test_the_file_has_another_name_in_fastai(toy_learner):
    with pytest.raises(ArgumentError, match="did you mean file"):
        SaveBest(fname="best")
    with pytest.raises(TrainingError, match=r"SaveBest\(monitor='error_rate'\)"):
        toy_learner.fit(1, cbs=SaveBest("error_rate"))  # the first argument there
    assert toy_learner.epochs_done == 0


# ---- nothing to watch


@pytest.fixture
def learner_without_validation(image_loaders, make_toy_learner):
    folder = image_loaders().train.sources[0].parent.parent
    block = DataBlock(get_y=parent_label, splitter=lambda items: (list(range(len(items))), []))
    model = make_toy_learner().model
    return Learner(block.dataloaders(folder, bs=8, cache=False, device="cpu"), model, precision="fp32")


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_validation_set_there_is_only_the_training_loss(
    learner_without_validation, tmp_path, kind, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    learn = learner_without_validation
    with pytest.raises(TrainingError, match=r"no validation set(.|\n)*monitor='train_loss' works"):
        learn.fit(2, cbs=kind())
    assert learn.epochs_done == 0
    learn.fit(2, cbs=kind(monitor="train_loss"))
    assert learn.epochs_done == 2


def test_a_metric_that_is_never_a_number_is_told(make_toy_learner, tmp_path):
    def f1_score(logits, targets):
        return math.nan

    learn = make_toy_learner(metrics=f1_score)
    with pytest.warns(UserWarning, match="f1_score is not a number: for SaveBest"):
        learn.fit(1, cbs=SaveBest(tmp_path / "best", monitor="f1_score"))
    assert not (tmp_path / "best.safetensors").exists()


@pytest.mark.parametrize(("patience", "epochs"), [(0, 3), (1, 3), (2, 4)])
def test_patience_of_none_is_that_of_one(toy_learner, patience, epochs):
    toy_learner.fit(5, cbs=[Losses([3, 2, 4, 5, 6]), EarlyStopping(patience=patience)])
    assert toy_learner.epochs_done == epochs


@pytest.mark.parametrize("kind", [EarlyStopping, ReduceLROnPlateau])
@pytest.mark.parametrize("patience", [-1, 1.5, "2"])
def test_a_patience_that_is_no_count_is_refused(kind, patience):
    with pytest.raises(ArgumentError, match="patience"):
        kind(patience=patience)


# ---- several fits


def test_the_best_of_both_fits_is_kept(make_toy_learner, tmp_path, capsys):
    """As `fine_tune` has them: the second never gets as good as the first, whose best is what you end with."""
    learn, best = make_toy_learner(), SaveBest(tmp_path / "best")
    learn.fit(2, 1e-2, cbs=[Losses([0.5, 0.2]), best])
    first = weights_of(learn)
    learn.fit(2, 1e-2, cbs=[Losses([0.4, 0.3]), best])
    assert best.best == 0.2 and all(torch.equal(first[k], v) for k, v in learn.model.state_dict().items())
    assert "the best epoch (valid_loss 0.200000) is one of an earlier fit" in capsys.readouterr().out
    learn.fit(1, 1e-2, cbs=[Losses([0.1]), best])
    assert best.best == 0.1 and "earlier fit" not in capsys.readouterr().out


@pytest.mark.parametrize("what", ["learner", "data", "loss"])
def test_what_is_judged_otherwise_is_not_compared(make_toy_learner, tmp_path, what):
    learn, best = make_toy_learner(), SaveBest(tmp_path / "best")
    learn.fit(1, cbs=[Losses([0.2]), best])
    if what == "learner":
        learn = make_toy_learner()  # another fold, say
    elif what == "data":
        learn.dls = make_toy_learner().dls
    else:
        learn.loss_func = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
    learn.fit(1, cbs=[Losses([0.9]), best])
    assert best.best == 0.9


def test_the_best_of_both_fits_survives_a_kill(make_lite0_learner, tmp_path):
    class Break(Callback):
        def before_batch(self, learn):
            if learn.n_epochs == 2 and learn.epoch == 1:
                raise KeyboardInterrupt

    def run(name, *cbs):
        learn, best = make_lite0_learner(), SaveBest(tmp_path / f"{name}-best")
        settings = {"cache_features": True, "resume": tmp_path / f"{name}.safetensors"}
        learn.fine_tune(2, cbs=[Told({1: [0.3], 2: [0.5, 0.4]}), best, *cbs], **settings)
        return learn, best

    whole, _ = run("whole")
    with pytest.raises(KeyboardInterrupt):
        run("broken", Break())
    resumed, best = run("broken")
    assert best.best == 0.3
    assert all(torch.equal(v, whole.model.state_dict()[k]) for k, v in resumed.model.state_dict().items())


class Told(Losses):
    """Sets validation losses of runs of several lengths."""

    def after_validate(self, learn):
        learn.recorder.values[-1][2] = self.values[learn.n_epochs][learn.epoch]


# ---- the rate


def rates(learn):
    n = len(learn.dls.train)
    return [learn.recorder.lrs[i * n] for i in range(len(learn.recorder.values))]


@pytest.mark.parametrize("factor", [10.0, 0.1])
def test_the_rate_falls_when_nothing_gets_better_and_not_below_its_least(toy_learner, capsys, factor):
    losses = Losses([5, 4, 4.5, 4.2, 3, 3.1, 3.2, 3.3, 3.4])
    toy_learner.fit(9, 1.0, cbs=[losses, ReduceLROnPlateau(patience=2, factor=factor, min_lr=0.05)])
    assert rates(toy_learner) == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.1, 0.05, 0.05])
    assert capsys.readouterr().out.count("the learning rate goes from") == 2
    toy_learner.fit(1, 1.0)
    assert rates(toy_learner) == [1.0]  # the next fit begins with what it is told


def test_a_lowered_rate_stays_low_in_a_run_that_is_resumed(make_toy_learner, tmp_path):
    class Interrupt(Callback):
        def before_batch(self, learn):
            if learn.epoch == 3:
                raise KeyboardInterrupt

    def run(name, *cbs):
        learn = make_toy_learner()
        losses = Losses([5, 6, 7, 8, 9, 9])
        cbs = [losses, ReduceLROnPlateau(patience=2, factor=3.0), *cbs]
        learn.fit(6, 0.1, cbs=cbs, resume=tmp_path / f"{name}.safetensors")
        return learn

    whole = run("whole")
    with pytest.raises(KeyboardInterrupt):
        run("broken", Interrupt())
    resumed = run("broken")
    assert rates(resumed) == rates(whole) and len(set(rates(whole))) == 3
    assert all(torch.equal(v, whole.model.state_dict()[k]) for k, v in resumed.model.state_dict().items())


@pytest.mark.parametrize("method", ["fit_one_cycle", "fit_flat_cos", "fine_tune"])
def test_a_schedule_and_a_plateau_do_not_fight(toy_learner, method):
    with pytest.raises(TrainingError, match=r"where a schedule sets the learning rate(.|\n)*learn\.fit"):
        getattr(toy_learner, method)(1, cbs=ReduceLROnPlateau())
    assert toy_learner.epochs_done == 0
    toy_learner.fit(1, cbs=[ReduceLROnPlateau(), ParamScheduler({"momentum": anneal_constant(0.8)})])


@pytest.mark.parametrize("factor", [0, -1, 1])
def test_a_factor_that_lowers_nothing_is_refused(factor):
    with pytest.raises(ArgumentError, match="lowers no rate"):
        ReduceLROnPlateau(factor=factor)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("delta", [math.nan, math.inf, -1, None, "x", True])
def test_a_min_delta_that_is_no_amount_is_refused(kind, delta):
    with pytest.raises(ArgumentError, match=r"min_delta=(.|\n)*0 or more"):
        kind(min_delta=delta)


@pytest.mark.parametrize("delta", [0, 0.01, np.float32(0.5), torch.tensor(0.5)])
def test_any_number_is_a_min_delta(delta):
    assert EarlyStopping(min_delta=delta).min_delta == float(delta)
