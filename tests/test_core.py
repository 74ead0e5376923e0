"""Errors, seeds, safe writing and progress (coursekit.core)."""

import io
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from coursekit.core import (
    CoursekitError,
    DataError,
    ExportError,
    ModelError,
    Problem,
    TrainingError,
    data_error,
    derive_seed,
    file_sha256,
    generator,
    generators_kept,
    home,
    ls,
    printable,
    problem_table,
    progress,
    remove_stale,
    seed_generators,
    temporary_path,
    torch_seeded,
    uniforms,
    user_path,
    write_atomic,
)


def run_python(code: str, **kwargs) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, **kwargs)


# errors


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [(DataError, ValueError), (ModelError, ValueError), (TrainingError, RuntimeError), (ExportError, ValueError)],
)
def test_each_error_is_ours_and_the_built_in_kind(kind, builtin):
    assert issubclass(kind, CoursekitError) and issubclass(kind, builtin)


def test_an_error_reads_as_what_cause_and_remedy():
    lines = str(DataError("no images", "the folder is empty", "point elsewhere")).splitlines()
    assert lines == ["no images", "  Cause: the folder is empty", "  What to do: point elsewhere"]
    assert str(DataError("no images")) == "no images"


def test_an_error_survives_the_way_from_a_worker_process():
    error = pickle.loads(pickle.dumps(data_error("bad", [Problem("a.jpg", "empty", "copy it")])))
    assert isinstance(error, DataError) and error.what == "bad" and error.problems[0].item == "a.jpg"


def test_many_problems_make_one_table_that_counts_what_it_does_not_show():
    problems = [Problem(f"{i}.jpg", "empty", "copy it") for i in range(30)]
    table = problem_table(problems, max_rows=10)
    assert table.count(".jpg") == 10 and "20 more" in table
    error = data_error("bad images", problems)
    assert "30 problems:" in str(error) and list(error.problems) == problems


# seeds


def test_seeds_are_the_same_in_every_process():
    code = "from coursekit.core import derive_seed; print(derive_seed(42, 'shuffle', 0))"
    elsewhere = run_python(code, env={**os.environ, "PYTHONHASHSEED": "1"}).stdout.strip()
    assert elsewhere == str(derive_seed(42, "shuffle", 0)) == "7213208897474609444"


def test_seeds_tell_parts_apart():
    parts = [(1, 2), (2, 1), (12,), ("1", 2), (1, "2"), ("12",), (1, 2, 0), ('1", "2',), ("1", "2")]
    assert len({derive_seed(*p) for p in parts}) == len(parts)
    assert all(0 <= derive_seed(*p) < 2**63 for p in parts)
    assert derive_seed(np.int64(3)) == derive_seed(3)
    with pytest.raises(TypeError):
        derive_seed(0.5)


def test_generator_leaves_the_global_one_alone():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = torch.rand(5, generator=generator(42, "a"))
    assert torch.equal(first, torch.rand(5, generator=generator(42, "a")))
    assert not torch.equal(first, torch.rand(5, generator=generator(42, "b")))
    assert torch.equal(before, torch.get_rng_state())


def test_a_row_of_uniforms_depends_on_its_own_item_only():
    items = [9, 3, 3, 100_000]
    rows = uniforms(42, 3, items, 5)
    assert rows.shape == (4, 5) and rows.dtype == np.float32
    for row, item in zip(rows, items, strict=True):
        assert np.array_equal(row, uniforms(42, 3, [item], 5)[0])
    assert np.array_equal(rows[:, :2], uniforms(42, 3, items, 2)), "asking for more numbers changes no earlier one"


def test_uniforms_never_change_between_versions():
    assert uniforms(42, 3, [7, 0], 3).tolist() == [
        [0.9433361887931824, 0.650858998298645, 0.300152063369751],
        [0.14169389009475708, 0.2372315526008606, 0.8090072870254517],
    ]


def test_uniforms_are_uniform_and_unrelated():
    a = uniforms(1, 0, range(100_000), 4)
    assert a.min() >= 0 and a.max() < 1
    counts = np.stack([np.histogram(column, bins=20, range=(0, 1))[0] for column in a.T])
    chi2 = ((counts - 5000) ** 2 / 5000).sum(axis=1)
    assert (chi2 < 50).all()  # 19 degrees of freedom: exceeded by chance once in 10,000 times
    others = [a[:, 1], uniforms(1, 1, range(100_000), 1)[:, 0], uniforms(2, 0, range(100_000), 1)[:, 0], a[1:, 0]]
    for other in others:
        n = len(other)
        assert abs(np.corrcoef(a[:n, 0], other)[0, 1]) < 0.015
    assert uniforms(1, 0, [], 3).shape == (0, 3)


# paths and writing


def test_home_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSEKIT_HOME", str(tmp_path / "kit"))
    assert home() == tmp_path / "kit" and not home().exists()
    monkeypatch.delenv("COURSEKIT_HOME")
    assert home().is_absolute() and "coursekit" in str(home())


def test_ls_is_sorted(tmp_path):
    for name in "cab":
        (tmp_path / name).touch()
    assert [path.name for path in ls(tmp_path)] == ["a", "b", "c"]


def test_write_atomic_writes_all_and_leaves_nothing_else(tmp_path):
    target = tmp_path / "new" / "file.txt"
    seen = []
    write_atomic(target, lambda path: (seen.append(path), path.write_text("new")))
    assert target.read_text() == "new" and ls(target.parent) == [target]
    assert seen[0].parent == target.parent and seen[0].suffix == ".txt" and seen[0] != target


@pytest.mark.parametrize("interruption", [RuntimeError, KeyboardInterrupt])
def test_a_failed_write_leaves_the_older_file_intact(tmp_path, interruption):
    target = tmp_path / "file.txt"
    target.write_text("old")

    def half(path: Path) -> None:
        path.write_text("ne")
        raise interruption

    with pytest.raises(interruption):
        write_atomic(target, half)
    assert target.read_text() == "old" and ls(tmp_path) == [target]


def test_a_killed_process_leaves_the_older_file_and_the_next_run_cleans_up(tmp_path):
    target = tmp_path / "file.txt"
    target.write_text("old")
    code = f"""
import os, signal
from coursekit.core import write_atomic
def half(path):
    path.write_text("ne")
    os.kill(os.getpid(), signal.SIGKILL)
write_atomic({str(target)!r}, half)
"""
    assert run_python(code).returncode == -9
    assert target.read_text() == "old" and len(ls(tmp_path)) == 2
    assert len(remove_stale(tmp_path)) == 1 and ls(tmp_path) == [target]
    assert run_python(code).returncode == -9
    write_atomic(tmp_path / "another.txt", lambda path: path.write_text("whole"))  # whatever is written there next
    assert ls(tmp_path) == [tmp_path / "another.txt", target]


def test_a_tilde_is_the_home_folder_for_all_that_is_written_and_read(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    write_atomic("~/sub/file.txt", lambda path: path.write_text("text"))
    assert ls("~/sub") == [tmp_path / "sub" / "file.txt"]
    assert user_path("~nobody-of-this-name/a") == Path("~nobody-of-this-name/a")
    assert file_sha256("~/sub/file.txt") == file_sha256(tmp_path / "sub" / "file.txt")


def test_remove_stale_spares_what_a_living_process_or_another_machine_is_writing(tmp_path):
    ours = temporary_path(tmp_path / "file.txt")
    ours.touch()
    dead = run_python("import os; print(os.getpid())").stdout.strip()
    elsewhere = tmp_path / f".tmp-0badbeef-{dead}-12345678-file.txt"
    elsewhere.touch()
    assert remove_stale(tmp_path) == []
    two_days_ago = time.time() - 3 * 24 * 3600
    os.utime(elsewhere, (two_days_ago, two_days_ago))
    assert remove_stale(tmp_path) == [elsewhere]
    assert remove_stale(tmp_path / "absent") == []


def test_remove_stale_takes_folders_too(tmp_path):
    dead = int(run_python("import os; print(os.getpid())").stdout)
    name = temporary_path(tmp_path / "folder").name.replace(f"-{os.getpid()}-", f"-{dead}-")
    (tmp_path / name / "inside").mkdir(parents=True)
    assert len(remove_stale(tmp_path)) == 1 and ls(tmp_path) == []


def test_remove_stale_leaves_what_others_named_so(tmp_path):
    names = [".tmp-", ".tmp-notes", ".tmp-backup-2024-thesis", ".tmp-0badbeef-x-12345678-file", ".tmp-1-2-3-4"]
    for name in names:
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (0, 0))
    assert remove_stale(tmp_path) == [] and len(ls(tmp_path)) == len(names)


# progress


def test_progress_in_a_log_file_is_quiet(capsys):
    assert list(progress(range(100), desc="quiet")) == list(range(100))
    with progress(total=3, desc="steps") as bar:
        bar.update(2)
        bar.set_postfix(loss=0.5)
    assert capsys.readouterr() == ("", "")


def test_progress_in_a_terminal_is_a_moving_bar(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    list(progress(range(3), desc="reading"))
    assert "reading" in terminal.getvalue() and "\r" in terminal.getvalue()
    with progress(total=3, desc="steps") as bar:
        bar.update(2)
    assert bar.n == 2


def test_names_that_are_no_utf8_can_be_shown_in_errors():
    error = DataError("No label in 'caf\udce9'", "the file is caf\udce9.jpg", "rename it")
    assert str(error) == "No label in 'caf\\xe9'\n  Cause: the file is caf\\xe9.jpg\n  What to do: rename it"
    assert printable("caf\u00e9 \u732b") == "caf\u00e9 \u732b"


def test_home_is_replaced_at_the_beginning_of_a_path_only(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert (
        user_path("~/a") == tmp_path / "a" and user_path("a/~") == Path("a/~") and user_path("~a.jpg") == Path("~a.jpg")
    )
    (tmp_path / "b").touch()
    assert ls("~") == [tmp_path / "b"]


# generators of GPUs, with modules of torch that only note what they are asked


class NotedGPU:
    """Stands in for the module of a kind of GPU, such as torch.cuda: its two generators are numbers."""

    def __init__(self, monkeypatch, kind):
        self.states, real = {0: 10, 1: 11}, getattr(torch, kind)
        monkeypatch.setattr(real, "get_rng_state", lambda gpu: self.states[gpu])
        monkeypatch.setattr(real, "set_rng_state", lambda state, gpu: self.states.update({gpu: state}))
        monkeypatch.setattr(real, "device_count", lambda: 2)
        seeds_all = "manual_seed" if kind == "mps" else "manual_seed_all"
        monkeypatch.setattr(real, seeds_all, lambda seed: self.states.update(dict.fromkeys(self.states, seed)))
        if kind == "mps":
            monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
        else:
            monkeypatch.setattr(real, "is_initialized", lambda: True)


@pytest.mark.parametrize("kind", ["cuda", "xpu", "mps"])
def test_generators_of_gpus_are_seeded_inside_and_put_back_after(monkeypatch, kind):
    gpu = NotedGPU(monkeypatch, kind)
    used = {0} if kind == "mps" else {0, 1}
    with torch_seeded(42, "epoch", 3):
        assert {gpu.states[i] for i in used} == {derive_seed(42, "epoch", 3)}
    assert gpu.states == {0: 10, 1: 11} if kind != "mps" else gpu.states[0] == 10
    with generators_kept():
        seed_generators("other")
        assert {gpu.states[i] for i in used} == {derive_seed("other")}
    assert gpu.states[0] == 10


def test_cuda_is_not_started_by_seeding(monkeypatch):
    def start(*args):
        raise AssertionError("CUDA was started")

    for name in ("get_rng_state", "manual_seed_all", "_lazy_init"):
        monkeypatch.setattr(torch.cuda, name, start)
    with torch_seeded(1):
        seed_generators(2)
