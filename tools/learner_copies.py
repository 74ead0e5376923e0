"""The learner's own copies of lessons and cases: made when missing, renewed while untouched, kept once edited.

One master makes both forms. In a copy, each cell tagged `exercise` is a stub: signature, docstring and `...`; the
author's code is in a folded text below the next cell, which checks it. Cells tagged `author` are left out, and outputs
except those of quizzes. The code of quizzes, and of cells tagged `folded`, is hidden until it is asked for.
"""

import ast
import hashlib
import json
import os
import re
import shutil
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

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
    write(record_file, json.dumps(record, indent=1).encode())
    return notes


def _copy_lesson(lesson: Path, course: Path, name: str, record: dict[str, dict[str, str]]) -> str | None:
    copy, known, content = course / name, record.get(name, {}), copy_of(lesson)
    newest = _hash(content)
    mine = _hash(copy.read_bytes()) if copy.exists() else None
    if mine is not None and known.get("source") == newest:
        return None
    if mine in (None, newest, known.get("copy")):
        write(copy, content)
        record[name] = {"source": newest, "copy": newest}
        return None
    beside = _free_name(copy)
    write(beside, content)
    record[name] = known | {"source": newest}
    return f"{name} has a new version. Yours is untouched; the new one is beside it: {beside.name}"


def copy_of(lesson: Path) -> bytes:
    """Return the learner's copy of a master notebook, always the same for the same master."""
    notebook = nbformat.read(lesson, as_version=4)
    notebook.cells = _learners_cells(notebook.cells)
    return (nbformat.writes(notebook, indent=1) + "\n").encode()


def _learners_cells(masters: list[NotebookNode]) -> list[NotebookNode]:
    cells: list[NotebookNode] = []
    waiting: NotebookNode | None = None  # our version, to be shown below the cell that checks the learner's
    for master in masters:
        tags = master.metadata.get("tags", [])
        if "author" in tags or master.source.startswith("#| default_exp"):
            continue
        cells.append(NotebookNode(master))
        if master.cell_type == "code" and not is_quiz(master):
            cells[-1].outputs = []  # who predicts a result must not see it beside the question
        if "exercise" in tags:
            waiting = folded_solution(master)
            cells[-1].source = stub(master.source)
        elif waiting is not None and master.cell_type == "code":
            cells.append(waiting)
            waiting = None
        elif "folded" in tags or is_quiz(master):  # a quiz's source holds its answers
            cells[-1].metadata["jupyter"] = {"source_hidden": True}
    return cells


def is_quiz(cell: NotebookNode) -> bool:
    return cell.source.startswith("quiz(")


def folded_solution(master: NotebookNode) -> NotebookNode:
    code = re.sub(r"\A(#\|.*\n)+", "", master.source)
    summary = "<summary>Our version: open it when yours passes, or when you are stuck</summary>"
    text = f"<details>{summary}\n\n```python\n{code}\n```\n\n</details>"
    return new_markdown_cell(text, id=f"{master.id}-ours")


def stub(source: str) -> str:
    """Return the code of a cell with the body of each function replaced by `...`; imports and docstrings stay."""
    tree, lines = ast.parse(source), source.splitlines()
    parts = []
    for node in tree.body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        if not isinstance(node, ast.FunctionDef):
            parts.append("\n".join(lines[first - 1 : node.end_lineno]))
            continue
        has_docstring = ast.get_docstring(node) is not None
        last = node.body[0].end_lineno if has_docstring else node.body[0].lineno - 1
        parts.append("\n".join([*lines[first - 1 : last], "    ...  # your code"]))
    return "\n\n\n".join(parts)


def _free_name(copy: Path) -> Path:
    number = 1
    while (beside := copy.with_name(f"{copy.stem}.new{number}.ipynb")).exists():
        number += 1
    return beside


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write(path: Path, content: bytes) -> None:
    # Under another name first: an interrupt leaves the learner's file whole.
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(content)
    os.replace(temporary, path)
