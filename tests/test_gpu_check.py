"""The check of an accelerator, tried on the CPU and on tiny images: every part runs and judges. No time is judged."""

import json

import pytest
import torch
from torch.profiler import ProfilerActivity

from benchmarks import gpu_check
from benchmarks.gpu_check import PARTS, QUICK, Stage, TrainingProfile, busy, kernel_seconds, main, run_parts
from benchmarks.harness import Result

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Exit code and JSON of a whole quick run on the CPU."""
    file = tmp_path_factory.mktemp("gpu") / "found.json"
    code = main(["--device", "cpu", "--quick", "--out", str(file)])
    return code, json.loads(file.read_text("utf-8"))


def test_every_part_runs_on_the_cpu_and_all_but_speed_hold(whole):
    code, found = whole
    assert found["failed"] == {} and found["quick"]
    assert {row["row"] for row in found["rows"]} == set(PARTS)
    assert [row["what"] for row in found["rows"] if row["row"] != "speed" and not row["reached"]] == []
    assert code == int(not all(row["reached"] for row in found["rows"]))


def test_it_says_what_was_checked(whole):
    facts = whole[1]["machine"]
    assert facts["device"] == "cpu" and facts["torch"] == torch.__version__.partition("+")[0]
    assert facts["precision"] in ("fp32", "bf16", "fp16")


def test_speed_idle_share_and_memory_are_rows_of_each_architecture(whole):
    rows = [row for row in whole[1]["rows"] if row["row"] == "speed"]
    assert len(rows) == 3 * len(QUICK.large[0])
    speed, idle, memory = rows
    assert speed["aim"] == 97 and len(speed["pairs"]) == 1 and idle["aim"] == 3 and memory["aim"] is None
    assert speed["value"] > 0 and 0 <= idle["value"] < 100


def test_a_part_that_fails_does_not_stop_the_others_and_its_failure_is_told(tmp_path, capsys):
    def broken(stage):
        raise RuntimeError("no kernel image is available")

    def sound(stage):
        return [Result("sound", "a thing", "another", 1.0, "x", 1.0)]

    rows, failed = run_parts(Stage(CPU, QUICK, tmp_path), {"broken": broken, "sound": sound})
    assert [row.row for row in rows] == ["sound"] and "no kernel image" in failed["broken"]
    assert "FAILED" in gpu_check.table(rows, failed) and "no kernel image" in capsys.readouterr().out


@pytest.mark.parametrize(("value", "code"), [(1.0, 0), (0.9, 1)])
def test_the_exit_code_says_whether_every_aim_was_reached(monkeypatch, value, code):
    monkeypatch.setattr(gpu_check, "PARTS", {"one": lambda stage: [Result("one", "a", "b", value, "x", 1.0)]})
    assert main(["--device", "cpu", "--quick"]) == code


def test_the_exit_code_says_that_a_part_failed(monkeypatch):
    monkeypatch.setattr(gpu_check, "PARTS", {"one": lambda stage: 1 / 0})
    assert main(["--device", "cpu", "--quick"]) == 1


def test_a_wrong_choice_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_check, "choose_precision", lambda device: gpu_check.Precision.FP16)
    monkeypatch.setenv("COURSEKIT_PRECISION", "fp32")
    row = gpu_check.check_choices(Stage(CPU, QUICK, tmp_path))[0]
    assert not row.reached and row.notes == ["wrong: precision fp16"]


def test_a_resumed_run_that_differs_is_seen(tmp_path, monkeypatch):
    from coursekit.training import checkpoint

    monkeypatch.setattr(checkpoint, "load_optimiser", lambda *args: None)  # the averages of AdamW are lost
    row = gpu_check.check_resume(Stage(CPU, QUICK, tmp_path))[0]
    assert row.value > 0 and not row.reached
    assert not torch.are_deterministic_algorithms_enabled()


def test_an_error_of_memory_without_its_remedy_is_seen(tmp_path, monkeypatch):
    from coursekit.training import faults

    monkeypatch.setattr(faults, "out_of_memory_error", lambda size: faults.TrainingError("Out of memory."))
    row = gpu_check.check_memory_error(Stage(CPU, QUICK, tmp_path))[0]
    assert row.value == 2 and "accumulation" in row.notes[0]


def test_kernels_that_overlap_count_once():
    assert busy([]) == 0
    assert busy([(5, 6), (0, 2), (1, 3), (1, 2)]) == 4


def test_only_training_batches_are_profiled(tmp_path):
    learn, seen = Stage(CPU, QUICK, tmp_path).learner(), TrainingProfile([ProfilerActivity.CPU])
    learn.fit(1, 1e-3, cbs=[seen])
    names = [event.name for event in seen.profile.events()]
    assert names.count("Optimizer.step#AdamW.step") == len(learn.dls.train)
    assert names.count("aten::convolution") == names.count("aten::convolution_backward") > 0, "none of the validation"
    assert kernel_seconds(learn) == 0  # a CPU has none
