"""Figures and grids of images (coursekit.plot)."""

import sys

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from coursekit.plot import new_figure, show_images


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
