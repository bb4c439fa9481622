"""Jobs in several processes: order, errors, and a process that dies."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from unmask.errors import DataError, OutputError
from unmask.workers import ending_at_once, step_done, stop_if_asked, workers_of


def double(number: int) -> int:
    time.sleep(0.2 if number == 0 else 0)
    return 2 * number


def fail(number: int) -> int:
    raise DataError(f"number {number}")


def die(number: int) -> int:
    os._exit(1)


def nothing() -> None:
    pass


def sleep_and_note(job: tuple[float, Path]) -> None:
    seconds, file = job
    with ending_at_once():
        time.sleep(seconds)
    file.touch()


@pytest.mark.parametrize("count", [1, 2])
def test_results_come_in_the_order_of_the_jobs(count: int):
    ticks: list[int] = []
    with workers_of(count) as run:
        assert run(double, [0, 1, 2], lambda: ticks.append(1)) == [0, 2, 4]
    assert len(ticks) == 3


def three_steps(number: int) -> int:
    for _ in range(3):
        step_done()
    return number


@pytest.mark.parametrize("count", [1, 2])
def test_steps_are_counted_across_processes(count: int):
    ticks: list[int] = []
    with workers_of(count) as run:
        for _ in range(2):
            run(three_steps, [1, 2], lambda: ticks.append(1), counts_steps=True)
        run(three_steps, [1, 2], lambda: ticks.append(1))
    assert len(ticks) == 2 * 6 + 2


def test_a_step_outside_of_workers_counts_nothing():
    assert three_steps(5) == 5


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


def test_a_long_step_ends_when_the_others_are_stopped(tmp_path: Path):
    def interrupt() -> None:
        raise KeyboardInterrupt

    jobs = [(0.0, tmp_path / "short"), (5.0, tmp_path / "long")]
    with pytest.raises(KeyboardInterrupt), workers_of(2) as run:
        run(sleep_and_note, jobs, interrupt)
    # The block waits for its processes: this one would have been finished.
    assert (tmp_path / "short").exists()
    assert not (tmp_path / "long").exists()


def test_a_long_step_outside_of_a_worker(tmp_path: Path):
    sleep_and_note((0.0, tmp_path / "here"))
    assert (tmp_path / "here").exists()
