"""Metrics against scikit-learn, and what they refuse."""

import math
import pickle
import re
import sys
import warnings
from functools import partial

import pytest
import sklearn.metrics as m
import torch
from sklearn.metrics import accuracy_score

from coursekit.core import DataError, TrainingError
from coursekit.losses import softmax
from coursekit.metrics import (
    BalancedAccuracy,
    CohenKappa,
    F1Score,
    MatthewsCorrCoef,
    Precision,
    Recall,
    RocAuc,
    SklearnMetric,
    TopKAccuracy,
    accuracy,
    error_rate,
    metric_name,
    metric_names,
    top_k_accuracy,
)
from coursekit.results.interpret import ClassificationInterpretation
from coursekit.training.consistency import list_metrics, try_metrics


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("n", "n_classes"), [(1, 2), (7, 2), (200, 37)])
def test_accuracy_and_error_rate_equal_scikit_learns(seed: int, n: int, n_classes: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(n, n_classes, generator=generator)
    targets = torch.randint(n_classes, (n,), generator=generator)
    expected = accuracy_score(targets.numpy(), logits.argmax(dim=1).numpy())
    for predictions in (logits, softmax(logits)):
        assert accuracy(predictions, targets).shape == error_rate(predictions, targets).shape == ()
        assert accuracy(predictions, targets).item() == pytest.approx(expected)
        assert error_rate(predictions, targets).item() == pytest.approx(1 - expected)


def test_all_right_is_one_and_all_wrong_is_zero() -> None:
    targets = torch.tensor([0, 2, 1])
    right = torch.eye(3)[targets]
    assert accuracy(right, targets) == 1 and error_rate(right, targets) == 0
    assert accuracy(-right, targets) == 0 and error_rate(-right, targets) == 1


@pytest.mark.parametrize("metric", [accuracy, error_rate])
def test_a_column_of_targets_is_refused_instead_of_compared_with_every_row(metric) -> None:
    with pytest.raises(DataError, match="squeeze"):
        metric(torch.eye(3), torch.tensor([[0], [1], [2]]))


@pytest.mark.parametrize("metric", [accuracy, error_rate])
def test_the_predicted_classes_alone_are_refused(metric) -> None:
    with pytest.raises(DataError, match="one row for each item"):
        metric(torch.tensor([0, 1, 2]), torch.tensor([0, 1, 2]))


# ---- over whole sets


def answers(n: int = 60, n_classes: int = 4, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits that are right more often than not, and targets in which every class occurs."""
    generator = torch.Generator().manual_seed(seed)
    targets = torch.cat([torch.arange(n_classes), torch.randint(n_classes, (n - n_classes,), generator=generator)])
    return torch.randn(n, n_classes, generator=generator) + 1.5 * torch.eye(n_classes)[targets], targets


@pytest.mark.parametrize(
    ("metric", "name", "expected"),
    [
        (F1Score(), "f1", lambda t, p: m.f1_score(t, p, average="macro")),
        (F1Score(average="weighted"), "f1_weighted", lambda t, p: m.f1_score(t, p, average="weighted")),
        (F1Score("micro"), "f1_micro", lambda t, p: m.f1_score(t, p, average="micro")),
        (Precision("macro"), "precision_macro", lambda t, p: m.precision_score(t, p, average="macro")),
        (Recall("macro"), "recall_macro", lambda t, p: m.recall_score(t, p, average="macro")),
        (BalancedAccuracy(), "balanced_accuracy", m.balanced_accuracy_score),
        (BalancedAccuracy(adjusted=True), "balanced_accuracy_adjusted",
         partial(m.balanced_accuracy_score, adjusted=True)),
        (MatthewsCorrCoef(), "matthews_corrcoef", m.matthews_corrcoef),
        (CohenKappa(), "cohen_kappa", m.cohen_kappa_score),
        (CohenKappa("quadratic"), "cohen_kappa_quadratic", partial(m.cohen_kappa_score, weights="quadratic")),
        (SklearnMetric(m.fbeta_score, beta=2, average="macro"), "fbeta_beta_2_macro",
         lambda t, p: m.fbeta_score(t, p, beta=2, average="macro")),
        (SklearnMetric("hamming_loss"), "hamming_loss", m.hamming_loss),
        (SklearnMetric(lambda t, p: (t == p).sum()), "<lambda>", lambda t, p: (t == p).sum()),
    ],
)  # fmt: skip
def test_a_metric_is_scikit_learns_of_all_predictions_and_named_by_its_arguments(metric, name, expected) -> None:
    logits, targets = answers()
    assert metric.__name__ == metric_name(metric) == name
    value = metric(logits, targets)
    assert type(value) is float
    assert value == pytest.approx(expected(targets.numpy(), logits.argmax(1).numpy()))
    assert metric(softmax(logits), targets) == value


def test_two_classes_take_the_second_as_positive_unless_said_otherwise() -> None:
    logits, targets = answers(n_classes=2)
    predicted = logits.argmax(1)
    assert F1Score()(logits, targets) == pytest.approx(m.f1_score(targets, predicted))
    assert F1Score(pos_label=0)(logits, targets) == pytest.approx(m.f1_score(targets, predicted, pos_label=0))
    assert F1Score("macro")(logits, targets) == pytest.approx(m.f1_score(targets, predicted, average="macro"))


@pytest.mark.parametrize("average", ["macro", "weighted"])
def test_auc_is_scikit_learns_one_against_the_rest_for_logits_and_for_probabilities(average) -> None:
    logits, targets = answers(n=80)
    expected = m.roc_auc_score(targets, softmax(logits), average=average, multi_class="ovr")
    assert RocAuc(average)(logits, targets) == pytest.approx(expected)
    assert RocAuc(average)(softmax(logits), targets) == pytest.approx(expected)
    assert RocAuc().__name__ == "roc_auc" and RocAuc("weighted").__name__ == "roc_auc_weighted"


def test_auc_of_two_classes_is_that_of_the_second() -> None:
    logits, targets = answers(n_classes=2)
    assert RocAuc()(logits, targets) == pytest.approx(m.roc_auc_score(targets, softmax(logits)[:, 1]))


def test_probabilities_reach_a_function_that_asks_for_them() -> None:
    logits, targets = answers(n_classes=3)
    metric = SklearnMetric(m.log_loss, probs=True)
    assert metric(logits, targets) == pytest.approx(torch.nn.functional.cross_entropy(logits, targets).item(), rel=1e-5)
    logits, targets = answers(n_classes=2)
    metric = SklearnMetric(m.average_precision_score, probs=True)
    assert metric(logits, targets) == pytest.approx(m.average_precision_score(targets, softmax(logits)[:, 1]))


def test_a_class_without_images_is_left_out_of_auc_with_one_warning() -> None:
    logits, targets = answers()
    some = targets != 2
    metric = RocAuc()
    with pytest.warns(UserWarning, match=r"roc_auc: 1 class without a ROC curve left out"):
        value = metric(logits[some], targets[some])
    probs = softmax(logits[some])
    areas = [m.roc_auc_score(targets[some] == c, probs[:, c]) for c in (0, 1, 3)]
    assert value == pytest.approx(sum(areas) / 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the second epoch says nothing
        assert metric(logits[some], targets[some]) == value


def test_auc_of_one_class_is_nan_and_no_error() -> None:
    with pytest.warns(UserWarning, match="1 class without a ROC curve"):
        assert math.isnan(RocAuc()(torch.randn(5, 2), torch.ones(5, dtype=torch.long)))
    with pytest.warns(UserWarning, match="3 classes without a ROC curve"):
        assert math.isnan(RocAuc()(torch.randn(5, 3), torch.ones(5, dtype=torch.long)))


def test_what_cannot_be_divided_is_zero_with_one_warning() -> None:
    metric, logits = Precision("macro"), torch.eye(3)[[0, 0, 1]]
    with pytest.warns(UserWarning, match="^precision_macro: Precision is ill-defined") as found:
        assert metric(logits, torch.tensor([0, 0, 2])) == pytest.approx(1 / 3)
    assert len(found) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metric(logits, torch.tensor([0, 0, 2]))


def test_answers_of_a_diverged_model_are_nan() -> None:
    assert math.isnan(RocAuc()(torch.full((4, 2), math.nan), torch.tensor([0, 1, 0, 1])))


@pytest.mark.parametrize(
    ("metric", "parts"),
    [
        (F1Score("binary"), ["f1_binary", "there are 4", "average"]),
        (F1Score(average=None), ["4 numbers", "average"]),
        (F1Score("mcro"), ["f1_mcro", "average"]),
        (RocAuc("micro"), ["neither 'macro' nor 'weighted'"]),
        (SklearnMetric(m.f1_score, avrage="macro"), ["avrage"]),
        (TopKAccuracy(4), ["4 first of 4 classes", "smaller k"]),
    ],
)
def test_arguments_that_cannot_work_are_named_before_training(metric, parts) -> None:
    with pytest.raises(DataError) as refusal:
        try_metrics([metric], answers()[1].tolist(), 4)
    assert all(part in str(refusal.value) for part in parts)
    assert refusal.value.remedy


@pytest.mark.parametrize(
    ("metric", "parts"),
    [
        (F1Score, ["F1Score is a class", "F1Score()"]),
        (m.f1_score, ["(targets, classes)", "SklearnMetric(f1_score)"]),
        (lambda learn: 0.0, ["logits", "positional argument"]),
        ("e", ["'e'", "without quotes"]),
    ],
)
def test_what_is_no_metric_is_refused_with_the_right_spelling(metric, parts) -> None:
    with pytest.raises(TrainingError) as refusal:
        try_metrics(list_metrics([metric]), [0, 1], 2)
    assert all(part in str(refusal.value) for part in parts)


def test_the_check_leaves_no_trace() -> None:
    class Own:
        calls = 0

        def __call__(self, logits, targets):
            self.calls += 1
            return 0.0

    own = Own()
    metric, state = RocAuc(), torch.get_rng_state()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try_metrics([own, metric, accuracy], [1, 1], 2)
    assert own.calls == 0 and torch.equal(state, torch.get_rng_state())
    with pytest.warns(UserWarning, match="without a ROC curve"):  # it has not been said yet
        metric(torch.eye(2), torch.tensor([1, 1]))


def test_top_k_is_scikit_learns_and_named_by_k() -> None:
    logits, targets = answers(n_classes=6)
    for k in (1, 2, 5):
        expected = m.top_k_accuracy_score(targets, logits, k=k)
        assert top_k_accuracy(logits, targets, k).item() == pytest.approx(expected)
        assert TopKAccuracy(k)(logits, targets) == top_k_accuracy(logits, targets, k)
    assert metric_name(TopKAccuracy()) == "top_5_accuracy"
    assert metric_name(partial(top_k_accuracy, k=3)) == "top_k_accuracy_k_3"


def test_columns_have_names_of_their_own() -> None:
    class Own:
        name = "share"

        def __call__(self, logits, targets):
            return 0.0

    def valid_loss(logits, targets):
        return 0.0

    metrics = [F1Score("macro"), F1Score("micro"), accuracy, accuracy, accuracy, Own(), valid_loss]
    names = ["f1_macro", "f1_micro", "accuracy", "accuracy_2", "accuracy_3", "share", "valid_loss_2"]
    assert metric_names(metrics) == names


@pytest.mark.parametrize(
    ("metric", "lower"),
    [
        (F1Score(), False),
        (RocAuc(), False),
        (TopKAccuracy(), False),
        (MatthewsCorrCoef(), False),
        (SklearnMetric("log_loss", probs=True), True),
        (SklearnMetric(m.mean_absolute_error), True),
        (SklearnMetric(lambda t, p: 0.0, lower_is_better=True), True),
        (SklearnMetric(lambda t, p: 0.0), None),
    ],
)
def test_a_metric_says_which_direction_is_better(metric, lower) -> None:
    assert metric.lower_is_better is lower


def test_metrics_are_pickled_with_their_names() -> None:
    logits, targets = answers()
    for metric in (F1Score("macro"), RocAuc(), TopKAccuracy(2), CohenKappa("linear")):
        again = pickle.loads(pickle.dumps(metric))
        assert metric_name(again) == metric_name(metric) and again(logits, targets) == metric(logits, targets)


def test_without_scikit_learn_the_error_names_the_package(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)
    with pytest.raises(DataError, match="pip install scikit-learn"):
        F1Score()
    assert TopKAccuracy(1)(torch.eye(3), torch.arange(3)) == 1  # needs nothing


def test_a_table_with_them_is_that_of_validate_interpretation_and_scikit_learn(make_toy_learner) -> None:
    metrics = [F1Score("macro"), F1Score("weighted"), RocAuc(), BalancedAccuracy(), accuracy]
    learn = make_toy_learner(metrics=metrics)
    learn.fit(2)
    assert learn.recorder.names[3:] == ["f1_macro", "f1_weighted", "roc_auc", "balanced_accuracy", "accuracy"]
    table = learn.recorder.values[-1][2:]
    assert table == learn.validate()
    probs, targets = learn.get_preds()
    report = ClassificationInterpretation(probs, targets, learn.dls.vocab).classification_report()["f1-score"]
    found = [report["macro avg"], report["weighted avg"]]
    n = probs.shape[1]
    found.append(
        m.roc_auc_score(targets, probs[:, 1] if n == 2 else probs, **({} if n == 2 else {"multi_class": "ovr"}))
    )
    found += [m.balanced_accuracy_score(targets, probs.argmax(1)), m.accuracy_score(targets, probs.argmax(1))]
    assert table[1:] == pytest.approx(found)


def test_a_metric_that_cannot_work_is_refused_before_the_first_step(make_toy_learner) -> None:
    learn = make_toy_learner(metrics=[accuracy, F1Score("mcro")])
    with pytest.raises(DataError, match="f1_mcro"):
        learn.fit(1)
    assert not len(learn.recorder.losses)


def test_a_long_name_does_not_run_into_the_next_column(make_toy_learner, capsys) -> None:
    make_toy_learner(metrics=[BalancedAccuracy(), accuracy]).fit(1)
    header, row = capsys.readouterr().out.splitlines()[-2:]
    assert header.split() == ["epoch", "train_loss", "valid_loss", "balanced_accuracy", "accuracy", "time"]
    starts = [[found.start() for found in re.finditer(r"\S+", line)] for line in (header, row)]
    assert starts[0] == starts[1] == [0, 12, 24, 36, 55, 67]
