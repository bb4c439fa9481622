"""Runs jobs in this process or in several; an interruption ends them between two steps."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from typing import NamedTuple, TypeVar

from unmask.errors import OutputError

Job = TypeVar("Job")
Result = TypeVar("Result")

_POLL_S = 0.3


class _StoppedError(Exception):
    """Ends a worker's job early."""


class _Shared(NamedTuple):
    """What all processes share: how many steps are done, and whether to stop."""

    steps: Synchronized[int]
    stop: Event


_shared: _Shared | None = None
"""In a worker alone."""

_tick: Callable[[], None] | None = None
"""In the first process, while it does the jobs itself: called after each step."""


def step_done() -> None:
    """Called by a job after each of its steps: counts it, and stops the job if that is asked."""
    if _shared is not None:
        with _shared.steps.get_lock():
            _shared.steps.value += 1
        stop_if_asked()
    elif _tick is not None:
        _tick()


def stop_if_asked() -> None:
    """Called by a job between two steps: ends it if the workers shall stop.

    Does nothing outside of a worker.
    """
    if _shared is not None and _shared.stop.is_set():
        raise _StoppedError


@contextmanager
def ending_at_once() -> Iterator[None]:
    """Around a long step of a job whose unfinished result is thrown away anyway.

    A worker that shall stop ends in the middle of it; outside of a worker nothing happens.
    """
    shared, is_over = _shared, threading.Event()
    if shared is None:
        yield
        return

    def watch() -> None:
        while not is_over.wait(_POLL_S):
            if shared.stop.is_set():
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
        shared: counts their steps and ends them; given with a pool.
    """

    def __init__(
        self,
        pool: concurrent.futures.ProcessPoolExecutor | None = None,
        shared: _Shared | None = None,
    ) -> None:
        self._pool = pool
        self._shared = shared

    def __call__(
        self,
        work: Callable[[Job], Result],
        jobs: Sequence[Job],
        tick: Callable[[], None],
        *,
        counts_steps: bool = False,
    ) -> list[Result]:
        """Does the work for every job and returns the results in their order.

        Args:
            work: a function of a module.
            jobs: what it is called with.
            tick: called whenever a job is done.
            counts_steps: calls ``tick`` for every ``step_done`` of a job instead.

        Raises:
            OutputError: a process died.
        """
        if self._pool is None or self._shared is None:
            return _here(work, jobs, tick, counts_steps=counts_steps)
        steps, counted = self._shared.steps, self._shared.steps.value
        futures = [self._pool.submit(work, job) for job in jobs]
        waiting = set(futures)
        while waiting:
            ended, waiting = concurrent.futures.wait(
                waiting, _POLL_S, concurrent.futures.FIRST_COMPLETED
            )
            for future in ended:
                future.result()
            done = steps.value - counted if counts_steps else len(ended)
            for _ in range(done):
                tick()
            counted += done
        return [future.result() for future in futures]


def _here(
    work: Callable[[Job], Result],
    jobs: Sequence[Job],
    tick: Callable[[], None],
    *,
    counts_steps: bool,
) -> list[Result]:
    """Does the work in this process."""
    global _tick
    results, before = [], _tick
    _tick = tick if counts_steps else None
    try:
        for job in jobs:
            results.append(work(job))
            if not counts_steps:
                tick()
    finally:
        _tick = before
    return results


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
    shared = _Shared(context.Value("l", 0), context.Event())
    with concurrent.futures.ProcessPoolExecutor(
        count, mp_context=context, initializer=_begin, initargs=(shared.steps, shared.stop)
    ) as pool:
        try:
            yield Workers(pool, shared)
        except BrokenProcessPool as error:
            shared.stop.set()
            raise OutputError(
                "Cannot go on: a process ended unexpectedly, most often for want of memory. What "
                "was finished is kept; run the same command again with fewer workers."
            ) from error
        except BaseException:
            shared.stop.set()
            pool.shutdown(cancel_futures=True)
            raise


def _begin(steps: Synchronized[int], stop: Event) -> None:
    """Makes this process a worker: on one core, deaf to Ctrl-C, and ended with its parent.

    Processes are the parallelism here, and the first one alone answers to Ctrl-C.
    """
    global _shared
    import cv2

    _shared = _Shared(steps, stop)
    cv2.setNumThreads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Ends this process with its parent: one that was killed cannot stop its workers."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
