"""Every lesson runs from top to bottom in a kernel of its own; a failure shows the cell.

The other notebooks are tested in test_notebooks_besides.py, which another process can take at the same time.
"""

from pathlib import Path

import pytest

from coursekit.course.checker import all_exercises
from coursekit.course.progress import Record, read_record
from tools.notebooks import NBS, NotebookFailure, execute, find_notebooks

SECONDS = 300  # for a whole notebook: lessons stay below 90 s on two cores, which other work may share
NAMES = [path.relative_to(NBS).as_posix() for path in find_notebooks()]
LESSONS = [name for name in NAMES if name[:2].isdigit()]
OFFLINE = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import offline; sys.path.pop(0)"


@pytest.mark.parametrize("name", LESSONS)
def test_notebook_runs_to_its_end(name: str, copy_of_nbs: Path) -> None:
    """A master is also a copy in which every exercise is solved: in a course folder its passes are kept."""
    (copy_of_nbs / ".copies.json").touch()
    try:
        execute(copy_of_nbs / name, SECONDS, first=OFFLINE)
    except NotebookFailure as failure:
        pytest.fail(str(failure), pytrace=False)
    asked = [exercise for exercise in all_exercises().values() if exercise.lesson == name.split("_")[0]]
    assert all(read_record(exercise.name, copy_of_nbs) == Record(passed=True) for exercise in asked)
