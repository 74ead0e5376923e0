"""The explorer of unfreezing without a browser: it replays what was recorded, and what it shows holds together."""

import itertools
import json
import math

import pytest
from matplotlib.figure import Figure

from coursekit.core import DataError
from coursekit.course.explore_freezing import (
    describe_freezing,
    draw_freezing,
    freezing_explorer,
    freezing_state,
    freezing_verdict,
)
from coursekit.course.widgets import read_recording
from coursekit.models.model import build_model
from coursekit.training.transfer import count_parameters, group_lrs, layer_groups

EXPLORER = freezing_explorer()
CHOICES = {name: list(control.options.values()) for name, control in EXPLORER.controls.items()}
STATES = [dict(zip(CHOICES, values, strict=True)) for values in itertools.product(*CHOICES.values())]


def test_every_choice_of_the_controls_was_recorded_and_can_be_drawn_and_said():
    for choice in STATES:
        state = EXPLORER.state(**choice)
        assert 0 <= state["error"] <= 1 and math.isfinite(state["loss"])
        assert f"{state['error']:.0%}" in describe_freezing(state)
    assert isinstance(draw_freezing(EXPLORER.state()), Figure)


@pytest.mark.parametrize("choice", STATES)
def test_what_is_frozen_does_not_move_and_what_trains_moves_if_steps_are_made(choice):
    state = freezing_state(**choice)
    assert state["trains"] == [i >= choice["frozen"] for i in range(3)]
    for i in range(3):
        steps = state["trains"][i] and choice["high"] > 0
        assert (state["rates"][i] > 0) == bool(steps)
        assert (state["moved"][i] > 0) == bool(steps)
        assert (state["stretch"][i] > 1) == (state["shift"][i] > 0) == state["batch_statistics"][i]


@pytest.mark.parametrize("share", [1.0, 0.01])
@pytest.mark.parametrize("high", [1e-3, 3e-3])
def test_rates_are_those_of_lesson_8(high, share):
    assert freezing_state(0, high, share)["rates"] == group_lrs(slice(share * high, high), 3)


def test_only_statistics_that_change_break_the_model():
    start = freezing_state()["start_error"]
    assert freezing_state(high=0.0, norms="group")["error"] > 1.5 * start
    assert freezing_state(high=0.0, norms="kept")["error"] == pytest.approx(start, abs=0.03)
    assert freezing_state(frozen=2, high=0.0)["error"] == pytest.approx(start, abs=0.03)


def test_the_slice_wins_against_the_head_alone_and_one_rate_for_all_loses():
    head, moving = freezing_state(frozen=2), freezing_state(frozen=1, norms="group")
    one_rate, best = freezing_state(frozen=1, share=1.0), freezing_state(frozen=1)
    assert best["loss"] < best["start_loss"]
    assert best["loss"] < min(head["loss"], one_rate["loss"], moving["loss"])
    assert best["error"] < min(head["error"], one_rate["error"], moving["error"])


def test_choices_that_come_to_the_same_run_show_the_same():
    assert freezing_state(frozen=2, norms="kept")["moved"] == freezing_state(frozen=2)["moved"]
    assert freezing_state(frozen=2, share=1.0)["loss"] == freezing_state(frozen=2)["loss"]


@pytest.mark.parametrize("choice", [{"frozen": 3}, {"high": 1.0}, {"share": 0.5}, {"norms": "all"}])
def test_what_was_not_recorded_is_refused(choice):
    with pytest.raises(DataError, match="recorded"):
        freezing_state(**choice)


def test_the_verdict_calls_a_difference_within_two_standard_errors_none():
    state = freezing_state()
    deviation = math.sqrt(state["start_error"] * (1 - state["start_error"]) / read_recording("freezing")["n_valid"])
    for shift, word in ((-3, "better"), (-1.5, "little changed"), (1.5, "little changed"), (3, "worse")):
        assert word in freezing_verdict({**state, "error": state["start_error"] + shift * deviation})


def test_the_recording_is_of_the_library_s_groups_and_small():
    record = read_recording("freezing")
    assert record["groups"] == [count_parameters(g) for g in layer_groups(build_model("efficientnet_lite0", 2))]
    assert len(json.dumps(record)) < 200_000


def test_every_control_redraws_the_view():
    view = EXPLORER.view()
    controls, image, words = view.children
    for widget in controls.children[0].children:
        start, before = widget.value, (bytes(image.value), words.value)
        widget.value = next(value for _, value in widget.options if value != start)
        assert bytes(image.value) != before[0] and words.value != before[1]
        widget.value = start
