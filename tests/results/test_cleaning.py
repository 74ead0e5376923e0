"""Decisions about images: a table that is never lost, and what it comes to for a data set."""

import errno
import hashlib
import os
import pickle
import resource
import shutil
import signal
import tempfile
import unicodedata
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
import torch
from PIL import Image

from coursekit.augment.resize import Resize
from coursekit.core import DataError
from coursekit.data.block import CategoryBlock, DataBlock, ImageBlock
from coursekit.data.files import get_image_files, parent_label
from coursekit.data.splits import ColSplitter, FuncSplitter, IndexSplitter, RandomSplitter, StratifiedSplitter
from coursekit.data.tables_in import ColReader
from coursekit.results.cleaning import Cleaning
from coursekit.results.decisions import COLUMNS, Decision, item_key, make_plan, parse_table, table_text

HEAD = "item,decision,label\n"


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Sixteen photos in folders a/ and b/ of `data/`, each of a colour of its own."""
    files = [tmp_path / "data" / label / f"{i}.png" for label in "ab" for i in range(8)]
    for i, file in enumerate(files):
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16), (15 * i, 100, 50)).save(file)
    return files


@pytest.fixture
def cleaning(tmp_path: Path, photos: list[Path]) -> Cleaning:
    return Cleaning(tmp_path / "cleaning.csv")


def block(splitter=None, **kwargs) -> DataBlock:
    return DataBlock(get_y=parent_label, splitter=splitter or RandomSplitter(0.25), item_tfms=Resize(16), **kwargs)


def names(dls) -> tuple[list[str], list[str]]:
    return tuple(["/".join(item.parts[-2:]) for item in side.items] for side in (dls.train, dls.valid))


# the table

STRANGE = ["a, b.png", 'say "cheese".png', "two\nlines.png", "return\rhere.png", "Zoë.png", "猫.png", " blank .png"]
STRANGE += ["=1+1.png", "-", "NA", "007", "'", ";", "#.png", "💥.png"]


def test_what_was_decided_is_on_disk_at_once_and_read_by_the_next_kernel(cleaning, photos):
    cleaning.keep(photos[0])
    cleaning.relabel(photos[1], "b")
    cleaning.drop(photos[2])
    assert cleaning.file.read_text() == HEAD + "data/a/0.png,keep,\ndata/a/1.png,relabel,b\ndata/a/2.png,drop,\n"
    again = Cleaning(cleaning.file)
    assert again.decision(photos[1]) == Decision("relabel", "b") and again.decision(photos[3]) is None
    assert again.table().equals(cleaning.table()) and list(again.table()) == list(COLUMNS)


def test_a_later_decision_takes_the_place_of_the_earlier_and_forget_takes_it_back(cleaning, photos):
    cleaning.drop(photos[0])
    cleaning.relabel(photos[0], "b")
    assert cleaning.file.read_text() == HEAD + "data/a/0.png,relabel,b\n"
    cleaning.forget(photos[0])
    cleaning.forget(photos[1])
    assert cleaning.file.read_text() == HEAD and len(cleaning.table()) == 0


@pytest.mark.parametrize("name", STRANGE)
def test_strange_names_and_labels_come_back_as_they_were(tmp_path, name):
    (tmp_path / name).touch()
    cleaning = Cleaning(tmp_path / "cleaning.csv")
    cleaning.relabel(tmp_path / name, name)
    assert Cleaning(cleaning.file).decision(tmp_path / name) == Decision("relabel", name)
    cleaning.forget(tmp_path / name)
    assert cleaning.decision(tmp_path / name) is None


def test_accents_match_in_either_form(tmp_path):
    composed, split = (unicodedata.normalize(form, "Zoë.png") for form in ("NFC", "NFD"))
    (tmp_path / split).touch()
    Cleaning(tmp_path / "c.csv").drop(tmp_path / split)
    for form in (composed, split):
        assert make_plan(Cleaning(tmp_path / "c.csv").decisions(), [item_key(tmp_path / form, tmp_path)], ["x"]).dropped


@pytest.mark.skipif(os.name == "nt", reason="Windows has no names that are not Unicode")
def test_a_name_that_is_no_text_is_refused_and_nothing_is_lost(cleaning, photos, tmp_path):
    cleaning.drop(photos[0])
    bad = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png")
    Path(bad).touch()
    with pytest.raises(DataError, match="cannot be written down"):
        cleaning.drop(bad)
    assert Cleaning(cleaning.file).decisions() == cleaning.decisions() == {"data/a/0.png": Decision("drop")}


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffitem,decision,label\r\na.png,relabel,cat\r\nb.png,drop,\r\n",
        "item;decision;label\na.png;relabel;cat\nb.png;drop;\n",
        "item\tdecision\tlabel\na.png\trelabel\tcat\nb.png\tdrop\t\n",
        "Label,Item,Decision\n\ncat,a.png,Relabel\n,b.png,DROP\n\n",
        "item,decision,label\na.png,relabel,cat\nb.png,drop,\nb.png,drop,\n",
    ],
    ids=["byte-order mark", "semicolons", "tabs", "other order, capitals, empty lines", "a line twice"],
)
def test_what_spreadsheets_make_of_the_table_is_read(tmp_path, text):
    (tmp_path / "c.csv").write_bytes(text.encode())
    assert Cleaning(tmp_path / "c.csv").decisions() == {"a.png": Decision("relabel", "cat"), "b.png": Decision("drop")}


def test_paths_written_on_windows_are_found_here(tmp_path, photos):
    (tmp_path / "c.csv").write_text(HEAD + "data\\a\\0.png,drop,\n")
    cleaning = Cleaning(tmp_path / "c.csv")
    assert cleaning.decision(photos[0]) == Decision("drop")


@pytest.mark.skipif(os.name == "nt", reason="a backslash cannot be in a name there")
def test_a_backslash_that_belongs_to_a_name_stays(tmp_path):
    file = tmp_path / "a\\b.png"
    file.touch()
    Cleaning(tmp_path / "c.csv").drop(file)
    assert Cleaning(tmp_path / "c.csv").decision(file) == Decision("drop")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("\0\0\0\0", "empty"),
        (HEAD + "a.png,relabel,ca", "middle of a line"),
        (HEAD + 'a.png,keep,\n"b.p', "line 3"),
        (HEAD + "a.png,keep,\n\0\0\0", "middle of a line"),
        ("image,label\na.png,cat\n", "columns are image, label"),
        ("item,decision,label,note\na.png,keep,,x\n", "columns are item, decision, label, note"),
        ("a.png,keep,\n", "no table of decisions"),
        (HEAD + "a.png,keep,\nb.png,delete,\nc.png,relabel,\nd.png,drop,cat\ne.png,keep\n,keep,\n", "5 problems:"),
        (HEAD + "a.png,keep,\na.png,drop,\n", "decided otherwise"),
    ],
)
def test_a_damaged_table_is_named_and_left_as_it_is(tmp_path, photos, text, said):
    file = tmp_path / "c.csv"
    file.write_text(text)
    with pytest.raises(DataError, match=said) as error:
        Cleaning(file)
    assert "c.csv" in str(error.value) and error.value.remedy
    assert file.read_text() == text


def test_every_wrong_line_is_named(tmp_path):
    with pytest.raises(DataError) as error:
        parse_table(HEAD + "a.png,delete,\nb.png,keep,\nc.png,relabel,\n")
    assert [problem.item for problem in error.value.problems] == ["line 2", "line 4"]


@pytest.mark.parametrize("n", range(1, 60))
def test_a_table_cut_off_anywhere_is_never_taken_for_whole(n):
    text = table_text({f"{i}.png": Decision("relabel", "poly_defective") for i in range(5)})
    cut = text[:-n]
    if cut.endswith("\n"):
        assert (
            cut + "".join(text.splitlines(keepends=True)[cut.count("\n") :]) == text
        )  # between lines: these are whole
    else:
        with pytest.raises(DataError):
            parse_table(cut)


def test_a_table_in_another_encoding_is_named_by_line(tmp_path):
    (tmp_path / "c.csv").write_bytes((HEAD + "a.png,keep,\nZoë.png,drop,\n").encode("cp1252"))
    with pytest.raises(DataError, match="line 3"):
        Cleaning(tmp_path / "c.csv")


def test_a_table_damaged_while_it_is_used_is_not_written_over(cleaning, photos):
    cleaning.drop(photos[0])
    cleaning.file.write_text("item,deci")
    for use in (cleaning.decisions, lambda: cleaning.drop(photos[1])):
        with pytest.raises(DataError, match="damaged"):
            use()
    assert cleaning.file.read_text() == "item,deci"


# never lost


def test_two_explorers_over_one_file_see_each_other(cleaning, photos):
    other = Cleaning(cleaning.file)
    for i, photo in enumerate(photos):
        (cleaning, other)[i % 2].drop(photo)
    assert len(cleaning.table()) == len(other.table()) == len(Cleaning(cleaning.file).table()) == 16


def test_what_a_text_editor_changes_is_seen_and_kept(cleaning, photos):
    cleaning.drop(photos[0])
    cleaning.file.write_text(cleaning.file.read_text() + "data/b/0.png,relabel,a\n")
    assert cleaning.decision(photos[8]) == Decision("relabel", "a")
    cleaning.keep(photos[1])
    assert len(Cleaning(cleaning.file).table()) == 3


def test_a_table_that_vanishes_under_a_running_kernel_is_written_anew(cleaning, photos):
    cleaning.drop(photos[0])
    cleaning.file.unlink()
    cleaning.drop(photos[1])
    assert len(Cleaning(cleaning.file).table()) == 2


def in_a_process_of_its_own(do: Callable[[], object]) -> int:
    """Start `do` in a copy of this process (a new one would need seconds to import torch); its number."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # other threads are not copied, and none is needed
        child = os.fork()
    if child == 0:
        status = 1
        try:
            do()
            status = 0
        finally:
            os._exit(status)
    return child


def status_of(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be copied on this system")


@forks
def test_processes_that_decide_at_the_same_time_lose_nothing(tmp_path, photos):
    def decide(mine: list[Path]) -> None:
        cleaning = Cleaning(tmp_path / "c.csv")
        for _ in range(5):
            for photo in mine:
                cleaning.forget(photo)
                cleaning.drop(photo)

    children = [in_a_process_of_its_own(lambda i=i: decide(photos[i::4])) for i in range(4)]
    assert [status_of(child) for child in children] == [0] * 4
    assert len(Cleaning(tmp_path / "c.csv").table()) == 16


@forks
@pytest.mark.parametrize("moment", ["replace", "fsync"])
def test_a_kill_in_the_middle_of_writing_leaves_the_earlier_decisions(cleaning, photos, moment):
    """The process ends as by a loss of power, once before the new text is on disk, once before it is renamed."""
    cleaning.drop(photos[0])
    before = cleaning.file.read_bytes()

    def die() -> None:
        setattr(os, moment, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        Cleaning(cleaning.file).drop(photos[1])

    assert status_of(in_a_process_of_its_own(die)) == -signal.SIGKILL
    assert cleaning.file.read_bytes() == before
    cleaning.drop(photos[2])
    assert len(Cleaning(cleaning.file).table()) == 2


@contextmanager
def full_disk(room: int):
    """A limit on the size of files: writing more fails for real, in the middle."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_said_and_leaves_the_earlier_decisions(cleaning, photos):
    cleaning.drop(photos[0])
    before = cleaning.file.read_bytes()
    with full_disk(len(before)), pytest.raises(DataError, match="could not be written") as error:
        cleaning.drop(photos[1])
    assert os.strerror(errno.EFBIG) in str(error.value) and "1 earlier decision" in error.value.remedy
    assert cleaning.file.read_bytes() == before
    assert sorted(os.listdir(cleaning.file.parent)) == ["cleaning.csv", "data"]  # nothing half-written beside it
    assert cleaning.decision(photos[1]) is None
    cleaning.drop(photos[1])
    assert len(Cleaning(cleaning.file).table()) == 2


@contextmanager
def as_nobody():
    """File permissions do not bind the administrator: be somebody else for a moment."""
    if os.geteuid() == 0:
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)
    else:
        yield


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_folder_that_must_not_be_written_is_said(photos):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        shutil.copy(photos[0], folder)
        cleaning = Cleaning(Path(folder, "c.csv"))
        cleaning.drop(Path(folder, "0.png"))
        os.chmod(folder, 0o555)
        with as_nobody(), pytest.raises(DataError, match=r"could not be written.*\n.*[Pp]ermission"):
            cleaning.keep(Path(folder, "0.png"))
        os.chmod(folder, 0o755)
        assert Cleaning(cleaning.file).decision(Path(folder, "0.png")) == Decision("drop")


def test_a_folder_in_the_file_s_place_is_said(tmp_path, photos):
    with pytest.raises(DataError, match="cannot be read"):
        Cleaning(tmp_path / "data")
    with pytest.raises(DataError, match="could not be written"):
        Cleaning(photos[0] / "c.csv").drop(photos[1])


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_table_behind_a_link_is_written_where_it_lies(tmp_path, photos):
    (tmp_path / "shared").mkdir()
    (tmp_path / "c.csv").symlink_to(tmp_path / "shared" / "c.csv")
    Cleaning(tmp_path / "c.csv").drop(photos[0])
    assert (tmp_path / "c.csv").is_symlink() and "data/a/0.png" in (tmp_path / "shared" / "c.csv").read_text()


# which image


def test_a_moved_project_and_another_working_directory_still_match(tmp_path, cleaning, photos, monkeypatch):
    cleaning.drop(photos[0])
    moved = tmp_path.parent / f"{tmp_path.name}-moved"
    shutil.copytree(tmp_path, moved)
    monkeypatch.chdir(moved / "data")
    again = Cleaning("../cleaning.csv")
    assert again.decision("a/0.png") == again.decision(moved / "data" / "a" / "0.png") == Decision("drop")
    assert again.decision("data/a/0.png") == Decision("drop")  # as the table writes it
    assert again.apply([Path("a/0.png"), Path("a/1.png")], ["a", "a"]) == ([Path("a/1.png")], ["a"])


def test_items_elsewhere_keep_their_whole_path_unless_a_root_is_named(tmp_path, photos):
    (tmp_path / "work").mkdir()
    whole, below = Cleaning(tmp_path / "work" / "1.csv"), Cleaning(tmp_path / "work" / "2.csv", root=tmp_path / "data")
    whole.drop(photos[0])
    below.drop(photos[0])
    assert list(whole.decisions()) == [photos[0].resolve().as_posix()] and list(below.decisions()) == ["a/0.png"]


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_folder_reached_by_a_link_is_the_same_folder_and_a_linked_image_one_of_its_own(tmp_path, photos):
    (tmp_path / "home").symlink_to(tmp_path / "data")
    cleaning = Cleaning(tmp_path / "data" / "c.csv")
    cleaning.drop(tmp_path / "home" / "a" / "0.png")
    assert cleaning.decision(photos[0]) == Decision("drop")
    (tmp_path / "data" / "same.png").symlink_to(photos[0])
    assert cleaning.decision(tmp_path / "data" / "same.png") is None


def test_what_is_not_there_or_no_file_is_refused(cleaning, photos):
    with pytest.raises(DataError, match=r"no image nowhere\.png"):
        cleaning.drop("nowhere.png")
    with pytest.raises(DataError, match="about a Tensor"):
        cleaning.drop(torch.zeros(3, 4, 4))
    assert not cleaning.file.exists()


def test_a_decision_outlives_its_image(cleaning, photos):
    cleaning.drop(photos[0])
    photos[0].unlink()
    cleaning.keep(photos[1])
    assert len(cleaning.table()) == 2
    cleaning.forget("data/a/0.png")
    assert len(cleaning.table()) == 1


def test_a_decision_about_a_vanished_image_is_taken_back_by_any_of_its_paths(cleaning, photos, monkeypatch):
    monkeypatch.chdir(photos[0].parent)
    for path in (photos[0], str(photos[0]), "data/a/0.png", "0.png", photos[0].parent / ".." / "a" / "0.png"):
        photos[0].touch()
        cleaning.drop(photos[0])
        photos[0].unlink()
        assert cleaning.decision(path) == Decision("drop")
        cleaning.forget(path)
        assert len(Cleaning(cleaning.file).table()) == 0


def test_no_folder_is_made_for_a_decision_that_cannot_be(tmp_path):
    for item in ("nowhere.png", torch.zeros(3, 4, 4)):
        with pytest.raises(DataError):
            Cleaning(tmp_path / "new" / "c.csv").drop(item)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("vanished", [False, True])
def test_clear_starts_anew(cleaning, photos, vanished):
    cleaning.drop(photos[0])
    if vanished:
        cleaning.file.unlink()
    cleaning.clear()
    assert cleaning.file.read_text() == HEAD
    cleaning.keep(photos[1])
    assert list(Cleaning(cleaning.file).decisions()) == ["data/a/1.png"]


def test_an_emptied_table_says_how_to_start_anew_and_clear_takes_no_damaged_one(cleaning, photos):
    cleaning.drop(photos[0])
    cleaning.file.write_text("")
    for use in (cleaning.decisions, cleaning.clear):
        with pytest.raises(DataError, match=r"delete it, and call clear\(\)"):
            use()
    cleaning.file.unlink()
    cleaning.clear()
    assert cleaning.decisions() == {}


@pytest.mark.parametrize("label", ["beagel", "", None, float("nan")])
def test_a_label_that_is_no_class_is_refused(tmp_path, photos, label):
    cleaning = Cleaning(tmp_path / "c.csv", vocab=["beagle", "pug"])
    with pytest.raises(DataError, match="not one of the classes") as error:
        cleaning.relabel(photos[0], label)
    assert label != "beagel" or "'beagle'" in error.value.remedy
    assert not cleaning.file.exists()


# applied


def checksum(photos: list[Path]) -> list[str]:
    return [hashlib.sha256(photo.read_bytes()).hexdigest() for photo in photos]


def test_apply_drops_relabels_says_so_and_touches_no_image(cleaning, photos, capsys):
    before = checksum(photos)
    cleaning.drop(photos[0])
    cleaning.relabel(photos[1], "b")
    cleaning.relabel(photos[2], "a")  # is so already
    cleaning.keep(photos[3])
    items, labels = cleaning.apply(photos, [parent_label(photo) for photo in photos])
    assert items == photos[1:] and labels == ["b"] + ["a"] * 6 + ["b"] * 8
    assert "of 16 images, 1 dropped and 1 relabelled" in capsys.readouterr().out
    assert checksum(photos) == before


def test_labels_keep_their_type(cleaning, photos):
    cleaning.relabel(photos[0], 1)
    assert cleaning.apply(photos[:3], [0, 0, 1])[1] == [1, 0, 1]
    assert Cleaning(cleaning.file).decision(photos[0]) == Decision("relabel", "1")


def test_a_class_that_no_longer_exists_is_reported_and_kept_in_the_table(cleaning, photos):
    cleaning.relabel(photos[0], "likely_a")
    cleaning.drop(photos[1])
    with pytest.warns(UserWarning, match=r"1 image keeps its label.*'likely_a' \(1\)"):
        _, labels = cleaning.apply(photos[:3], ["a", "a", "b"])
    assert labels == ["a", "b"] and cleaning.decision(photos[0]) == Decision("relabel", "likely_a")


def test_a_new_class_is_taken_when_the_vocabulary_names_it(tmp_path, photos):
    cleaning = Cleaning(tmp_path / "c.csv", vocab=["a", "b", "c"])
    cleaning.relabel(photos[0], "c")
    assert cleaning.apply(photos[:2], ["a", "a"])[1] == ["c", "a"]


def test_decisions_about_other_items_are_counted_and_none_matching_is_an_error(cleaning, photos):
    cleaning.drop(photos[0])
    cleaning.drop(photos[1])
    with pytest.warns(UserWarning, match="1 decision is not about these images"):
        cleaning.apply(photos[1:], ["a"] * 15)
    with pytest.raises(DataError, match="None of the 2 decisions") as error:
        cleaning.apply(photos[2:], ["a"] * 14)
    assert "root=" in error.value.remedy


def test_two_files_that_differ_only_in_the_form_of_their_accents_are_not_both_dropped(tmp_path):
    one, two = (tmp_path / unicodedata.normalize(form, "é.png") for form in ("NFC", "NFD"))
    one.touch()
    two.touch()
    if len(list(tmp_path.iterdir())) == 1:
        pytest.skip("to this file system they are one")
    other = tmp_path / "other.png"
    other.touch()
    cleaning = Cleaning(tmp_path / "c.csv")
    cleaning.keep(other)
    assert len(cleaning.apply([one, two, other], ["a"] * 3)[0]) == 3  # nothing was decided about them
    cleaning.drop(one)
    with pytest.raises(DataError, match=r"either of two images(.|\n)*Rename"):
        cleaning.apply([one, two, other], ["a"] * 3)
    assert cleaning.apply([one, other], ["a"] * 2)[0] == [other]


def test_an_image_that_is_listed_twice_is_dropped_twice(cleaning, photos):
    cleaning.drop(photos[0])
    linked = photos[0].parent / ".." / "a" / "0.png"
    assert cleaning.apply([photos[0], photos[1], photos[0], linked], ["a"] * 4)[0] == [photos[1]]


def test_a_table_without_decisions_changes_nothing(cleaning, photos):
    assert cleaning.apply(photos, ["a"] * 16) == (photos, ["a"] * 16)


SPLITTERS = [RandomSplitter(0.25), StratifiedSplitter(0.25), IndexSplitter([0, 1, 9, 12])]
SPLITTERS += [FuncSplitter(lambda item: item.stem in "13")]


@pytest.mark.parametrize("splitter", SPLITTERS, ids=lambda splitter: type(splitter).__name__)
def test_no_item_changes_sides(cleaning, photos, splitter, capsys):
    root = photos[0].parent.parent
    before = names(block(splitter).dataloaders(root, bs=4, cache=False))
    for photo in photos[1:4]:
        cleaning.drop(photo)
    cleaning.relabel(photos[0], "b")
    dls = cleaning.dataloaders(block(splitter), root, bs=4, cache=False)
    dropped = {"a/1.png", "a/2.png", "a/3.png"}
    assert names(dls) == tuple([name for name in side if name not in dropped] for side in before)
    targets = dict(zip([*names(dls)[0], *names(dls)[1]], dls.train.targets + dls.valid.targets, strict=True))
    assert targets == {name: int(name[0] == "b" or name == "a/0.png") for name in targets}
    n_valid = len(dropped & set(before[1]))
    assert f"3 dropped{f' ({n_valid} of them for validation)' if n_valid else ''} and 1" in capsys.readouterr().out


def test_without_decisions_the_batches_are_those_of_the_block(cleaning, photos):
    root = photos[0].parent.parent
    plain = block().dataloaders(root, bs=4, cache=False)
    cleaned = cleaning.dataloaders(block(), root, bs=4, cache=False)
    for (x1, y1), (x2, y2) in zip(plain.train, cleaned.train, strict=True):
        assert torch.equal(x1, x2) and torch.equal(y1, y2)


def test_a_table_as_source_with_worker_processes(cleaning, photos):
    table = pd.DataFrame({"file": [f"{p.parent.name}/{p.name}" for p in photos], "label": ["a"] * 8 + ["b"] * 8})
    table["is_valid"] = [i % 4 == 0 for i in range(16)]
    table.index = [7] * 16  # labels of rows need not differ
    recipe = DataBlock(
        get_x=ColReader("file", pref=photos[0].parent.parent),
        get_y=ColReader("label"),
        splitter=ColSplitter(),
        item_tfms=Resize(16),
    )
    cleaning.drop(photos[4])
    cleaning.relabel(photos[15], "a")
    dls = cleaning.dataloaders(recipe, table, bs=4, num_workers=2, cache=False)
    assert list(dls.valid.items["file"]) == ["a/0.png", "b/0.png", "b/4.png"] and dls.train.n == 12
    assert dls.train.targets == [0] * 6 + [1] * 5 + [0]
    assert sum(len(y) for _, y in dls.train) == 12
    items, labels = cleaning.apply(table, list(table["label"]), get_x=recipe.get_x)
    assert len(items) == 15 and labels[-1] == "a"


def test_the_cleaned_block_can_be_sent_to_other_processes_and_so_can_the_table(cleaning, photos):
    cleaning.relabel(photos[0], "b")
    recipe = DataBlock(
        get_items=get_image_files, get_y=parent_label, splitter=RandomSplitter(0.25), item_tfms=Resize(16)
    )
    dls = cleaning.dataloaders(recipe, photos[0].parent.parent, bs=4, cache=False)
    sent = pickle.loads(pickle.dumps(dls.block))
    assert sent.get_y(photos[0]) == "b" and sent.get_y(photos[1]) == "a"
    assert pickle.loads(pickle.dumps(cleaning)).decisions() == cleaning.decisions()


def test_a_cleaned_block_reads_other_folders_and_is_cleaned_again_from_the_original(cleaning, photos):
    root = photos[0].parent.parent
    cleaning.drop(photos[0])
    dls = cleaning.dataloaders(block(get_items=get_image_files), root, bs=4, cache=False)
    assert dls.test_dl(root, with_labels=True).n == 16
    cleaning.drop(photos[1])
    again = cleaning.dataloaders(dls.block, root, bs=4, cache=False)
    assert again.train.n + again.valid.n == 14
    with pytest.raises(DataError, match="cleaned items"):
        again.block.dataloaders(root, bs=4, cache=False)


def test_an_image_that_does_not_open_can_be_dropped_or_left_out_beside(cleaning, photos):
    root = photos[0].parent.parent
    for photo in photos[:2]:
        photo.write_bytes(photo.read_bytes()[:60])
    cleaning.drop(photos[0])
    with pytest.raises(DataError, match=r"1\.png"):
        cleaning.dataloaders(block(), root, bs=4)
    before = names(block().dataloaders(root, bs=4, drop_bad=True))
    cleaning.drop(photos[5])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the first decision is about an image that drop_bad has left out
        dls = cleaning.dataloaders(block(), root, bs=4, drop_bad=True)
    assert names(dls) == tuple([name for name in side if name != "a/5.png"] for side in before)
    assert len(dls.left_out) == 2


def test_drop_bad_does_not_shift_the_positions_of_a_split(cleaning, photos):
    photos[0].write_bytes(photos[0].read_bytes()[:60])
    cleaning.drop(photos[1])
    with pytest.raises(DataError, match="IndexSplitter counts all items"):
        cleaning.dataloaders(block(IndexSplitter([2, 9])), photos[0].parent.parent, bs=4, drop_bad=True)


def test_weights_are_those_of_the_items_that_are_left(cleaning, photos):
    root, recipe = photos[0].parent.parent, block(IndexSplitter([8, 9]))
    for photo in photos[:4]:
        cleaning.drop(photo)
    weights = [1.0 if i in (0, 5, 12) else 0.0 for i in range(16)]  # the first of these is dropped
    dls = cleaning.dataloaders(recipe, root, bs=4, cache=False, weights=weights)
    items = list(dls.train.items)
    drawn = {items[i].name for i, w in enumerate(dls.train.weights) if w}
    assert drawn == {"5.png", "4.png"} and dls.train.n == 10
    with pytest.raises(DataError, match="12 values for 16 items"):
        cleaning.dataloaders(recipe, root, bs=4, cache=False, weights=[1.0] * 12)
    assert cleaning.dataloaders(recipe, root, bs=4, cache=False, weights="balanced").train.n == 10


def test_a_vocabulary_of_the_block_says_which_classes_there_are(cleaning, photos):
    cleaning.relabel(photos[0], "c")
    recipe = block(blocks=(ImageBlock, CategoryBlock(["a", "b", "c"])), splitter=IndexSplitter([9]))
    dls = cleaning.dataloaders(recipe, photos[0].parent.parent, bs=4, cache=False)
    assert dls.train.targets[0] == 2
    with pytest.warns(UserWarning, match="no class of this data"):
        dls = cleaning.dataloaders(block(), photos[0].parent.parent, bs=4, cache=False)
    assert dls.vocab == ["a", "b"]


def test_home_is_understood_in_the_names_of_table_root_and_items(tmp_path, monkeypatch, photos):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    cleaning = Cleaning("~/cleaning.csv", root="~")
    cleaning.drop("~/" + str(photos[0].relative_to(tmp_path)))
    assert cleaning.decision(photos[0]) is not None and not (tmp_path / "~").exists()
    with pytest.raises(DataError, match="does not say where its images are"):
        cleaning.plan(pd.DataFrame({"file": photos}), ["a"] * len(photos))
