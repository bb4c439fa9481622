"""Runs jobs in this process or in several; an interruption ends them between two files."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from typing import TypeVar

from unmask.errors import OutputError
from unmask.prepared import begin_worker

Job = TypeVar("Job")
Result = TypeVar("Result")

_POLL_S = 0.3


class _StoppedError(Exception):
    """Ends a worker's job early."""


_stop: Event | None = None
"""In a worker: whether to stop."""


def stop_if_asked() -> None:
    """Called by a job between two files; does nothing outside of a worker."""
    if _stop is not None and _stop.is_set():
        raise _StoppedError


@contextmanager
def ending_at_once() -> Iterator[None]:
    """Around a long step of a job whose unfinished result is thrown away anyway.

    A worker that is asked to stop ends in the middle of it; outside of a worker nothing happens.
    """
    stop, is_over = _stop, threading.Event()
    if stop is None:
        yield
        return

    def watch() -> None:
        while not is_over.wait(_POLL_S):
            if stop.is_set():
                os._exit(1)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        is_over.set()
        watcher.join()


class Workers:
    """One process or several.

    Args:
        pool: of the processes; None: this one.
        stop: tells them to end.
    """

    def __init__(
        self, pool: concurrent.futures.ProcessPoolExecutor | None = None, stop: Event | None = None
    ) -> None:
        self._pool = pool
        self._stop = stop

    def __call__(
        self, work: Callable[[Job], Result], jobs: Sequence[Job], tick: Callable[[], None]
    ) -> list[Result]:
        """Does the work for every job and returns the results in their order.

        Args:
            work: a function of a module.
            jobs: what it is called with.
            tick: called whenever one is done.

        Raises:
            OutputError: a process died.
        """
        if self._pool is None:
            results = []
            for job in jobs:
                results.append(work(job))
                tick()
            return results
        futures = [self._pool.submit(work, job) for job in jobs]
        waiting = set(futures)
        while waiting:
            ended, waiting = concurrent.futures.wait(
                waiting, _POLL_S, concurrent.futures.FIRST_COMPLETED
            )
            for future in ended:
                future.result()
                tick()
        return [future.result() for future in futures]


@contextmanager
def workers_of(count: int) -> Iterator[Workers]:
    """So many processes, as long as the block lasts.

    Raises:
        OutputError: one of them died.
    """
    if count <= 1:
        yield Workers()
        return
    # Not forked: ONNX Runtime's threads would not survive it.
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    with concurrent.futures.ProcessPoolExecutor(
        count, mp_context=context, initializer=_begin, initargs=(stop,)
    ) as pool:
        try:
            yield Workers(pool, stop)
        except BrokenProcessPool as error:
            stop.set()
            raise OutputError(
                "Cannot go on: a process ended unexpectedly, most often for want of memory. What "
                "was finished is kept; run the same command again with fewer workers."
            ) from error
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


def _begin(stop: Event) -> None:
    global _stop
    _stop = stop
    begin_worker()
