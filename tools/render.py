"""Execute notebooks and keep their outputs, free of what changes from run to run; then make README.md.

`python -m tools.render` renders all of them, `python -m tools.render 04 lib/core` those whose path in nbs/ starts so.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

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
            notebook = execute(copy / path.relative_to(NBS), SECONDS)
            make_steady(notebook)
            nbformat.write(notebook, path)
            if path == LESSON:
                write_cover(notebook)
    subprocess.run([Path(sys.executable).with_name("nbdev-clean")], cwd=ROOT, check=True)
    write_readme()


def is_chosen(path: Path, prefixes: list[str]) -> bool:
    return not prefixes or path.relative_to(NBS).as_posix().startswith(tuple(prefixes))


if __name__ == "__main__":
    main(sys.argv[1:])
