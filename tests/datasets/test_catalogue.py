"""Data sets that come with packages (coursekit.datasets.catalogue)."""

import csv
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from coursekit.core import DataError, ls
from coursekit.datasets.catalogue import SOURCES, package_file, solar_cells, textiles

# Rows of the shipped table by type and probability in thirds (counted with awk; elpv-dataset 1.0.0.post1)
COUNTS = {("mono", 0): 588, ("mono", 1): 117, ("mono", 2): 56, ("mono", 3): 313}
COUNTS |= {("poly", 0): 920, ("poly", 1): 178, ("poly", 2): 50, ("poly", 3): 402}
DEGREES = ["functional", "possibly_defective", "likely_defective", "defective"]


def expected_labels(classes: int) -> Counter:
    labels: Counter = Counter()
    for (kind, thirds), n in COUNTS.items():
        two = "defective" if thirds >= 2 else "functional"
        labels[{2: two, 4: DEGREES[thirds], 8: f"{kind}_{DEGREES[thirds]}"}[classes]] += n
    return labels


@pytest.fixture
def fresh_home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("COURSEKIT_HOME", str(tmp_path / "kit"))
    return tmp_path / "kit"


def read_table(folder: Path) -> list[dict]:
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("classes", [2, 4, 8])
def test_every_layout_shows_the_same_photos_with_the_same_labels(fresh_home, classes):
    rows = read_table(solar_cells("table", classes))
    by_table = {Path(row["image"]).stem[-4:]: row["label"] for row in rows}
    by_folder = {p.stem[-4:]: p.parent.name for p in solar_cells("folders", classes).rglob("*.png")}
    prefix = "" if classes == 8 else "(?:mono|poly)_"
    files = (solar_cells("names", classes) / "images").iterdir()
    names = [re.fullmatch(rf"{prefix}(.+)_(\d+)\.png", file.name) for file in files]
    assert by_table == by_folder == {m[2]: m[1] for m in names}
    assert Counter(by_table.values()) == expected_labels(classes)


def test_the_table_has_a_header_and_every_image_it_names(fresh_home):
    folder = solar_cells()
    rows = read_table(folder)
    assert list(rows[0]) == ["image", "probability", "type", "label"] and len(rows) == 2624
    assert [row["image"] for row in rows] == [f"images/cell{i:04d}.png" for i in range(1, 2625)]
    assert all((folder / row["image"]).is_file() for row in rows)
    assert Counter((row["type"], round(3 * float(row["probability"]))) for row in rows) == COUNTS


def test_a_second_call_changes_nothing_and_keeps_what_a_learner_removed(fresh_home, capsys):
    folder = solar_cells("names")
    assert "CC BY-NC-SA" in capsys.readouterr().out
    solar_cells("names", 4)
    assert capsys.readouterr().out == "", "the licence is shown once"
    removed = ls(folder / "images")[0]
    removed.unlink()
    assert solar_cells("names") == folder and not removed.exists()
    assert capsys.readouterr().out == ""


def test_a_folder_whose_package_moved_is_made_anew(fresh_home):
    folder = solar_cells("names")
    (folder / ".origin").write_text("version 1 from /another/place")
    (folder / "images" / "mono_defective_0001.png").unlink()
    assert (solar_cells("names") / "images" / "mono_defective_0001.png").is_file()
    assert [p.name for p in ls(folder.parent)] == ["names-2"]


def test_a_layout_is_made_by_copies_where_links_are_not_allowed(fresh_home, monkeypatch):
    def refuse(self, target):
        raise OSError("a required privilege is not held by the client")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    photo = solar_cells("folders") / "images" / "defective" / "cell0001.png"
    assert not photo.is_symlink() and photo.read_bytes()[:4] == b"\x89PNG"


def test_an_interrupted_call_leaves_nothing_half_done(fresh_home, monkeypatch):
    calls = []

    def interrupt(self, target):
        calls.append(target)
        if len(calls) > 100:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "symlink_to", interrupt)
        with pytest.raises(KeyboardInterrupt):
            solar_cells("folders")
    assert ls(fresh_home / "solar_cells") == []
    assert len(list(solar_cells("folders").rglob("*.png"))) == 2624


def test_several_processes_may_ask_at_once(fresh_home):
    code = """
from coursekit.datasets.catalogue import solar_cells
print(len(list(solar_cells("folders", 8).rglob("*.png"))))
"""
    processes = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [process.communicate(timeout=300)[0].split()[-1] for process in processes]
    assert answers == ["2624"] * 2 and all(process.returncode == 0 for process in processes)
    assert [p.name for p in ls(fresh_home / "solar_cells")] == ["folders-8"]


def test_the_first_to_finish_wins(fresh_home, monkeypatch):
    link = Path.symlink_to

    def another_finishes_meanwhile(self, target):
        monkeypatch.setattr(Path, "symlink_to", link)
        (solar_cells("folders") / "first.txt").touch()
        link(self, target)

    monkeypatch.setattr(Path, "symlink_to", another_finishes_meanwhile)
    assert (solar_cells("folders") / "first.txt").exists(), "nobody's files are pulled away from under them"
    assert [p.name for p in ls(fresh_home / "solar_cells")] == ["folders-2"]


@pytest.mark.parametrize(("layout", "classes"), [("csv", 2), ("table", 3)])
def test_an_unknown_arrangement_is_refused_with_the_known_ones(layout, classes):
    with pytest.raises(DataError, match=r"'table', 'names' or 'folders', and 2, 4 or 8"):
        solar_cells(layout, classes)


def test_the_licence_of_the_textiles_is_shown_once(fresh_home, capsys):
    textiles()
    assert "Licence: MIT" in capsys.readouterr().out
    textiles()
    assert capsys.readouterr().out == ""


def test_textiles_have_a_folder_per_class():
    counts = {folder.name: len(ls(folder)) for folder in ls(textiles()) if folder.is_dir()}
    assert counts == {"global": 500, "local": 500, "nominal": 1000}


def test_a_missing_package_is_named_as_pip_knows_it(monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "meta_path", [finder for finder in sys.meta_path if "Editable" not in repr(finder)])
    sys.path_importer_cache.clear()
    monkeypatch.delitem(sys.modules, "elpv_dataset", raising=False)
    with pytest.raises(DataError, match="pip install elpv-dataset"):
        package_file("elpv_dataset", "data")


def test_a_damaged_package_is_noticed():
    with pytest.raises(DataError, match=r"has no data/labels\.xlsx"):
        package_file("elpv_dataset", "data", "labels.xlsx")


def test_packages_are_found_without_being_imported():
    code = """
import sys
from coursekit.datasets.catalogue import SOURCES, package_file
sources = [source for source in SOURCES.values() if source.package]
paths = [package_file(source.package, *source.inside) for source in sources]
print(len(paths), all(path.exists() for path in paths), [s.package for s in sources if s.package in sys.modules])
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert result.stdout.strip() == "3 True []"
    assert all(source.licence and source.citation for source in SOURCES.values())
