"""Builds the reading edition: a static site of lessons, cases, reference and glossary that needs no network.

`python -m tools.build_site [FOLDER]` writes it to FOLDER, by default `site`. Nothing is executed: outputs are those in
the notebooks. Fails on a warning of Sphinx, a broken link, and anything that a page would load from elsewhere.
"""

import re
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from sphinx.cmd.build import main as sphinx_build

from tools import check_site, glossary, reference
from tools.learner_copies import HANDED_OUT, folded_solution, stub
from tools.notebooks import NBS, ROOT, read

DOCS = ROOT / "docs"
LESSONS = "<!-- the lessons and cases, from nbs/index.ipynb -->"
STILL = {"pygments_lexer": "ipython3", "name": "python"}


class SiteError(Exception):
    """A site that is not fit to be read: says what is wrong with it, a line for each fault."""


def build(site: Path, quiet: bool = True) -> None:
    """Builds the site anew in the folder `site`; raises `SiteError`, and leaves pages with faults to be looked at."""
    with tempfile.TemporaryDirectory() as folder:
        source, built = Path(folder) / "source", Path(folder) / "built" / "site"  # myst-nb writes beside what it builds
        write_source(source)
        flags = ["-b", "html", "-W", "--keep-going", "-d", str(Path(folder) / "trees"), *(["-q"] if quiet else [])]
        if sphinx_build([*flags, str(source), str(built)]) != 0:
            raise SiteError("Sphinx has warned of what stands above.")
        for left_over in (".buildinfo", "objects.inv"):
            (built / left_over).unlink(missing_ok=True)
        if site.exists():
            shutil.rmtree(site)
        shutil.move(built, site)
    if faults := check_site.faults(site):
        raise SiteError("\n".join(faults))


def write_source(source: Path) -> None:
    """Writes what Sphinx reads: the notebooks for readers, docs/, the reference and the glossary."""
    shutil.copytree(DOCS, source)
    shutil.copytree(NBS / "images", source / "images")
    found = reference.modules()
    names = reference.public_names(found)
    homes = {module.notebook: reference.address_of(module.dotted) for module in found.values()}
    notebooks = {path.relative_to(NBS): readers_copy(read(path), homes) for path in handed_out()}
    notebooks[Path("use_the_library.ipynb")] = page_of_the_library(read(NBS / "index.ipynb"), homes)
    for name, notebook in notebooks.items():
        (source / name).parent.mkdir(exist_ok=True)
        nbformat.write(notebook, source / name)
    pages = reference.reference() | {"glossary.md": glossary.page(glossary.glossary())}
    for path in DOCS.glob("*.md"):
        text = reference.linked(path.read_text("utf-8"), names)
        pages[path.name] = text.replace(LESSONS, tables_of_lessons())
    for name in ("CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"):
        pages[name] = (ROOT / name).read_text("utf-8")
    for name, text in pages.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text, "utf-8")


def handed_out() -> list[Path]:
    """Returns the lessons and cases, in reading order."""
    return [path for pattern in HANDED_OUT for path in sorted(NBS.glob(pattern))]


def readers_copy(master: NotebookNode, homes: dict[str, str]) -> NotebookNode:
    """Returns a notebook for reading: our solutions folded, quizzes without their source, no cells for authors.

    An exercise is shown as its stub, with our version folded below it; the cell that would check the reader's is left
    out. `homes` has the reference page for each notebook that makes a module.
    """
    cells: list[NotebookNode] = []
    after_exercise = False
    for cell in master.cells:
        tags = cell.metadata.get("tags", [])
        if "author" in tags or re.match(r"#\| (default_exp|hide\b)", cell.source):
            continue
        if cell.cell_type == "markdown":
            cells.append(NotebookNode(cell, source=readers_text(cell.source, homes)))
        elif "exercise" in tags:
            cells += [_code(cell, stub(cell.source), []), folded_solution(cell)]
        elif not (after_exercise and cell.source.startswith("check(")):
            cells.append(_code(cell, cell.source, cell.outputs))
        after_exercise = "exercise" in tags
    return NotebookNode(master, cells=cells, metadata={"language_info": STILL})


def _code(cell: NotebookNode, source: str, outputs: list[NotebookNode]) -> NotebookNode:
    metadata = NotebookNode(tags=[])
    if source.startswith("quiz("):  # its source holds the answers
        metadata.tags.append("remove-input")
    elif "folded" in cell.metadata.get("tags", []):
        metadata.tags.append("hide-input")
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    described = [output.data.get("text/plain", "") for output in pictures]
    if described and not described[0].startswith("<"):
        metadata.mystnb = {"image": {"alt": " ".join(described[0].split())}}
    source = re.sub(r"^#\| .*\n?", "", source, flags=re.MULTILINE)
    return NotebookNode(cell, source=source, outputs=outputs, metadata=metadata, execution_count=None)


def readers_text(markdown: str, homes: dict[str, str]) -> str:
    """Returns a text whose links fit the site: a library notebook's becomes its reference, anchors are lower case.

    >>> readers_text("[x](../lib/core.ipynb), [y](#Real-photos)", {"lib/core.ipynb": "reference/ground.md#core"})
    '[x](/reference/ground.md#core), [y](#real-photos)'
    """

    def home(found: re.Match) -> str:
        return f"](/{homes[found[1]]})" if found[1] in homes else found[0]

    markdown = re.sub(r"\]\((?:\.\./)*(lib/[^)#]+\.ipynb)\)", home, markdown)
    return re.sub(r"\]\(#([^)]+)\)", lambda found: f"](#{found[1].lower()})", markdown)


def page_of_the_library(index: NotebookNode, homes: dict[str, str]) -> NotebookNode:
    """Returns the README's notebook as a page of the site: without what has pages of its own here."""
    page = readers_copy(index, homes)
    for cell in page.cells:
        if cell.cell_type == "markdown":
            text = re.sub(
                r"^## (The lessons|The modules)\n.*?(?=^## |\Z)", "", cell.source, flags=re.DOTALL | re.MULTILINE
            )
            text = re.sub(r"^# coursekit\n.*?(?=^## )", "# Install and use\n\n", text, flags=re.DOTALL | re.MULTILINE)
            cell.source = re.sub(r"\]\(\.\./", "](/", text)
    page.cells = [cell for cell in page.cells if cell.source.strip()]
    return page


def tables_of_lessons() -> str:
    """Returns the part of the README's notebook between the headings of lessons and modules."""
    text = "\n\n".join(cell.source for cell in read(NBS / "index.ipynb").cells if cell.cell_type == "markdown")
    found = re.search(r"^## The lessons\n(.*?)^## ", text, re.DOTALL | re.MULTILINE)
    if found is None:
        raise SiteError("nbs/index.ipynb has no section 'The lessons', which the start page is made from.")
    return found[1].strip()


def main(arguments: list[str]) -> int:
    site = Path(arguments[0]) if arguments else ROOT / "site"
    try:
        build(site)
    except (SiteError, glossary.GlossaryError) as error:
        print(f"The site was not built.\n{error}", file=sys.stderr)
        return 1
    print(f"The site is in {site}: open {site / 'index.html'} in a browser. It needs no network.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
