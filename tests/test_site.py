"""The reading edition: built as `make site` does, checked link by link, and opened in a browser without network."""

import ast
import html
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from test_browser import BROWSER_FLAGS, CHROMIUM

from tools import build_site, check_site, glossary
from tools.house import HOUSE
from tools.notebooks import NBS, ROOT, read

LESSON_4 = "04_softmax_and_cross_entropy.html"
# Messages that "When something fails" quotes and that are not coursekit's own.
OF_OTHERS = {
    "CUDA error: device-side assert triggered",
    "Expected more than 1 value per channel when training",
    "stack expects each tensor to be equal size",
    "cannot identify image file",
    "mat1 and mat2 shapes cannot be multiplied",
}
in_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="the site was not tried in a real browser: no Chromium here (Debian: apt install chromium)"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site; building it fails on a warning, a broken link, or anything that is loaded from elsewhere."""
    folder = tmp_path_factory.mktemp("site") / "site"
    build_site.build(folder)
    return folder


def test_the_site_has_no_fault_and_a_page_for_every_lesson_case_and_package(site: Path) -> None:
    notebooks = {path.relative_to(NBS).with_suffix(".html") for path in build_site.handed_out()}
    packages = {Path("reference") / f"{floor.name or floor.package}.html" for floor in HOUSE}
    there = {path.relative_to(site) for path in site.rglob("*.html")}
    assert len(notebooks) >= 17
    assert notebooks | packages <= there
    assert {
        Path(f"{name}.html") for name in ("index", "search", "glossary", "teaching", "when_something_fails")
    } <= there


@pytest.mark.parametrize(
    ("tags", "fault"),
    [
        ('<a href="gone.html">x</a>', "links to gone.html, which is no file of the site"),
        ('<a href="../index.html">x</a>', "links to ../index.html, which is no file of the site"),
        ('<a href="#gone">x</a>', "links to #gone, a page without that anchor"),
        ('<a href="other.html#gone">x</a>', "links to other.html#gone, a page without that anchor"),
        ('<script src="https://x.org/y.js"></script>', "loads https://x.org/y.js"),
        ('<link rel="stylesheet" href="//x.org/y.css">', "loads //x.org/y.css"),
        ('<img src="gone.png">', "loads gone.png, which is missing"),
        ('<img srcset="other.html 1x, http://x.org/2.png 2x">', "loads http://x.org/2.png"),
        ('<style>@import "https://x.org/f.css";</style>', "loads https://x.org/f.css"),
        ('<p style="background: url(https://x.org/b.png)">', "loads https://x.org/b.png"),
    ],
)
def test_the_check_finds_each_kind_of_fault(tmp_path: Path, tags: str, fault: str) -> None:
    (tmp_path / "page.html").write_text(f'<h1 id="top">t</h1><a href="#top">up</a><a href="https://x.org">x</a>{tags}')
    (tmp_path / "other.html").write_text('<img src="data:image/png;base64,AA">')
    assert check_site.faults(tmp_path) == [f"page.html: {fault}"]


def test_the_check_looks_into_style_sheets(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<p>x</p>")
    (tmp_path / "site.css").write_text("@font-face { src: url('https://x.org/f.woff2') }")
    assert check_site.faults(tmp_path) == ["site.css: loads https://x.org/f.woff2"]


def test_every_term_of_the_glossary_leads_to_its_lesson(site: Path) -> None:
    text = html.unescape((site / "glossary.html").read_text("utf-8"))
    terms = glossary.glossary()
    anchors = {
        name: check_site.Page((site / name).with_suffix(".html").read_text("utf-8")).anchors
        for name in {term.notebook for term in terms}
    }
    for term in terms:
        assert re.search(rf'<dt id="term-[^"]+">{re.escape(term.name.replace("`", ""))}<', text), term.name
        assert glossary.slug(term.heading) in anchors[term.notebook], term
    assert len(terms) > 50


def lesson(folder: Path, name: str, *cells: str) -> None:
    notebook = new_notebook(cells=[new_markdown_cell(cell) for cell in cells])
    nbformat.write(notebook, folder / name)


def test_a_term_is_linked_to_the_section_that_has_it_in_bold(tmp_path: Path) -> None:
    lesson(
        tmp_path,
        "01_x.ipynb",
        "# 1 Lesson\n\nA batch, said in passing.\n\n## Step 1: batches\n\nFour photos are a **batch**.",
        "```\n# no heading\n```\n\n## Summary\n\nAll.",
        "### New words\n\n- **batch**: photos that go\n  together\n- **Item**: a file.\n",
    )
    batch, item = glossary.glossary(tmp_path)
    assert batch == ("batch", "photos that go together", "01_x.ipynb", "1 Lesson", "Step 1: batches")
    assert item.heading == "New words"


def test_a_term_that_is_defined_twice_is_refused_with_both_places(tmp_path: Path) -> None:
    lesson(tmp_path, "01_x.ipynb", "# 1\n\n## New words\n\n- **Batch**: photos.")
    lesson(tmp_path, "02_y.ipynb", "# 2\n\n## New words\n\n- **batch**: images.")
    with pytest.raises(
        glossary.GlossaryError, match=r"'batch' is defined twice .*nbs/01_x\.ipynb and in nbs/02_y\.ipynb"
    ):
        glossary.glossary(tmp_path)


def test_a_new_word_without_a_meaning_is_refused(tmp_path: Path) -> None:
    lesson(tmp_path, "01_x.ipynb", "# 1\n\n## New words\n\n- batch, photos.")
    with pytest.raises(glossary.GlossaryError, match="is not '- "):
        glossary.glossary(tmp_path)


def test_every_lesson_defines_its_new_words() -> None:
    lessons = {path.name for path in build_site.NBS.glob("[0-9]*.ipynb")}
    assert lessons - {term.notebook for term in glossary.glossary()} == set()


def test_a_reader_sees_a_stub_with_our_version_folded_and_no_cell_for_authors() -> None:
    tagged = {"tags": ["exercise"]}
    master = new_notebook(
        cells=[
            new_code_cell("#| export\ndef half(x):\n    '''Halves.'''\n    return x / 2", metadata=tagged),
            new_code_cell("check(half)\nhalf = solved(half)"),
            new_code_cell("half(4)"),
            new_code_cell("assert half(4) == 2", metadata={"tags": ["author"]}),
            new_code_cell("quiz([])"),
            new_code_cell("long = 1", metadata={"tags": ["folded"]}),
        ]
    )
    stub, ours, use, questions, folded = build_site.readers_copy(master, {}).cells
    assert "your code" in stub.source and "x / 2" not in stub.source
    assert ours.source.startswith("<details>") and "return x / 2" in ours.source and "#|" not in ours.source
    assert use.source == "half(4)"
    assert questions.metadata.tags == ["remove-input"] and folded.metadata.tags == ["hide-input"]


def test_answers_of_quizzes_and_authors_cells_are_not_on_any_page(site: Path) -> None:
    for path in build_site.handed_out():
        shown = read(path).cells
        text = (site / path.relative_to(NBS).with_suffix(".html")).read_text("utf-8")
        assert "Question(" not in re.sub("<[^>]+>", "", text), path.name
        quizzes = [cell for cell in shown if cell.source.startswith("quiz(")]
        choices = sum(cell.outputs[0].data["text/html"].count("<details") for cell in quizzes)
        assert len(re.findall(r"<b>[✓✗]", text)) >= choices


def test_quoted_messages_are_those_of_the_library() -> None:
    """In "When something fails", what stands in code and holds a blank is a message, `...` for what varies."""
    said = "\n".join(
        node.value
        for folder in ("coursekit", "tools")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ) + (ROOT / "Makefile").read_text("utf-8")
    rows = re.findall(r"^\| (.+?) \|", (ROOT / "docs" / "when_something_fails.md").read_text("utf-8"), re.MULTILINE)
    quoted = [message for row in rows for message in re.findall(r"`([^`]+ [^`]+)`", row)]
    assert len(quoted) > 40
    for message in quoted:
        if message not in OF_OTHERS:
            for piece in message.split("..."):
                assert piece in said, message


@pytest.fixture
def page(site: Path) -> Iterator:
    """A page in a browser without a network; afterwards, nothing was asked for or complained about."""
    from playwright.sync_api import sync_playwright

    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=BROWSER_FLAGS.split())
        context = browser.new_context(viewport={"width": 1400, "height": 1000}, offline=True)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: complaints.append(asked.url) if is_outside(asked.url) else None)
        yield page
        browser.close()
    assert not complaints, "errors in the browser's console, or requests to the network"


def is_outside(address: str) -> bool:
    return not address.startswith(("file:", "data:", "blob:"))


@in_browser
def test_a_word_is_searched_for_and_its_lesson_found(page, site: Path) -> None:
    page.goto((site / "index.html").as_uri())
    page.locator("input[name=q]").first.fill("logits")
    page.keyboard.press("Enter")
    found = page.locator("#search-results a", has_text="Softmax and cross-entropy").first
    found.wait_for(timeout=20_000)
    found.click()
    page.wait_for_url(f"**/{LESSON_4}*")
    assert page.locator("h1").inner_text().startswith("4 Softmax and cross-entropy")


@in_browser
def test_a_quiz_is_answered_and_can_be_read_in_light_and_in_dark(page, site: Path) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.goto((site / LESSON_4).as_uri())
        choices = page.locator(".cell_output details")
        assert choices.count() >= 6
        for choice in choices.all():
            assert not choice.locator("div").is_visible()
            choice.locator("summary").click()
            assert re.match("✓ Right|✗ No", choice.locator("div").inner_text())
        ink, paper = choices.first.evaluate(
            "choice => [getComputedStyle(choice.querySelector('div')).color,"
            " getComputedStyle(document.body).backgroundColor]"
        )
        assert contrast(ink, paper) > 7, (scheme, ink, paper)


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as the WCAG defines it: 1 for equal ones, 21 for black on white."""
    lights = sorted(luminance([int(n) / 255 for n in re.findall(r"\d+", colour)[:3]]) for colour in (one, other))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def luminance(rgb: list[float]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@in_browser
def test_our_version_of_an_exercise_is_folded(page, site: Path) -> None:
    page.goto((site / LESSON_4).as_uri())
    ours = page.locator("details", has=page.locator("summary", has_text="Our version")).first
    assert not ours.locator("pre").is_visible()
    ours.locator("summary").click()
    assert ours.locator("pre").is_visible()


@in_browser
def test_no_page_scrolls_sideways_on_a_phone(page, site: Path) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for path in sorted(site.rglob("*.html")):
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path.name
