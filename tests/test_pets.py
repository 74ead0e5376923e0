"""The case study on Pets with its downloads for real: archives of its own drawings, served over https on loopback."""

import hashlib
import io
import shutil
import tarfile
from pathlib import Path

import nbformat
import pytest
from loopback import TRUSTED, Server, whole
from nbformat.v4 import new_code_cell

from tools.notebooks import NBS, execute, read

PETS = NBS / "cases" / "pets.ipynb"

# What the first cell of the notebook's copy does: the address of the pets is one of ours, and so are the checksums.
ELSEWHERE = """
from coursekit.datasets.fetch import RemoteFile
from coursekit.datasets.catalogue import SOURCES, Source, URLs

archives = tuple(RemoteFile(*facts) for facts in {facts!r})
URLs.PETS = archives[0].url
SOURCES["oxford-iiit-pet"] = Source("pets", "drawings of pets", 1, "CC0", "these tests", archives=archives)
"""


def drawn(folder: Path) -> Path:
    """Three drawings of each breed, made by the notebook's own functions, and what lies beside them in Pets."""
    names: dict = {}
    for cell in read(PETS).cells:
        if cell.cell_type == "code":
            exec(cell.source, names)
        if "draw_pets" in names:
            return names["draw_pets"](folder, n=3)
    raise AssertionError("the notebook draws no pets")


def packed(folder: Path) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        archive.add(folder, folder.name)
    return file.getvalue()


@pytest.fixture
def server(tmp_path, monkeypatch):
    for name, value in (TRUSTED | {"COURSEKIT_HOME": str(tmp_path / "home")}).items():
        monkeypatch.setenv(name, value)
    pets = drawn(tmp_path / "drawn")
    files = {f"/{name}.tar.gz": packed(pets / name) for name in ("images", "annotations")}
    server = Server(tls=True)
    server.files = files
    server.answer = lambda handler: whole(files[handler.path])(handler)
    yield server
    server.close()


def printed(notebook: nbformat.NotebookNode) -> str:
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return "\n".join(o.get("text") or o.get("data", {}).get("text/plain", "") for o in outputs)


def streamed(notebook: nbformat.NotebookNode) -> str:
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return "\n".join(output.text for output in outputs if output.output_type == "stream")


def test_no_result_on_drawn_photos_stands_beside_the_published_tables():
    committed = read(PETS)
    text = printed(committed)
    assert "DRAWN PHOTOS" in text and "Mills" in text
    assert "your photos" not in text and "photos here" not in text and "train_loss" not in streamed(committed)


def test_the_case_study_runs_whole_on_photos_that_it_downloads(server, tmp_path):
    facts = [(server.url + path, hashlib.sha256(c).hexdigest(), len(c)) for path, c in server.files.items()]
    notebook = read(PETS)
    switch = next(cell for cell in notebook.cells if cell.source.startswith("DOWNLOAD = False"))
    switch.source = switch.source.replace("False", "True", 1)
    notebook.cells.insert(0, new_code_cell(ELSEWHERE.format(facts=facts)))
    shutil.copytree(NBS / "images", tmp_path / "images")  # the notebook compares its picture with the cover
    (tmp_path / "cases").mkdir()
    nbformat.write(notebook, tmp_path / "cases" / "pets.ipynb")
    run = execute(tmp_path / "cases" / "pets.ipynb", seconds=300)
    text = printed(run)
    assert [path for path, _ in server.requests] == list(server.files)
    assert "Licence: CC0" in text and "DRAWN" not in text
    assert "114 ['Abyssinian_1.jpg', 'Abyssinian_100.mat'" in text and "error on photos here" in text
    assert "your photos" in text and "train_loss" in streamed(run)
    assert (tmp_path / "home" / "data" / "pets" / "images" / "pug_3.jpg").is_file()
