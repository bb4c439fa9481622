"""Jobs in several processes: order, errors, and a process that dies."""

from __future__ import annotations

import os
import time

import pytest

from unmask.errors import DataError, OutputError
from unmask.minibench.work import stop_if_asked, workers_of


def double(number: int) -> int:
    time.sleep(0.2 if number == 0 else 0)
    return 2 * number


def fail(number: int) -> int:
    raise DataError(f"number {number}")


def die(number: int) -> int:
    os._exit(1)


def nothing() -> None:
    pass


@pytest.mark.parametrize("count", [1, 2])
def test_results_come_in_the_order_of_the_jobs(count: int):
    ticks: list[int] = []
    with workers_of(count) as run:
        assert run(double, [0, 1, 2], lambda: ticks.append(1)) == [0, 2, 4]
    assert len(ticks) == 3


@pytest.mark.parametrize("count", [1, 2])
def test_an_error_comes_out(count: int):
    with pytest.raises(DataError, match="number 7"), workers_of(count) as run:
        run(fail, [7], nothing)


def test_a_process_that_dies():
    kept = "What was finished is kept; run the same command again"
    with pytest.raises(OutputError, match=kept), workers_of(2) as run:
        run(die, [1], nothing)


def test_outside_of_a_worker_nobody_asks_to_stop():
    assert stop_if_asked() is None
