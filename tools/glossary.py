"""Collects the glossary of the reading edition from the lessons: the bullets of each section "New words".

`python -m tools.glossary` prints the page. A bullet is `- **term**: meaning`. Each term is linked to the section that
introduces it: the first that has it in bold, or else the first that has it at all.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from nbformat import NotebookNode

from tools.learner_copies import HANDED_OUT
from tools.notebooks import NBS, read

NEW_WORDS = "New words"
HEADING = re.compile(r"^#{1,4} +(.+?) *$")
BULLET = re.compile(r"^[-*] +\*\*(.+?):?\*\*:? *(.*)$")


class GlossaryError(Exception):
    """A glossary that cannot be made: says which term, and where."""


class Term(NamedTuple):
    """A word, its meaning, the notebook that introduces it, with its title, and the heading of the section."""

    name: str
    meaning: str
    notebook: str
    title: str
    heading: str


class Section(NamedTuple):
    """A part of a notebook's text: its heading, and the lines below it."""

    heading: str
    lines: list[str]


def slug(title: str) -> str:
    """Returns the anchor of a heading, as the site makes it."""
    return re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")


def glossary(nbs: Path = NBS) -> list[Term]:
    """Returns the terms of lessons and cases in alphabetical order; raises `GlossaryError` for one defined twice."""
    listed: dict[str, Term] = {}
    for path in (path for pattern in HANDED_OUT for path in sorted(nbs.glob(pattern))):
        sections = sections_of(read(path))
        name, title = path.relative_to(nbs).as_posix(), sections[0].heading
        for term, meaning in listed_words(sections, name):
            _refuse_second(term, name, listed)
            listed[term.casefold()] = Term(term, meaning, name, title, introduction(term, sections))
    return sorted(listed.values(), key=lambda term: term.name.casefold())


def _refuse_second(term: str, notebook: str, listed: dict[str, Term]) -> None:
    if (first := listed.get(term.casefold())) is not None:
        raise GlossaryError(
            f"'{term}' is defined twice under 'New words': in nbs/{first.notebook} and in nbs/{notebook}. "
            "Keep it where it is introduced, and delete it in the other notebook."
        )


def sections_of(notebook: NotebookNode) -> list[Section]:
    """Returns the sections of a notebook's text, in order; fenced code is left out."""
    sections = [Section("", [])]
    for cell in notebook.cells:
        fenced = False
        for line in cell.source.splitlines() if cell.cell_type == "markdown" else ():
            if line.lstrip().startswith("```"):
                fenced = not fenced
            elif fenced:
                continue
            elif heading := HEADING.match(line):
                sections.append(Section(heading[1], []))
            else:
                sections[-1].lines.append(line)
        sections[-1].lines.append("")
    return sections[1:] or sections


def listed_words(sections: Sequence[Section], notebook: str) -> Iterator[tuple[str, str]]:
    """Yields (term, meaning) for each bullet below "New words"; raises `GlossaryError` for one of another form."""
    below = [line for section in sections if section.heading == NEW_WORDS for line in section.lines]
    for bullet in _bullets(below):
        found = BULLET.match(bullet)
        if found is None or not found[2]:
            raise GlossaryError(f"nbs/{notebook}: '{bullet}' under 'New words' is not '- **term**: meaning'.")
        yield found[1].strip(), found[2].strip()


def _bullets(lines: Sequence[str]) -> list[str]:
    "Each bullet as one line, its continuation lines joined."
    bullets: list[str] = []
    inside = False
    for line in lines:
        if re.match(r"[-*] ", line):
            bullets.append(line.strip())
            inside = True
        elif inside and line.startswith("  ") and line.strip():
            bullets[-1] += " " + line.strip()
        else:
            inside = False
    return bullets


def introduction(term: str, sections: Sequence[Section]) -> str:
    """Returns the heading of the section that has a term in bold, or else in any form, or else defines it."""
    names = [re.escape(name) for name in (term, *term.split(", "))]
    word = rf"(?:{'|'.join(names)})(?:e?s)?"
    for pattern in (rf"\*\*{word}\.?\*\*", rf"\b{word}\b"):
        for section in sections:
            text = "\n".join([section.heading, *section.lines])
            if section.heading != NEW_WORDS and re.search(pattern, text, re.IGNORECASE):
                return section.heading
    return NEW_WORDS


def page(terms: Sequence[Term]) -> str:
    """Returns the page in MyST Markdown: a definition list, each entry with a link to where the term is introduced."""
    parts = [
        "# Glossary",
        "",
        "The new words of all lessons and cases. Each entry links to the section that introduces the word.",
        "",
        "````{glossary}",
    ]
    for term in terms:
        where = term.title if term.heading == term.title else f"{term.title}: {term.heading}"
        link = f"[{_plain(where)}](/{term.notebook}#{slug(term.heading)})"
        parts += [_plain(term.name), f"  {_sentence(term.meaning)}", "", f"  Introduced in {link}", ""]
    return "\n".join([*parts, "````", ""])


def _plain(text: str) -> str:
    return text.replace("`", "")


def _sentence(text: str) -> str:
    text = text[0].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else text + "."


if __name__ == "__main__":
    print(page(glossary()))
