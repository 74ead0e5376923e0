"""Execute notebooks and keep their outputs, free of what changes from run to run; then make README.md.

`python -m tools.render` renders all of them, `python -m tools.render 04 lib/core` those whose path in nbs/ starts so.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from nbdev.clean import nbdev_clean
from nbformat import NotebookNode

from tools.cover import LESSON, write_cover
from tools.make_readme import write_readme
from tools.notebooks import NBS, ROOT, execute, find_notebooks, make_steady

SECONDS = 600  # for a whole notebook: three times what a slow laptop needs for the longest lesson


def main(prefixes: list[str]) -> None:
    chosen = [path for path in find_notebooks() if is_chosen(path, prefixes)]
    if not chosen:
        sys.exit(f"No notebook in nbs/ starts with {' or '.join(prefixes)}.")
    with tempfile.TemporaryDirectory() as folder:
        # In a copy: what a lesson writes beside itself (an exported model) does not belong into nbs/.
        copy = Path(shutil.copytree(NBS, Path(folder) / "nbs"))
        for path in chosen:
            print(path.relative_to(ROOT), flush=True)
            notebook = execute_afresh(copy / path.relative_to(NBS))
            make_steady(notebook)
            nbformat.write(notebook, path)
            nbdev_clean(str(path))
            if path == LESSON:
                write_cover(notebook)
    write_readme()


def execute_afresh(path: Path) -> NotebookNode:
    """Execute with empty caches: what a lesson prints the first time is then printed every time."""
    with tempfile.TemporaryDirectory() as caches:
        os.environ["COURSEKIT_HOME"] = caches
        return execute(path, SECONDS)


def is_chosen(path: Path, prefixes: list[str]) -> bool:
    return not prefixes or path.relative_to(NBS).as_posix().startswith(tuple(prefixes))


if __name__ == "__main__":
    main(sys.argv[1:])
