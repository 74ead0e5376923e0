"""What goes wrong with worker processes is said in plain words, before they start where that can be known."""

import pytest

from coursekit.data.workers import WorkerError, check_sendable, explain_worker_error


def test_35_a_lambda_is_named_with_both_ways_out():
    with pytest.raises(WorkerError) as caught:
        check_sendable({"label": lambda name: name})
    assert all(part in str(caught.value) for part in ("lambda", "into a file", "num_workers=0"))


def test_35_a_function_inside_another_is_named():
    def inner(name):
        return name

    with pytest.raises(WorkerError, match="inner"):
        check_sendable(inner)


def test_36_a_bus_error_means_shared_memory_and_other_errors_are_not_touched():
    text = "DataLoader worker (pid 7) is killed by signal: Bus error. It is possible that dataloader's workers are ..."
    assert "shared memory" in str(explain_worker_error(RuntimeError(text)))
    assert explain_worker_error(RuntimeError("CUDA out of memory")) is None
