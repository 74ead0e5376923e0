"""What is committed agrees with itself: package with notebooks, README with its notebook; and notebooks are clean."""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tools.make_readme import readme
from tools.notebooks import NBS, ROOT, WIDGET_VIEW, find_notebooks, read

NOTEBOOKS = find_notebooks()
NAMES = [path.relative_to(NBS).as_posix() for path in NOTEBOOKS]
# What differs from one machine or run to the next, and so has no place in a committed output.
VOLATILE = {
    "a path of this machine": re.compile(
        "|".join(re.escape(str(p)) for p in (Path.home(), ROOT, tempfile.gettempdir())) + r"|/home/\w|/Users/\w|/root\b"
    ),
    "a path into an environment": re.compile(r"site-packages"),
    "an object's address": re.compile(r"\bat 0x[0-9a-f]{6,}"),
    "a progress bar": re.compile(r"\d%\|.*\||\d(it/s|s/it)\b|\r(?!\n)"),
}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the notebooks and of nbdev's settings, without any exported code."""
    copy = tmp_path_factory.mktemp("checkout")
    shutil.copy(ROOT / "pyproject.toml", copy)
    shutil.copytree(NBS, copy / "nbs", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    return copy


def run_nbdev(command: str, folder: Path) -> None:
    subprocess.run([Path(sys.executable).with_name(command)], cwd=folder, check=True, capture_output=True, text=True)


def test_coursekit_is_exactly_what_the_notebooks_export(checkout: Path) -> None:
    run_nbdev("nbdev-export", checkout)
    exported, committed = modules(checkout / "coursekit"), modules(ROOT / "coursekit")
    assert sorted(committed) == sorted(exported), "run `make export`, and delete modules that no notebook makes"
    different = [name for name in exported if exported[name] != committed[name]]
    assert not different, "edit the notebook, not the module; then run `make export`"


def modules(package: Path) -> dict[str, bytes]:
    return {path.relative_to(package).as_posix(): path.read_bytes() for path in package.rglob("*.py")}


def test_cleaning_would_change_no_notebook(checkout: Path) -> None:
    run_nbdev("nbdev-clean", checkout)
    unclean = [name for name in NAMES if (checkout / "nbs" / name).read_bytes() != (NBS / name).read_bytes()]
    assert not unclean, "run `.venv/bin/nbdev-clean`"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_outputs_hold_nothing_that_changes_from_run_to_run(path: Path) -> None:
    notebook = read(path)
    assert "widgets" not in notebook.metadata
    found = []
    for index, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            text = text_of(output)
            found += [f"cell {index}: {what}" for what, pattern in VOLATILE.items() if pattern.search(text)]
            found += [f"cell {index}: a widget"] if WIDGET_VIEW in output.get("data", {}) else []
            found += [f"cell {index}: an error"] if output.output_type == "error" else []
    assert not found, "render it again (`make render`), or print something steadier"


def text_of(output: dict) -> str:
    data = output.get("data", {})
    return "\n".join([output.get("text", ""), data.get("text/plain", ""), data.get("text/html", "")])


def test_readme_is_made_from_its_notebook() -> None:
    text, pictures = readme(read(NBS / "index.ipynb"))
    assert (ROOT / "README.md").read_text("utf-8") == text, "run `.venv/bin/python -m tools.make_readme`"
    for name, content in pictures.items():
        assert (NBS / "images" / name).read_bytes() == content
        assert len(content) < 300_000


def test_every_relative_link_of_the_readme_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / "README.md").read_text("utf-8"))
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
