"""Does a model know how sure it may be: scikit-learn and scipy as oracles, and what must hold for any predictions."""

import math
import warnings

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from scipy.optimize import minimize_scalar
from sklearn.calibration import calibration_curve
from torch.nn import functional as F

from coursekit.core import DataError
from coursekit.results.calibration import (
    apply_temperature,
    expected_calibration_error,
    fit_temperature,
    plot_reliability,
    reliability,
)

SEEDS = range(4)


def drawn(seed: int, n: int, c: int, sharpness: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Labels drawn from softmax(z), and what a model says that multiplies z by `sharpness`: float32 (n, c), (n,)."""
    rng = torch.Generator().manual_seed(seed)
    z = torch.randn(n, c, generator=rng) * 1.5
    targets = torch.multinomial(z.softmax(1), 1, generator=rng).flatten()
    return (sharpness * z).softmax(1), targets


def loss(probs: torch.Tensor, targets: torch.Tensor) -> float:
    """Cross-entropy, with probabilities of 0 as the least that float32 holds."""
    return F.nll_loss(probs.double().clamp(min=torch.finfo(torch.float32).tiny).log(), targets).item()


# ---- by confidence


def test_bins_errors_and_gaps_of_four_photos_by_hand():
    probs = [[0.95, 0.05], [0.08, 0.92], [0.65, 0.35], [0.62, 0.38]]
    table = reliability(probs, [0, 0, 0, 0], n_bins=10)
    assert table.columns.tolist() == ["low", "high", "n", "confidence", "accuracy"]
    assert table["n"].tolist() == [0, 0, 0, 0, 0, 0, 2, 0, 0, 2]
    np.testing.assert_allclose(table["confidence"][[6, 9]], [0.635, 0.935])
    np.testing.assert_allclose(table["accuracy"][[6, 9]], [1, 0.5])
    np.testing.assert_allclose(table[["low", "high"]], [[i / 10, (i + 1) / 10] for i in range(10)])
    assert expected_calibration_error(probs, [0, 0, 0, 0], n_bins=10) == pytest.approx(0.4)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("c", "n_bins"), [(2, 15), (3, 10), (37, 15), (5, 1)])
def test_full_bins_are_scikit_learns(seed, c, n_bins):
    probs, targets = drawn(seed, 700, c, sharpness=2)
    table = reliability(probs, targets, n_bins).dropna()
    confidence, predicted = probs.double().max(dim=1)
    accuracy, mean = calibration_curve(predicted == targets, confidence, n_bins=n_bins, strategy="uniform")
    np.testing.assert_allclose(table["accuracy"], accuracy)
    np.testing.assert_allclose(table["confidence"], mean)
    assert table["n"].sum() == 700


def test_a_probability_on_an_edge_belongs_to_the_bin_below_it_and_1_to_the_last():
    table = reliability([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [0.75, 0.25]], [0, 0, 0, 0], n_bins=4)
    assert table["n"].tolist() == [0, 1, 1, 2], "(0.25, 0.5], (0.5, 0.75] and (0.75, 1]"
    assert table["accuracy"].tolist()[1:] == [1, 1, 0.5]
    assert expected_calibration_error([[1.0, 0.0], [0.0, 1.0]], [0, 0]) == 0.5


def test_probabilities_that_rounding_made_larger_than_1_are_counted():
    probs = torch.tensor([[1 + 2e-7, 0.0]])
    assert reliability(probs, torch.tensor([0]))["n"].tolist() == [0] * 14 + [1]


def test_empty_bins_have_no_mean_and_do_not_count():
    probs = torch.tensor([[0.95, 0.05]] * 20)
    table = reliability(probs, torch.zeros(20, dtype=torch.long))
    assert table["accuracy"].isna().sum() == 14 and table["n"].dtype == np.int64
    assert expected_calibration_error(probs, torch.zeros(20, dtype=torch.long)) == pytest.approx(0.05, abs=1e-6)


@pytest.mark.parametrize("target", [0, 1])
def test_one_image_is_enough(target):
    assert expected_calibration_error([[0.8, 0.2]], [target]) == pytest.approx(0.8 if target else 0.2)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("c", [2, 10])
def test_the_error_of_a_calibrated_model_is_what_chance_makes_of_zero(seed, c):
    probs, targets = drawn(seed, 20_000, c)
    table = reliability(probs, targets).dropna()
    # a bin's accuracy is off by sqrt(2 / pi) standard errors on average (half-normal distribution)
    p, n = table["confidence"], table["n"]
    by_chance = (n / n.sum() * np.sqrt(2 / math.pi * p * (1 - p) / n)).sum()
    assert 0 < expected_calibration_error(probs, targets) < 2.5 * by_chance < 0.03


def test_a_model_too_sure_of_itself_is_found_out():
    assert expected_calibration_error(*drawn(0, 5000, 3, sharpness=3)) > 0.15
    assert expected_calibration_error(*drawn(0, 5000, 3, sharpness=0.3)) > 0.15


def test_the_share_of_the_most_frequent_class_as_its_probability_is_calibrated():
    targets = torch.tensor([0] * 70 + [1] * 30)  # class 1 is never predicted
    assert expected_calibration_error(torch.tensor([[0.7, 0.3]] * 100), targets) == pytest.approx(0, abs=1e-6)


def test_lists_arrays_and_tensors_of_all_kinds_say_the_same():
    probs, targets = drawn(1, 50, 3)
    expected = expected_calibration_error(probs, targets)
    assert expected_calibration_error(probs.numpy(), targets.numpy().astype(np.int32)) == expected
    assert expected_calibration_error(probs.tolist(), targets.tolist()) == pytest.approx(expected)
    assert expected_calibration_error(probs.requires_grad_(), targets.to(torch.uint8)) == expected
    assert expected_calibration_error(probs.bfloat16(), targets) == pytest.approx(expected, abs=0.15)


@pytest.mark.parametrize(
    ("probs", "targets", "words"),
    [
        ([[2.0, -1.0]], [0], r"softmax\(logits\)"),
        ([[0.9, 0.9]], [0], r"softmax\(logits\)"),
        ([[math.nan, 0.5]], [0], r"softmax\(logits\)"),
        ([[0.5, 0.5]], [2], "2 classes"),
        ([[0.5, 0.5]], [-1], "2 classes"),
        ([[0.5, 0.5]], [0.0], "integers"),
        ([[0.5, 0.5]], [0, 1], "shape"),
        ([0.5, 0.5], [0, 1], "shape"),
        (np.empty((0, 2)), np.empty(0, dtype=int), "at least 1"),
    ],
)
@pytest.mark.parametrize("function", [reliability, expected_calibration_error, fit_temperature, plot_reliability])
def test_what_are_no_probabilities_or_targets_is_refused(function, probs, targets, words):
    with pytest.raises(DataError, match=words):
        function(probs, targets)


def test_no_bins_are_refused():
    with pytest.raises(DataError, match="0 bins"):
        reliability([[0.5, 0.5]], [0], n_bins=0)


# ---- temperature


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("c", [2, 3, 37])
@pytest.mark.parametrize("t", [0.05, 0.5, 1.7, 20])
def test_scaling_never_changes_what_is_predicted(seed, c, t):
    probs, _ = drawn(seed, 300, c, sharpness=2)
    scaled = apply_temperature(probs, t)
    assert torch.equal(scaled.argmax(1), probs.argmax(1))
    assert scaled.dtype == probs.dtype and torch.allclose(scaled.sum(1), torch.ones(300))
    surer = scaled.amax(1) > probs.amax(1)
    assert surer.all() if t < 1 and c > 2 else True
    assert not surer.any() if t > 1 else True


def test_scaling_is_that_of_logits_and_1_changes_nothing():
    z = torch.randn(50, 4, generator=torch.Generator().manual_seed(0)) * 5
    torch.testing.assert_close(apply_temperature(z.softmax(1), 2.5), (z / 2.5).softmax(1))
    torch.testing.assert_close(apply_temperature(z.softmax(1), 1), z.softmax(1))
    torch.testing.assert_close(apply_temperature(apply_temperature(z.softmax(1), 2), 0.5), z.softmax(1))


def test_in_full_precision_zeros_stay_next_to_nothing_and_a_sure_answer_stays_sure():
    scaled = apply_temperature([[1, 0, 0], [0, 0, 1]], 7)
    torch.testing.assert_close(scaled, torch.tensor([[1, 0, 0], [0, 0, 1]], dtype=torch.float64), rtol=0, atol=1e-40)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_at_a_temperature_of_1_zeros_stay_zeros_or_the_least_number_beside_it(dtype):
    probs, kind = torch.tensor([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]], dtype=dtype), torch.finfo(dtype)
    torch.testing.assert_close(apply_temperature(probs, 1), probs, rtol=0, atol=kind.smallest_normal * kind.eps)


def test_the_fit_helps_in_half_precision_too_where_small_probabilities_are_rounded_to_zero():
    probs, targets = drawn(0, 2000, 10, sharpness=8)
    half = probs.half()
    assert (half.gather(1, targets[:, None]) == 0).float().mean() > 0.05
    least = 2**-25

    def surprise(p: torch.Tensor) -> float:
        return F.nll_loss(p.double().clamp(min=least).log(), targets).item()

    t = fit_temperature(half, targets)
    best = min((surprise(apply_temperature(half, s)), s) for s in np.geomspace(0.5, 30, 60))
    assert surprise(apply_temperature(half, t)) < 0.8 * surprise(half)
    assert surprise(apply_temperature(half, t)) == pytest.approx(best[0], rel=0.01)


@pytest.mark.parametrize("logits", [[[2.0, -1.0]], [2.0, 3.0], [[math.nan, 0.5]], torch.empty(0, 3), 0.5])
def test_what_are_no_probabilities_is_not_scaled(logits):
    with pytest.raises(DataError, match="robabilities"):
        apply_temperature(logits, 2)


@pytest.mark.parametrize("t", [0, -1, math.inf, math.nan])
def test_a_temperature_that_cannot_be_is_refused(t):
    with pytest.raises(DataError, match="temperature"):
        apply_temperature([[0.5, 0.5]], t)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("t", [0.4, 1.0, 3.0])
def test_fitting_finds_the_temperature_that_was_built_in(seed, t):
    assert fit_temperature(*drawn(seed, 20_000, 4, sharpness=t)) == pytest.approx(t, rel=0.05)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("n", "c"), [(30, 2), (300, 3), (300, 37)])
def test_the_fit_is_scipys_minimum(seed, n, c):
    probs, targets = drawn(seed, n, c, sharpness=2.2)
    theirs = minimize_scalar(
        lambda log_t: loss(apply_temperature(probs.double(), math.exp(log_t)), targets),
        bounds=(math.log(0.01), math.log(100)),
        method="bounded",
        options={"xatol": 1e-8},
    )
    assert fit_temperature(probs, targets) == pytest.approx(math.exp(theirs.x), rel=1e-4)


@pytest.mark.filterwarnings("ignore:The temperature ends")
@pytest.mark.parametrize("n", [1, 2, 5, 50])
def test_the_loss_is_never_worse_after_the_fit(n):
    for seed in range(20):
        probs, targets = drawn(seed, n, 3, sharpness=0.2 + seed / 4)
        t = fit_temperature(probs, targets)
        assert loss(apply_temperature(probs.double(), t), targets) <= loss(probs, targets) + 1e-12
        assert fit_temperature(apply_temperature(probs.double(), t), targets) == pytest.approx(1, rel=1e-6) or not (
            0.01 < t < 100
        )


@pytest.mark.parametrize("probs", [[[0.9, 0.1], [0.2, 0.8]], [[1.0, 0.0], [0.0, 1.0]]])
def test_where_all_is_right_the_surer_the_better_and_that_is_said(probs):
    with pytest.warns(UserWarning, match="ends at 0.01"):
        assert fit_temperature(probs, [0, 1]) == 0.01


def test_where_answers_are_wrong_the_less_sure_the_better_and_that_is_said():
    with pytest.warns(UserWarning, match="ends at 100") as caught:
        assert fit_temperature([[0.9, 0.1]], [1]) == 100
    assert caught[0].filename == __file__, "the warning names the caller's line"


def test_a_sure_and_wrong_answer_whose_probability_was_rounded_to_zero_does_not_spoil_the_fit():
    probs, targets = drawn(0, 1000, 3)
    probs[0], targets[0] = torch.tensor([1.0, 0.0, 0.0]), 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert 1 < fit_temperature(probs, targets) < 2


# ---- the picture


def test_the_picture_counts_once(monkeypatch):
    from coursekit.results import calibration

    calls = []
    monkeypatch.setattr(calibration, "reliability", lambda *a: calls.append(a) or reliability(*a))
    plot_reliability(*drawn(0, 50, 3))
    assert len(calls) == 1


@pytest.mark.parametrize(("n", "c", "n_bins"), [(1, 2, 15), (400, 2, 15), (400, 5, 10), (50, 1, 15)])
def test_the_picture_shows_every_full_bin_with_its_count(n, c, n_bins):
    probs, targets = drawn(0, n, c)
    figure = plot_reliability(probs, targets, n_bins)
    FigureCanvasAgg(figure).draw()
    table = reliability(probs, targets, n_bins)
    upper, lower = figure.axes
    assert [text.get_text() for text in lower.texts if text.get_text()] == [str(k) for k in table["n"] if k]
    points = upper.containers[0].lines[0]
    np.testing.assert_allclose(points.get_xdata(), table["confidence"].dropna())
    np.testing.assert_allclose(points.get_ydata(), table["accuracy"].dropna())
    assert f"{expected_calibration_error(probs, targets, n_bins):.3f}" in upper.get_title()
    assert lower.get_xlim()[0] < table["confidence"].min(), "no point is cut off"
    assert all((upper.get_ylabel(), lower.get_xlabel(), lower.get_ylabel()))
