"""Several processes: the results of one, only one of them heard of, and an end when one of them ends.

The processes are real ones, started as users start them; tests/many_processes.py is their program.
"""

import os
import signal
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from coursekit.core import TrainingError
from coursekit.data.batches import deal
from coursekit.training.distributed import (
    average_gradients,
    batch_norm_of_all,
    check_alike,
    lost_process_error,
    put_back_in_order,
)

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "tests" / "many_processes.py"
LIMIT = 150  # seconds after which a launch counts as a hang
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def work(tmp_path_factory) -> Path:
    """A folder with 48 small photos of two kinds, in photos/."""
    folder, rng = tmp_path_factory.mktemp("many"), np.random.default_rng(0)
    for label, brightness in (("dark", 80), ("light", 170)):
        (folder / "photos" / label).mkdir(parents=True)
        for i in range(24):
            pixels = rng.normal(brightness, 25, (32, 40, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / "photos" / label / f"{label}_{i:02d}.png")
    return folder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(folder: Path, **more: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("COURSEKIT")}
    own = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COURSEKIT_HOME": str(folder / "home"), **more}
    return inherited | own | {"CUDA_VISIBLE_DEVICES": "", "HF_HOME": str(folder / "hf")}


def start(command: list, folder: Path, **more: str) -> subprocess.Popen:
    settings = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "start_new_session": True}
    return subprocess.Popen(list(map(str, command)), env=environment(folder, **more), **settings)


def output_of(process: subprocess.Popen) -> str:
    """What a launch prints; one that hangs is killed, with all that it has started, and is a failure."""
    try:
        return process.communicate(timeout=LIMIT)[0]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        pytest.fail(f"hangs after {LIMIT} s: {process.communicate()[0][-3000:]}")


def launch(launcher: list, work: Path, folder: str, *parts: str, **more: str) -> tuple[dict[str, dict], str]:
    """Runs parts of the program; returns what each process found, and what was printed."""
    (work / folder).mkdir(exist_ok=True)
    process = start([*launcher, PROGRAM, work / "photos", work / folder, *parts], work / folder, **more)
    printed = output_of(process)
    assert process.returncode == 0, printed[-5000:]
    return {path.stem: torch.load(path) for path in (work / folder).glob("*.pt")}, printed


def torchrun(n: int) -> list:
    return [BIN / "torchrun", "--standalone", "--nproc-per-node", n]


@pytest.fixture(scope="module")
def one(work) -> dict:
    parts = ("plain", "small_batches", "frozen_and_unfrozen", "precisions", "dropout", "whole")
    return launch([sys.executable], work, "one", *parts)[0]["one"]


@pytest.fixture(scope="module")
def two(work) -> tuple[dict[str, dict], str]:
    parts = ("plain", "small_batches", "frozen_and_unfrozen", "precisions", "dropout", "first_half", "other_split")
    return launch(torchrun(2), work, "two", *parts)


@pytest.fixture(scope="module")
def three(work) -> tuple[dict[str, dict], str]:
    return launch(torchrun(3), work, "three", "plain", "small_batches")


def largest_difference(a: dict, b: dict) -> float:
    weights = [(a["weights"][name] - b["weights"][name]).abs().max().item() for name in a["weights"]]
    return max(*weights, (a["losses"] - b["losses"]).abs().max().item())


@pytest.mark.parametrize("part", ["plain", "small_batches", "frozen_and_unfrozen"])
def test_two_processes_train_as_one_with_the_same_batches(one, two, part):
    assert largest_difference(one[part], two[0]["0"][part]) < 1e-5
    assert np.allclose(one[part]["values"], two[0]["0"][part]["values"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("part", ["plain", "small_batches"])
def test_three_processes_train_as_one_though_some_batches_have_fewer_images(one, three, part):
    assert largest_difference(one[part], three[0]["0"][part]) < 1e-5


@pytest.mark.parametrize("processes", ["two", "three"])
def test_all_processes_end_with_the_same_weights_results_and_suggestion(processes, request):
    found, _ = request.getfixturevalue(processes)
    for rank in set(found) - {"0"}:
        for part in ("plain", "small_batches"):
            assert largest_difference(found["0"][part], found[rank][part]) == 0
            assert found["0"][part]["values"] == found[rank][part]["values"]
        assert found["0"]["plain"]["rate"] == found[rank]["plain"]["rate"]


def test_the_sweep_suggests_what_one_process_would(one, two):
    assert two[0]["0"]["plain"]["rate"] == pytest.approx(one["plain"]["rate"], rel=1e-6)


@pytest.mark.parametrize("processes", ["two", "three"])
def test_predictions_are_those_of_one_process_to_the_last_bit_and_in_order(one, processes, request):
    found, _ = request.getfixturevalue(processes)
    for rank in found:
        for ours, theirs in zip(one["plain"]["preds"], found[rank]["plain"]["preds"], strict=True):
            assert torch.equal(ours[0], theirs[0])
            assert (ours[1] is None) == (theirs[1] is None) and (ours[1] is None or torch.equal(ours[1], theirs[1]))
        assert torch.equal(one["plain"]["one"], found[rank]["plain"]["one"])


def test_a_loss_that_is_a_sum_is_the_sum_over_all_processes(one, two):
    assert torch.allclose(one["small_batches"]["summed"], two[0]["1"]["small_batches"]["summed"], rtol=1e-5)


def test_features_of_a_frozen_body_are_shared_out_and_come_back_in_order(one, two):
    ours, theirs = (found["frozen_and_unfrozen"]["features"] for found in (one, two[0]["1"]))
    assert ours.shape == theirs.shape and torch.allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_two_processes_train_in_16_bits_and_stay_alike(one, two, precision):
    ours, a, b = one["precisions"], two[0]["0"]["precisions"], two[0]["1"]["precisions"]
    assert torch.allclose(ours[precision], a[precision], atol=5e-3) and torch.equal(a[precision], b[precision])
    assert a[f"{precision} scaler"] == b[f"{precision} scaler"] == ours[f"{precision} scaler"]
    assert all(torch.equal(w, b[f"{precision} weights"][name]) for name, w in a[f"{precision} weights"].items())


def test_dropout_masks_differ_between_processes_and_the_main_one_has_those_of_one_process(one, two):
    ours, main, other = (found["dropout"]["masks"] for found in (one, two[0]["0"], two[0]["1"]))
    assert torch.equal(ours, main) and not (main == other).flatten(1).all(1).any()


def test_a_run_goes_on_with_another_number_of_processes(work, one, two):
    # two processes have done the first half, one does the second
    found, printed = launch([sys.executable], work, "two", "whole")
    assert "2 of 4 epochs are done" in printed
    assert largest_difference(one["whole"], found["one"]["whole"]) < 1e-5
    # and the other way round
    launch([sys.executable], work, "resumed", "first_half")
    found, printed = launch(torchrun(2), work, "resumed", "whole")
    assert printed.count("2 of 4 epochs are done") == 1
    assert largest_difference(one["whole"], found["0"]["whole"]) < 1e-5
    assert found["1"]["whole"]["values"] == found["0"]["whole"]["values"] and len(found["0"]["whole"]["losses"]) == 20


def test_only_the_main_process_writes_and_prints(work, two):
    printed = two[1]
    assert {path.name for path in (work / "two" / "0").iterdir()} >= {"history.csv", "exported", "models"}
    assert list((work / "two" / "1").iterdir()) == []
    assert printed.count("said by one") == 1 and printed.count("train_loss") == 10  # once for each fit


def test_the_presize_cache_is_built_once_and_read_by_all(work, two, three):
    for folder, (_, printed) in (("two", two), ("three", three)):
        assert printed.count("Presized 48 images") == 1
        assert len(list((work / folder / "home" / "presize").glob("*.u8"))) == 1


def test_processes_that_would_do_different_things_are_refused_before_the_first_step(two):
    for rank in ("0", "1"):
        message = two[0][rank]["other_split"]["error"]
        assert "do not agree: training and validation images" in message and "seed" in message


def test_an_error_in_one_process_ends_the_others_and_no_block_joins_them_again(work):
    found, _ = trouble(work, "raises")
    assert all("has left the others" in one["again"] and "again" in one["again"] for one in found.values())
    assert found["1"]["error"] == "ValueError: only here"
    assert "TrainingError: Another process has ended." in found["0"]["error"] and "resume" in found["0"]["error"]


def test_a_killed_process_ends_the_others_with_a_message_and_the_run_can_be_taken_up(work, one):
    found, codes = trouble(work, "killed")
    assert codes == [0, -signal.SIGKILL]
    assert "TrainingError: Another process has ended." in found["0"]["error"] and "killed" in found["0"]["error"]
    assert found["0"]["seconds"] < 60 and (work / "killed" / "killed.safetensors").exists()


def test_a_process_that_hangs_is_not_waited_for_beyond_the_timeout(work):
    found, _ = trouble(work, "hangs")
    assert "did not answer within 4 seconds" in found["0"]["error"] and "timeout" in found["0"]["error"]


def trouble(work: Path, what: str) -> tuple[dict[str, dict], list[int]]:
    """Starts two processes without a launcher, which would end the other one itself."""
    folder, port = work / what, str(free_port())
    folder.mkdir()
    common = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    command = [sys.executable, PROGRAM, work / "photos", folder, what]
    processes = [start(command, folder, RANK=str(r), LOCAL_RANK=str(r), **common) for r in range(2)]
    printed = [output_of(process) for process in processes]
    assert "Traceback" not in "".join(printed), printed
    found = {path.stem: torch.load(path)[what] for path in folder.glob("*.pt")}
    return found, [process.returncode for process in processes]


def test_the_same_program_runs_under_accelerate_launch(work, one):
    launcher = [BIN / "accelerate", "launch", "--multi_gpu", "--num_processes", 2, "--main_process_port", free_port()]
    found, _ = launch(launcher, work, "accelerate", "plain")
    assert set(found) == {"0", "1"} and largest_difference(one["plain"], found["1"]["plain"]) < 1e-5


def test_the_same_program_runs_from_a_notebook(work, one):
    code = (
        f"import sys; sys.path[:0] = [{str(PROGRAM.parent)!r}]; from many_processes import main\n"
        "from accelerate import notebook_launcher\n"
        f"notebook_launcher(main, tuple(sys.argv[2:]), num_processes=2, use_port='{free_port()}')"
    )
    found, _ = launch([sys.executable, "-c", code], work, "notebook", "plain")
    assert set(found) == {"0", "1"} and largest_difference(one["plain"], found["1"]["plain"]) < 1e-5


# ---- in one process


def test_one_process_needs_no_accelerate_and_is_left_as_it_is(monkeypatch, toy_learner):
    monkeypatch.setitem(sys.modules, "accelerate", None)  # as if it were not installed
    engine, cbs = toy_learner.engine, list(toy_learner.cbs)
    with toy_learner.distrib_ctx() as inside:
        assert inside is toy_learner and toy_learner.engine is engine and toy_learner.cbs == cbs


def test_a_launcher_that_starts_one_process_changes_nothing_either(monkeypatch, toy_learner):
    monkeypatch.setitem(sys.modules, "accelerate", None)
    monkeypatch.setenv("LOCAL_RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "1")
    engine = toy_learner.engine
    with toy_learner.distrib_ctx():
        assert toy_learner.engine is engine


def test_a_device_on_which_processes_cannot_talk_is_refused(monkeypatch, toy_learner):
    class PartialState:  # what accelerate says on such a device: that there is one process
        _shared_state: ClassVar[dict] = {}
        process_index, num_processes = 0, 1

        def __init__(self, **settings):
            pass

    monkeypatch.setitem(sys.modules, "accelerate", SimpleNamespace(PartialState=PartialState))
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(TrainingError, match=r'cannot train together(.|\n)*device="cpu"'), toy_learner.distrib_ctx():
        pass


def test_without_accelerate_several_processes_are_refused_with_the_command_that_installs_it(monkeypatch, toy_learner):
    monkeypatch.setitem(sys.modules, "accelerate", None)
    monkeypatch.setenv("LOCAL_RANK", "0")
    engine, cbs = toy_learner.engine, list(toy_learner.cbs)
    with pytest.raises(TrainingError, match=r'pip install "coursekit\[distributed\]"'), toy_learner.distrib_ctx():
        pass
    assert toy_learner.engine is engine and toy_learner.cbs == cbs


def test_a_launcher_that_started_one_process_where_several_were_asked_for_is_not_believed(monkeypatch, toy_learner):
    monkeypatch.setenv("ACCELERATE_USE_CPU", "True")  # what accelerate launch --cpu --num_processes 2 leaves
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    with pytest.raises(TrainingError, match="torchrun"), toy_learner.distrib_ctx():
        pass


@pytest.mark.parametrize(("n", "size"), [(0, 2), (1, 2), (2, 2), (7, 2), (7, 3), (2, 3)])
def test_what_is_dealt_out_comes_back_in_order(n, size):
    parts = [deal(range(n), rank, size) for rank in range(size)]
    assert put_back_in_order(parts) == list(range(n)) and max(map(len, parts)) - min(map(len, parts)) <= 1


def pretend(others: list[list]) -> callable:
    """An `all_reduce` that adds what other processes are said to have sent, and notes the messages."""
    messages = []

    def all_reduce(message):
        messages.append(message.clone())
        for other in others[len(messages) - 1]:
            message += torch.as_tensor(other, dtype=message.dtype)
        return message

    all_reduce.messages = messages
    return all_reduce


def test_gradients_are_averaged_in_one_message_for_each_format():
    params = [nn.Parameter(torch.zeros(2, 1)), nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1).double())]
    params += [nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1), requires_grad=False)]
    params[0].grad, params[2].grad = torch.tensor([[1.0], [3.0]]), torch.tensor([5.0]).double()
    params[4].grad = torch.ones(1)
    all_reduce = pretend([[[3.0, 5.0, 4.0, 0.0, 1, 1, 0]], [[7.0, 1]]])
    average_gradients(params, 2, all_reduce)
    assert len(all_reduce.messages) == 2
    assert params[0].grad.tolist() == [[2], [4]] and params[2].grad.tolist() == [6]
    assert params[1].grad.tolist() == [2]  # only the other process has one: ours counts as zero
    assert params[3].grad is None and params[4].grad.tolist() == [1]  # nobody has one; it is frozen


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 5), (4, 3, 5, 2)])
def test_batch_norm_alone_is_torch_s_with_its_gradients_and_statistics(shape):
    gen = torch.Generator().manual_seed(0)
    x = (10 + torch.randn(shape, generator=gen)).requires_grad_()
    weight, bias = torch.rand(3, generator=gen).requires_grad_(), torch.rand(3, generator=gen).requires_grad_()
    target, found = torch.randn(shape, generator=gen), []
    for norm in (nn.functional.batch_norm, partial(batch_norm_of_all, lambda message: message)):
        mean, var = torch.zeros(3), torch.ones(3)
        y = norm(x, mean, var, weight, bias, True, 0.1, 1e-5)
        found.append([y, mean, var, *torch.autograd.grad((y * target).sum(), [x, weight, bias])])
    assert all(torch.allclose(a, b, atol=2e-5) for a, b in zip(*found, strict=True))


def test_batch_norm_of_a_single_value_is_refused_as_by_torch():
    with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
        batch_norm_of_all(lambda message: message, torch.ones(1, 3), None, None, training=True)


def test_what_differs_between_processes_is_named_with_both_values():
    with pytest.raises(TrainingError, match="first epoch: 2 in process 0, 0 in process 1"):
        check_alike([{"precision": "fp32", "first epoch": 2}, {"precision": "fp32", "first epoch": 0}])


def test_a_process_that_ended_and_one_that_is_late_have_different_messages():
    late, gone = (str(lost_process_error(RuntimeError(text), 9)) for text in ("Timed out", "Connection closed by peer"))
    assert "within 9 seconds" in late and "longer timeout" in late and "has ended" in gone and "timeout" not in gone
