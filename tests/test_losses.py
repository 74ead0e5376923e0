"""Softmax and cross-entropy: the golden numbers, torch as oracle in value and gradient, properties, and bad input."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from coursekit.core import DataError, TrainingError
from coursekit.losses import (
    CrossEntropyLoss,
    FocalLoss,
    check_loss_settings,
    check_targets,
    cross_entropy,
    log_softmax,
    nll_loss,
    softmax,
    subtract_max,
)
from coursekit.training.callbacks import MixUp

LESSON = Path(__file__).resolve().parent.parent / "nbs" / "04_softmax_and_cross_entropy.ipynb"
OURS_AND_TORCHS = pytest.mark.parametrize(
    ("ours", "theirs"), [(softmax, torch.softmax), (log_softmax, torch.log_softmax)], ids=["softmax", "log_softmax"]
)
SHAPES_AND_DIMS = [((5,), 0), ((6, 4), 0), ((6, 4), 1), ((3, 3), 0), ((3, 3), 1), ((2, 5, 4), 1), ((2, 5, 4), -3)]


def random_logits(shape: tuple[int, ...], seed: int, scale: float = 3.0, dtype: torch.dtype = torch.float32):
    return (torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * scale).to(dtype)


def random_targets(n: int, n_classes: int, seed: int) -> torch.Tensor:
    return torch.randint(n_classes, (n,), generator=torch.Generator().manual_seed(seed + 1000))


def value_and_gradient(function, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What `function` makes of `x`, and the gradient of that, weighted so that no two entries count alike."""
    x = x.clone().requires_grad_()
    value = function(x)
    weights = torch.linspace(-1, 2, value.numel(), dtype=value.dtype).reshape(value.shape)
    return value.detach(), torch.autograd.grad((value * weights).sum(), x)[0]


# ---- golden numbers


def test_every_golden_number_of_softmax_and_cross_entropy(golden: dict) -> None:
    entry = golden["softmax_cross_entropy"]
    logits, targets = torch.tensor(entry["acts"], requires_grad=True), torch.tensor(entry["targ"])
    rows = torch.arange(len(targets))
    losses = cross_entropy(logits, targets, reduction="none")
    loss = cross_entropy(logits, targets)
    found = {
        "acts": torch.randn((6, 2), generator=torch.Generator().manual_seed(42)) * 2,
        "sigmoid": torch.sigmoid(logits),
        "sigmoid_of_difference": torch.sigmoid(logits[:, 0] - logits[:, 1]),
        "softmax": softmax(logits),
        "log_softmax": log_softmax(logits),
        "picked_probability": softmax(logits)[rows, targets],
        "per_item_loss": losses,
        "mean_loss": loss,
        "grad_of_mean_loss": torch.autograd.grad(loss, logits, retain_graph=True)[0],
    }
    assert set(found) == set(entry) - {"source", "recipe", "targ"}
    for name, value in found.items():
        assert_close(value.detach(), torch.tensor(entry[name]), msg=lambda text, name=name: f"{name}: {text}")
    assert_close(softmax(logits)[:, 0], torch.tensor(entry["sigmoid_of_difference"]))
    assert_close(nll_loss(torch.tensor(entry["log_softmax"]), targets), torch.tensor(entry["mean_loss"]))


def test_every_golden_number_of_the_three_bears(golden: dict) -> None:
    entry = golden["three_bears"]
    logits = torch.tensor(entry["acts"])
    found = {"exp": logits.exp(), "sum_of_exp": logits.exp().sum(), "softmax": softmax(logits)}
    assert set(found) == set(entry) - {"source", "classes", "acts", "note"}
    for name, value in found.items():
        assert_close(value, torch.tensor(entry[name]))


# ---- softmax and log_softmax


@OURS_AND_TORCHS
@pytest.mark.parametrize(("shape", "dim"), SHAPES_AND_DIMS)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_value_and_gradient_equal_torchs(ours, theirs, shape, dim, seed, dtype) -> None:
    x = random_logits(shape, seed, dtype=dtype)
    for a, b in zip(
        value_and_gradient(lambda z: ours(z, dim), x), value_and_gradient(lambda z: theirs(z, dim), x), strict=True
    ):
        assert_close(a, b)


@OURS_AND_TORCHS
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_and_returned_in_float32(ours, theirs, dtype) -> None:
    x = random_logits((16, 1000), seed=0, dtype=dtype)
    value, gradient = value_and_gradient(ours, x)
    assert value.dtype == torch.float32 and gradient.dtype == dtype
    assert_close(value, theirs(x.float(), -1))


def test_whole_numbers_are_taken_as_float32() -> None:
    assert_close(softmax(torch.tensor([0, 0])), torch.tensor([0.5, 0.5]))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_logits_of_a_thousand_neither_overflow_nor_underflow(dtype) -> None:
    x = torch.tensor([[1000, 0, -1000], [-1000, -1000, -1000], [1000, 1000, -1000]], dtype=dtype)
    third, half = 1 / 3, 0.5
    expected = torch.tensor([[1, 0, 0], [third, third, third], [half, half, 0]], dtype=softmax(x).dtype)
    assert_close(softmax(x), expected)
    assert_close(log_softmax(x)[0], torch.tensor([0, -1000, -2000], dtype=softmax(x).dtype))
    loss = cross_entropy(x.requires_grad_(), torch.tensor([2, 0, 0]))
    assert_close(loss, torch.tensor((2000 + math.log(3) + math.log(2)) / 3, dtype=loss.dtype))
    assert torch.autograd.grad(loss, x)[0].isfinite().all()


@pytest.mark.parametrize("seed", range(5))
def test_softmax_is_positive_sums_to_one_keeps_order_and_ignores_shifts(seed: int) -> None:
    x = random_logits((7, 10), seed)
    probs = softmax(x)
    assert (probs > 0).all()
    assert_close(probs.sum(dim=1), torch.ones(7))
    assert torch.equal(probs.argsort(dim=1), x.argsort(dim=1))
    shifts = random_logits((7, 1), seed + 100, scale=50)
    assert_close(softmax(x + shifts), probs, atol=1e-5, rtol=1e-4)
    assert_close(log_softmax(x).exp(), probs)


def test_rows_of_very_different_scale_do_not_disturb_each_other() -> None:
    x = torch.tensor([[1.0, 2.0, 3.0], [1001.0, 1002.0, 1003.0], [-1001.0, -1000.0, -999.0]])
    assert_close(softmax(x), torch.softmax(x[:1], dim=1).expand(3, 3))


@OURS_AND_TORCHS
@pytest.mark.parametrize(
    "row", [[-math.inf, 1, 2], [-math.inf] * 3, [math.inf, 1, 2], [math.nan, 1, 2]], ids=["masked", "all", "inf", "nan"]
)
def test_infinite_and_missing_logits_give_what_torch_gives(ours, theirs, row) -> None:
    x = torch.tensor([row, [0.0, 1, 2]])
    assert_close(ours(x), theirs(x, -1), equal_nan=True)


@pytest.mark.parametrize("function", [softmax, log_softmax])
def test_derivatives_of_first_and_second_order_are_right(function) -> None:
    x = random_logits((3, 4), seed=1, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(function, x)
    assert torch.autograd.gradgradcheck(function, x)


def test_the_input_is_left_as_it_was() -> None:
    x, targets = random_logits((4, 3), seed=0), random_targets(4, 3, seed=0)
    before = x.clone()
    for function in (softmax, log_softmax, lambda z: subtract_max(z, 1), lambda z: cross_entropy(z, targets)):
        function(x)
        assert torch.equal(x, before)


# ---- nll_loss and cross_entropy


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("n", "n_classes"), [(1, 2), (6, 2), (5, 5), (64, 37)])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1, 1.0])
def test_cross_entropy_equals_torchs_in_value_and_gradient(
    seed, n, n_classes, reduction, weighted, label_smoothing
) -> None:
    x, targets = random_logits((n, n_classes), seed), random_targets(n, n_classes, seed)
    weight = torch.linspace(0.2, 3, n_classes) if weighted else None
    options = {"reduction": reduction, "weight": weight, "label_smoothing": label_smoothing}
    ours = value_and_gradient(lambda z: cross_entropy(z, targets, **options), x)
    theirs = value_and_gradient(lambda z: F.cross_entropy(z, targets, **options), x)
    module = value_and_gradient(lambda z: CrossEntropyLoss(**options)(z, targets), x)
    for a, b, c in zip(ours, theirs, module, strict=True):
        assert_close(a, b)
        assert_close(a, c)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_module_takes_probabilities_as_targets(weighted) -> None:
    x, weight = random_logits((6, 4), 0), torch.linspace(0.2, 3, 4) if weighted else None
    soft = torch.softmax(random_logits((6, 4), 1), dim=1)
    by_hand = -(soft * torch.log_softmax(x, dim=1) * (1 if weight is None else weight)).sum(dim=1).mean()
    assert_close(CrossEntropyLoss(weight=weight)(x, soft), by_hand)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weight", [None, torch.tensor([0.5, 1.0, 0.0, 2.0])])
def test_nll_loss_equals_torchs(reduction, weight) -> None:
    log_probs, targets = torch.log_softmax(random_logits((9, 4), seed=3), dim=1), random_targets(9, 4, seed=3)
    expected = F.nll_loss(log_probs, targets, weight=weight, reduction=reduction)
    assert_close(nll_loss(log_probs, targets, reduction, weight), expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_the_loss_of_half_precision_logits_is_that_of_the_same_numbers_in_float32(dtype) -> None:
    x, targets = random_logits((64, 37), seed=5, dtype=dtype), random_targets(64, 37, seed=5)
    loss = cross_entropy(x, targets)
    assert loss.dtype == torch.float32
    assert_close(loss, F.cross_entropy(x.float(), targets))
    sure = torch.tensor([[7.0, 0.0]], dtype=dtype)  # in bfloat16 itself 1 + exp(-7) is 1, and the loss zero
    assert_close(cross_entropy(sure, torch.tensor([0])).item(), math.log1p(math.exp(-7)), rtol=1e-3, atol=0)


def test_a_view_with_strides_gives_the_same_as_its_copy() -> None:
    x, targets = random_logits((5, 8), seed=2).t()[:, ::2], random_targets(8, 3, seed=2)
    assert not x.is_contiguous()
    assert torch.equal(cross_entropy(x, targets), cross_entropy(x.contiguous(), targets))


@pytest.mark.parametrize("n_classes", [2, 4, 8, 37, 1000])
def test_knowing_nothing_costs_the_logarithm_of_the_number_of_classes(n_classes: int) -> None:
    loss = cross_entropy(torch.full((5, n_classes), 3.25), torch.arange(5) % n_classes)
    assert_close(loss.item(), math.log(n_classes), rtol=1e-6, atol=0)


@pytest.mark.parametrize("seed", range(3))
def test_the_gradient_is_prediction_minus_truth_divided_by_n(seed: int) -> None:
    x, targets = random_logits((6, 5), seed).requires_grad_(), random_targets(6, 5, seed)
    (gradient,) = torch.autograd.grad(cross_entropy(x, targets), x)
    assert_close(gradient, (torch.softmax(x, 1) - F.one_hot(targets, 5)) / 6)


def test_the_gradient_agrees_with_finite_differences() -> None:
    x, targets = random_logits((3, 4), seed=9, dtype=torch.float64), random_targets(3, 4, seed=9)
    weight = torch.linspace(0.5, 2, 4, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda z: cross_entropy(z, targets, weight=weight, label_smoothing=0.1), x.requires_grad_()
    )


# ---- the module


def test_the_module_reads_logits_as_probabilities_and_as_decisions() -> None:
    x, loss = random_logits((6, 3), seed=4), CrossEntropyLoss()
    assert_close(loss.activation(x), torch.softmax(x, dim=1))
    assert torch.equal(loss.decodes(x), x.argmax(dim=1))
    assert torch.equal(loss.decodes(loss.activation(x)), loss.decodes(x))


def test_the_module_s_weight_moves_with_it_and_is_not_trained() -> None:
    loss = CrossEntropyLoss(weight=torch.ones(3)).double()
    assert loss.weight.dtype == torch.float64 and not list(loss.parameters())


# ---- bad input


@pytest.mark.parametrize(
    ("logits_shape", "targets", "parts"),
    [
        ((4,), torch.zeros(4, dtype=torch.long), ["(4,)", "(N, C)", "logits[None]"]),
        ((2, 3, 4, 4), torch.zeros(2, dtype=torch.long), ["(2, 3, 4, 4)", "(N, C)"]),
        ((4, 3), torch.zeros(4, 1, dtype=torch.long), ["(4, 1)", "(4,)", "squeeze(1)"]),
        ((4, 3), torch.zeros(4, 3, dtype=torch.long), ["one-hot", "argmax(dim=1)"]),
        ((4, 3), torch.zeros(4, 3), ["one-hot", "argmax(dim=1)"]),
        ((4, 3), torch.zeros(5, dtype=torch.long), ["(5,)", "(4, 3)", "rows"]),
        ((4, 3), torch.tensor(0), ["()", "(4,)"]),
        ((4, 3), torch.zeros(4), ["float32", "int64", "targets.long()"]),
        ((4, 3), torch.zeros(4, dtype=torch.bool), ["bool", "targets.long()"]),
        ((4, 3), torch.zeros(4, dtype=torch.uint8), ["uint8", "targets.long()"]),
        ((4, 3), torch.tensor([0, 1, 2, 3]), ["from 0 to 3", "3 columns", "from 0 to 2", "Count classes from 0"]),
        ((4, 3), torch.tensor([0, 1, 2, -1]), ["from -1 to 2", "from 0 to 2"]),
    ],
)
def test_targets_that_do_not_go_with_the_logits_are_refused_with_the_remedy(logits_shape, targets, parts) -> None:
    for function in (check_targets, nll_loss, cross_entropy, CrossEntropyLoss()):
        with pytest.raises(DataError) as refusal:
            function(torch.zeros(logits_shape), targets)
        for part in parts:
            assert part in str(refusal.value)


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"reduction": "average"}, '"mean", "sum" or "none"'),
        ({"weight": torch.ones(2)}, "3 classes"),
        ({"label_smoothing": 1.5}, "0 to 1"),
        ({"label_smoothing": -0.1}, "0 to 1"),
    ],
)
def test_impossible_options_are_refused(options, part) -> None:
    with pytest.raises(DataError, match=re.escape(part)):
        cross_entropy(torch.zeros(4, 3), torch.zeros(4, dtype=torch.long), **options)


def test_values_of_targets_are_not_read_from_a_device() -> None:
    """A tensor on "meta" has no values: reading one raises, as reading from a GPU would make the program wait."""
    logits, targets = torch.zeros(4, 3, device="meta"), torch.zeros(4, dtype=torch.long, device="meta")
    check_targets(logits, targets)
    assert cross_entropy(logits, targets, label_smoothing=0.1).shape == ()
    with pytest.raises(DataError, match="squeeze"):
        check_targets(logits, targets[:, None])
    mixed = torch.zeros(4, 3, device="meta")  # probabilities, as MixUp makes them
    assert CrossEntropyLoss()(logits, mixed).shape == ()


def test_no_rows_are_no_error_and_give_no_losses() -> None:
    losses = cross_entropy(torch.zeros(0, 3), torch.zeros(0, dtype=torch.long), reduction="none")
    assert losses.shape == (0,)


# ---- classes that weigh nothing


def test_a_batch_whose_classes_all_weigh_nothing_has_loss_and_gradient_zero() -> None:
    weight = torch.tensor([0.0, 1.0])
    targets = torch.tensor([0, 0])
    for loss in (CrossEntropyLoss(weight), FocalLoss(weight=weight), lambda x, y: cross_entropy(x, y, weight=weight)):
        logits = torch.randn(2, 2, requires_grad=True)
        value = loss(logits, targets)
        value.backward()
        assert value.item() == 0 and torch.equal(logits.grad, torch.zeros(2, 2))


def test_weights_may_be_a_list_or_an_array_of_float64() -> None:
    x, targets = random_logits((6, 3), seed=1), random_targets(6, 3, seed=1)
    expected = F.cross_entropy(x, targets, weight=torch.tensor([1.0, 2, 3]))
    for weight in ([1, 2, 3], np.array([1.0, 2, 3]), torch.tensor([1, 2, 3])):
        assert_close(CrossEntropyLoss(weight)(x, targets), expected)


# ---- the focal loss


def focal_by_hand(logits, targets, gamma, weight=None):
    """The paper's formula (5), in float64: -alpha_t (1 - p_t)^gamma log(p_t), divided by the sum of alpha_t."""
    p = torch.softmax(logits.double(), 1)[torch.arange(len(targets)), targets]
    alpha = torch.ones(logits.shape[1], dtype=torch.float64) if weight is None else weight.double()
    return ((-alpha[targets] * (1 - p) ** gamma * p.log()).sum() / alpha[targets].sum()).float()


@pytest.mark.parametrize("weight", [None, torch.tensor([0.5, 1, 2, 3, 0])])
@pytest.mark.parametrize("gamma", [0, 0.5, 1, 2, 5])
def test_the_focal_loss_is_the_paper_s(gamma, weight) -> None:
    x, targets = random_logits((40, 5), seed=3), random_targets(40, 5, seed=3)
    assert_close(FocalLoss(gamma, weight)(x, targets), focal_by_hand(x, targets, gamma, weight))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weight", [None, torch.tensor([0.5, 1, 2, 3, 0.1])])
def test_with_gamma_0_it_is_cross_entropy_for_classes_and_probabilities(reduction, smoothing, weight) -> None:
    x, targets = random_logits((12, 5), seed=4), random_targets(12, 5, seed=4)
    mixed = torch.softmax(random_logits((12, 5), seed=5), 1)
    focal, plain = FocalLoss(0, weight, reduction, smoothing), CrossEntropyLoss(weight, reduction, smoothing)
    for y in (targets, mixed):
        ours, theirs = (value_and_gradient(lambda z, f=f, y=y: f(z, y), x) for f in (focal, plain))
        for a, b in zip(ours, theirs, strict=True):
            assert_close(a, b)


@pytest.mark.parametrize("gamma", [0.5, 2])
def test_its_gradient_agrees_with_finite_differences(gamma) -> None:
    x, targets = random_logits((3, 4), seed=9, dtype=torch.float64), random_targets(3, 4, seed=9)
    loss = FocalLoss(gamma, torch.linspace(0.5, 2, 4), label_smoothing=0.1)
    assert torch.autograd.gradcheck(lambda z: loss(z, targets), x.requires_grad_())


@pytest.mark.parametrize("gamma", [0, 0.5, 1, 2])
def test_it_stays_finite_for_large_logits_and_half_precision(gamma) -> None:
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        x = torch.tensor([[1000.0, 0, -1000], [-1000, 0, 1000]], dtype=dtype, requires_grad=True)
        loss = FocalLoss(gamma)(x, torch.tensor([0, 0]))
        loss.backward()
        assert loss.dtype == torch.float32 and loss.isfinite() and x.grad.isfinite().all()


def test_easy_images_count_less() -> None:
    logits = torch.tensor([0.1, 0.9]).logit()[:, None] * torch.tensor([1.0, 0.0])
    targets = torch.tensor([0, 0])
    share = FocalLoss(reduction="none")(logits, targets) / CrossEntropyLoss(reduction="none")(logits, targets)
    assert_close(share, torch.tensor([0.81, 0.01]))


def test_it_is_used_like_cross_entropy() -> None:
    loss = FocalLoss()
    x = random_logits((4, 3), seed=2)
    assert_close(loss.activation(x), torch.softmax(x, 1))
    assert torch.equal(loss.decodes(x), x.argmax(1))


# ---- what would fail after the first forward pass


@pytest.mark.parametrize(
    ("loss", "parts"),
    [
        (FocalLoss(gamma=-1), ["gamma=-1", "0 or more"]),
        (FocalLoss(label_smoothing=1.5), ["label_smoothing=1.5", "0 to 1"]),
        (torch.nn.CrossEntropyLoss(weight=torch.ones(2)), ["(2,)", "3 classes"]),
        (CrossEntropyLoss(weight=[1, 2]), ["(2,)", "3 classes", "vocabulary"]),
    ],
)
def test_a_loss_that_cannot_train_is_named(loss, parts) -> None:
    with pytest.raises(DataError) as refusal:
        check_loss_settings(loss, 3)
    assert all(part in str(refusal.value) for part in parts)


def test_any_other_loss_passes() -> None:
    for loss in (CrossEntropyLoss(), FocalLoss(weight=torch.ones(3)), F.cross_entropy, lambda p, t: p.sum()):
        check_loss_settings(loss, 3)


@pytest.mark.parametrize("loss", [torch.nn.CrossEntropyLoss(reduction="none"), CrossEntropyLoss(reduction="average")])
def test_a_learner_refuses_a_loss_that_is_not_one_number(loss, make_toy_learner) -> None:
    with pytest.raises(TrainingError, match='reduction="mean"'):
        make_toy_learner(loss_func=loss)


def test_a_learner_refuses_weights_of_other_classes_before_the_first_step(make_toy_learner) -> None:
    learn = make_toy_learner(loss_func=FocalLoss(weight=torch.ones(5)))
    with pytest.raises(DataError, match="5"):
        learn.fit(1)
    assert not len(learn.recorder.losses)


def test_a_learner_trains_with_it_also_on_mixed_images(make_toy_learner) -> None:
    learn = make_toy_learner(loss_func=FocalLoss(weight=[1.0, 2.0]))
    learn.fit(2, 1e-2, cbs=MixUp())
    first, last = (row[2] for row in learn.recorder.values)
    assert last < first and learn.validate()[0] == last


# ---- our versions of what the lesson asks its learner to write


@pytest.fixture(scope="module")
def answers() -> dict:
    """The functions of the lesson's cells that are tagged as exercises, by name."""
    functions: dict = {"math": math, "torch": torch, "F": F, "Tensor": torch.Tensor}
    for cell in json.loads(LESSON.read_text("utf-8"))["cells"]:
        if "exercise" in cell["metadata"].get("tags", []):
            exec("".join(cell["source"]), functions)
    return functions


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize(("shape", "dim"), SHAPES_AND_DIMS)
def test_our_softmaxes_equal_torchs(answers, name, shape, dim) -> None:
    for scale in (1, 1000):
        x = random_logits(shape, seed=7, scale=scale)
        ours = value_and_gradient(lambda z: answers[name](z, dim), x)
        theirs = value_and_gradient(lambda z: getattr(torch, name)(z, dim), x)
        for a, b in zip(ours, theirs, strict=True):
            assert_close(a, b)
    masked = torch.tensor([[-math.inf, 0.0, 200.0]])
    assert_close(answers[name](masked), getattr(torch, name)(masked, 1))


def test_our_losses_and_their_gradient_equal_torchs(answers) -> None:
    x, targets = random_logits((6, 5), seed=8), random_targets(6, 5, seed=8)
    assert_close(answers["nll"](torch.log_softmax(x, 1), targets), F.cross_entropy(x, targets))
    z = x.clone().requires_grad_()
    (expected,) = torch.autograd.grad(F.cross_entropy(z, targets), z)
    assert_close(answers["cross_entropy_gradient"](x, targets), expected)
    for smoothing in (0.0, 0.3):
        theirs = F.cross_entropy(x, targets, label_smoothing=smoothing)
        assert_close(answers["smoothed_cross_entropy"](x, targets, smoothing), theirs)


@pytest.mark.parametrize(("p", "n_classes"), [(0.5, 2), (0.99, 37), (1 / 8, 8), (0.01, 8)])
def test_our_lead_gives_the_probability_asked_for(answers, p, n_classes) -> None:
    logits = torch.zeros(n_classes, dtype=torch.float64)
    logits[0] = answers["lead_for"](p, n_classes)
    assert_close(torch.softmax(logits, 0)[0].item(), p)
