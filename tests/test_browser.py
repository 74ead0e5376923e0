"""Lessons as a learner meets them: `make lab`'s server, a browser, Run All Cells, then a slider, a cell, a photo."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from export_folders import VOCAB, write_to
from PIL import Image
from test_notebooks import OFFLINE

from coursekit.app import MAX_BYTES, make_server
from coursekit.export.folder import load_learner
from tools.notebooks import ROOT

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None,
    reason="the lessons were not tried in a real browser: no Chromium here (Debian: apt install chromium)",
)
# Learners' copies that are run here to their last cell, unsolved; test_learner_copies.py runs the others.
IN_THE_BROWSER = {
    "00_start_here.ipynb",
    "00b_primer.ipynb",
    "04_softmax_and_cross_entropy.ipynb",
    "06_learning_rate_finder.ipynb",
    "07_one_cycle.ipynb",
    "08_transfer.ipynb",
    "09_interpretation.ipynb",
    "10_export_and_predict.ipynb",
}
TOKEN = "token-of-the-test"
BROWSER_FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)
SERVER_FLAGS = (
    "--no-browser --ServerApp.ip=127.0.0.1 --ServerApp.port={port} --ServerApp.port_retries=0 "
    f"--IdentityProvider.token={TOKEN} --LabApp.expose_app_in_browser=True"
)
# What the page is asked while the cells run: "running" and where, "done", or the text of the first error.
RUN_STATE = """() => {
  const panel = window.jupyterapp.shell.currentWidget;
  const code = [...panel.content.model.cells].filter(cell => cell.type === 'code');
  const outputs = code.flatMap(cell => cell.sharedModel.outputs);
  const error = outputs.find(output => output.output_type === 'error');
  if (error) return `error: ${error.ename}: ${error.evalue}`;
  const waiting = code.findIndex(cell => !cell.executionCount && cell.sharedModel.getSource().trim());
  const status = panel.sessionContext.session?.kernel?.status;
  return waiting < 0 && status === 'idle' ? 'done' : `running: cell ${waiting} of ${code.length}, kernel ${status}`;
}"""
KERNEL_READY = """() => {
  const context = window.jupyterapp?.shell.currentWidget?.sessionContext;
  return Boolean(context?.isReady) && context.session?.kernel?.status === 'idle';
}"""


@dataclass
class Lab:
    """A running JupyterLab: its address, where its log is, and the learner's copies that it serves."""

    address: str
    log: Path
    course: Path

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/api/status?token={TOKEN}", timeout=2) as reply:
                return reply.status == 200
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab started as `make lab` starts it, on fresh copies of the lessons and with an empty home."""
    home = tmp_path_factory.mktemp("home")
    port = free_port()
    command = [sys.executable, "-m", "tools.lab", "--course", str(home / "course")]
    running = Lab(f"http://127.0.0.1:{port}", home / "lab.log", home / "course")
    with running.log.open("w") as log:
        server = subprocess.Popen(
            [*command, *SERVER_FLAGS.format(port=port).split()],
            cwd=ROOT,
            env=environment(home),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_until(lambda: running.answers() or server.poll() is not None, seconds=90)
        assert server.poll() is None and running.answers(), running.log.read_text()
        yield running
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGTERM)  # the kernels too
            server.wait(timeout=30)


def environment(home: Path) -> dict[str, str]:
    """The environment of somebody whose home is `home`: none of this machine's Jupyter settings are seen."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "IPYTHON", "XDG"))}
    startup = home / ".ipython" / "profile_default" / "startup" / "offline.py"
    startup.parent.mkdir(parents=True)
    startup.write_text(OFFLINE)  # each kernel runs it first
    settings = home / "settings"
    tracker = settings / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    tracker.parent.mkdir(parents=True)
    tracker.write_text(json.dumps({"windowingMode": "none"}))  # every cell is in the page, also those out of sight
    return kept | {
        "HOME": str(home),
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.2)


@pytest.fixture
def page():
    """A page in a browser of its own; after the test, nothing may have been complained about in its console."""
    from playwright.sync_api import sync_playwright

    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=BROWSER_FLAGS.split())
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        browser.close()
    assert not complaints, "errors in the browser's console"


def open_and_run(page, lab: Lab, lesson: str, seconds: float) -> None:
    """Open a lesson, choose Run, Run All Cells from the menu, and wait until the last cell is done."""
    page.goto(f"{lab.address}/lab/tree/{lesson}?token={TOKEN}&reset")
    page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for(timeout=90_000)
    page.wait_for_function(KERNEL_READY, timeout=90_000)
    page.locator(".lm-MenuBar-itemLabel", has_text=re.compile("^Run$")).click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile("^Run All Cells$")).click()
    wait_until(lambda: not page.evaluate(RUN_STATE).startswith("running"), seconds)
    assert page.evaluate(RUN_STATE) == "done"


def picture_bytes(picture) -> bytes:
    """What a picture on the page shows: the bytes behind its address, which is a new one at every change."""
    read = "async image => Array.from(new Uint8Array(await (await fetch(image.src)).arrayBuffer()))"
    return bytes(picture.evaluate(read))


def move_first_control(page, explorer) -> None:
    """Move the explorer's first slider by a step, or choose the last option of its first list if it has no slider."""
    sliders = explorer.locator(".widget-slider")
    if sliders.count() == 0:
        choices = explorer.locator("select").first
        return choices.select_option(index=choices.locator("option").count() - 1)
    value = sliders.first.locator(".widget-readout").inner_text()
    sliders.first.locator(".noUi-handle").focus()
    page.keyboard.press("ArrowRight")
    wait_until(lambda: sliders.first.locator(".widget-readout").inner_text() != value, seconds=5)
    assert sliders.first.locator(".widget-readout").inner_text() != value


def test_the_course_s_settings_reach_jupyterlab(lab: Lab) -> None:
    name = "@jupyterlab/apputils-extension:kernels-settings"
    with urllib.request.urlopen(f"{lab.address}/lab/api/settings/{name}?token={TOKEN}", timeout=10) as reply:
        assert json.load(reply)["schema"]["properties"]["commsOverSubshells"]["default"] == "disabled"


def test_lesson_0_runs_to_its_end(page, lab: Lab) -> None:
    open_and_run(page, lab, "00_start_here.ipynb", seconds=420)
    assert page.locator(".jp-OutputArea-output img").count() >= 4  # the batch, the losses, the matrix, the mistakes


@pytest.mark.parametrize(
    ("lesson", "explorers", "seconds"),
    [
        ("04_softmax_and_cross_entropy.ipynb", 2, 240),
        ("06_learning_rate_finder.ipynb", 1, 420),
        ("07_one_cycle.ipynb", 1, 420),
        ("08_transfer.ipynb", 1, 420),
    ],
    ids=["lesson 4", "lesson 6", "lesson 7", "lesson 8"],
)
def test_each_explorer_redraws_when_a_control_moves(page, lab: Lab, lesson: str, explorers: int, seconds: int) -> None:
    open_and_run(page, lab, lesson, seconds)
    shown = page.locator(".jp-OutputArea-output .widget-vbox:has(> img.widget-image)")
    assert shown.count() == explorers
    for explorer in shown.all():
        picture = explorer.locator("img.widget-image")
        before = picture_bytes(picture)
        move_first_control(page, explorer)
        wait_until(lambda: picture_bytes(picture) != before, seconds=20)  # noqa: B023 - called before the next turn
        assert picture_bytes(picture) != before
    assert page.evaluate(RUN_STATE) == "done"


def test_a_cell_is_clicked_an_image_relabelled_and_the_table_found_on_disk(page, lab: Lab) -> None:
    """Lesson 9: the cells of its confusion matrix are buttons, and show the images behind them."""
    open_and_run(page, lab, "09_interpretation.ipynb", seconds=420)
    matrix = page.locator(".coursekit-matrix")
    card = page.locator(".coursekit-card").first
    cell = matrix.get_by_role("button", disabled=False).last
    before = picture_bytes(card.locator("img"))
    cell.focus()
    page.keyboard.press("Enter")
    wait_until(lambda: picture_bytes(card.locator("img")) != before, seconds=20)
    assert picture_bytes(card.locator("img")) != before
    actual = re.fullmatch("actual (.+), predicted (.+): .*", cell.get_attribute("title")).group(1)
    label = next(name for name in card.locator("option").all_inner_texts() if name != actual)
    before = picture_bytes(card.locator("img"))
    card.locator("select").select_option(label=label)
    card.get_by_role("button", name="relabel").click()
    card.get_by_text(f"new label: {label}").wait_for(timeout=20_000)
    wait_until(lambda: picture_bytes(card.locator("img")) != before, seconds=20)
    assert picture_bytes(card.locator("img")) != before  # a band says that it was relabelled
    image = card.inner_text().split("loss")[1].split("\n")[1].strip()
    table = Path(os.environ["COURSEKIT_HOME"]) / "lesson_9" / "decisions.csv"
    assert re.search(rf"^.*{re.escape(image)},relabel,{re.escape(label)}$", table.read_text("utf-8"), re.M)
    assert page.evaluate(RUN_STATE) == "done"


def test_a_photo_is_uploaded_and_its_label_seen(page, lab: Lab, tmp_path: Path) -> None:
    """Lesson 10: the box takes photos from the computer that the browser runs on, and says what is wrong with one."""
    photo, text = tmp_path / "my photo.jpg", tmp_path / "notes.txt"
    Image.new("RGB", (300, 200), "gray").save(photo)
    text.write_text("no photo")
    open_and_run(page, lab, "10_export_and_predict.ipynb", seconds=420)
    box = page.locator(".coursekit-predict")
    with page.expect_file_chooser() as chosen:
        box.get_by_role("button", name="Choose photos").click()
    chosen.value.set_files([photo, text])
    said = box.get_by_role("status").filter(has_text="my photo.jpg")
    said.wait_for(timeout=20_000)
    assert re.match(r"my photo\.jpg: \w+\. Probabilities: ", said.inner_text())
    assert box.get_by_role("alert").filter(has_text="notes.txt").count() == 1
    assert picture_bytes(box.locator("img")).startswith(b"\x89PNG")
    assert page.evaluate(RUN_STATE) == "done"


def test_the_app_takes_a_photo_and_says_what_it_is(page, tmp_path: Path) -> None:
    """`python -m coursekit.app`: a photo, its answer with bars; a text and a huge file are refused in words."""
    predictor = load_learner(write_to(tmp_path / "animals"))
    photo, text, huge = tmp_path / "my photo.jpg", tmp_path / "notes.jpg", tmp_path / "huge.jpg"
    Image.new("RGB", (300, 200), "orange").save(photo)
    text.write_text("no photo")
    huge.write_bytes(photo.read_bytes() + bytes(MAX_BYTES + 2**20))
    server = make_server(predictor, port=0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address, asked = f"http://127.0.0.1:{server.port}/", []
    page.on("request", lambda request: asked.append(request.url))
    try:
        page.goto(address)
        page.get_by_label("Choose a photo").set_input_files(photo)
        page.get_by_role("button", name="What is it?").click()
        answer = page.get_by_role("status", name="answer")
        answer.wait_for(timeout=60_000)
        label, index, probs = predictor.predict(photo)
        assert answer.get_by_role("heading").inner_text() == f"{label}, {probs[index]:.0%}"
        bars = answer.get_by_role("meter").all()
        assert len(bars) == len(VOCAB) and all(bar.bounding_box()["width"] > 200 for bar in bars)
        image = answer.get_by_alt_text("Your photo my photo.jpg")
        assert image.evaluate("image => [image.complete, image.naturalWidth]") == [True, 300]
        assert [url for url in asked if not url.startswith((address, "data:"))] == []
        other = page.context.browser.new_page()  # a browser's console also notes that a page said "no"
        for file, said in ((text, "looks like text"), (huge, "10 MB is the most")):
            other.goto(address)
            other.get_by_label("Choose a photo").set_input_files(file)
            other.get_by_role("button", name="What is it?").click()
            alert = other.get_by_role("alert")
            alert.wait_for(timeout=60_000)
            assert said in alert.inner_text() and other.get_by_role("meter").count() == 0
    finally:
        server.shutdown()
        server.server_close()


def set_source(page, start: str, source: str) -> None:
    """Go to the cell that begins with `start`, and write `source` into it, as a learner would."""
    page.evaluate(
        """([start, source]) => {
          const panel = window.jupyterapp.shell.currentWidget;
          const index = [...panel.content.model.cells].findIndex(c => c.sharedModel.getSource().startsWith(start));
          panel.content.activeCellIndex = index;
          if (source) panel.content.model.cells.get(index).sharedModel.setSource(source);
        }""",
        [start, source],
    )


def run_from(page, start: str, source: str = "", cells: int = 2) -> None:
    set_source(page, start, source)
    for _ in range(cells):
        page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-cell-and-select-next')")
    page.wait_for_function(KERNEL_READY, timeout=60_000)


def verdict(page, check: str) -> str:
    """What stands below the cell that checks."""
    return page.evaluate(
        """start => [...window.jupyterapp.shell.currentWidget.content.widgets]
          .find(w => w.model.sharedModel.getSource().startsWith(start)).outputArea?.node.innerText ?? ''""",
        check,
    )


def test_a_learner_solves_an_exercise_wrongly_is_told_why_and_solves_it(page, lab: Lab) -> None:
    """The primer: a stub, a mistake, a hint, a right answer, a kernel that is restarted; the progress stays."""
    open_and_run(page, lab, "00b_primer.ipynb", seconds=120)
    start, check = "def row_shares(", "check(row_shares)"
    assert "Nothing is written yet" in verdict(page, check)
    run_from(page, start, "def row_shares(x):\n    return x / x.sum(dim=1)")
    wait_until(lambda: "keepdim=True" in verdict(page, check), seconds=20)
    assert "not yet" in verdict(page, check) and "shape (N, 1)" in verdict(page, check)
    run_from(page, check, "hint(row_shares)", cells=1)
    wait_until(lambda: "Hint 1 of 3" in verdict(page, "hint(row_shares)"), seconds=20)
    assert "What is its shape" in verdict(page, "hint(row_shares)")
    run_from(page, "hint(row_shares)", check, cells=0)
    run_from(page, start, "def row_shares(x):\n    return x / x.sum(dim=1, keepdim=True)")
    wait_until(lambda: "Well done" in verdict(page, check), seconds=20)
    assert "right on all" in verdict(page, check)
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    page.wait_for_function(KERNEL_READY, timeout=60_000)
    kept = json.loads((lab.course / ".progress" / "row_shares.json").read_text("utf-8"))
    assert kept == {"tries": 1, "hints": 1, "passed": True}
    shown = subprocess.run(
        [sys.executable, "-m", "tools.progress", "--course", lab.course], cwd=ROOT, capture_output=True, text=True
    )
    assert re.search(r"row_shares +✓ passed +1 failed try, 1 hint", shown.stdout)


def test_every_choice_of_a_quiz_opens_its_answer(page, lab: Lab) -> None:
    page.goto(f"{lab.address}/lab/tree/00b_primer.ipynb?token={TOKEN}&reset")
    page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for(timeout=90_000)
    choices = page.locator(".jp-OutputArea-output details")
    wait_until(lambda: choices.count() >= 6, seconds=60)
    assert choices.count() >= 6
    for choice in choices.all():
        assert not choice.locator("div").is_visible()
        choice.locator("summary").click()
        assert re.match("✓ Right|✗ No", choice.locator("div").inner_text())
