"""Make README.md from nbs/index.ipynb: its text as it is, its code in fences, what the code printed and drew below it.

A cell that starts with `#| hide` is left out, of one that starts with `#| echo: false` only the output is shown;
`#| fig-alt: WORDS` says what a cell's picture shows. `<!-- the table of modules ... -->` is replaced by that table.
"""

import base64
import re

from nbformat import NotebookNode

from tools.house import house_table
from tools.notebooks import NBS, ROOT, read

INDEX = NBS / "index.ipynb"
README = ROOT / "README.md"
MADE_FROM = "<!-- Made from nbs/index.ipynb by `make render`: change it there. -->\n\n"


def write_readme() -> None:
    """Write README.md, and into nbs/images the pictures that it shows."""
    text, pictures = readme(read(INDEX))
    for name, content in pictures.items():
        (NBS / "images" / name).write_bytes(content)
    README.write_text(text, "utf-8")


def readme(notebook: NotebookNode) -> tuple[str, dict[str, bytes]]:
    """The text of the README, and the pictures in it by file name."""
    pictures: dict[str, bytes] = {}
    parts = [_cell(cell, pictures) for cell in notebook.cells]
    return MADE_FROM + "\n\n".join(part for part in parts if part) + "\n", pictures


def _cell(cell: NotebookNode, pictures: dict[str, bytes]) -> str:
    if cell.source.startswith("#| hide"):
        return ""
    if cell.cell_type == "markdown":
        return _with_modules(_from_root(cell.source.strip()))
    alt = re.search(r"^#\| fig-alt: (.+)$", cell.source, re.MULTILINE)
    shown = [_output(output, alt[1] if alt else "picture", pictures) for output in cell.outputs]
    if not cell.source.startswith("#| echo: false"):
        code = re.sub(r"^#\| .*\n", "", cell.source, flags=re.MULTILINE)
        shown.insert(0, f"```python\n{code.strip()}\n```")
    return "\n\n".join(part for part in shown if part)


def _output(output: NotebookNode, alt: str, pictures: dict[str, bytes]) -> str:
    data = output.get("data", {})
    if "image/png" in data:
        name = f"readme_{len(pictures) + 1}.png"
        pictures[name] = base64.b64decode(data["image/png"])
        return f"![{alt}](nbs/images/{name})"
    text = data.get("text/markdown") or _fenced(data.get("text/plain", output.get("text", "")))
    return text.strip()


def _fenced(text: str) -> str:
    return f"```text\n{text.rstrip()}\n```" if text.strip() else ""


def _with_modules(markdown: str) -> str:
    return re.sub(r"<!-- the table of modules.*?-->", lambda _: house_table(), markdown)


def _from_root(markdown: str) -> str:
    "The notebook lies in nbs/, the README above it: move the relative links along."
    return re.sub(r"\]\((?!https?:|#|/)(\.\./)?", lambda link: "](" if link[1] else "](nbs/", markdown)


if __name__ == "__main__":
    write_readme()
