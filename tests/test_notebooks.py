"""Every lesson runs from top to bottom in a kernel of its own; a failure shows the cell.

The other notebooks are tested in test_notebooks_besides.py, which another process can take at the same time.
"""

from pathlib import Path

import pytest

from tools.notebooks import NBS, NotebookFailure, execute, find_notebooks

SECONDS = 300  # for a whole notebook: lessons stay below 90 s on two cores, which other work may share
NAMES = [path.relative_to(NBS).as_posix() for path in find_notebooks()]
LESSONS = [name for name in NAMES if name[:2].isdigit()]


@pytest.mark.parametrize("name", LESSONS)
def test_notebook_runs_to_its_end(name: str, copy_of_nbs: Path) -> None:
    try:
        execute(copy_of_nbs / name, SECONDS)
    except NotebookFailure as failure:
        pytest.fail(str(failure), pytrace=False)
