"""Events, their order, and the table that is printed."""

import pytest

from coursekit.callbacks import Callback, ProgressTable, StopTraining, format_cell, notify


class Spy(Callback):
    """Writes down every event, and what the loop was doing."""

    def __init__(self):
        self.seen = []

    def _note(self, learn, event):
        self.seen.append(event)


for name in [n for n in vars(Callback) if n.startswith(("before_", "after_"))]:
    setattr(Spy, name, lambda self, learn, event=name: self._note(learn, event))


def test_events_come_in_the_documented_order(toy_learner):
    spy = Spy()
    toy_learner.fit(1, cbs=[spy])
    n_train, n_valid = len(toy_learner.dls.train), len(toy_learner.dls.valid)
    assert spy.seen == [
        "before_fit",
        "before_epoch",
        "before_train",
        *["before_batch", "after_loss", "before_step", "after_batch"] * n_train,
        "after_train",
        "before_validate",
        *["before_batch", "after_loss", "after_batch"] * n_valid,
        "after_validate",
        "after_epoch",
        "after_fit",
    ]


def test_lower_order_comes_first(toy_learner):
    calls = []

    class Ordered(Callback):
        def __init__(self, order):
            self.order = order

        def before_fit(self, learn):
            calls.append(self.order)

    toy_learner.fit(1, cbs=[Ordered(3), Ordered(-1), Ordered(7)])
    assert calls == [-1, 3, 7]


def test_stop_training_ends_the_run_in_good_order(toy_learner):
    class StopInSecondEpoch(Callback):
        def before_epoch(self, learn):
            if learn.epoch == 1:
                raise StopTraining

    spy = Spy()
    toy_learner.fit(5, cbs=[StopInSecondEpoch(), spy])
    assert len(toy_learner.recorder.values) == 1
    assert spy.seen[-1] == "after_fit"


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_an_error_in_a_callback_reaches_the_user_and_the_learner_stays_usable(toy_learner, error):
    class Broken(Callback):
        def after_loss(self, learn):
            if learn.batch == 1:
                raise error

    spy = Spy()
    with pytest.raises(error):
        toy_learner.fit(1, cbs=[Broken(), spy])
    assert spy.seen[-1] == "after_fit"
    toy_learner.fit(1)  # callbacks given to a fit are gone after it
    assert len(toy_learner.recorder.values) == 1


def test_table_is_plain_lines_in_a_log_file(toy_learner, capsys):
    toy_learner.fit(2)
    captured = capsys.readouterr()
    header, *rows = captured.out.splitlines()
    assert header.split() == ["epoch", "train_loss", "valid_loss", "error_rate", "time"]
    assert [row.split()[0] for row in rows] == ["0", "1"]
    assert "\r" not in captured.out + captured.err


def test_cells_have_one_width_so_that_columns_align():
    assert {len(format_cell(v)) for v in (0, 1.5, "time", None)} == {12}


def test_notify_leaves_out_nobody():
    spies = [Spy(), Spy()]
    notify(spies, "before_step", None)
    assert [spy.seen for spy in spies] == [["before_step"]] * 2


def test_progress_table_comes_after_the_recorder(toy_learner):
    assert ProgressTable.order > toy_learner.recorder.order
