"""Metrics against scikit-learn, and what they refuse."""

import pytest
import torch
from sklearn.metrics import accuracy_score

from coursekit.core import DataError
from coursekit.losses import softmax
from coursekit.metrics import accuracy, error_rate


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
