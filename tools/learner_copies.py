"""The learner's own copies of lessons and cases: made when missing, renewed while untouched, kept once edited."""

import hashlib
import json
import os
import shutil
from pathlib import Path

RECORD = ".copies.json"
HANDED_OUT = ("[0-9]*.ipynb", "cases/*.ipynb")  # the lessons, and the case studies in a folder of their own


def copy_lessons(nbs: Path, course: Path) -> list[str]:
    """Bring `course` up to date with the lessons and cases in `nbs`; returns a line for each thing worth telling.

    A copy that was edited stays as it is; when its lesson has changed since, the new one is laid beside it.
    `course/.copies.json` keeps, for each notebook (its path below `nbs`), the hash of what was last handed out and of
    the copy as written.
    """
    course.mkdir(parents=True, exist_ok=True)
    record_file = course / RECORD
    record = json.loads(record_file.read_text("utf-8")) if record_file.exists() else {}
    notes = []
    for lesson in sorted(path for pattern in HANDED_OUT for path in nbs.glob(pattern)):
        note = _copy_lesson(lesson, course, lesson.relative_to(nbs).as_posix(), record)
        notes += [note] if note else []
    shutil.copytree(nbs / "images", course / "images", dirs_exist_ok=True)
    _write(record_file, json.dumps(record, indent=1).encode())
    return notes


def _copy_lesson(lesson: Path, course: Path, name: str, record: dict[str, dict[str, str]]) -> str | None:
    copy, known = course / name, record.get(name, {})
    newest = _hash(lesson)
    mine = _hash(copy) if copy.exists() else None
    if mine is not None and known.get("source") == newest:
        return None
    if mine in (None, newest, known.get("copy")):
        _write(copy, lesson.read_bytes())
        record[name] = {"source": newest, "copy": newest}
        return None
    beside = _free_name(copy)
    _write(beside, lesson.read_bytes())
    record[name] = known | {"source": newest}
    return f"{name} has a new version. Yours is untouched; the new one is beside it: {beside.name}"


def _free_name(copy: Path) -> Path:
    number = 1
    while (beside := copy.with_name(f"{copy.stem}.new{number}.ipynb")).exists():
        number += 1
    return beside


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _write(path: Path, content: bytes) -> None:
    # Under another name first: an interrupt leaves the learner's file whole.
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(content)
    os.replace(temporary, path)
