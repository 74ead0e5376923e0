"""Figures and grids of images (coursekit.plot)."""

import sys
import warnings

import numpy as np
import pytest
import torch
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.font_manager import fontManager
from matplotlib.text import Text
from PIL import Image

from coursekit import plot
from coursekit.course.explore_predict import draw_prediction
from coursekit.plot import drawable, new_figure, show_images
from coursekit.results.interpret import ClassificationInterpretation


def test_show_images_takes_pil_images_arrays_and_tensors():
    img = Image.new("RGB", (4, 4), (255, 0, 0))
    figure = show_images([img, np.asarray(img), torch.ones(3, 4, 4)], ["a", "b", "c"], suptitle="three")
    assert [ax.get_title() for ax in figure.axes if ax.images] == ["a", "b", "c"]


def test_a_tensor_is_drawn_upright_and_cut_to_its_range():
    tensor = torch.tensor([-0.5, 0.25, 1.5]).reshape(3, 1, 1).expand(3, 2, 5)
    drawn = show_images([tensor]).axes[0].images[0].get_array()
    assert drawn.shape == (2, 5, 3) and drawn[0, 0].tolist() == [0, 0.25, 1]


@pytest.mark.parametrize(
    ("given", "grid"),
    [({}, (2, 3)), ({"nrows": 1}, (1, 5)), ({"ncols": 2}, (3, 2)), ({"nrows": 2, "ncols": 4}, (2, 4))],
)
def test_the_grid_is_as_square_as_possible_unless_it_is_given(given, grid):
    figure = show_images(np.zeros((5, 4, 4, 3), np.uint8), **given)
    assert figure.axes[0].get_gridspec().get_geometry() == grid
    assert not any(ax.axison for ax in figure.axes)


def test_a_dollar_in_a_name_is_no_formula():
    figure = show_images([np.zeros((8, 8, 3), np.uint8)], [r"US$5 or $\foo$"])
    FigureCanvasAgg(figure).draw()  # a formula that matplotlib does not know would raise here


def test_a_name_that_is_no_utf8_can_be_drawn():
    FigureCanvasAgg(show_images([np.zeros((8, 8, 3), np.uint8)], ["caf\udce9"])).draw()


def test_figures_belong_to_nobody():
    assert new_figure(3, 2).get_size_inches().tolist() == [3, 2]
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or pyplot.get_fignums() == []


# ---- names in any script

KOREAN, CHINESE = "고양이", "犬"


@pytest.fixture
def fresh_warnings():
    """What has been said once in this process is said again."""
    plot._warn_of_missing.cache_clear()
    yield
    plot._warn_of_missing.cache_clear()


@pytest.fixture
def korean_font(tmp_path, monkeypatch):
    """An installed font that has three Korean letters, each a filled square, and no others."""
    builder = FontBuilder(1000, isTTF=True)
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 800), (800, 800), (800, 0)):
        pen.lineTo(corner)
    pen.closePath()
    glyph = pen.glyph()
    builder.setupGlyphOrder([".notdef", "square"])
    builder.setupCharacterMap({ord(letter): "square" for letter in KOREAN})
    builder.setupGlyf({".notdef": glyph, "square": glyph})
    builder.setupHorizontalMetrics({".notdef": (900, 0), "square": (900, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Test Sans Korean", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(tmp_path / "korean.ttf")
    monkeypatch.setattr(fontManager, "ttflist", list(fontManager.ttflist))
    fontManager.addfont(tmp_path / "korean.ttf")
    return "Test Sans Korean"


def drawn(figure) -> list[str]:
    """Draws a figure, and returns the warnings."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        FigureCanvasAgg(figure).draw()
    return [str(warning.message) for warning in found]


def interpretation(vocab):
    """One image right of each class, one wrong."""
    targets = torch.tensor([0, 1, 0, 1])
    images = [Image.new("RGB", (8, 8))] * 4
    return ClassificationInterpretation(torch.eye(2)[[0, 1, 1, 0]], targets, vocab, images)


FIGURES = {
    "images": lambda vocab: show_images(np.zeros((2, 8, 8, 3), np.uint8), vocab, suptitle=vocab[0]),
    "confusion": lambda vocab: interpretation(vocab).plot_confusion_matrix(),
    "losses": lambda vocab: interpretation(vocab).plot_top_losses(4),
    "prediction": lambda vocab: draw_prediction(
        {"name": vocab[0], "label": vocab[0], "names": vocab, "probs": [0.9, 0.1], "rest": None,
         "thumbnail": Image.new("RGB", (8, 8))}
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FIGURES)
def test_an_installed_font_that_has_the_letters_is_used(kind, korean_font, fresh_warnings):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = FIGURES[kind]([KOREAN, "dog"])
    assert drawn(figure) == []
    texts = [text for text in figure.findobj(Text) if KOREAN in text.get_text()]
    assert texts and all(text.get_fontfamily()[-1] == korean_font for text in texts)
    assert all(text.get_fontfamily()[0] != korean_font for text in figure.findobj(Text))  # matplotlib's own comes first


@pytest.mark.parametrize("kind", FIGURES)
def test_without_such_a_font_one_warning_says_which_and_what_to_set(kind, fresh_warnings):
    with pytest.warns(UserWarning, match=r"Korean letters.*font\.family") as found:
        figure = FIGURES[kind]([KOREAN, "dog"])
    assert len(found) == 1 and drawn(figure) == []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert drawn(FIGURES[kind]([KOREAN, "dog"])) == []  # the second figure says nothing


def test_each_script_is_named_and_letters_that_matplotlib_has_are_left(fresh_warnings):
    with pytest.warns(UserWarning) as found:
        assert drawable(f"Ωж {CHINESE} ह") == "Ωж □ □"
    assert sorted(str(warning.message).split()[4] for warning in found) == ["Chinese", "Devanagari"]


def test_the_users_own_font_is_asked_first(korean_font, fresh_warnings):
    with rc_context({"font.family": [korean_font, "DejaVu Sans"]}), warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = show_images(np.zeros((1, 8, 8, 3), np.uint8), [KOREAN])
        assert figure.axes[0].title.get_fontfamily() == [korean_font, "DejaVu Sans"]


@pytest.mark.parametrize("kind", FIGURES)
def test_names_whose_bytes_are_no_text_are_drawn_with_their_codes(kind):
    figure = FIGURES[kind](["caf\udce9", "dog"])
    assert drawn(figure) == []
    assert any(r"caf\xe9" in text.get_text() for text in figure.findobj(Text))


def test_a_report_of_such_names_can_be_printed():
    interp = interpretation(["caf\udce9", "dog"])
    for table in (interp.classification_report(), interp.class_errors()):
        assert r"caf\xe9" in str(table) and str(table).encode("utf-8")
