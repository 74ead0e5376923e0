"""The explorers without a browser: what they compute, what they draw and say, and that every control redraws."""

import base64
import io
import math

import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image
from torch.testing import assert_close

from coursekit.core import DataError
from coursekit.course.explore_cycle import cycle_explorer, cycle_state
from coursekit.course.explore_finder import finder_explorer, finder_state
from coursekit.course.explore_loss import (
    cross_entropy_explorer,
    cross_entropy_state,
    row_losses,
    softmax_explorer,
    softmax_state,
)
from coursekit.course.widgets import Choice, Explorer, Picture, Slider, curve_panel, read_recording, value_bars, value_text
from coursekit.losses import softmax
from coursekit.plot import new_figure
from coursekit.training.lr_finder import average_sweeps, minimum, slide, smooth, steep, sweep, valley
from coursekit.training.schedule import anneal_cosine, one_cycle, one_cycle_momentum

LOSS_EXPLORERS = pytest.mark.parametrize(
    "explorer", [softmax_explorer(), cross_entropy_explorer()], ids=["softmax", "loss"]
)
EXPLORERS = pytest.mark.parametrize(
    "explorer",
    [softmax_explorer(), cross_entropy_explorer(), finder_explorer(), cycle_explorer()],
    ids=["softmax", "loss", "finder", "cycle"],
)
ROWS = [(0.0, -2.5, 1.25), (4.0, -3.0, 0.5), (0.0, 8.0, 1.0), (-8.0, 8.0, 8.0), (0.0, 0.0, 0.0)]


# ---- softmax


@pytest.mark.parametrize("method", ["naive", "stable"])
@pytest.mark.parametrize("temperature", [0.25, 1.0, 4.0])
@pytest.mark.parametrize("shift", [-20.0, 0.0, 15.0])
def test_softmax_state_is_the_softmax_of_shifted_and_scaled_logits(method, temperature, shift) -> None:
    logits = (2.0, -1.25, 0.5, 0.0)
    state = softmax_state(logits, shift, temperature, method)
    expected = softmax(torch.tensor(logits) / temperature)
    assert_close(torch.tensor(state["probabilities"]), expected, atol=1e-6, rtol=1e-4)
    assert_close(torch.tensor(state["scaled"]), (torch.tensor(logits) + shift) / temperature)
    assert state["sum"] == pytest.approx(1) and not state["failed"]
    assert state["total"] == pytest.approx(sum(state["exps"]))


def test_a_shift_changes_neither_probabilities_nor_ratios() -> None:
    ratios = [softmax_state(shift=float(shift))["ratios"] for shift in range(-120, 121, 40)]
    assert all(row == pytest.approx(ratios[0]) for row in ratios)
    assert ratios[0] == pytest.approx([1, math.exp(-1), math.exp(-2), math.exp(-3)])


@pytest.mark.parametrize(("largest", "fails"), [(88.0, False), (88.5, False), (89.0, True), (120.0, True)])
def test_the_naive_softmax_overflows_near_89_and_the_stable_one_never(largest, fails) -> None:
    logits = (largest, 0.0, 0.0, 0.0)
    naive, stable = softmax_state(logits, method="naive"), softmax_state(logits)
    assert naive["failed"] is fails and math.isinf(naive["total"]) is fails
    assert not stable["failed"] and stable["total"] == 1


@pytest.mark.parametrize(("largest", "fails"), [(-103.0, False), (-104.0, True)])
def test_the_naive_softmax_underflows_below_minus_103(largest, fails) -> None:
    naive = softmax_state((largest,) * 4, method="naive")
    assert naive["failed"] is fails and (naive["total"] == 0) is fails


@pytest.mark.parametrize("options", [{"method": "exact"}, {"temperature": 0.0}, {"temperature": -1.0}])
def test_an_impossible_softmax_is_refused(options) -> None:
    with pytest.raises(DataError, match="naive"):
        softmax_state(**options)


# ---- cross-entropy


@pytest.mark.parametrize("logits", ROWS)
@pytest.mark.parametrize("target", range(3))
def test_the_cross_entropy_of_a_row_and_its_gradient_follow_the_formulas(logits, target) -> None:
    state = cross_entropy_state(logits, target)
    probs = torch.softmax(torch.tensor(logits), 0)
    truth = torch.eye(3)[target]
    assert state["p_target"] == pytest.approx(probs[target].item())
    assert state["row_loss"] == pytest.approx(-torch.log_softmax(torch.tensor(logits), 0)[target].item())
    assert state["gradient"] == pytest.approx((probs - truth).tolist(), abs=1e-6)
    assert state["baseline"] == pytest.approx(math.log(3))


@pytest.mark.parametrize("logits", ROWS)
@pytest.mark.parametrize("target", range(3))
def test_the_squared_error_of_a_row_and_its_gradient_follow_the_formulas(logits, target) -> None:
    state = cross_entropy_state(logits, target, "squared error")
    probs = torch.softmax(torch.tensor(logits), 0)
    error = probs - torch.eye(3)[target]
    assert state["row_loss"] == pytest.approx((error**2).sum().item(), abs=1e-6)
    by_hand = 2 * probs * (error - (probs * error).sum())
    assert state["gradient"] == pytest.approx(by_hand.tolist(), abs=1e-6)
    assert state["baseline"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("loss", ["cross-entropy", "squared error"])
@pytest.mark.parametrize("logits", ROWS[:3])
def test_the_row_is_a_point_on_the_curve(loss, logits) -> None:
    state = cross_entropy_state(logits, 0, loss)
    ps, losses = (torch.tensor(values) for values in state["curve"])
    assert (ps.diff() > 0).all() and ps[0] < 0.001 and ps[-1] > 0.999
    above = int((ps >= state["p_target"]).nonzero()[0])
    share = (state["p_target"] - ps[above - 1]) / (ps[above] - ps[above - 1])
    assert (losses[above - 1] + share * losses[above].sub(losses[above - 1])).item() == pytest.approx(
        state["row_loss"], rel=0.01
    )


def test_only_your_row_changes_the_losses() -> None:
    mine, other = cross_entropy_state(ROWS[0]), cross_entropy_state(ROWS[1])
    assert len(mine["rows"]) == len(mine["losses"]) == 4
    assert mine["losses"][1:] == other["losses"][1:] and mine["losses"][0] != other["losses"][0]
    assert mine["mean_loss"] == pytest.approx(sum(mine["losses"]) / 4)


def test_an_unknown_loss_is_refused() -> None:
    with pytest.raises(DataError, match="squared error"):
        row_losses(torch.zeros(1, 3), torch.tensor([0]), "hinge")


# ---- the learning-rate finder


def replayed(steps=100, **options):
    """The recorded sweeps over the finder's own range, put through `sweep` itself."""
    (one,) = [s for s in read_recording("lr_finder")["sweeps"] if (s["start"], s["end"], s["steps"]) == (1e-7, 10.0, steps)]
    batches = [iter(losses) for losses in one["losses"]]
    return [sweep(lambda lr, one=one: next(one), num_it=steps, **options) for one in batches]


@pytest.mark.parametrize("stop_factor", [1.5, 4.0, 16.0])
@pytest.mark.parametrize("steps", [50, 100, 200])
def test_the_finder_explorer_replays_what_the_finder_would_have_done(steps, stop_factor) -> None:
    state, sweeps = finder_state(steps=steps, stop_factor=stop_factor), replayed(steps, stop_factor=stop_factor)
    average = average_sweeps(sweeps)
    assert len(state["curves"]) == len(sweeps) == 5
    for (lrs, losses), one in zip(state["curves"], sweeps, strict=True):
        assert lrs == pytest.approx(one.lrs) and losses == pytest.approx(one.losses)
    assert state["average"][1] == pytest.approx(average.losses)


def test_the_readings_are_those_of_the_finder_for_the_average_and_each_seed() -> None:
    state, sweeps = finder_state(), replayed()
    for curve, readings in zip(
        [average_sweeps(sweeps), *sweeps], [state["suggestions"], *state["by_seed"]], strict=True
    ):
        expected = {f.__name__: f(*curve.trimmed(100)) for f in (minimum, steep, valley, slide)}
        assert readings == pytest.approx(expected)


def test_smoothing_changes_the_curve_and_not_the_raw_losses() -> None:
    rough, smoothed = finder_state(beta=0.0), finder_state(beta=0.98)
    (_, raw), (_, curve) = rough["raw"][0], rough["curves"][0]
    assert curve == pytest.approx(raw)
    n = len(curve)
    assert smoothed["raw"][0][1][:n] == pytest.approx(raw)
    assert smoothed["curves"][0][1][:n] == pytest.approx(smooth(raw))


@pytest.mark.parametrize("pick", [-6.0, -3.0, 0.5, 1.0])
def test_the_run_is_the_recorded_one_at_the_rate_that_was_picked(pick) -> None:
    state = finder_state(pick=pick)
    assert state["lr"] == pytest.approx(10**pick, rel=0.01)
    (run,) = [run for run in read_recording("lr_finder")["runs"] if run["lr"] == state["lr"]]
    assert state["errors"] == run["errors"] and len(state["run"]) == len(run["losses"]) == 3
    assert state["run"][0] == pytest.approx(smooth(run["losses"][0], 0.9))


def test_where_nothing_can_be_read_the_explorer_says_so() -> None:
    state = finder_state(stop_factor=1.5, beta=0.0)  # the first jump of a batch ends each sweep
    assert state["why"] == "ends at once" and all(math.isnan(lr) for lr in state["suggestions"].values())
    assert "No rate can be read" in finder_explorer().picture(stop_factor=1.5, beta=0.0).alt


def test_a_sweep_that_was_not_recorded_is_refused() -> None:
    with pytest.raises(DataError, match="1e-07 to 10 in 50"):
        finder_state(steps=70)


def test_every_choice_of_the_finder_explorer_can_be_drawn() -> None:
    controls = finder_explorer().controls
    for span in controls["span"].options.values():
        for steps in controls["steps"].options.values():
            for beta in (0.0, 0.98):
                assert finder_explorer().picture(span=span, steps=steps, beta=beta, pick=1.0).png


def test_the_recording_is_small_and_was_made_on_photos() -> None:
    from importlib import resources

    file = resources.files("coursekit.course").joinpath("recorded/lr_finder.json")
    assert len(file.read_bytes()) <= 200_000
    assert "solar cells" in read_recording("lr_finder")["what"]


# ---- one-cycle


def test_the_cycle_explorer_shows_the_schedules_of_the_library() -> None:
    state = cycle_state(maximum=-2.0, spread=100.0, pct_start=0.5, div=10.0, div_final=1e3, epochs=2.0)
    n = 62
    assert len(state["momentum"]) == n and state["peak"] == 1
    for lr, name in ((1e-4, "early body"), (1e-3, "late body"), (1e-2, "head")):
        schedule = one_cycle(lr, 10.0, 1e3, 0.5)
        assert state["rates"][name] == pytest.approx([schedule(i / n) for i in range(n)])
    cosine, momentum = anneal_cosine(1e-2, 1e-5), one_cycle_momentum(pct_start=0.5)
    assert state["cosine"] == pytest.approx([cosine(i / n) for i in range(n)])
    assert state["momentum"] == pytest.approx([momentum(i / n) for i in range(n)])
    assert set(state["constant"]) == {1e-2}


@pytest.mark.parametrize("pct_start", [0.0, 0.25, 1.0])
def test_one_cycle_goes_about_half_the_way_of_a_constant_rate(pct_start) -> None:
    assert cycle_state(pct_start=pct_start)["total"] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("wrong", [{"pct_start": 1.1}, {"div": 0.0}, {"epochs": 0.0}, {"spread": -1.0}])
def test_settings_that_make_no_schedule_are_refused(wrong) -> None:
    with pytest.raises(DataError, match="no schedule"):
        cycle_state(**wrong)


@pytest.mark.parametrize(
    "changes", [{"maximum": 0.0}, {"maximum": -6.0, "div_final": 1e5}, {"epochs": 1.0}, {"div": 1.0}]
)
def test_the_cycle_picture_can_be_drawn_at_every_extreme(changes) -> None:
    assert cycle_explorer().picture(**changes).png.startswith(b"\x89PNG")


# ---- pictures


def test_a_picture_has_its_words_in_the_output_and_in_the_file(tmp_path) -> None:
    figure = new_figure(2, 1)
    figure.add_subplot().plot([0, 1])
    picture = Picture(figure, "A line\n   that rises: 0 → 1.")
    data, metadata = picture._repr_mimebundle_()
    assert data["text/plain"] == metadata["image/png"]["alt"] == repr(picture) == "A line that rises: 0 → 1."
    picture.save(tmp_path / "line.png")
    assert (tmp_path / "line.png").read_bytes() == picture.png == base64.b64decode(data["image/png"])
    with Image.open(tmp_path / "line.png") as saved:
        assert saved.text["Description"] == "A line that rises: 0 → 1." and saved.size == (200, 100)


def test_two_pictures_of_one_state_are_the_same_bytes() -> None:
    assert softmax_explorer().picture().png == softmax_explorer().picture().png


@LOSS_EXPLORERS
def test_a_picture_shows_the_numbers_and_its_words_name_them(explorer) -> None:
    state = explorer.state()
    figure = explorer.draw(state)
    drawn = " ".join(text.get_text() for axes in figure.axes for text in axes.texts)
    words = explorer.picture().alt
    values = state.get("probabilities") if "exps" in state else state["gradient"]
    for value in values:
        assert value_text(value) in words
    assert isinstance(figure, Figure)
    assert value_text(state["exps"][1] if "exps" in state else state["row_loss"]) in drawn


@pytest.mark.parametrize(
    "changes",
    [
        {"shift": 88.0, "method": "naive"},
        {"shift": -120.0, "method": "naive"},
        {"shift": 120.0, "temperature": 0.25},
        {"logits": (-5.0,) * 4},
    ],
)
def test_the_softmax_picture_can_be_drawn_at_every_extreme(changes) -> None:
    picture = softmax_explorer().picture(**changes)
    assert ("nan" in picture.alt) is softmax_state(**changes)["failed"]


@pytest.mark.parametrize("loss", ["cross-entropy", "squared error"])
@pytest.mark.parametrize("logits", [(-8.0, 8.0, 8.0), (8.0, -8.0, -8.0), (0.0, 0.0, 0.0)])
def test_the_cross_entropy_picture_can_be_drawn_at_every_extreme(loss, logits) -> None:
    assert cross_entropy_explorer().picture(logits=logits, loss=loss).png.startswith(b"\x89PNG")


def test_a_bar_without_a_length_is_hatched_and_named() -> None:
    axes = new_figure(3, 1).add_subplot()
    value_bars(axes, "t", "l", ["a", "b", "c"], [1.0, math.inf, math.nan], "#0072B2")
    assert [text.get_text() for text in axes.texts if text.get_text() in ("1", "inf", "nan")] == ["1", "inf", "nan"]
    assert sum(patch.get_hatch() is not None for patch in axes.patches) == 2


def test_a_panel_for_curves_has_its_labels_and_ticks_as_words() -> None:
    axes = new_figure(3, 2).add_subplot()
    curve_panel(axes, "Title", ("across", "upwards"), (0, 10, -1, 1), {0: "low", 10: "high"}, {0: "nil"})
    assert {"Title", "across", "upwards", "low", "high", "nil"} == {text.get_text() for text in axes.texts}
    assert axes.get_xlim() == (0, 10) and axes.get_ylim() == (-1, 1) and not axes.axison


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (1.25, "1.25"), (-2.5, "-2.5"), (34902345.0, "3.49e+07")])
def test_values_are_written_short(value, text) -> None:
    assert value_text(value) == text


# ---- the view


def inputs_of(view) -> list:
    """The controls of a view, column by column."""
    return [control for column in view.children[0].children for control in column.children]


@EXPLORERS
def test_the_view_starts_with_the_still_picture_and_its_words(explorer) -> None:
    _, image, words = explorer.view().children
    assert image.value == explorer.picture().png
    assert explorer.picture().alt.split(".")[0] in words.value
    assert Image.open(io.BytesIO(image.value)).size[0] == 900


@EXPLORERS
def test_every_control_redraws_the_picture_and_its_words(explorer) -> None:
    for index in range(len(inputs_of(explorer.view()))):
        view = explorer.view()
        control, (_, image, words) = inputs_of(view)[index], view.children
        before = image.value, words.value
        if hasattr(control, "step"):
            control.value += control.step
        else:
            control.index += 1
        assert image.value != before[0] and words.value != before[1], control.description


@EXPLORERS
def test_sliders_step_exactly_and_start_inside_their_range(explorer) -> None:
    for control in inputs_of(explorer.view()):
        if hasattr(control, "step"):
            assert (control.step * 16).is_integer() and ((control.value - control.min) / control.step).is_integer()
            assert control.min < control.value < control.max


@EXPLORERS
def test_two_views_do_not_share_anything(explorer) -> None:
    one, other = explorer.view(), explorer.view()
    before = other.children[1].value
    slider = next(control for control in inputs_of(one) if hasattr(control, "step"))
    slider.value += slider.step
    assert other.children[1].value == before != one.children[1].value


def test_words_of_an_explorer_cannot_become_markup() -> None:
    explorer = Explorer(
        compute=lambda x: {"x": x},
        draw=lambda state: new_figure(1, 1),
        describe=lambda state: f"x < {state['x']} & <b>",
        controls={"x": Slider("x", 1.0, 0, 2), "pair": (Choice("y", 1, {"one": 1}),)},
    )
    explorer = Explorer(lambda x, pair: {"x": x}, explorer.draw, explorer.describe, explorer.controls)
    assert "x &lt; 1.0 &amp; &lt;b&gt;" in explorer.view().children[2].value
