"""Every lesson runs from top to bottom in a kernel of its own; a failure shows the cell.

The other notebooks are tested in test_notebooks_besides.py, which another process can take at the same time.
"""

from pathlib import Path

import pytest
from test_browser import CHROMIUM

from tools.notebooks import NBS, NotebookFailure, execute, find_notebooks

SECONDS = 300  # for a whole notebook: lessons stay below 90 s on two cores, which other work may share
NAMES = [path.relative_to(NBS).as_posix() for path in find_notebooks()]
LESSONS = [name for name in NAMES if name[:2].isdigit()]
OFFLINE = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import offline; sys.path.pop(0)"
# test_browser.py runs these to their end too. A learner's copy of them is the lesson itself: it has no stubs.
IN_THE_BROWSER = {"06_learning_rate_finder.ipynb", "09_interpretation.ipynb", "10_export_and_predict.ipynb"}


@pytest.mark.parametrize("name", LESSONS)
def test_notebook_runs_to_its_end(name: str, copy_of_nbs: Path) -> None:
    if name in IN_THE_BROWSER and CHROMIUM:
        assert '"exercise"' not in (NBS / name).read_text("utf-8"), (
            "its learner copy has stubs: run the lesson here too"
        )
        pytest.skip("lessons that test_browser.py runs to their end, from the first cell to the last")
    try:
        execute(copy_of_nbs / name, SECONDS, first=OFFLINE)
    except NotebookFailure as failure:
        pytest.fail(str(failure), pytrace=False)
