"""The explorer of confusion without a browser: what it shows holds together, and its buttons write into the table."""

import html
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from coursekit.core import DataError
from coursekit.course.explore_confusion import (
    MOST_CLASSES,
    cell_text,
    confusion_explorer,
    confusion_state,
    describe_confusion,
    draw_confusion,
    thumbnail,
)
from coursekit.results.cleaning import Cleaning
from coursekit.results.confusion import cell_colours
from coursekit.results.decisions import Decision
from coursekit.results.interpret import ClassificationInterpretation


def interpretation(n_classes: int, items=None, n: int = 400, sure: float = 0.5) -> ClassificationInterpretation:
    rng = np.random.default_rng(0)
    targets = rng.integers(0, n_classes, n)
    probs = rng.dirichlet(np.full(n_classes, 0.3), n)
    probs[np.arange(n), targets] += sure
    vocab = [f"class <{i}>" for i in range(n_classes)]
    return ClassificationInterpretation(torch.tensor(probs / probs.sum(1, keepdims=True)), targets, vocab, items)


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    files = [tmp_path / f"{i}.png" for i in range(60)]
    for i, file in enumerate(files):
        Image.new("RGB", (12, 8), (4 * i, 90, 90)).save(file)
    return files


@pytest.fixture
def cleaning(tmp_path: Path) -> Cleaning:
    return Cleaning(tmp_path / "cleaning.csv")


@pytest.fixture
def view(photos, cleaning):
    return confusion_explorer(interpretation(3, photos, n=60), cleaning).view()


# what is shown


@pytest.mark.parametrize("n_classes", [1, 2, 5, 12, 37, 100])
def test_the_part_that_is_shown_is_a_part_of_the_matrix(n_classes):
    interp = interpretation(n_classes)
    state, matrix = confusion_state(interp), interp.confusion_matrix()
    assert len(state["names"]) == min(n_classes, MOST_CLASSES)
    places = [interp.vocab.index(name) for name in state["names"]]
    assert (state["counts"] == matrix[np.ix_(places, places)]).all()
    assert state["wrong"] == (interp.preds != interp.targets).sum() and state["n"] == 400
    assert state["wrong_shown"] == state["counts"].sum() - state["counts"].trace()


def test_the_cell_is_the_pair_confused_most_and_its_images_come_by_loss():
    interp = interpretation(37)
    state = confusion_state(interp, k=12)
    _, _, n = max((p for p in interp.most_confused() if {*p[:2]} <= {*state["names"]}), key=lambda p: p[2])
    assert (
        len(state["positions"]) == n
        and state["counts"][state["names"].index(state["cell"][0]), state["names"].index(state["cell"][1])] == n
    )
    for i in state["positions"]:
        assert (interp.vocab[interp.targets[i]], interp.vocab[interp.preds[i]]) == state["cell"]
    losses = interp.losses[state["positions"]].tolist()
    assert losses == sorted(losses, reverse=True)


def test_without_mistakes_right_answers_are_shown():
    interp = ClassificationInterpretation(torch.eye(3)[[0, 1, 1, 2]], [0, 1, 1, 2], ["a", "b", "c"])
    state = confusion_state(interp)
    assert state["cell"] == ("b", "b") and state["positions"] == [1, 2] and state["wrong"] == 0


@pytest.mark.parametrize("normalize", [None, "row", "column"])
@pytest.mark.parametrize("order", [None, "confused"])
def test_shares_are_shares_of_all_images_and_orders_hold_the_same_classes(normalize, order):
    interp = interpretation(37)
    state = confusion_state(interp, normalize=normalize, order=order, k=6)
    whole = interp.confusion_matrix()
    place = [interp.vocab.index(name) for name in state["names"]]
    sums = {None: 1, "row": whole.sum(1)[place][:, None], "column": whole.sum(0)[place][None]}[normalize]
    assert np.allclose(state["values"] * sums, state["counts"])
    assert sorted(state["names"]) == sorted(confusion_state(interp, k=6)["names"])


def test_the_minimum_hides_mistakes_and_no_right_answers():
    state = confusion_state(interpretation(5), minimum=10**6)
    assert (state["written"] == (np.eye(5, dtype=bool) & (state["counts"] > 0))).all()
    assert cell_text(3, False) == "·" and cell_text(0, False) == "" and cell_text(np.float64(0.034), True) == "3%"


def test_a_class_or_an_order_that_is_not_known_is_refused():
    for wrong in ({"cell": ("class <0>", "cat")}, {"order": "random"}, {"normalize": "all"}):
        with pytest.raises(DataError, match=r"cat|random|all"):
            confusion_state(interpretation(3), **wrong)


def test_words_count_what_is_not_shown():
    assert "12 of 37 classes" in describe_confusion(confusion_state(interpretation(37)))
    assert "All 3 classes" in describe_confusion(confusion_state(interpretation(3)))


# colours and pictures


def contrast(a: str, b: str) -> float:
    """The contrast ratio of WCAG 2 with its exact formula."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def test_numbers_can_be_read_on_every_colour():
    for values in (np.diag(np.arange(1, 40)), np.arange(1600).reshape(40, 40)):
        for row in cell_colours(values):
            assert all(contrast(*pair) >= 4.5 for pair in row)


def test_zeros_are_white_and_more_is_darker():
    colours = cell_colours(np.array([[9, 0, 1], [0, 9, 2], [0, 0, 9]]))
    assert colours[0][1][0] == "#ffffff" and contrast(colours[1][2][0], "#ffffff") > contrast(
        colours[0][2][0], "#ffffff"
    )


@pytest.mark.parametrize("size", [(1, 1), (500, 3), (40, 60)])
def test_a_thumbnail_fits_and_shows_each_decision_otherwise(size):
    image = Image.new("RGB", size, "orange")
    seen = [thumbnail(image, d) for d in (None, Decision("keep"), Decision("relabel", "cat"), Decision("drop"))]
    assert {picture.size for picture in seen} == {(150, 150)}
    assert len({picture.tobytes() for picture in seen}) == 4


def test_a_photo_that_cannot_be_opened_does_not_stop_the_others(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert thumbnail(tmp_path / "broken.png").tobytes() != thumbnail(Image.new("RGB", (9, 9), "#e6e6e6")).tobytes()


@pytest.mark.parametrize("n_classes", [2, 37])
def test_the_picture_for_readers_frames_the_cell_and_shows_its_images(photos, n_classes):
    explorer = confusion_explorer(interpretation(n_classes, photos, n=60))
    state = explorer.state()
    shown = {"images": [thumbnail(photos[0])], "words": ["predicted 50%"]}
    figure = draw_confusion({**state, **shown})
    assert isinstance(figure, Figure)
    matrix, first, second = figure.axes[0], figure.axes[1], figure.axes[2]
    assert [patch.get_width() for patch in matrix.patches] == [1]
    assert len(first.images) == 1 and first.get_xlabel() == "predicted 50%" and not second.images
    assert explorer.picture().alt == describe_confusion(state)


def test_the_picture_for_readers_hides_rare_mistakes_as_the_live_matrix_does(photos):
    explorer = confusion_explorer(interpretation(3, photos, n=60))
    state = explorer.state(minimum=5)
    assert not state["written"].all()
    texts = draw_confusion({**state, "images": [], "words": []}).axes[0].texts
    shown = {tuple(map(int, text.get_position()))[::-1]: text.get_text() for text in texts}
    for row, column in zip(*state["counts"].nonzero(), strict=True):
        count = state["counts"][row, column]
        assert shown[row, column] == ("·" if row != column and count < 5 else str(count))


def test_dollars_in_names_are_no_formula(tmp_path):
    file = tmp_path / "US$5_vs_$6.png"
    Image.new("RGB", (9, 9)).save(file)
    interp = ClassificationInterpretation(torch.eye(2)[[0, 1]], [1, 1], [r"$\foo$", "$b$"], [file, file])
    assert confusion_explorer(interp).picture().png.startswith(b"\x89PNG")


# live


def parts(view):
    """The controls, the buttons of the matrix by their tooltip, and the cards of the images."""
    controls, _, beside = view.children
    matrix, images = beside.children
    buttons = {b.tooltip: b for b in matrix.children if type(b).__name__ == "Button"}
    return {c.description: c for c in controls.children}, buttons, images.children


def cards(view):
    return [
        (card, {b.description: b for row in card.children[2:-1] for b in row.children if hasattr(b, "tooltip")})
        for card in parts(view)[2][1].children
    ]


def decide(view, i: int, what: str):
    card, buttons = cards(view)[i]
    before = bytes(card.children[0].value)
    buttons[what].click()
    return card, before


def test_the_view_opens_on_the_pair_confused_most(view, photos):
    state = confusion_explorer(interpretation(3, photos, n=60)).state()
    assert html.unescape(view.children[1].value).count(describe_confusion(state)) == 1
    assert len(cards(view)) == min(4, len(state["positions"]))


def test_a_clicked_cell_shows_its_images_and_is_framed(view, photos):
    interp = interpretation(3, photos, n=60)
    for tooltip, button in parts(view)[1].items():
        button.click()
        assert button.layout.border_top == "2px solid #000000"
        assert sum(b.layout.border_top is not None for b in parts(view)[1].values()) == 1
        actual, predicted = tooltip.split(": ")[0].removeprefix("actual ").split(", predicted ")
        names = [photos[i].name for i in interp.where(actual, predicted)]
        assert tooltip.endswith(f": {len(names)} image{'s' * (len(names) != 1)}")
        for (card, _), name in zip(cards(view), names, strict=False):
            assert name in card.children[1].value


def test_cells_without_images_cannot_be_pressed():
    items = [np.zeros((4, 4, 3), np.uint8)] * 4
    view = confusion_explorer(
        ClassificationInterpretation(torch.eye(2)[[0, 1, 1, 1]], [0, 1, 1, 0], "ab", items)
    ).view()
    assert [b.disabled for b in parts(view)[1].values()] == [False, False, True, False]


def test_each_decision_is_on_disk_at_once_and_shown_on_the_image(view, cleaning):
    for what, kind in (("keep", "keep"), ("drop", "drop"), ("relabel", "relabel")):
        card, before = decide(view, 0, what)
        assert Cleaning(cleaning.file).table()["decision"].tolist() == [kind]
        assert bytes(card.children[0].value) != before
    assert "new label" in card.children[-1].value
    decide(view, 0, "undo")
    assert len(Cleaning(cleaning.file).table()) == 0


def test_the_new_label_is_the_chosen_one_and_choosing_alone_decides_nothing(view, cleaning):
    card, buttons = cards(view)[1]
    dropdown = next(w for row in card.children[2:4] for w in row.children if type(w).__name__ == "Dropdown")
    for label in dropdown.options:
        dropdown.value = label
    assert not cleaning.file.exists()
    dropdown.value = "class <0>"
    buttons["relabel"].click()
    assert cleaning.table()["label"].tolist() == ["class <0>"]


def test_decisions_survive_a_change_of_class_and_of_the_kernel(view, photos, cleaning):
    card, before = decide(view, 0, "drop")
    decided, words = bytes(card.children[0].value), card.children[1].value
    home = next(tooltip for tooltip, b in parts(view)[1].items() if b.layout.border_top)
    for button in parts(view)[1].values():
        button.click()
    parts(view)[1][home].click()
    again = confusion_explorer(interpretation(3, photos, n=60), Cleaning(cleaning.file)).view()
    for shown in (view, again):
        card, _ = cards(shown)[0]
        assert (bytes(card.children[0].value), card.children[1].value) == (decided, words) and decided != before


def test_what_prevents_a_decision_is_said_below_the_image(view, photos, cleaning):
    cleaning.file.write_text("no table")
    card, _ = decide(view, 0, "drop")
    assert "alert" in card.children[-1].value and "cleaning.csv" in card.children[-1].value
    assert cleaning.file.read_text() == "no table"


def test_pages_go_through_all_images_of_a_cell(view):
    button = max(parts(view)[1].values(), key=lambda b: int(b.tooltip.split(": ")[1].split()[0]))
    button.click()
    n, seen = int(button.tooltip.split(": ")[1].split()[0]), []
    back, words, forth = parts(view)[2][0].children
    assert back.disabled
    while True:
        seen += [card.children[1].value for card, _ in cards(view)]
        if forth.disabled:
            break
        forth.click()
    assert len(set(seen)) == len(seen) == n and words.value.endswith(f"to {n} of {n}")
    back.click()
    assert not forth.disabled


def test_every_control_changes_the_matrix(photos):
    view = confusion_explorer(interpretation(37, photos, n=60, sure=0.1)).view()

    def shown():
        grid = view.children[2].children[0]
        return [getattr(child, "description", None) or getattr(child, "value", "") for child in grid.children]

    for control in parts(view)[0].values():
        start, before = control.value, shown()
        assert control.index is not None, f"{control.description} is blank"
        seen = []
        for _, value in control.options:
            control.value = value
            seen.append(shown())
        assert any(other != before for other in seen), control.description
        control.value = start
        assert shown() == before


def test_without_a_table_there_is_nothing_to_decide_and_without_images_nothing_to_show(photos):
    view = confusion_explorer(interpretation(3, photos, n=60)).view()
    assert len(parts(view)[2][1].children[0].children) == 3  # image, words, message
    with pytest.raises(DataError, match="no images"):
        confusion_explorer(interpretation(3))


def test_names_from_files_are_text_and_not_html(tmp_path):
    file = tmp_path / "<b>bold.png"
    Image.new("RGB", (9, 9)).save(file)
    view = confusion_explorer(ClassificationInterpretation(torch.eye(2)[[0]], [1], ["<i>a", "b"], [file])).view()
    said = cards(view)[0][0].children[1].value + view.children[1].value
    assert "<b>" not in said and "<i>" not in said and "&lt;b&gt;" in said
    assert all("<i>" not in w.value for w in view.children[2].children[0].children if type(w).__name__ == "HTML")


def test_pictures_are_png():
    assert (
        Image.open(
            io.BytesIO(confusion_explorer(interpretation(2, [np.zeros((4, 4, 3), np.uint8)] * 400)).picture().png)
        ).format
        == "PNG"
    )
