"""The learner's own copies of lessons and cases (tools/learner_copies.py, what `make lab` does first)."""

import itertools
import json
import math
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from test_browser import CHROMIUM, IN_THE_BROWSER
from test_notebooks import OFFLINE, SECONDS

from coursekit.course.checker import all_exercises
from coursekit.course.exercises import judge
from coursekit.course.progress import Record, read_record, write_record
from tools import progress
from tools.learner_copies import copy_lessons, copy_of, stub
from tools.notebooks import NBS, NotebookFailure, execute, read

LESSON = "04_softmax.ipynb"
CASE = "cases/textiles.ipynb"
MASTERS = [*sorted(NBS.glob("[0-9]*.ipynb")), *sorted(NBS.glob("cases/*.ipynb"))]
WITH_EXERCISES = [path for path in MASTERS if '"exercise"' in path.read_text("utf-8")]


def notebook(text: str) -> str:
    return nbformat.writes(new_notebook(cells=[new_markdown_cell(text, id="only")]))


def words(path: Path) -> str:
    return read(path).cells[0].source


@pytest.fixture
def nbs(tmp_path: Path) -> Path:
    folder = tmp_path / "nbs"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "picture.png").write_bytes(b"picture")
    (folder / LESSON).write_text(notebook("lesson, first release"))
    (folder / "index.ipynb").write_text(notebook("not a lesson"))
    for name, text in ((CASE, "case, first release"), ("lib/core.ipynb", "not a lesson")):
        (folder / name).parent.mkdir()
        (folder / name).write_text(notebook(text))
    return folder


@pytest.fixture
def course(tmp_path: Path, nbs: Path) -> Path:
    assert copy_lessons(nbs, tmp_path / "course") == []
    return tmp_path / "course"


def notebooks(course: Path) -> dict[str, str]:
    return {path.name: words(path) for path in course.glob("*.ipynb")}


def test_lessons_cases_and_their_pictures_are_copied_and_nothing_else(course: Path) -> None:
    assert notebooks(course) == {LESSON: "lesson, first release"}
    assert [path.relative_to(course).as_posix() for path in course.rglob("*/*.ipynb")] == [CASE]
    assert words(course / CASE) == "case, first release"
    assert (course / "images" / "picture.png").read_bytes() == b"picture"


def test_an_untouched_copy_follows_the_lesson(nbs: Path, course: Path) -> None:
    (nbs / LESSON).write_text(notebook("lesson, second release"))
    assert copy_lessons(nbs, course) == []
    assert notebooks(course) == {LESSON: "lesson, second release"}


def test_an_edited_copy_is_kept_and_each_new_release_laid_beside_it_once(nbs: Path, course: Path) -> None:
    (course / LESSON).write_text(notebook("my notes"))
    assert copy_lessons(nbs, course) == []
    for number, release in ((1, "second"), (2, "third")):
        (nbs / LESSON).write_text(notebook(f"lesson, {release} release"))
        (note,) = copy_lessons(nbs, course)
        assert f"04_softmax.new{number}.ipynb" in note
        assert copy_lessons(nbs, course) == []
    assert notebooks(course) == {
        LESSON: "my notes",
        "04_softmax.new1.ipynb": "lesson, second release",
        "04_softmax.new2.ipynb": "lesson, third release",
    }


def test_a_case_is_kept_and_renewed_like_a_lesson(nbs: Path, course: Path) -> None:
    (nbs / CASE).write_text(notebook("case, second release"))
    assert copy_lessons(nbs, course) == []
    assert words(course / CASE) == "case, second release"
    (course / CASE).write_text(notebook("my case"))
    (nbs / CASE).write_text(notebook("case, third release"))
    (note,) = copy_lessons(nbs, course)
    assert CASE in note and "textiles.new1.ipynb" in note
    assert copy_lessons(nbs, course) == []
    assert words(course / CASE) == "my case"
    assert words(course / "cases" / "textiles.new1.ipynb") == "case, third release"


def test_a_lesson_and_a_case_of_one_name_are_told_apart(nbs: Path, course: Path) -> None:
    (nbs / "cases" / LESSON).write_text(notebook("case of the same name"))
    copy_lessons(nbs, course)
    (course / LESSON).write_text(notebook("my notes"))
    (nbs / "cases" / LESSON).write_text(notebook("case of the same name, again"))
    assert copy_lessons(nbs, course) == []
    assert words(course / "cases" / LESSON) == "case of the same name, again"


def test_a_deleted_copy_comes_back(nbs: Path, course: Path) -> None:
    (course / LESSON).unlink()
    copy_lessons(nbs, course)
    assert notebooks(course) == {LESSON: "lesson, first release"}


def test_work_is_kept_when_the_record_is_lost(nbs: Path, course: Path) -> None:
    (course / LESSON).write_text(notebook("my notes"))
    (course / ".copies.json").unlink()
    (note,) = copy_lessons(nbs, course)
    assert "Yours is untouched" in note
    assert notebooks(course)[LESSON] == "my notes"
    assert json.loads((course / ".copies.json").read_text())[LESSON]["source"]


# ---- from a master to a copy


def test_a_stub_keeps_signature_docstring_and_imports() -> None:
    source = 'import math\n\n\ndef root(x: float) -> float:\n    """Returns the root."""\n    return math.sqrt(x)'
    assert (
        stub(source)
        == 'import math\n\n\ndef root(x: float) -> float:\n    """Returns the root."""\n    ...  # your code'
    )
    assert stub("def f(\n    x,\n):\n    return x") == "def f(\n    x,\n):\n    ...  # your code"


def test_a_copy_has_stubs_folded_solutions_and_no_author_cells(tmp_path: Path) -> None:
    cells = [
        new_markdown_cell("text"),
        new_code_cell("#| default_exp losses"),
        new_code_cell("def f(x):\n    return 2 * x", metadata={"tags": ["exercise"]}, id="mine"),
        new_code_cell("check(f)\nf = solved(f)", outputs=[new_output("stream", text="passed")]),
        new_code_cell("assert f(2) == 4", metadata={"tags": ["author"]}),
        new_code_cell("f(2)", metadata={"tags": ["folded"]}, outputs=[new_output("stream", text="4")]),
        new_code_cell("quiz([])", outputs=[new_output("stream", text="a question")]),
    ]
    (tmp_path / "lesson.ipynb").write_text(nbformat.writes(new_notebook(cells=cells)))
    copied = nbformat.reads(copy_of(tmp_path / "lesson.ipynb").decode(), as_version=4).cells
    ours = copied[3].pop("source")
    assert [cell.get("source") for cell in copied] == [
        "text",
        "def f(x):\n    ...  # your code",
        "check(f)\nf = solved(f)",
        None,
        "f(2)",
        "quiz([])",
    ]
    assert ours.startswith("<details>") and "return 2 * x" in ours
    assert [len(cell.outputs) for cell in copied if cell.cell_type == "code"] == [0, 0, 0, 1]
    assert all(cell.metadata.jupyter.source_hidden for cell in copied[4:])


@pytest.mark.parametrize("master", WITH_EXERCISES, ids=lambda path: path.name)
def test_every_exercise_of_a_lesson_is_in_the_catalogue_and_is_checked(master: Path) -> None:
    cells = [cell for cell in read(master).cells if cell.cell_type == "code"]
    for cell, following in itertools.pairwise(cells):
        if "exercise" in cell.metadata.get("tags", []):
            (name,) = [line[4:].split("(")[0] for line in cell.source.splitlines() if line.startswith("def ")]
            assert all_exercises()[name].lesson == master.stem.split("_")[0]
            assert following.source == f"check({name})\n{name} = solved({name})"


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    course = tmp_path_factory.mktemp("learner") / "course"
    copy_lessons(NBS, course)
    return course


@pytest.mark.parametrize("name", [path.name for path in WITH_EXERCISES if path.parent == NBS])
def test_a_copy_runs_to_its_end_unsolved(name: str, copies: Path) -> None:
    """Solved, a copy is its master without the author's cells: test_notebooks.py runs that one, and the cases."""
    if CHROMIUM and name in IN_THE_BROWSER:
        pytest.skip("unsolved copies that test_browser.py runs to their end")
    check_runs(copies / name)
    assert not any((copies / ".progress").glob("*.json")), "an unwritten exercise counts as no try"


@pytest.mark.parametrize("case", [path for path in WITH_EXERCISES if path.parent != NBS], ids=lambda path: path.name)
def test_our_version_of_each_exercise_of_a_case_passes(case: Path) -> None:
    """test_notebooks_besides.py runs the copies of the cases unsolved; their exercises stand at the end."""
    for cell in read(case).cells:
        if "exercise" in cell.metadata.get("tags", []):
            names = {"np": np, "torch": torch, "comb": math.comb}
            exec(cell.source, names)
            name = re.search(r"^def (\w+)", cell.source, re.M)[1]
            assert judge(all_exercises()[name], names[name]).passed


def test_a_case_is_reset_as_a_lesson_is(started: Path) -> None:
    copy = started / "cases" / "pets.ipynb"
    handed_out = copy.read_bytes()
    copy.write_bytes(handed_out.replace(b"...  # your code", b"return 0"))
    assert progress.main(["--course", str(started), "--reset", "p_at_most", "--yes"]) == 0
    stubs = [cell.source.endswith("...  # your code") for cell in read(copy).cells if cell.source.startswith("def ")]
    assert sorted(stubs)[-2:] == [False, True]
    assert progress.main(["--course", str(started), "--reset", "pets", "--yes"]) == 0
    assert read(copy).cells == nbformat.reads(handed_out.decode(), as_version=4).cells


def solve(copy: Path) -> None:
    """Write our versions into the stubs."""
    ours = {cell.id: cell.source for cell in read(NBS / copy.name).cells if "exercise" in cell.metadata.get("tags", [])}
    solved = read(copy)
    for cell in solved.cells:
        cell.source = ours.get(cell.id, cell.source)
    nbformat.write(solved, copy)


def check_runs(notebook: Path) -> None:
    try:
        execute(notebook, SECONDS, first=OFFLINE)
    except NotebookFailure as failure:
        pytest.fail(str(failure), pytrace=False)


# ---- progress, and starting again


@pytest.fixture
def started(tmp_path: Path) -> Path:
    """A course whose learner has passed one exercise of lesson 4, failed another, and edited both cells."""
    copy_lessons(NBS, tmp_path)
    solve(lesson_4(tmp_path))
    write_record("softmax", Record(tries=1, hints=2, passed=True), tmp_path)
    write_record("nll", Record(tries=3), tmp_path)
    return tmp_path


def lesson_4(course: Path) -> Path:
    return course / "04_softmax_and_cross_entropy.ipynb"


def source_of_cell(course: Path, start: str) -> str:
    return next(cell.source for cell in read(lesson_4(course)).cells if cell.source.startswith(start))


def test_progress_lists_every_exercise_with_its_state(started: Path, capsys: pytest.CaptureFixture) -> None:
    assert progress.main(["--course", str(started)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(all_exercises()) + 1
    assert next(line for line in lines if " softmax " in line).split() == [
        "04",
        "softmax",
        "✓",
        "passed",
        "1",
        "failed",
        "try,",
        "2",
        "hints",
    ]
    assert next(line for line in lines if "nll" in line).split() == ["04", "nll", "·", "open", "3", "failed", "tries"]
    assert lines[-1] == f"1 of {len(all_exercises())} exercises passed"


def test_an_exercise_gets_its_stub_back_and_the_old_version_is_kept(started: Path) -> None:
    before, other = source_of_cell(started, "def softmax("), source_of_cell(started, "def nll(")
    assert progress.main(["--course", str(started), "--reset", "softmax", "--yes"]) == 0
    assert source_of_cell(started, "def softmax(").endswith("...  # your code")
    assert source_of_cell(started, "def nll(") == other
    (backup,) = (started / "backups").iterdir()
    assert before in [cell.source for cell in read(backup).cells]
    assert read_record("softmax", started) == Record() and read_record("nll", started) == Record(tries=3)


def test_a_lesson_gets_all_its_stubs_back(started: Path) -> None:
    assert progress.main(["--course", str(started), "--reset", "04", "--yes"]) == 0
    assert lesson_4(started).read_bytes() == copy_of(lesson_4(NBS))
    assert read_record("softmax", started) == read_record("nll", started) == Record()
    assert len(list((started / "backups").iterdir())) == 1


@pytest.mark.parametrize("answer", ["", "n", "what?"])
def test_nothing_is_reset_without_a_yes(started: Path, answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda question: answer)
    before = lesson_4(started).read_bytes()
    assert progress.main(["--course", str(started), "--reset", "softmax"]) == 1
    assert lesson_4(started).read_bytes() == before and not (started / "backups").exists()
    assert read_record("softmax", started).passed


def test_a_wrong_name_changes_nothing(started: Path, capsys: pytest.CaptureFixture) -> None:
    assert progress.main(["--course", str(started), "--reset", "sofmax", "--yes"]) == 1
    assert "sofmax" in capsys.readouterr().out and not (started / "backups").exists()


def test_without_copies_the_way_to_get_them_is_said(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert progress.main(["--course", str(tmp_path)]) == 1
    assert "make lab" in capsys.readouterr().out


def test_a_spoilt_record_is_a_fresh_one(started: Path) -> None:
    (started / ".progress" / "softmax.json").write_text('{"tries": 1')
    assert read_record("softmax", started) == Record()
