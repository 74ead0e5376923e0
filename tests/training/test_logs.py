"""Logs in files: one history over several fits, whole after a kill, and an older one never lost without a word."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from coursekit.arguments import ArgumentError
from coursekit.core import TrainingError
from coursekit.metrics import accuracy, error_rate
from coursekit.training.callbacks import Callback
from coursekit.training.logs import CSVLog, TensorBoardLog


def test_the_csv_log_is_the_table(toy_learner, tmp_path):
    toy_learner.fit(2, cbs=CSVLog(tmp_path / "logs" / "history.csv"))
    table = pd.read_csv(tmp_path / "logs" / "history.csv")
    assert list(table.columns) == ["fit", *toy_learner.recorder.names] and set(table.pop("fit")) == {1}
    assert table.to_numpy().tolist() == pytest.approx(np.array(toy_learner.recorder.values, dtype=float))


def test_both_fits_of_fine_tune_are_in_the_log_and_told_apart(toy_learner, tmp_path):
    toy_learner.fine_tune(2, freeze_epochs=2, cbs=CSVLog(tmp_path / "log.csv"))
    table = pd.read_csv(tmp_path / "log.csv")
    assert table[["fit", "epoch"]].to_numpy().tolist() == [[1, 0], [1, 1], [2, 0], [2, 1]]
    assert toy_learner.recorder.values == table.iloc[2:, 1:].to_numpy().tolist()  # the recorder's are the last fit's


def test_metrics_may_change_between_two_fits(make_toy_learner, tmp_path):
    log = CSVLog(tmp_path / "log.csv")
    make_toy_learner(metrics=error_rate).fit(1, cbs=log)
    make_toy_learner(metrics=accuracy).fit(1, cbs=log)
    table = pd.read_csv(tmp_path / "log.csv")
    assert list(table.columns) == ["fit", "epoch", "train_loss", "valid_loss", "error_rate", "accuracy"]
    assert table.isna().to_numpy()[:, -2:].tolist() == [[False, True], [True, False]]


def test_an_older_log_is_replaced_with_a_word_or_goes_on(make_toy_learner, tmp_path, capsys):
    file = tmp_path / "log.csv"
    make_toy_learner().fit(2, cbs=CSVLog(file))
    assert "replaced" not in capsys.readouterr().out
    make_toy_learner().fit(1, cbs=CSVLog(file, append=True))
    assert pd.read_csv(file)["fit"].tolist() == [1, 1, 2] and "replaced" not in capsys.readouterr().out
    make_toy_learner().fit(1, cbs=CSVLog(file))
    assert pd.read_csv(file)["fit"].tolist() == [1]
    assert (
        "log.csv: the log of an earlier run is replaced; CSVLog(..., append=True) keeps it" in capsys.readouterr().out
    )


def test_arguments_of_fastai_are_named(tmp_path):
    with pytest.raises(ArgumentError, match="did you mean file"):
        CSVLog(fname="history.csv")
    with pytest.raises(ArgumentError, match="did you mean folder"):
        TensorBoardLog(log_dir="runs")


class Break(Callback):
    """Ends the second fit of `fine_tune` in its second epoch."""

    def before_batch(self, learn):
        if (learn.n_epochs, learn.epoch) == (3, 1):
            raise KeyboardInterrupt


@pytest.mark.parametrize("append", [False, True])
def test_a_run_that_is_resumed_writes_no_row_twice(make_lite0_learner, tmp_path, append, capsys):
    file = tmp_path / "log.csv"
    if append:
        file.write_text("fit,epoch,train_loss,valid_loss,error_rate\n1,0,0.5,0.5,0.5\n")

    def run(*cbs):
        settings = {"freeze_epochs": 2, "cache_features": True, "resume": tmp_path / "run.safetensors"}
        make_lite0_learner().fine_tune(3, cbs=[CSVLog(file, append=append), *cbs], **settings)

    with pytest.raises(KeyboardInterrupt):
        run(Break())
    run()
    first = 2 if append else 1
    rows = [[first, 0], [first, 1], [first + 1, 0], [first + 1, 1], [first + 1, 2]]
    assert pd.read_csv(file)[["fit", "epoch"]].to_numpy().tolist() == [[1, 0]] * append + rows
    assert "replaced" not in capsys.readouterr().out


def test_a_fit_that_is_refused_writes_nothing(toy_learner, tmp_path):
    class Refuse(Callback):
        order = -1

        def before_fit(self, learn):
            raise TrainingError("no")

    log, board = CSVLog(tmp_path / "log.csv"), TensorBoardLog(tmp_path / "runs")
    toy_learner.fit(1, cbs=[log, board])
    with pytest.raises(TrainingError):
        toy_learner.fit(1, cbs=[Refuse(), log, board])
    assert len(log.rows) == 1 and board.state() == {"fit": 1, "steps": len(toy_learner.recorder.losses)}


def read(folder: Path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = EventAccumulator(str(folder))
    log.Reload()
    return log


def test_tensorboard_reads_what_its_log_holds(toy_learner, tmp_path):
    toy_learner.fit(2, cbs=TensorBoardLog(tmp_path / "runs"))
    log = read(tmp_path / "runs")
    assert [event.value for event in log.Scalars("batch/train_loss")] == pytest.approx(toy_learner.recorder.losses)
    assert [e.value for e in log.Scalars("epoch/valid_loss")] == pytest.approx(
        [row[2] for row in toy_learner.recorder.values]
    )


def test_without_tensorboard_the_remedy_is_named(toy_learner, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(TrainingError, match="pip install tensorboard"):
        toy_learner.fit(1, cbs=TensorBoardLog(tmp_path))


def test_two_fits_are_one_line_in_tensorboard(toy_learner, tmp_path):
    toy_learner.fine_tune(2, freeze_epochs=1, cbs=TensorBoardLog(tmp_path))
    n, log = len(toy_learner.dls.train), read(tmp_path)
    assert [event.step for event in log.Scalars("batch/train_loss")] == list(range(3 * n))
    assert [event.step for event in log.Scalars("epoch/valid_loss")] == [n - 1, 2 * n - 1, 3 * n - 1]
    assert [event.value for event in log.Scalars("epoch/fit")] == [1, 2, 2]


def test_tensorboard_shows_a_resumed_run_once(make_lite0_learner, tmp_path, capsys):
    def run(*cbs):
        settings = {"freeze_epochs": 2, "cache_features": True, "resume": tmp_path / "run.safetensors"}
        make_lite0_learner().fine_tune(3, cbs=[TensorBoardLog(tmp_path / "runs"), *cbs], **settings)

    with pytest.raises(KeyboardInterrupt):
        run(Break())
    run()
    log = read(tmp_path / "runs")
    steps = [event.step for event in log.Scalars("batch/train_loss")]
    assert steps == list(range(len(steps))) and len(log.Scalars("epoch/valid_loss")) == 5
    assert "earlier log" not in capsys.readouterr().out


def test_a_folder_that_holds_another_log_is_told(make_toy_learner, tmp_path, capsys):
    make_toy_learner().fit(1, cbs=TensorBoardLog(tmp_path))
    assert "earlier log" not in capsys.readouterr().out
    make_toy_learner().fit(1, cbs=TensorBoardLog(tmp_path))
    assert "holds an earlier log" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    ["fit,epoch,train_loss\nx,0,1.0\n", "fit;epoch;train_loss\n1;0;1.0\n", "epoch,loss\n0,1,2\n", "name,y\na,b\n"],
)
def test_a_file_that_is_no_log_is_not_appended_to(toy_learner, tmp_path, text):
    file = tmp_path / "log.csv"
    file.write_text(text)
    with pytest.raises(TrainingError, match=r"cannot be appended to(.|\n)*leave append out"):
        toy_learner.fit(1, cbs=CSVLog(file, append=True))
    assert file.read_text() == text and toy_learner.epochs_done == 0


@pytest.mark.parametrize("text", ["", "epoch,train_loss\n0,1.0\n", "\ufefffit,epoch,train_loss\n1,0,1.0\n"])
def test_an_empty_log_one_without_fits_and_one_saved_by_a_spreadsheet_go_on(toy_learner, tmp_path, text):
    file = tmp_path / "log.csv"
    file.write_text(text, "utf-8")
    toy_learner.fit(1, cbs=CSVLog(file, append=True))
    table = pd.read_csv(file)
    assert table["epoch"].tolist() == [0] * len(table) and len(table) == max(len(text.splitlines()), 1)
    assert table["train_loss"].iloc[-1] == pytest.approx(toy_learner.recorder.values[-1][1])
