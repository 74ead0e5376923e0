"""What runs, cleans and converts notebooks (tools/notebooks.py, tools/make_readme.py) does what the gates rely on."""

import base64
import io
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tools.make_readme import readme
from tools.notebooks import WIDGET_VIEW, NotebookFailure, execute, make_steady


@pytest.fixture
def notebook(tmp_path: Path):
    def write(*sources: str) -> Path:
        path = tmp_path / "small.ipynb"
        nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources]), path)
        return path

    return write


def test_a_notebook_comes_back_with_its_outputs(notebook) -> None:
    executed = execute(notebook("x = 20", "x + 1"), seconds=60)
    assert executed.cells[1].outputs[0].data["text/plain"] == "21"


def test_a_failing_cell_is_named_with_its_source_and_its_error(notebook) -> None:
    with pytest.raises(NotebookFailure, match=r"(?s)small\.ipynb, cell 1:\n    1 / 0\n.*ZeroDivisionError"):
        execute(notebook("x = 20", "1 / 0"), seconds=60)


def test_the_time_limit_is_for_the_whole_notebook(notebook) -> None:
    pause = "import time; time.sleep(1.5)"
    with pytest.raises(NotebookFailure, match="not done after 4 s"):
        execute(notebook(*[pause] * 10), seconds=4)


def test_a_kernel_that_dies_is_reported_with_the_cell_that_killed_it(notebook) -> None:
    with pytest.raises(NotebookFailure, match=r"(?s)cell 1:.*the kernel died"):
        execute(notebook("import os", "os._exit(1)"), seconds=60)


WIDGET = new_output("display_data", data={WIDGET_VIEW: {"model_id": "1"}, "text/plain": "IntSlider(value=0)"})


def test_widgets_are_dropped_and_a_picture_beside_one_stays() -> None:
    png = io.BytesIO()
    Image.new("L", (1, 1)).save(png, "png", optimize=True)  # as small as can be: it stays as it is
    picture = new_output("display_data", data={"image/png": base64.b64encode(png.getvalue()).decode()})
    shown = new_notebook(cells=[new_code_cell("show()", outputs=[WIDGET, picture])], metadata={"widgets": {"a": 1}})
    make_steady(shown)
    assert "widgets" not in shown.metadata
    assert shown.cells[0].outputs == [picture]


def test_a_table_of_epochs_is_kept_in_one_piece_and_without_times() -> None:
    rows = ("Presized 8 images: 0.1 MB in /home/me, where later runs find them.\n",)
    rows += ("epoch  train_loss  time\n", "0      0.6131      00:07\n", "1      0.5120      01:12\n")
    outputs = [part for row in rows for part in (new_output("stream", text=row), WIDGET)]
    trained = new_notebook(cells=[new_code_cell("learn.fit(2)", outputs=outputs)])
    make_steady(trained)
    (table,) = trained.cells[0].outputs
    assert table.text == "epoch  train_loss\n0      0.6131\n1      0.5120\n"


def test_readme_has_text_code_and_output_with_links_that_work_from_the_root() -> None:
    picture = new_output("display_data", data={"image/png": base64.b64encode(b"png").decode()})
    cells = [
        new_markdown_cell("# Title\n[lesson](04.ipynb), [licence](../LICENSE), [torch](https://pytorch.org)"),
        new_code_cell("#| hide\nsecret = 1"),
        new_code_cell("#| fig-alt: A dot.\nprint('hello')", outputs=[new_output("stream", text="hello\n"), picture]),
    ]
    text, pictures = readme(new_notebook(cells=cells))
    assert "[lesson](nbs/04.ipynb), [licence](LICENSE), [torch](https://pytorch.org)" in text
    assert "secret" not in text
    assert "```python\nprint('hello')\n```\n\n```text\nhello\n```\n\n![A dot.](nbs/images/readme_1.png)" in text
    assert pictures == {"readme_1.png": b"png"}


@pytest.mark.parametrize(("colour", "mode"), [((90, 90, 90), "L"), ((90, 90, 91), "RGB")])
def test_pictures_are_stored_in_fewer_bytes_and_lose_no_pixel_and_no_word(colour, mode) -> None:
    words, png = PngInfo(), io.BytesIO()
    words.add_text("Description", "a plain square")
    Image.new("RGB", (200, 200), colour).save(png, "png", pnginfo=words, compress_level=0)
    before = base64.b64encode(png.getvalue()).decode()
    cell = new_code_cell("picture", outputs=[new_output("display_data", data={"image/png": before})])
    make_steady(new_notebook(cells=[cell]))
    after = cell.outputs[0].data["image/png"]
    image = Image.open(io.BytesIO(base64.b64decode(after)))
    assert len(after) < len(before) / 10 and image.mode == mode and image.text["Description"] == "a plain square"
    assert set(image.convert("RGB").getdata()) == {colour}
