"""How sure an error rate is, and whether two models differ: published examples, scipy as oracle, and properties."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from coursekit.core import DataError
from coursekit.results.compare import changed_sides, mcnemar, wilson_interval
from coursekit.results.interpret import ClassificationInterpretation

# ---- Wilson's interval


# Newcombe 1998, Statistics in Medicine 17, 857-872, table I: the score method without continuity correction
@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_the_published_one(k, n, low, high):
    assert wilson_interval(k, n) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95, 0.999])
@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (0, 7), (7, 7), (3, 8), (29, 100), (120, 5000), (1, 10**6)])
def test_the_interval_is_scipys(k, n, confidence):
    theirs = binomtest(k, n).proportion_ci(confidence, method="wilson")
    assert wilson_interval(k, n, confidence) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_arrays_give_arrays_of_their_shape_and_numbers_give_floats():
    k = np.array([[0, 1, 2], [3, 4, 5]])
    low, high = wilson_interval(k, 5)
    assert low.shape == high.shape == k.shape
    assert [low[1, 0], high[1, 0]] == pytest.approx(wilson_interval(3, 5))
    low, high = wilson_interval([1, 2], [3, 40])
    assert [low[1], high[1]] == pytest.approx(wilson_interval(2, 40))
    assert all(type(end) is float for end in (*wilson_interval(1, 3), *wilson_interval(np.int64(1), np.int64(3))))
    low, high = wilson_interval(torch.tensor([1, 2]), torch.tensor([3, 40]))
    assert [low[1], high[1]] == pytest.approx(wilson_interval(2, 40))


def test_the_interval_holds_the_rate_lies_within_0_and_1_and_turns_with_the_question():
    n = np.repeat([1, 2, 10, 333], 4)
    k = np.floor(n * np.tile([0, 0.2, 0.7, 1], 4))
    low, high = wilson_interval(k, n)
    assert np.all((low >= 0) & (low <= k / n) & (k / n <= high) & (high <= 1) & (low < high))
    other_low, other_high = wilson_interval(n - k, n)
    np.testing.assert_allclose(other_low, 1 - high, atol=1e-12)
    np.testing.assert_allclose(other_high, 1 - low, atol=1e-12)
    assert np.all(low[k == 0] == 0) and np.all(high[k == n] == 1), "exactly: no rounding at the ends"


def test_each_end_lies_z_of_its_own_standard_errors_from_the_rate():
    # the definition of 1927; 1.959964 is the normal distribution's quantile at 0.975
    for p in wilson_interval(29, 100):
        assert abs(0.29 - p) == pytest.approx(1.959964 * (p * (1 - p) / 100) ** 0.5, rel=1e-6)


def test_95_of_100_intervals_hold_the_true_rate():
    rng = np.random.default_rng(0)
    for rate in (0.05, 0.3):
        low, high = wilson_interval(rng.binomial(200, rate, size=4000), 200)
        assert np.mean((low <= rate) & (rate <= high)) == pytest.approx(0.95, abs=0.02)


def test_of_nothing_nothing_is_known():
    assert wilson_interval(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("k", "n"), [(3, 2), (-1, 2), (0, -1), ([1, 3], 2), (float("nan"), 3), (1, float("inf"))])
def test_counts_that_cannot_be_are_refused(k, n):
    with pytest.raises(DataError, match="between 0 and n"):
        wilson_interval(k, n)


@pytest.mark.parametrize("confidence", [0, 1, 95, float("nan")])
def test_a_confidence_that_cannot_be_is_refused(confidence):
    with pytest.raises(DataError, match=r"0\.95"):
        wilson_interval(1, 2, confidence)


# ---- McNemar's test


def answers(both: int, only_a: int, only_b: int, none: int) -> tuple[np.ndarray, np.ndarray]:
    """Which images two models got right, from the four counts."""
    right = np.repeat([[1, 1], [1, 0], [0, 1], [0, 0]], [both, only_a, only_b, none], axis=0).astype(bool)
    return right[:, 0], right[:, 1]


def test_the_p_value_is_that_of_the_published_examples():
    # vignette "Exact McNemar's test" of R's package exact2x2 (M. Fay): 21, 9, 2, 12, p = 0.06543
    assert mcnemar(*answers(21, 9, 2, 12)) == (9, 2, pytest.approx(0.06543, abs=5e-6))
    assert mcnemar(*answers(21, 9, 2, 12)).p_value == pytest.approx(2 * (1 + 11 + 55) / 2**11, rel=1e-12)


@pytest.mark.parametrize(
    ("only_a", "only_b"), [(0, 1), (0, 5), (5, 0), (3, 3), (3, 4), (12, 30), (86, 150), (1000, 900), (30000, 30500)]
)
def test_the_p_value_is_scipys_exact_one(only_a, only_b):
    found = mcnemar(*answers(7, only_a, only_b, 2))
    assert found[:2] == (only_a, only_b)
    assert found.p_value == pytest.approx(binomtest(only_a, only_a + only_b).pvalue, rel=1e-8)


def test_what_both_got_right_or_both_wrong_does_not_count_and_order_does_not_matter():
    a, b = answers(0, 9, 3, 0)
    more_a, more_b = answers(500, 9, 3, 70)
    order = np.random.default_rng(0).permutation(len(more_a))
    assert mcnemar(a, b) == mcnemar(more_a[order], more_b[order])
    assert mcnemar(b, a) == (3, 9, mcnemar(a, b).p_value)


def test_models_that_never_differ_are_not_told_apart():
    right = torch.tensor([True, False, True])
    assert mcnemar(right, right) == (0, 0, 1.0)
    assert mcnemar(right[:0], right[:0]) == (0, 0, 1.0)


def test_equally_good_models_are_called_different_in_at_most_1_of_20_cases():
    rng = np.random.default_rng(1)
    p_values = [mcnemar(*(rng.random((2, 300)) < 0.8)).p_value for _ in range(400)]
    assert np.mean(np.array(p_values) <= 0.05) <= 0.07


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (np.array([0, 1]), np.array([1, 1])),
        (np.array([True]), np.array([True, False])),
        (np.array([[True]]), np.array([[True]])),
        (torch.tensor([0.2]), torch.tensor([True])),
    ],
)
def test_what_are_no_answers_to_the_same_images_is_refused(a, b):
    with pytest.raises(DataError, match="two bool arrays"):
        mcnemar(a, b)


# ---- images that changed sides

VOCAB = ["cat", "dog", "fox"]


def said(probs: list[list[float]], targets: list[int], items: list[str] | None) -> ClassificationInterpretation:
    return ClassificationInterpretation(torch.tensor(probs), torch.tensor(targets), VOCAB, items)


@pytest.fixture
def two_models() -> tuple[ClassificationInterpretation, ClassificationInterpretation]:
    """Five images: both right, a only, b only, both wrong in two ways, b only (and surer than in the third)."""
    targets, items = [0, 1, 2, 0, 1], list("vwxyz")
    a = said([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.5, 0.1, 0.4], [0.1, 0.6, 0.3], [0.9, 0.1, 0]], targets, items)
    b = said([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.2, 0.2, 0.6], [0.1, 0.3, 0.6], [0, 0.8, 0.2]], targets, items)
    return a, b


def test_images_that_changed_sides_are_those_that_exactly_one_model_got_right(two_models):
    table = changed_sides(*two_models)
    assert table["item"].tolist() == ["z", "w", "x"], "the largest change first"
    assert table.index.tolist() == [4, 1, 2]
    assert table["actual"].tolist() == ["dog", "dog", "fox"]
    assert table["predicted_a"].tolist() == ["cat", "dog", "cat"]
    assert table["predicted_b"].tolist() == ["dog", "cat", "fox"]
    assert table["right"].tolist() == ["b", "a", "b"]
    np.testing.assert_allclose(table["p_actual_a"], [0.1, 0.7, 0.4], atol=1e-6)
    np.testing.assert_allclose(table["p_actual_b"], [0.8, 0.4, 0.6], atol=1e-6)


def test_the_table_and_mcnemar_count_the_same_images():
    torch.manual_seed(0)
    targets = torch.randint(0, 3, (500,))
    a, b = (ClassificationInterpretation(torch.rand(500, 3).softmax(1), targets, VOCAB) for _ in range(2))
    table, test = changed_sides(a, b), mcnemar(a.preds == targets, b.preds == targets)
    assert table["right"].value_counts().to_dict() == {"a": test.only_a, "b": test.only_b}
    assert table["item"].tolist() == table.index.tolist(), "positions stand for items that are not known"
    swapped = changed_sides(b, a)
    assert sorted(swapped.index) == sorted(table.index) and (swapped["p_actual_a"] == table["p_actual_b"]).all()


def test_a_model_beside_itself_changes_nothing(two_models):
    table = changed_sides(two_models[0], two_models[0])
    assert len(table) == 0 and "right" in table.columns


def test_only_what_it_reads_is_needed(two_models):
    parts = ("targets", "vocab", "items", "table")
    a, b = (SimpleNamespace(**{name: getattr(model, name) for name in parts}) for model in two_models)
    assert changed_sides(a, b).equals(changed_sides(*two_models))


@pytest.mark.parametrize(
    ("targets", "items", "vocab", "words"),
    [
        ([0, 1, 2, 0, 2], list("vwxyz"), VOCAB, "actual classes differ"),
        ([0, 1, 2, 0, 1], list("vwxzy"), VOCAB, "One has y where z is"),
        ([0, 1, 2, 0, 1], list("vwxyz"), ["dog", "cat", "fox"], "same classes in the same order"),
    ],
)
def test_models_that_answered_other_images_or_classes_are_not_compared(two_models, targets, items, vocab, words):
    a = two_models[0]
    b = ClassificationInterpretation(a.probs, torch.tensor(targets), vocab, items)
    with pytest.raises(DataError, match=words):
        changed_sides(a, b)


def test_sets_of_different_size_are_not_compared(two_models):
    a = two_models[0]
    with pytest.raises(DataError, match="5 of one and 4 of the other"):
        changed_sides(a, ClassificationInterpretation(a.probs[:4], a.targets[:4], VOCAB))
