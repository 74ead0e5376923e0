"""Finds what is wrong with a built site: links that lead nowhere, and anything that would be loaded from elsewhere.

`python -m tools.check_site FOLDER` prints the faults, and fails if there are any. It needs no other package.
"""

import os
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADING = {  # the attributes by which a page loads something; an `a` does not load
    "script": ("src",),
    "img": ("src", "srcset"),
    "link": ("href",),
    "iframe": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "audio": ("src",),
    "track": ("src",),
    "input": ("src",),
}
OUTSIDE = re.compile(r"^\s*(https?:)?//", re.IGNORECASE)
IN_STYLE = re.compile(r"@import\s+(?:url\()?\s*['\"]?([^'\")\s;]+)|url\(\s*['\"]?([^'\")]+)", re.IGNORECASE)


class Page(HTMLParser):
    """The anchors of a page, the addresses that it links to, and the addresses that it loads from."""

    def __init__(self, text: str):
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self._in_style = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        self.links += [values["href"]] if tag in ("a", "area") and "href" in values else []
        for name in LOADING.get(tag, ()):
            addresses = values.get(name, "").split(",") if name == "srcset" else [values.get(name, "")]
            self.loaded += [address.strip().split(" ")[0] for address in addresses if address.strip()]
        self.loaded += styled(values.get("style", ""))
        self._in_style = tag == "style"

    def handle_data(self, data: str) -> None:
        self.loaded += styled(data) if self._in_style else []

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False


def styled(css: str) -> list[str]:
    """Returns the addresses that a piece of CSS loads."""
    return [found[1] or found[2] for found in IN_STYLE.finditer(css)]


def faults(site: Path) -> list[str]:
    """Returns a line for each link without a target, and for each thing that is loaded from outside or is missing."""
    site = site.resolve()
    pages = {path: Page(path.read_text("utf-8")) for path in sorted(site.rglob("*.html"))}
    found = [] if pages else [f"{site} holds no pages"]
    for path, page in pages.items():
        found += (f"{path.relative_to(site)}: {fault}" for fault in _page_faults(path, page, pages, site))
    for path in sorted(site.rglob("*.css")):
        for address in styled(path.read_text("utf-8")):
            if OUTSIDE.match(address):
                found.append(f"{path.relative_to(site)}: loads {address}")
    return found


def _page_faults(path: Path, page: Page, pages: dict[Path, Page], site: Path) -> Iterator[str]:
    for address in dict.fromkeys(page.loaded):
        if OUTSIDE.match(address):
            yield f"loads {address}"
        elif not urlsplit(address).scheme and not _target(path, address).is_file():
            yield f"loads {address}, which is missing"
    for link in dict.fromkeys(page.links):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = _target(path, link)
        anchors = pages[target].anchors if target in pages else set()
        if not target.is_relative_to(site) or not (target in pages or target.is_file()):
            yield f"links to {link}, which is no file of the site"
        elif parts.fragment and target in pages and unquote(parts.fragment) not in anchors:
            yield f"links to {link}, a page without that anchor"


def _target(page: Path, address: str) -> Path:
    relative = unquote(urlsplit(address).path)
    return Path(os.path.normpath(page.parent / relative)) if relative else page


if __name__ == "__main__":
    lines = faults(Path(sys.argv[1]))
    print(*lines, sep="\n")
    sys.exit(bool(lines))
