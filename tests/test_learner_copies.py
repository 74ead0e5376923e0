"""The learner's own copies of lessons and cases (tools/learner_copies.py, what `make lab` does first)."""

import json
from pathlib import Path

import pytest

from tools.learner_copies import copy_lessons

LESSON = "04_softmax.ipynb"
CASE = "cases/textiles.ipynb"


@pytest.fixture
def nbs(tmp_path: Path) -> Path:
    folder = tmp_path / "nbs"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "picture.png").write_bytes(b"picture")
    (folder / LESSON).write_text("lesson, first release")
    (folder / "index.ipynb").write_text("not a lesson")
    for name, text in ((CASE, "case, first release"), ("lib/core.ipynb", "not a lesson")):
        (folder / name).parent.mkdir()
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def course(tmp_path: Path, nbs: Path) -> Path:
    assert copy_lessons(nbs, tmp_path / "course") == []
    return tmp_path / "course"


def notebooks(course: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in course.glob("*.ipynb")}


def test_lessons_cases_and_their_pictures_are_copied_and_nothing_else(course: Path) -> None:
    assert notebooks(course) == {LESSON: "lesson, first release"}
    assert [path.relative_to(course).as_posix() for path in course.rglob("*/*.ipynb")] == [CASE]
    assert (course / CASE).read_text() == "case, first release"
    assert (course / "images" / "picture.png").read_bytes() == b"picture"


def test_an_untouched_copy_follows_the_lesson(nbs: Path, course: Path) -> None:
    (nbs / LESSON).write_text("lesson, second release")
    assert copy_lessons(nbs, course) == []
    assert notebooks(course) == {LESSON: "lesson, second release"}


def test_an_edited_copy_is_kept_and_each_new_release_laid_beside_it_once(nbs: Path, course: Path) -> None:
    (course / LESSON).write_text("my notes")
    assert copy_lessons(nbs, course) == []
    for number, release in ((1, "second"), (2, "third")):
        (nbs / LESSON).write_text(f"lesson, {release} release")
        (note,) = copy_lessons(nbs, course)
        assert f"04_softmax.new{number}.ipynb" in note
        assert copy_lessons(nbs, course) == []
    assert notebooks(course) == {
        LESSON: "my notes",
        "04_softmax.new1.ipynb": "lesson, second release",
        "04_softmax.new2.ipynb": "lesson, third release",
    }


def test_a_case_is_kept_and_renewed_like_a_lesson(nbs: Path, course: Path) -> None:
    (nbs / CASE).write_text("case, second release")
    assert copy_lessons(nbs, course) == []
    assert (course / CASE).read_text() == "case, second release"
    (course / CASE).write_text("my case")
    (nbs / CASE).write_text("case, third release")
    (note,) = copy_lessons(nbs, course)
    assert CASE in note and "textiles.new1.ipynb" in note
    assert copy_lessons(nbs, course) == []
    assert (course / CASE).read_text() == "my case"
    assert (course / "cases" / "textiles.new1.ipynb").read_text() == "case, third release"


def test_a_lesson_and_a_case_of_one_name_are_told_apart(nbs: Path, course: Path) -> None:
    (nbs / "cases" / LESSON).write_text("case of the same name")
    copy_lessons(nbs, course)
    (course / LESSON).write_text("my notes")
    (nbs / "cases" / LESSON).write_text("case of the same name, again")
    assert copy_lessons(nbs, course) == []
    assert (course / "cases" / LESSON).read_text() == "case of the same name, again"


def test_a_deleted_copy_comes_back(nbs: Path, course: Path) -> None:
    (course / LESSON).unlink()
    copy_lessons(nbs, course)
    assert notebooks(course) == {LESSON: "lesson, first release"}


def test_work_is_kept_when_the_record_is_lost(nbs: Path, course: Path) -> None:
    (course / LESSON).write_text("my notes")
    (course / ".copies.json").unlink()
    (note,) = copy_lessons(nbs, course)
    assert "Yours is untouched" in note
    assert notebooks(course)[LESSON] == "my notes"
    assert json.loads((course / ".copies.json").read_text())[LESSON]["source"]
