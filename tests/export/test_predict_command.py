"""`python -m coursekit.predict`: a table of everything that can be read, a name for everything that can't, a status."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from export_folders import VOCAB, edit, write_to
from PIL import Image

from coursekit.core import DataError
from coursekit.export.folder import load_learner
from coursekit.predict import main, predict_files


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_to(tmp_path_factory.mktemp("exports") / "animals")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Five photos, one of them in a folder of its own, another one with a name that is not plain."""
    names = ("a.png", "b.jpg", "café ☕.png", "d.webp", "more/e.png")
    for i, name in enumerate(names):
        file = tmp_path / "photos" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (70 + i, 80 - i), (40 * i, 200 - 30 * i, 90)).save(file)
    return tmp_path / "photos"


def test_the_table_holds_what_the_predictor_says(export: Path, photos: Path, capsys) -> None:
    csv = photos.parent / "out.csv"
    assert main([str(export), str(photos), "--csv", str(csv)]) == 0
    table, expected = pd.read_csv(csv), load_learner(export).predictions(photos)
    pd.testing.assert_frame_equal(table.astype(expected.dtypes.to_dict()), expected)
    assert list(table.columns) == ["item", "label", "probability", *VOCAB] and len(table) == 5
    said = capsys.readouterr()
    assert f"{csv}: 5 photos (" in said.out and said.err == ""


def test_without_a_file_the_table_goes_to_the_screen_and_nothing_is_written(export: Path, photos: Path, capsys) -> None:
    before = sorted(photos.parent.rglob("*"))
    assert main([str(export), str(photos / "a.png"), str(photos / "more"), str(photos / "a.png")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["item", "label", "probability"]
    assert [Path(line.split()[0]).name for line in lines[1:]] == ["a.png", "e.png"]  # each photo once
    assert sorted(photos.parent.rglob("*")) == before


def test_photos_that_cannot_be_read_are_named_the_others_are_predicted_and_the_status_is_1(
    export: Path, photos: Path, capsys
) -> None:
    (photos / "b.jpg").write_bytes((photos / "b.jpg").read_bytes()[:300])
    (photos / "d.webp").write_text("no photo")
    csv = photos.parent / "out.csv"
    assert main([str(export), str(photos), str(photos / "gone.png"), "--csv", str(csv)]) == 1
    assert [Path(item).name for item in pd.read_csv(csv)["item"]] == ["a.png", "café ☕.png", "e.png"]
    said = capsys.readouterr()
    assert "3 of 6 photos could not be read" in said.err
    assert all(name in said.err for name in ("b.jpg", "d.webp", "gone.png")) and "a.png" not in said.err


def test_a_bad_photo_costs_only_itself_in_whatever_batch_it_is(export: Path, photos: Path) -> None:
    predictor = load_learner(export)
    good = sorted(photos.glob("*.*"))
    bad = photos / "bad.png"
    bad.write_bytes(b"no photo")
    files = [good[0], bad, *good[1:], bad.with_name("gone.png")]
    for bs in (1, 2, 64):
        table, problems = predict_files(predictor, files, bs)
        assert table["item"].tolist() == [str(file) for file in good]
        assert [Path(problem.item).name for problem in problems] == ["bad.png", "gone.png"]
        probs = torch.tensor(table[VOCAB].to_numpy())
        torch.testing.assert_close(probs, predictor.get_preds(good), atol=1e-6, rtol=0)


REFUSED = {
    "no export": (["{photos}", "{photos}"], "coursekit.json is missing"),
    "no folder": (["{photos}/nothing", "{photos}"], "is not an export"),
    "no photos": (["{export}", "{export}"], "image"),
    "one photo, and it is gone": (["{export}", "{photos}/gone.png"], "gone.png"),
    "a folder as table": (["{export}", "{photos}", "--csv", "{photos}"], "The table is a file"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_done_is_said_with_what_to_do_and_the_status_is_2(name, export, photos, capsys) -> None:
    arguments, said = REFUSED[name]
    before = sorted(photos.parent.rglob("*"))
    assert main([argument.format(export=export, photos=photos) for argument in arguments]) == 2
    error = capsys.readouterr().err
    assert said in error and "What to do:" in error and "Traceback" not in error
    assert sorted(photos.parent.rglob("*")) == before


def test_an_older_table_stays_when_nothing_can_be_predicted(export: Path, photos: Path, capsys) -> None:
    csv = photos.parent / "out.csv"
    csv.write_text("older")
    assert main([str(export), str(photos / "gone.png"), "--csv", str(csv)]) == 2
    assert csv.read_text() == "older"


def test_an_edited_export_is_refused(export: Path, photos: Path, tmp_path: Path, capsys) -> None:
    other = write_to(tmp_path / "other")
    edit(other, lambda text: text | {"run": "rm -rf /"})
    assert main([str(other), str(photos)]) == 2
    assert "'run' is unknown" in capsys.readouterr().err


def test_an_error_of_another_kind_is_not_swallowed(photos: Path) -> None:
    class Broken:
        vocab = ("a", "b")

        def get_preds(self, items, bs):
            raise DataError("What is this?", "No file is to blame.")

    with pytest.raises(DataError, match="What is this"):
        predict_files(Broken(), sorted(photos.glob("*.png")))


def test_the_help_has_an_example_and_the_statuses(capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0 and "python -m coursekit.predict export/solar_cells photos/ --csv" in shown
    assert "Exit status: 0" in shown


def test_as_a_process_it_ends_with_its_status(export: Path, photos: Path, tmp_path: Path) -> None:
    (photos / "bad.png").write_bytes(b"no photo")
    command = [sys.executable, "-m", "coursekit.predict", export, photos, "--csv", tmp_path / "out.csv"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1 and "1 of 6 photos could not be read" in done.stderr, done.stderr
    assert len((tmp_path / "out.csv").read_text("utf-8").splitlines()) == 6
