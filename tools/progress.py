"""Show what a learner has reached, or start an exercise or a lesson again.

    python -m tools.progress [--course FOLDER]             (make progress)
    python -m tools.progress --reset softmax [--yes]       (make reset WHAT=softmax)
    python -m tools.progress --reset 04 [--yes]            (make reset WHAT=04; WHAT=pets for a case)

Resetting asks first, and keeps a backup of the notebook in `backups/` in the course's folder.
"""

import argparse
import re
import shutil
import sys
from datetime import datetime
from pathlib import Path

import nbformat

from coursekit.course.checker import all_exercises
from coursekit.course.progress import FOLDER, read_record
from tools.learner_copies import RECORD, copy_of, write

ROOT = Path(__file__).resolve().parent.parent
NBS = ROOT / "nbs"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Show your progress, or start again with an exercise or a lesson.")
    parser.add_argument("--course", type=Path, default=ROOT / "course")
    parser.add_argument("--reset", metavar="WHAT", help="an exercise (softmax), a lesson (04) or a case (pets)")
    parser.add_argument("--yes", action="store_true", help="don't ask")
    options = parser.parse_args(arguments)
    if not (options.course / RECORD).is_file():
        print(f"There are no learner copies in {options.course}. `make lab` makes them.")
        return 1
    return reset(options.course, options.reset, options.yes) if options.reset else show(options.course)


def show(course: Path) -> int:
    """Print a line for each exercise, in the order of the lessons, and how many are passed."""
    exercises = sorted(all_exercises().values(), key=lambda exercise: exercise.lesson)
    passed = 0
    for exercise in exercises:
        record = read_record(exercise.name, course)
        passed += record.passed
        tries = f"{record.tries} failed {'try' if record.tries == 1 else 'tries'}" if record.tries else ""
        hints = f"{record.hints} {'hint' if record.hints == 1 else 'hints'}" if record.hints else ""
        state = "✓ passed" if record.passed else "· open"
        details = ", ".join(filter(None, (tries, hints)))
        print(f"{exercise.lesson:10}{exercise.name:26}{state:10} {details}".rstrip())
    print(f"{passed} of {len(exercises)} exercises passed")
    return 0


def reset(course: Path, what: str, sure: bool) -> int:
    """Give an exercise or a lesson back its first state, after asking; returns 1 if nothing was done."""
    exercises = [exercise for exercise in all_exercises().values() if what in (exercise.name, exercise.lesson)]
    lesson = exercises[0].lesson if exercises else what
    whole = what == lesson
    master = next(iter([*NBS.glob(f"{lesson}_*.ipynb"), *NBS.glob(f"cases/{lesson}.ipynb")]), None)
    if master is None:
        print(f"There is no exercise and no lesson {what!r}. `make progress` lists them.")
        return 1
    copy = course / master.relative_to(NBS)
    scope = f"the whole lesson {copy.name}" if whole else f"the cell of {what} in {copy.name}"
    if not sure and input(f"Reset {scope}? Your version is kept in backups/. [y/N] ").strip().lower() not in (
        "y",
        "yes",
    ):
        print("Nothing was changed.")
        return 1
    if copy.exists():
        print(f"Your version is kept: {_back_up(copy, course)}")
    write(copy, copy_of(master) if whole or not copy.exists() else _with_fresh_stub(copy, master, what))
    for exercise in exercises:
        (course / FOLDER / f"{exercise.name}.json").unlink(missing_ok=True)
    print(f"Reset {scope}. If it is open in JupyterLab, reload it from disk.")
    return 0


def _back_up(copy: Path, course: Path) -> Path:
    backup = course / "backups" / f"{copy.stem}-{datetime.now():%Y-%m-%d-%H%M%S-%f}.ipynb"
    backup.parent.mkdir(exist_ok=True)
    shutil.copy2(copy, backup)
    return backup


def _with_fresh_stub(copy: Path, master: Path, exercise: str) -> bytes:
    """Return the learner's notebook with one exercise's cell as it was handed out."""
    handed_out = nbformat.reads(copy_of(master).decode(), as_version=4)
    defines = re.compile(rf"^def {exercise}\(", re.MULTILINE)
    fresh = next(c for c in handed_out.cells if "exercise" in c.metadata.get("tags", []) and defines.search(c.source))
    notebook = nbformat.read(copy, as_version=4)
    mine = [c for c in notebook.cells if c.get("id") == fresh.id] or [
        c for c in notebook.cells if c.cell_type == "code" and defines.search(c.source)
    ]
    for cell in mine[:1]:
        cell.update(source=fresh.source, outputs=[], execution_count=None)
    if not mine:  # the cell was deleted: it comes back at the end
        notebook.cells.append(fresh)
    return (nbformat.writes(notebook, indent=1) + "\n").encode()


if __name__ == "__main__":
    sys.exit(main())
