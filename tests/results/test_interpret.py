"""What a classifier got wrong: counts as scikit-learn has them, figures that show them, images never augmented."""

import heapq
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image
from sklearn import metrics
from torch.nn import functional as F

from coursekit.arguments import ArgumentError
from coursekit.augment.pipeline import aug_transforms
from coursekit.augment.resize import Resize
from coursekit.core import DataError
from coursekit.data.block import DataBlock
from coursekit.data.files import parent_label
from coursekit.metrics import F1Score
from coursekit.results.calibration import expected_calibration_error
from coursekit.results.confusion import (
    choose_rows,
    confused_order,
    confusion_counts,
    errors_by_class,
    largest_of_blocks,
    screen_size,
    shares,
    submatrix,
    wrong_only,
)
from coursekit.results.interpret import ClassificationInterpretation
from coursekit.text import shorten

SEEDS = range(3)


def example(seed: int = 0, n: int = 200, c: int = 5, **settings) -> ClassificationInterpretation:
    """Random predictions that are right more often than not; every class is there."""
    generator = torch.Generator().manual_seed(seed)
    targets = torch.cat([torch.arange(c), torch.randint(0, c, (n - c,), generator=generator)])
    logits = torch.randn(n, c, generator=generator) + 2 * F.one_hot(targets, c)
    return ClassificationInterpretation(logits.softmax(1), targets, [f"class {i}" for i in range(c)], **settings)


# ---- numbers


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("c", [2, 5, 37])
def test_the_confusion_matrix_is_scikit_learns(seed, c):
    interp = example(seed, c=c)
    expected = metrics.confusion_matrix(interp.targets, interp.preds, labels=range(c))
    matrix = interp.confusion_matrix()
    assert np.array_equal(matrix, expected) and matrix.dtype == np.int64


def test_rows_are_actual_and_columns_predicted():
    assert confusion_counts(torch.tensor([0, 0, 1]), torch.tensor([1, 1, 1]), 2).tolist() == [[0, 2], [0, 1]]


@pytest.mark.parametrize(("normalize", "theirs"), [("row", "true"), (True, "true"), ("column", "pred")])
def test_shares_are_scikit_learns(normalize, theirs):
    interp = example(c=4)
    expected = metrics.confusion_matrix(interp.targets, interp.preds, normalize=theirs)
    np.testing.assert_allclose(shares(interp.confusion_matrix(), normalize), expected)


def test_shares_of_a_class_that_never_comes_are_zero():
    assert shares(np.array([[0, 0], [1, 3]]), "row").tolist() == [[0, 0], [0.25, 0.75]]
    with pytest.raises(DataError, match="row"):
        shares(np.eye(2), "all")


@pytest.mark.parametrize("seed", SEEDS)
def test_the_report_is_scikit_learns(seed):
    interp = example(seed, c=6)
    interp.preds[interp.preds == 3] = 0  # a class that is never predicted
    table = interp.classification_report()
    theirs = metrics.classification_report(
        interp.targets, interp.preds, target_names=interp.vocab, output_dict=True, zero_division=0
    )
    accuracy = theirs.pop("accuracy")
    assert list(table.index) == [*interp.vocab, "accuracy", "macro avg", "weighted avg"]
    for row, values in theirs.items():
        assert table.loc[row].to_dict() == pytest.approx(values)
    assert table.loc["accuracy", "f1-score"] == pytest.approx(accuracy)
    assert table.loc["accuracy", "support"] == len(interp.targets)


def test_a_class_that_neither_occurs_nor_is_predicted_is_in_no_average():
    interp = ClassificationInterpretation(torch.eye(3)[[0, 1, 1]], torch.tensor([0, 1, 0]), ["a", "b", "unseen"])
    table = interp.classification_report()
    expected = metrics.classification_report(interp.targets, interp.preds, output_dict=True)["macro avg"]
    assert table.loc["macro avg"].to_dict() == pytest.approx(expected)
    assert table.loc["macro avg", "f1-score"] == pytest.approx(F1Score("macro")(interp.probs, interp.targets))
    assert table.loc["unseen"].tolist() == [0, 0, 0, 0]


def test_the_report_is_printed_under_fastais_name_too(capsys):
    example(c=3).print_classification_report()
    words = capsys.readouterr().out
    assert all(word in words for word in ("precision", "support", "macro avg")) and "nan" not in words.lower()


def test_a_learner_in_place_of_its_predictions_is_told_the_way(toy_learner):
    for wrong in ((toy_learner,), (toy_learner, toy_learner.dls.valid, []), (torch.eye(2),)):
        with pytest.raises(ArgumentError, match=r"from_learner\(learn\)"):
            ClassificationInterpretation(*wrong)


def test_tables_and_arrays_are_taken_by_place_and_no_number_is_cut():
    probs, shuffled = torch.eye(2)[[0, 1, 1]], [12, 10, 11]
    table = pd.DataFrame(probs.numpy(), index=shuffled, columns=["a", "b"])
    interp = ClassificationInterpretation(table, pd.Series([0, 1, 1], index=shuffled), ["a", "b"])
    assert torch.equal(interp.probs, probs) and interp.targets.tolist() == [0, 1, 1]
    assert ClassificationInterpretation(probs, np.array([False, True, True]), ["a", "b"]).targets.tolist() == [0, 1, 1]
    with pytest.raises(DataError, match="no class indices"):
        ClassificationInterpretation(probs, [0.0, 1.7, 1.0], ["a", "b"])
    for wrong in (["a", "b", "b"], pd.Series(["a", "b", "b"])):
        with pytest.raises(DataError, match=r"vocab\.index"):
            ClassificationInterpretation(probs, wrong, ["a", "b"])
        with pytest.raises(DataError, match=r"vocab\.index"):
            expected_calibration_error(probs, wrong)


def test_arguments_of_other_libraries_are_named_with_those_there_are():
    with pytest.raises(ArgumentError, match=r"'cmap'.\n.*normalize, figsize"):
        example(c=3).plot_confusion_matrix(cmap="Blues")
    with pytest.raises(ArgumentError, match="did you mean normalize"):
        example(c=3).plot_confusion_matrix(normalized=True)
    with pytest.raises(DataError, match=r'"row" \("true" in scikit-learn\)'):
        example(c=3).plot_confusion_matrix(normalize="true")


def test_most_confused_lists_the_mistakes_from_the_most_frequent_down():
    interp = example(c=5)
    matrix = interp.confusion_matrix()
    pairs = interp.most_confused()
    assert [n for *_, n in pairs] == sorted((n for *_, n in pairs), reverse=True)
    assert sum(n for *_, n in pairs) == matrix.sum() - matrix.trace()
    for actual, predicted, n in pairs:
        assert n == matrix[interp.vocab.index(actual), interp.vocab.index(predicted)] and actual != predicted
    assert interp.most_confused(min_val=3) == [pair for pair in pairs if pair[2] >= 3]
    assert all(type(n) is int for *_, n in pairs)


def wilson(wrong: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Solves |rate - p| = z sqrt(p (1 - p) / n), which defines Wilson's interval, by the quadratic formula."""
    a, b, c = 1 + z**2 / n, -(2 * wrong / n + z**2 / n), (wrong / n) ** 2
    root = (b**2 - 4 * a * c) ** 0.5
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


@pytest.mark.parametrize("seed", SEEDS)
def test_errors_by_class_are_one_minus_scikit_learns_recall_within_wilsons_interval(seed):
    interp = example(seed, c=6)
    table = interp.class_errors()
    recall = metrics.recall_score(interp.targets, interp.preds, average=None)
    np.testing.assert_allclose(table["error_rate"], 1 - recall)
    assert list(table.index) == interp.vocab and list(table["n"]) == interp.targets.bincount().tolist()
    assert table["wrong"].sum() == (interp.preds != interp.targets).sum()
    ends = [wilson(wrong, n) for wrong, n in zip(table["wrong"], table["n"], strict=True)]
    np.testing.assert_allclose(table[["low", "high"]], ends, atol=1e-6)
    wider = interp.class_errors(confidence=0.99)
    assert (wider["low"] <= table["low"]).all() and (wider["high"] >= table["high"]).all()


def test_of_a_class_without_images_nothing_is_known():
    table = errors_by_class(np.array([[3, 1], [0, 0]]), ["a", "b"])
    assert np.isnan(table.loc["b", "error_rate"]) and table.loc["b", ["low", "high"]].tolist() == [0, 1]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_table_has_a_row_for_each_image_from_which_all_else_follows(seed):
    interp = example(seed, n=50, items=[f"{i}.png" for i in range(50)])
    table = interp.table()
    assert list(table.columns) == ["item", "actual", "predicted", "p_predicted", "p_actual", "loss", "right"]
    assert list(table["item"]) == interp.items and list(table.index) == list(range(50))
    counts = metrics.confusion_matrix(table["actual"], table["predicted"], labels=interp.vocab)
    assert np.array_equal(counts, interp.confusion_matrix())
    np.testing.assert_allclose(-np.log(table["p_actual"]), table["loss"], atol=1e-5)
    np.testing.assert_allclose(table["p_predicted"], interp.probs.amax(dim=1))
    assert ((table["p_actual"] == table["p_predicted"]) == table["right"]).all()
    assert table["loss"].nlargest(7).index.tolist() == interp.top_losses(7)[1].tolist()


def test_without_items_the_table_names_positions():
    assert example(n=8, c=3).table()["item"].tolist() == list(range(8))


@pytest.mark.parametrize("seed", SEEDS)
def test_every_image_is_in_one_cell_the_largest_loss_first(seed):
    interp = example(seed, c=4)
    seen = []
    for row, actual in enumerate(interp.vocab):
        for column, predicted in enumerate(interp.vocab):
            positions = interp.where(actual, predicted)
            assert len(positions) == interp.confusion_matrix()[row, column]
            assert all(interp.targets[i] == row and interp.preds[i] == column for i in positions)
            losses = interp.losses[positions].tolist()
            assert losses == sorted(losses, reverse=True)
            seen += positions
    assert sorted(seen) == list(range(200))
    with pytest.raises(DataError, match="no class 'cat'"):
        interp.where("cat", interp.vocab[0])


# ---- orders and parts of the matrix


def blocks(seed: int, n_blocks: int = 5, size: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """A matrix of classes that are confused within blocks only, shuffled; and the block of each class."""
    rng = np.random.default_rng(seed)
    block = np.repeat(np.arange(n_blocks), size)
    rng.shuffle(block)
    matrix = (block[:, None] == block) * rng.integers(1, 5, (len(block), len(block)))
    np.fill_diagonal(matrix, 30)
    return matrix, block


@pytest.mark.parametrize("seed", SEEDS)
def test_classes_that_are_confused_stand_side_by_side(seed):
    matrix, block = blocks(seed)
    order = confused_order(matrix)
    assert sorted(order) == list(range(len(matrix)))
    changes = np.count_nonzero(np.diff(block[order]))
    assert changes == 4  # five blocks, none of them torn apart


def test_a_chain_of_confusions_comes_out_as_a_chain():
    order = np.array([3, 0, 4, 1, 2])
    matrix = 50 * np.eye(5, dtype=int)
    for n, (a, b) in enumerate(pairwise(order)):
        matrix[a, b] = 5 + n
    assert confused_order(matrix) in (order.tolist(), order[::-1].tolist())
    assert confused_order(np.eye(4)) == [0, 1, 2, 3]


def dense_order(matrix):
    """The same order by its definition: look at all pairs of chains, join the two closest, begin again."""
    confused = shares(wrong_only(matrix), "row")
    mutual, chains = confused + confused.T, [[i] for i in range(len(matrix))]
    while True:
        pairs = [(a, b) for a in range(len(chains)) for b in range(a + 1, len(chains)) if chains[a] and chains[b]]
        close = [mutual[np.ix_(chains[a], chains[b])].mean() for a, b in pairs]
        if not any(close):
            return [i for chain in chains for i in chain]
        first, second = pairs[int(np.argmax(np.round(close, 9)))]
        ways = [(x, y) for x in (chains[first], chains[first][::-1]) for y in (chains[second], chains[second][::-1])]
        x, y = max(ways, key=lambda way: mutual[way[0][-1], way[1][0]])
        chains[first], chains[second] = x + y, []


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_the_order_is_that_of_joining_the_closest_chains(seed, share):
    rng = np.random.default_rng(seed)
    matrix = rng.integers(0, 1000, (14, 14)) * (rng.random((14, 14)) < share)  # large numbers: no two pairs are alike
    assert confused_order(matrix) == dense_order(matrix)


def test_ordering_four_times_as_many_classes_looks_at_four_times_as_many_pairs(monkeypatch):
    def looks(n):
        pushed = []
        monkeypatch.setattr("heapq.heappush", lambda heap, entry: pushed.append(entry) or real(heap, entry))
        matrix = 50 * np.eye(n, dtype=int)
        for step in (1, 2, 7):  # each class is confused with three others
            matrix[np.arange(n), (np.arange(n) + step) % n] = step
        assert sorted(confused_order(matrix)) == list(range(n))
        return len(pushed)

    real = heapq.heappush
    assert looks(1000) < 5 * looks(250)


def test_a_thousand_times_ten_classes_are_drawn_so_that_each_mistake_shows():
    counts = np.zeros((2500, 2500), dtype=np.int64)
    counts[7, 1234] = counts[2499, 3] = 1
    blocks = largest_of_blocks(counts)
    assert blocks.shape == (834, 834) and blocks.sum() == 2 and blocks[2, 411] == blocks[833, 1] == 1
    assert largest_of_blocks(counts[:50, :50]).base is counts


def test_a_matrix_of_many_classes_has_no_grid_and_is_drawn_in_pixels():
    n = 1200
    targets = torch.arange(n)
    probs = torch.eye(n)[(targets + (targets % 100 == 0)) % n]
    figure = ClassificationInterpretation(probs, targets, [f"class {i}" for i in range(n)]).plot_confusion_matrix()
    axes = figure.axes[0]
    assert len(axes.xaxis.get_minorticklocs()) == 0 and axes.get_xlim() == (-0.5, n - 0.5)
    right, wrong = (image.get_array() for image in axes.images)
    assert right.shape == wrong.shape == (600, 600) and wrong.count() == 12
    assert {0, n - 99} & set(axes.get_yticks()), "the names of classes with mistakes come first"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("order", [None, "confused"])
def test_a_submatrix_holds_the_classes_with_most_mistakes(seed, order):
    matrix = example(seed, c=12).confusion_matrix()
    wrong = wrong_only(matrix)
    mistakes = wrong.sum(axis=0) + wrong.sum(axis=1)
    for k in (1, 5, 12, 40):
        chosen = submatrix(matrix, k, order)
        rest = np.delete(mistakes, chosen)
        assert len(chosen) == len(set(chosen)) == min(k, 12)
        assert not len(rest) or mistakes[chosen].min() >= rest.max()
        assert order or chosen == sorted(chosen)
    assert all(type(i) is int for i in chosen)
    assert submatrix(matrix) == list(range(12))


def test_orders_and_sizes_that_cannot_be_are_refused():
    with pytest.raises(DataError, match="confused"):
        submatrix(np.eye(3), order="alphabet")
    with pytest.raises(DataError, match="shows nothing"):
        submatrix(np.eye(3), k=0)


def test_without_mistakes_nothing_is_confused():
    interp = ClassificationInterpretation(torch.eye(3), torch.arange(3), list("abc"))
    assert interp.most_confused() == interp.most_confused(min_val=0) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_losses_are_cross_entropies_and_come_sorted(seed):
    interp = example(seed)
    torch.testing.assert_close(interp.losses, F.nll_loss(interp.probs.log(), interp.targets, reduction="none"))
    losses, positions = interp.top_losses()
    assert losses.tolist() == sorted(interp.losses.tolist(), reverse=True)
    assert torch.equal(interp.losses[positions], losses)
    smallest, _ = interp.top_losses(4, largest=False)
    assert smallest.tolist() == sorted(interp.losses.tolist())[:4]


def test_a_probability_of_zero_is_a_large_loss_but_no_infinite_one():
    interp = ClassificationInterpretation(torch.tensor([[1.0, 0.0]]), torch.tensor([1]), ["a", "b"])
    assert 80 < interp.losses.item() < 90


def test_losses_of_ones_own_are_taken():
    assert example(n=5, c=5, losses=torch.arange(5)).top_losses(2)[1].tolist() == [4, 3]


@pytest.mark.parametrize(
    ("probs", "targets", "items", "message"),
    [
        (torch.rand(3, 2), torch.zeros(2), None, r"\(2, 2\)"),
        (torch.rand(3, 3), torch.zeros(3), None, r"\(3, 2\)"),
        (torch.rand(3), torch.zeros(3), None, r"\(3, 2\)"),
        (torch.rand(2, 2), torch.tensor([0, 2]), None, "2 classes, numbered from 0"),
        (torch.rand(2, 2), torch.tensor([-1, 0]), None, "2 classes, numbered from 0"),
        (torch.full((2, 2), float("nan")), torch.zeros(2), None, "loss that became NaN"),
        (torch.rand(2, 2), torch.zeros(2), ["one"], "1 items for 2"),
        (torch.rand(0, 2), torch.zeros(0), None, "at least 1"),
    ],
)
def test_what_does_not_fit_together_is_refused(probs, targets, items, message):
    with pytest.raises(DataError, match=message):
        ClassificationInterpretation(probs, targets, ["a", "b"], items)


# ---- pictures


def texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("c", [2, 3, 10, 37])
def test_the_matrix_shows_every_count_but_zeros(c):
    interp = example(c=c)
    (axes,) = interp.plot_confusion_matrix().axes
    matrix = interp.confusion_matrix()
    assert sorted(texts(axes)) == sorted(str(n) for n in matrix.flat if n)
    shown = {(text.get_position()[1], text.get_position()[0]): int(text.get_text()) for text in axes.texts}
    assert all(matrix[cell] == n for cell, n in shown.items())
    assert [label.get_text() for label in axes.get_yticklabels()] == interp.vocab
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "actual")


def test_right_answers_and_mistakes_have_colours_of_their_own():
    (axes,) = example(c=3).plot_confusion_matrix().axes
    right, wrong = axes.images
    assert (right.get_cmap().name, wrong.get_cmap().name) == ("Blues", "Oranges")
    assert np.array_equal(~wrong.get_array().mask | ~right.get_array().mask, example(c=3).confusion_matrix() > 0)


def test_one_mistake_among_many_right_answers_looks_like_little():
    probs = F.one_hot(torch.tensor([0] * 99 + [1]), 2).float()
    (axes,) = ClassificationInterpretation(probs, torch.zeros(100), ["a", "b"]).plot_confusion_matrix().axes
    assert axes.images[1].norm(1) < 0.1


def test_shares_are_shown_as_percentages():
    (axes,) = example(c=3).plot_confusion_matrix(normalize="row").axes
    assert all(text.endswith("%") for text in texts(axes))


@pytest.mark.parametrize(("c", "k"), [(2, None), (8, None), (37, None), (37, 2)])
@pytest.mark.parametrize(("normalize", "whose"), [(None, ""), ("row", "actual"), ("column", "predicted")])
def test_the_title_says_what_cells_are_and_fits(c, k, normalize, whose):
    figure = example(c=c).plot_confusion_matrix(normalize, k=k)
    FigureCanvasAgg(figure).draw()
    (axes,) = figure.axes
    last = axes.get_title().split("\n")[-1]
    assert (last == f"cells: share of the {whose} class") if normalize else "cells" not in axes.get_title()
    box = axes.title.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
    assert box.y0 >= axes.bbox.y1


@pytest.mark.parametrize(("c", "length"), [(2, 5), (2, 60), (8, 20), (37, 26), (100, 10)])
def test_names_and_numbers_fit_and_do_not_overlap(c, length):
    vocab = [f"{i}".rjust(length, "n") for i in range(c)]
    targets = torch.arange(c).repeat(3)
    figure = ClassificationInterpretation(F.one_hot(targets, c).float(), targets, vocab).plot_confusion_matrix()
    FigureCanvasAgg(figure).draw()
    (axes,) = figure.axes
    for labels, start, end in ((axes.get_yticklabels(), "y0", "y1"), (axes.get_xticklabels(), "x0", "x1")):
        boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: getattr(box, start))
        assert len(boxes) == c or len(boxes) > 30
        assert all(getattr(a, end) <= getattr(b, start) + 0.5 for a, b in pairwise(boxes))
        assert all(box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1 for box in boxes)
        assert all(label.get_fontsize() >= 6 for label in labels)
    assert all(text.get_window_extent().width <= axes.bbox.width / c for text in axes.texts)
    assert bool(axes.texts) == (c < 100)


@pytest.mark.parametrize("c", [2, 8, 37, 100, 1000])
@pytest.mark.parametrize(
    "title", ["", "a title\nof several lines\nof which this one is far longer than the others " * 2]
)
def test_any_matrix_fits_a_laptops_screen(c, title):
    names = [shorten(f"a breed with quite a name {i}") for i in range(c)]
    width, height = screen_size(names, title)
    assert width <= 9.3 and height <= 6.2  # what JupyterLab, with its file browser, leaves of 1366 x 768 pixels


def test_numbers_at_37_classes_are_no_smaller_than_names():
    interp = example(n=2000, c=37)
    interp.vocab = [f"a breed with quite a name {i}" for i in range(37)]
    (axes,) = interp.plot_confusion_matrix().axes
    assert len(axes.get_yticklabels()) == 37
    assert axes.texts[0].get_fontsize() >= axes.get_yticklabels()[0].get_fontsize() >= 6.5  # 9 pixels


def test_where_not_all_fit_classes_with_most_mistakes_are_named():
    mistakes = np.array([5, 6, 0, 0, 9, 8, 0, 1])
    assert choose_rows(mistakes, 1) == list(range(8))
    assert choose_rows(mistakes, 2) == [1, 4, 7] and choose_rows(mistakes, 3) == [1, 4, 7]
    assert choose_rows(mistakes, 8) == [4]


def test_a_part_of_the_matrix_keeps_its_shares_and_counts_what_is_left_out():
    interp = example(c=12)
    chosen, counts = submatrix(interp.confusion_matrix(), 4, "confused"), interp.confusion_matrix()
    (axes,) = interp.plot_confusion_matrix("row", k=4, order="confused").axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [interp.vocab[c] for c in chosen]
    part = shares(counts, "row")[np.ix_(chosen, chosen)]
    assert sorted(texts(axes)) == sorted(f"{share:.0%}" for share in part.flat if share)
    shown, right = counts[np.ix_(chosen, chosen)].sum(), counts.diagonal()[chosen].sum()
    wrong = int((interp.preds != interp.targets).sum())
    assert axes.get_title() == (
        f"The 4 classes with most mistakes: right (blue) {right}, wrong (orange) {shown - right}\n"
        f"not shown: {200 - shown} images, {wrong - (shown - right)} of them wrong\n"
        "cells: share of the actual class"
    )


def test_a_single_mistake_among_100_classes_shows_without_a_number():
    targets = torch.arange(100).repeat_interleave(30)
    preds = targets.clone()
    preds[0], preds[30:38] = 99, 50  # one mistake in a cell, eight in another
    figure = ClassificationInterpretation(F.one_hot(preds, 100).float(), targets, list(map(str, range(100))))
    (axes,) = figure.plot_confusion_matrix().axes
    assert axes.images[1].cmap(axes.images[1].norm(1))[2] < 0.65  # no pale orange
    assert not axes.texts and "k=20" in axes.get_title()


def test_figsize_dpi_and_title_of_the_source_texts():
    figure = example().plot_confusion_matrix(figsize=(12, 11), dpi=60, title="mine")
    assert figure.get_size_inches().tolist() == [12, 11] and figure.dpi == 60
    assert figure.axes[0].get_title() == "mine"


@pytest.fixture
def photos(tmp_path):
    paths = []
    for i in range(5):
        Image.new("RGB", (40 + 10 * i, 50), (50 * i, 100, 100)).save(tmp_path / f"photo_{i}.png")
        paths.append(tmp_path / f"photo_{i}.png")
    return paths


def test_top_losses_show_both_probabilities_and_the_file(photos):
    probs = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7], [0.99, 0.01]])
    interp = ClassificationInterpretation(probs, torch.tensor([0, 1, 1, 0, 1]), ["cat", "dog"], photos)
    figure = interp.plot_top_losses(3)
    titles = [axes.get_title() for axes in figure.axes if axes.images]
    assert titles[0] == "predicted cat 99%\nactual dog 1%\nloss 4.61, photo_4.png"
    assert [title.rsplit(" ", 1)[1] for title in titles] == ["photo_4.png", "photo_3.png", "photo_2.png"]
    shapes = [axes.images[0].get_array().shape for axes in figure.axes if axes.images]
    assert shapes == [(50, 80, 3), (50, 70, 3), (50, 60, 3)]  # whole pictures, not squeezed
    right = interp.plot_top_losses(1, largest=False).axes[0]
    assert right.get_title().endswith("photo_0.png") and right.title.get_color() != figure.axes[0].title.get_color()


@pytest.mark.parametrize("size", [(80, 80), (80, 60), (60, 80), (160, 40)])
def test_rows_of_images_are_as_high_as_the_images_and_all_captions_fit(size):
    photos = [Image.new("RGB", size)] * 6
    interp = ClassificationInterpretation(
        torch.full((6, 2), 0.5), torch.zeros(6), ["american_pit_bull_terrier", "b"], photos
    )
    figure = interp.plot_top_losses(6)
    FigureCanvasAgg(figure).draw()
    above, below = figure.axes[0], figure.axes[3]
    captions = [axes.title.get_window_extent() for axes in figure.axes]
    assert max(box.y1 for box in captions) < figure._suptitle.get_window_extent().y0 + 1
    assert min(axes.bbox.y0 for axes in figure.axes) >= 0
    assert captions[0].x1 <= captions[1].x0 and captions[1].x1 <= captions[2].x0
    gap = above.bbox.y0 - captions[3].y1  # between the images of a row and the captions of the next
    assert 0 <= gap <= 0.25 * figure.dpi
    assert below.bbox.width == pytest.approx(below.bbox.height * size[0] / size[1], rel=0.02)
    assert below.bbox.width > 2.3 * figure.dpi  # as wide as the column


def test_rows_of_wide_and_of_high_images_share_a_figure():
    photos = [Image.new("RGB", size) for size in [(80, 40)] * 3 + [(40, 80)] * 3]
    interp = ClassificationInterpretation(torch.full((6, 2), 0.5), torch.zeros(6), ["a", "b"], photos)
    figure = interp.plot_images(range(6))
    FigureCanvasAgg(figure).draw()
    assert figure.axes[0].bbox.width > 2.3 * figure.dpi and figure.axes[3].bbox.height > 3.5 * figure.dpi
    assert figure.axes[0].bbox.y0 - figure.axes[3].title.get_window_extent().y1 <= 0.25 * figure.dpi


@pytest.mark.parametrize(
    ("k", "nrows", "grid"), [(5, 1, (1, 5)), (5, 2, (2, 3)), (2, None, (1, 2)), (99, None, (2, 3))]
)
def test_the_grid_of_top_losses(photos, k, nrows, grid):
    interp = ClassificationInterpretation(torch.full((5, 2), 0.5), torch.zeros(5), ["a", "b"], photos)
    geometry = interp.plot_top_losses(k, nrows=nrows).axes[0].get_gridspec().get_geometry()
    assert geometry == grid


def test_the_images_of_a_cell_are_shown_with_their_captions(photos):
    probs = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7], [0.99, 0.01]])
    interp = ClassificationInterpretation(probs, torch.tensor([0, 1, 1, 0, 1]), ["cat", "dog"], photos)
    figure = interp.plot_images(interp.where("dog", "cat"), title="dogs that were taken for cats")
    names = [axes.get_title().rsplit(" ", 1)[1] for axes in figure.axes if axes.images]
    assert names == ["photo_4.png", "photo_2.png"]
    with pytest.raises(DataError, match="empty"):
        interp.plot_images([])


def test_without_items_there_are_no_pictures_and_a_clear_message():
    with pytest.raises(DataError, match="items"):
        example().plot_top_losses(2)


def test_images_that_are_no_files_are_named_by_position():
    item = Image.new("RGB", (8, 8))
    interp = ClassificationInterpretation(torch.tensor([[0.2, 0.8]]), torch.tensor([1]), ["a", "b"], [item])
    assert interp.plot_top_losses(1).axes[0].get_title().endswith("image 0")


# ---- from a learner


class OnlyPredicts:
    """As much of a learner as interpretation may use; counts how often it is asked."""

    def __init__(self, dls):
        self.dls, self.asked = dls, []

    def get_preds(self, dl):
        self.asked.append(dl)
        brightness = torch.cat([x.mean((1, 2, 3)) for x, _ in dl])
        probs = torch.stack([1 - brightness, brightness], dim=1)
        return probs, None if dl.targets is None else torch.tensor(dl.targets)


@pytest.fixture
def learn(tiny_images):
    block = DataBlock(get_y=parent_label, item_tfms=Resize(24), batch_tfms=aug_transforms())
    return OnlyPredicts(block.dataloaders(tiny_images, bs=4, device="cpu"))


def test_a_learner_is_asked_once_about_its_validation_set(learn):
    interp = ClassificationInterpretation.from_learner(learn)
    interp.plot_confusion_matrix()
    interp.plot_top_losses(2)
    assert learn.asked == [learn.dls.valid]
    assert interp.targets.tolist() == learn.dls.valid.targets and interp.items == learn.dls.valid.sources
    assert interp.vocab == ["dark", "light"] and interp.confusion_matrix().trace() == len(interp.targets)


def test_training_images_are_predicted_in_order_and_not_augmented(learn):
    first, second = (ClassificationInterpretation.from_learner(learn, dl=learn.dls.train) for _ in range(2))
    assert not any(dl.training for dl in learn.asked)
    assert torch.equal(first.probs, second.probs)
    assert first.items == learn.dls.train.sources and len(first.items) == len(learn.dls.train.targets)


def test_images_without_labels_are_refused(learn):
    with pytest.raises(DataError, match="with_labels"):
        ClassificationInterpretation.from_learner(learn, dl=learn.dls.test_dl(learn.dls.valid.items))


def test_ds_idx_0_is_the_training_set_as_in_get_preds(learn):
    interp = ClassificationInterpretation.from_learner(learn, 0)
    assert interp.items == learn.dls.train.sources


@pytest.mark.parametrize(
    ("probs", "vocab", "losses", "message"),
    [
        (torch.tensor([[2.0, -1.0], [0.5, 0.5]]), ["a", "b"], None, "softmax"),
        (torch.eye(2), ["a", "a"], None, "1 names for 2"),
        (torch.eye(2), ["a", "b"], torch.ones(3), r"shape \(3,\)"),
    ],
)
def test_logits_equal_names_and_losses_of_others_are_refused(probs, vocab, losses, message):
    with pytest.raises(DataError, match=message):
        ClassificationInterpretation(probs, torch.tensor([0, 1]), vocab, losses=losses)


def test_a_dollar_in_the_name_of_a_class_is_no_formula():
    interp = ClassificationInterpretation(torch.eye(2), torch.arange(2), [r"$\foo$", "US$"])
    FigureCanvasAgg(interp.plot_confusion_matrix()).draw()


def test_a_class_called_accuracy_keeps_its_row_in_the_report():
    interp = ClassificationInterpretation(torch.eye(2), torch.arange(2), ["accuracy", "b"])
    table = interp.classification_report()
    assert list(table.index) == ["accuracy", "b", "accuracy", "macro avg", "weighted avg"]
    assert table["support"].tolist() == [1, 1, 2, 2, 2]


# ---- what people pass


def small_photos(folder, n: int) -> list:
    for i in range(n):
        Image.new("RGB", (20, 20), (10 * i, 0, 0)).save(folder / f"{i}.png")
    return [folder / f"{i}.png" for i in range(n)]


@pytest.mark.parametrize("form", [lambda m: m, lambda m: m.tolist(), lambda m: m.numpy(), lambda m: pd.Series(m)])
def test_images_can_be_chosen_by_a_mask(tmp_path, form):
    interp = example(n=8, c=3, items=small_photos(tmp_path, 8))
    mask = torch.arange(8) % 4 == 1  # images 1 and 5
    titles = [axes.get_title() for axes in interp.plot_images(form(mask)).axes]
    assert ["1.png" in titles[0], "5.png" in titles[1], len(titles)] == [True, True, 2]


def test_positions_that_do_not_exist_are_refused_and_no_mistakes_are_told(tmp_path):
    interp = example(n=8, c=3, items=small_photos(tmp_path, 8))
    with pytest.raises(ArgumentError, match="go from 0 to 7"):
        interp.plot_images([99])
    with pytest.raises(ArgumentError, match="there are 3 values for 8 items"):
        interp.plot_images([True, False, True])
    with pytest.raises(DataError, match="no images to show"):
        interp.plot_images(torch.zeros(8, dtype=torch.bool))


def test_classes_are_found_by_their_name_whatever_its_type():
    interp = ClassificationInterpretation(torch.eye(2)[[1, 0, 1]] * 0.8 + 0.1, torch.tensor([0, 0, 1]), ["0", "1"])
    assert interp.where(0, 1) == interp.where("0", "1") == interp.where(np.int64(0), 1.0) == [0]
    with pytest.raises(DataError, match="There is no class 2"):
        interp.where(0, 2)


def test_names_that_are_no_utf8_can_be_shown_and_written():
    table = example(n=3, c=3, items=["a/caf\udce9.jpg", "b.jpg", "c.jpg"]).table()
    assert table["item"].tolist() == ["a/caf\\xe9.jpg", "b.jpg", "c.jpg"]
    assert str(table).encode() and table.to_csv().encode()
