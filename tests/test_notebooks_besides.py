"""The case studies, the index and the notebooks of `nbs/lib` run to their end, each in a kernel of its own."""

from pathlib import Path

import pytest
from test_notebooks import LESSONS, NAMES, OFFLINE

from tools.learner_copies import copy_of
from tools.notebooks import NBS, NotebookFailure, execute, read

SECONDS = 300  # for a whole notebook, on two cores, which other work may share
LONGER = {"cases/textiles.ipynb": 480}  # trains a whole network on tiles: 250 s where two processes share two cores


def only_makes_a_module(name: str) -> bool:
    """Whether every cell of code is exported: importing the module, as other tests do, runs them all."""
    code = [cell.source for cell in read(NBS / name).cells if cell.cell_type == "code" and cell.source.strip()]
    return all(source.startswith(("#| export", "#| default_exp")) for source in code)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in LESSONS and not only_makes_a_module(name)])
def test_notebook_runs_to_its_end(name: str, copy_of_nbs: Path) -> None:
    """A case runs as a learner's copy, unsolved. Its exercises come last; test_learner_copies.py judges our answers."""
    if name.startswith("cases/"):
        (copy_of_nbs / name).write_bytes(copy_of(NBS / name))
    try:
        execute(copy_of_nbs / name, LONGER.get(name, SECONDS), first=OFFLINE)
    except NotebookFailure as failure:
        pytest.fail(str(failure), pytrace=False)
