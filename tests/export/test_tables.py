"""Tables of predictions: every number under its own class's name, and back from the disk unchanged."""

import errno
from pathlib import Path
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
import torch

from coursekit.core import DataError
from coursekit.data.tables_in import read_table
from coursekit.export import tables
from coursekit.export.tables import item_name, prediction_table, submission_table, write_table

VOCAB = ["cat", "dog", "hörnchen"]


def probabilities(n: int, c: int = 3, seed: int = 0) -> torch.Tensor:
    return torch.rand(n, c, generator=torch.Generator().manual_seed(seed)).softmax(1)


@pytest.mark.parametrize("form", [torch.Tensor.clone, np.asarray, torch.Tensor.tolist])
def test_a_row_says_the_likeliest_class_its_probability_and_all_of_them(form):
    probs = probabilities(5)
    table = prediction_table([f"{i}.jpg" for i in range(5)], form(probs), VOCAB)
    assert list(table.columns) == ["item", "label", "probability", *VOCAB]
    assert list(table["item"]) == [f"{i}.jpg" for i in range(5)]
    assert list(table["label"]) == [VOCAB[i] for i in probs.argmax(1)]
    np.testing.assert_array_equal(table["probability"], probs.amax(1).numpy())
    np.testing.assert_array_equal(table[VOCAB], probs.numpy())


def test_the_table_keeps_nothing_of_the_tensor_it_was_made_of():
    probs = probabilities(2).requires_grad_()
    table = prediction_table(["a", "b"], probs, VOCAB)
    with torch.no_grad():
        probs.zero_()
    assert table["cat"].gt(0).all()


def test_items_are_named_so_that_one_can_find_them():
    assert item_name(Path("a") / "b.jpg", 3) == str(Path("a") / "b.jpg")
    assert item_name("x.jpg", 3) == "x.jpg" and item_name(17, 3) == 17 and item_name(b"\xff", 3) == 3
    table = prediction_table([b"\xff", torch.zeros(3, 2, 2)], probabilities(2), VOCAB)
    assert list(table["item"]) == [0, 1]


def test_no_items_give_a_table_with_all_columns():
    for empty in (torch.empty(0, 3), [], np.empty((0, 3))):
        assert list(prediction_table([], empty, VOCAB).columns) == ["item", "label", "probability", *VOCAB]
        assert len(submission_table([], empty, VOCAB)) == 0


def test_half_precision_and_numbers_that_are_none_are_said_as_such():
    probs = torch.tensor([[0.5, 0.25, 0.25], [float("nan"), 0.5, 0.5]], dtype=torch.bfloat16)
    table = prediction_table(["a", "b"], probs, VOCAB)
    assert table["label"].tolist()[0] == "cat" and table["label"].isna().tolist() == [False, True]
    assert table["probability"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("items", "probs", "vocab", "message"),
    [
        (["a"], probabilities(2), VOCAB, r"\(2, 3\) do not fit(.|\n)*\(1, 3\)"),
        (["a", "b"], probabilities(2), VOCAB[:2], r"\(2, 2\)"),
        (["a"], torch.rand(3), VOCAB, r"\(3,\) do not fit"),
        (["a"], probabilities(1), ["cat", "dog", "cat"], "'cat' comes twice"),
        (["a"], probabilities(1), ["cat", "label", "dog"], "cannot be called 'label'"),
        (["a"], probabilities(1), ["probability", "b", "c"], "cannot be called 'probability'"),
    ],
)
def test_what_does_not_go_together_is_refused(items, probs, vocab, message):
    with pytest.raises(DataError, match=message):
        prediction_table(items, probs, vocab)


@pytest.mark.parametrize("seed", range(3))
def test_a_submission_has_every_number_under_its_own_name_whatever_the_order(seed):
    probs, order = probabilities(4, seed=seed), torch.randperm(3, generator=torch.Generator().manual_seed(seed))
    columns = [VOCAB[i] for i in order]
    for asked in (columns, ["id", *columns], pd.Index(["id", *columns])):
        table = submission_table(["w", "x", "y", "z"], probs, VOCAB, asked)
        assert list(table.columns) == ["id", *columns]
        for i, name in enumerate(VOCAB):
            np.testing.assert_array_equal(table[name], probs[:, i].numpy())


def test_a_submission_is_in_the_order_of_the_vocabulary_unless_told():
    table = submission_table([7, 8], probabilities(2), VOCAB, id_name="image_id")
    assert list(table.columns) == ["image_id", *VOCAB] and table["image_id"].tolist() == [7, 8]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["cat", "dog"], "not asked for: 'hörnchen'"),
        (["cat", "dog", "Hörnchen"], "not in the vocabulary: 'Hörnchen'(.|\n)*not asked for: 'hörnchen'"),
        ([*VOCAB, "blank"], "not in the vocabulary: 'blank'"),
        ([*VOCAB, "cat"], "asked for twice"),
        ([], "not asked for"),
    ],
)
def test_columns_that_cannot_be_filled_are_listed(columns, message):
    with pytest.raises(DataError, match=message):
        submission_table(["a"], probabilities(1), VOCAB, columns)


def test_ids_that_come_twice_and_classes_that_are_called_as_the_id_are_refused():
    with pytest.raises(DataError, match="'a'"):
        submission_table(["a", "b", "a"], probabilities(3), VOCAB)
    with pytest.raises(DataError, match="'dog'"):
        submission_table(["a"], probabilities(1), VOCAB, VOCAB, id_name="dog")


@pytest.mark.parametrize(
    "ids", [[101.0, 7.0], torch.tensor([101, 7]), np.array([101, 7]), np.array([101.0, 7.0]), pd.Series([101, 7])]
)
def test_whole_numbers_of_any_kind_stay_the_ids_that_they_are(ids):
    table = submission_table(ids, probabilities(2), VOCAB)
    assert table["id"].tolist() == [101, 7] and table["id"].dtype == np.int64


@pytest.mark.parametrize("odd", [1.5, float("nan"), True, None, b"a", Path("a.jpg"), UUID(int=5), torch.zeros(2)])
def test_ids_that_are_no_texts_or_whole_numbers_are_refused_and_not_counted_through(odd):
    with pytest.raises(DataError, match=r"no texts or whole numbers(.|\n)*1 of 2"):
        submission_table(["a", odd], probabilities(2), VOCAB)


def test_ids_that_look_alike_in_a_file_come_twice():
    for twice in ([1, 1.0], [1, "1"]):
        with pytest.raises(DataError, match=r"twice(.|\n)*'1'"):
            submission_table(twice, probabilities(2), VOCAB)


def test_a_table_comes_back_from_the_disk_number_by_number(tmp_path):
    table = prediction_table([f"ü {i}.jpg" for i in range(50)], probabilities(50), VOCAB)
    again = pd.read_csv(write_table(table, tmp_path / "new" / "p.csv"))
    for name in VOCAB:
        np.testing.assert_array_equal(again[name].astype("float32"), table[name])
    assert list(again["item"]) == list(table["item"]) and list(again.columns) == list(table.columns)
    assert list(read_table(tmp_path / "new" / "p.csv")["label"]) == list(table["label"])


def test_items_with_commas_quotes_and_line_ends_survive(tmp_path):
    items = ["a,b.jpg", 'say "hi".jpg', "two\nlines.jpg", " blank .jpg"]
    write_table(prediction_table(items, probabilities(4), VOCAB), tmp_path / "p.csv")
    assert list(pd.read_csv(tmp_path / "p.csv")["item"]) == items


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_an_older_file_stays_when_writing_fails(tmp_path, monkeypatch, failure):
    write_table(pd.DataFrame({"a": [1]}), tmp_path / "p.csv")
    before = (tmp_path / "p.csv").read_bytes()

    def fail(self, path, **settings):
        Path(path).write_text("half a ta")
        raise failure

    monkeypatch.setattr(pd.DataFrame, "to_csv", fail)
    with pytest.raises(DataError if isinstance(failure, OSError) else KeyboardInterrupt):
        tables.write_table(pd.DataFrame({"a": [2]}), tmp_path / "p.csv")
    assert (tmp_path / "p.csv").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["p.csv"]


def test_a_table_in_place_of_items_or_ids_is_refused():
    frame = pd.DataFrame({"file": ["a.png", "b.png"], "y": [0, 1]})
    for make in (prediction_table, submission_table):
        with pytest.raises(DataError, match="does not say where its images are"):
            make(frame, torch.rand(2, 2), ["cat", "dog"])
    assert list(prediction_table(frame["file"][::-1], torch.rand(2, 2), ["cat", "dog"])["item"]) == ["b.png", "a.png"]


def test_names_that_are_no_utf8_are_written_with_their_bytes(tmp_path):
    names = [Path(f"caf\udce9/{i}.png") for i in range(2)]
    file = write_table(prediction_table(names, torch.rand(2, 2), ["cat", "dog"]), tmp_path / "p.csv")
    assert list(read_table(file)["item"]) == [rf"caf\xe9/{i}.png" for i in range(2)]
    assert write_table(pd.DataFrame({"name": ["caf\udce9"]}), tmp_path / "q.csv").read_bytes().isascii()
