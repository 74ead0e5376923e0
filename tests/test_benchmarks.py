"""The parts of the benchmarks on tiny data: that they run, and report what they found. No time is judged here."""

import importlib
import json
import sys
from pathlib import Path

import pytest

from benchmarks import harness, run
from benchmarks.harness import Result, number, share_of_limit, side_by_side, times_as_fast

try:
    import fastai
except ImportError:
    fastai = None
needs_fastai = pytest.mark.skipif(fastai is None, reason="fastai is installed by `make bench` only")


def test_pairs_alternate_in_order_and_the_warm_up_is_thrown_away():
    calls = []

    def work(name, seconds):
        return lambda: calls.append(name) or seconds

    pairs = side_by_side(work("ours", 1.0), work("theirs", 3.0), pairs=3)
    assert pairs == [(1.0, 3.0)] * 3
    assert calls == ["theirs", "ours", "ours", "theirs", "theirs", "ours", "ours", "theirs"]


def test_ratios_are_medians_over_pairs():
    pairs = [(1.0, 2.0), (1.0, 100.0), (2.0, 6.0)]
    assert times_as_fast(pairs) == 3
    assert share_of_limit([(1.0, 0.9)]) == pytest.approx(90)


@pytest.mark.parametrize(
    ("value", "aim", "at_most", "reached"),
    [(8, 8, False, True), (7.9, 8, False, False), (0.3, 0.3, True, True), (1, 0.3, True, False)],
)
def test_an_aim_is_reached_from_its_own_side(value, aim, at_most, reached):
    result = Result("P0", "a", "b", value, "x", aim, at_most)
    assert result.reached is reached
    assert ("NOT" in result.line()) is not reached
    assert (run.margin(result) >= 1) is reached


def test_numbers_have_three_digits_and_a_unit():
    assert [number(0.12345, "ms"), number(8.25, "x"), number(97.4, "%")] == ["0.123 ms", "8.25x", "97%"]


def test_results_survive_json_and_enter_the_table(tmp_path):
    rows = [Result("P4", "training", "limit", 97.0, "%", 95, False, [(1.0, 0.97)], ["a note"], "bf16 / fp32")]
    rows += [Result("P12", "loop", "bare", 0.5, "ms", 0.3, True), Result("P7", "beside", "fastai", 4.0, "x", None)]
    text = json.dumps([harness.asdict(row) | {"reached": row.reached} for row in rows])
    again = [run.as_result(row) for row in json.loads(text)]
    assert [row.line() for row in again] == [row.line() for row in rows]
    file = tmp_path / "README.md"
    file.write_text(f"before\n{run.MARKS[0]}\nold\n{run.MARKS[1]}\nafter\n", encoding="utf-8")
    for _ in range(2):  # writing it again changes nothing
        run.write_table(file, again, {"torch": "2"})
    lines = file.read_text("utf-8").splitlines()
    assert lines[0] == "before" and lines[-1] == "after" and "old" not in lines
    assert "| P4 | training | limit | bf16 / fp32 | at least 95% | 97% | reached |" in lines
    assert "| P12 | loop | bare | - | at most 0.3 ms | 0.5 ms | **not reached** |" in lines
    figure = run.picture(again)
    assert len(figure.axes[0].get_yticklabels()) == 2  # a figure without an aim is not drawn


def test_rows_are_chosen_by_name():
    assert run.chosen(["P12", "P2"]) == ["p12_loop_overhead", "p01_frozen_epoch"]
    assert run.chosen([]) == list(run.SCRIPTS)
    with pytest.raises(SystemExit, match="P99"):
        run.chosen(["P99"])


def test_every_script_is_run_and_described():
    scripts = {path.stem for path in Path(run.HERE).glob("p[0-9]*.py")}
    assert scripts == set(run.SCRIPTS)
    readme = (run.HERE / "README.md").read_text("utf-8")
    assert all(f"`{script}.py`" in readme for script in scripts)
    assert all(mark in readme for mark in run.MARKS)


TINY = {
    "p04_training_step": {"images": 16, "size": 32, "bs": 8, "pairs": 1},
    "p05_predictions": {"images": 16, "size": 32, "bs": 8, "pairs": 1},
    "p06_first_pass": {"images": 4, "size": (48, 40), "pairs": 1},
    "p08_predict_one": {"size": 32, "images": 2, "pairs": 1},
    "p12_loop_overhead": {"n": 5, "pairs": 1},
    "p13_two_processes": {"pairs": 1, "every": 40},
    "p14_first_answer": {"size": 32, "pairs": 1},
}
WITH_FASTAI = {
    "p01_frozen_epoch": {"train": 24, "valid": 8, "size": 32, "bs": 8, "pairs": 1},
    "p03_fine_tune": {"train": 24, "valid": 8, "size": 32, "bs": 8, "seeds": 1},
    "p07_lr_find": {"train": 24, "valid": 8, "size": 32, "bs": 8, "pairs": 1, "num_it": 12},
    "p09_augmentation": {"bs": 8, "before": 64, "after": 32, "batches": 1, "pairs": 1},
    "p15_whole_way": {"train": 24, "valid": 8, "size": 32, "bs": 8, "seeds": 1},
}


@pytest.mark.parametrize("script", TINY)
def test_script_measures_on_tiny_data(script):
    check_rows(script, importlib.import_module(f"benchmarks.{script}").measure(**TINY[script]))


@needs_fastai
@pytest.mark.parametrize("script", WITH_FASTAI)
def test_script_measures_fastai_on_tiny_data(script):
    check_rows(script, importlib.import_module(f"benchmarks.{script}").measure(**WITH_FASTAI[script]))


def check_rows(script, results, with_pairs=True):
    assert {result.row for result in results} == set(run.SCRIPTS[script])
    for result in results:
        assert bool(result.pairs) or not with_pairs
        assert all(ours > 0 and theirs > 0 for ours, theirs in result.pairs)
        assert result.line().startswith(result.row)


def test_rows_say_which_precision_each_side_ran_in(monkeypatch):
    monkeypatch.setenv("COURSEKIT_PRECISION", "bf16")
    assert [harness.precisions(), harness.precisions(theirs="")] == ["bf16 / fp32", "bf16 / bf16"]


def test_photos_of_a_folder_are_split_by_class(tmp_path):
    from benchmarks.photos import folder_table, save_jpegs

    for label in ("bee", "ant"):
        save_jpegs(tmp_path / label, 5, (24, 20))
    table = folder_table(tmp_path, seed=1)
    assert table.groupby(["label", "is_valid"]).size().to_dict() == {
        (label, held): n for label in ("ant", "bee") for held, n in ((False, 3), (True, 2))
    }
    assert not table.equals(folder_table(tmp_path, seed=2))


def test_main_takes_the_options_of_its_script(tmp_path, monkeypatch, capsys):
    def measure(photos=None, pairs=3):
        return [Result("P3", f"{pairs} pairs on {photos.name}", "fastai", 4.0, "x", 3.5)]

    monkeypatch.setattr("sys.argv", ["p03", "--photos", str(tmp_path), "--json", str(tmp_path / "rows.json")])
    harness.run(measure, {"photos": Path})
    assert f"P3: 3 pairs on {tmp_path.name}, against fastai: 4x" in capsys.readouterr().out
    assert json.loads((tmp_path / "rows.json").read_text("utf-8"))[0]["reached"]


def test_growth_is_measured_in_processes_of_their_own_and_drawn(tmp_path):
    from benchmarks.p11_scale import measure

    picture = tmp_path / "growth.png"
    rows = measure((30, 60), read=60, pairs=2, classes=(3, 12), images=50, picture=picture)
    check_rows("p11_scale", rows, with_pairs=False)
    assert [len(row.pairs) for row in rows] == [0, 2, 0, 0, 0, 0]
    assert all("30 -> 60 images" in row.what for row in rows[:-1]) and "12 classes" in rows[-1].what
    assert picture.stat().st_size > 10_000


def test_what_grows_faster_than_the_data_misses_its_aim():
    from benchmarks.p11_scale import growth_rows

    cost = {"memory": 100.0, "own memory": 50.0, "first pass": 1.0, "DataBlock": 1.0, "audit": 1.0, "first batch": 1.0}
    ten_times = {**{what: 10 * s for what, s in cost.items()}, "memory": 104.0, "audit": 100.0}
    memory, time, first, block, audit = growth_rows({100: cost, 1000: ten_times}, [(1.2, 1.0)], read=10)
    assert [row.reached for row in (memory, time, first, block, audit)] == [True, False, True, True, False]
    assert memory.value == pytest.approx(4) and time.value == pytest.approx(20) and audit.value == pytest.approx(900)


def test_sizes_are_read_from_the_command_line():
    from benchmarks.p11_scale import sizes_of

    assert sizes_of("1000,10000") == (1000, 10_000)


def test_weights_are_copied_in_order_or_refused():
    pytest.importorskip("fastai", reason="fastai is installed by `make bench` only")
    from torch import nn

    from benchmarks.peers import copy_in_order

    source, target = nn.Linear(3, 2), nn.Sequential(nn.Flatten(), nn.Linear(3, 2))
    copy_in_order(source, target)
    assert (target[1].weight == source.weight).all()
    with pytest.raises(ValueError, match="does not fit"):
        copy_in_order(nn.Linear(2, 3), target)


def test_import_is_timed_in_fresh_processes():
    from benchmarks.p10_import_time import measure

    beyond, share = measure(rounds=1, statements=("pass", "import json", "import json, email"))
    assert (beyond.unit, share.unit) == ("s", "%")
    assert "json" not in sys.modules or beyond.value < 60
    (alone,) = measure(rounds=1, statements=("pass", "import json"))  # as where fastai is not installed
    assert (alone.row, alone.unit, alone.aim) == (beyond.row, beyond.unit, beyond.aim)


def test_the_time_of_a_step_is_shared_out_by_what_it_is_for():
    from benchmarks.profile_step import kind_of, shares_of

    assert kind_of("aten::mkldnn_convolution") == "convolutions, forward"
    assert kind_of("aten::convolution_backward") == "convolutions, backward"
    assert kind_of("something new") == "all else"
    shares, seconds = shares_of("test_resnet", images=16, size=32, bs=8)
    assert sum(shares.values()) == pytest.approx(1) and seconds > 0
    assert {"convolutions, forward", "convolutions, backward", "batch norm", "optimiser"} <= shares.keys()
