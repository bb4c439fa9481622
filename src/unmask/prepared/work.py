"""Makes shards, in this process or in several."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from pathlib import Path

from unmask.errors import DataError, MediaError, OutputError, UnmaskError
from unmask.prepared.index import Pairs, cannot_write, partial_of, shard_of
from unmask.prepared.keep import Keep
from unmask.prepared.look import Found, Put, look
from unmask.prepared.shard import ShardWriter, Stored
from unmask.prepared.worker import begin_worker
from unmask.types import LabelledVideo

_POLL_S = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One shard that is to be made; ``index`` is the digest of the folder's."""

    folder: Path
    number: int
    index: str
    pairs: Pairs
    keep: Keep


def make_shards(jobs: Sequence[Job], workers: int, report: Callable[[int], None]) -> None:
    """Makes shards; an interruption ends it after the videos that are being looked at.

    Args:
        jobs: the shards.
        workers: processes.
        report: called with how many videos were looked at.

    Raises:
        OutputError: a shard cannot be written, or a process died.
    """
    if workers <= 1 or len(jobs) <= 1:
        done = 0

        def tick() -> None:
            nonlocal done
            done += 1
            report(done)

        for job in jobs:
            make_shard(job, tick)
        return
    # Not forked: ONNX Runtime's threads would not survive it.
    context = multiprocessing.get_context("spawn")
    counter, stop = context.Value("l", 0), context.Event()
    with concurrent.futures.ProcessPoolExecutor(
        min(workers, len(jobs)),
        mp_context=context,
        initializer=_begin,
        initargs=(counter, stop),
    ) as pool:
        try:
            waiting = {pool.submit(_make_shard, job) for job in jobs}
            while waiting:
                ended, waiting = concurrent.futures.wait(
                    waiting, _POLL_S, concurrent.futures.FIRST_COMPLETED
                )
                for future in ended:
                    future.result()
                report(counter.value)
        except BrokenProcessPool as error:
            stop.set()
            raise OutputError(
                f"Cannot go on in '{jobs[0].folder}': a process ended unexpectedly, most often for "
                "want of memory. Finished shards are kept; run the same command again with fewer "
                "workers."
            ) from error
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


class _StoppedError(Exception):
    """Ends a worker's shard after the video it looks at."""


_shared: tuple[Synchronized[int], Event] | None = None
"""In a worker: how many videos were looked at by all, and whether to stop."""


def _begin(counter: Synchronized[int], stop: Event) -> None:
    global _shared
    _shared = counter, stop
    begin_worker()


def _make_shard(job: Job) -> None:
    assert _shared is not None
    counter, stop = _shared

    def tick() -> None:
        with counter.get_lock():
            counter.value += 1
        if stop.is_set():
            raise _StoppedError

    if not stop.is_set():
        make_shard(job, tick)


def make_shard(job: Job, tick: Callable[[], None]) -> None:
    """Makes one shard; it bears its name only when it is complete.

    Args:
        job: says which.
        tick: called after each video.

    Raises:
        OutputError: it cannot be written.
    """
    path = shard_of(job.folder, job.number)
    if path.is_file():  # another run of the same command was here in the meantime
        for _ in job.pairs:
            tick()
        return
    partial = partial_of(path)
    try:
        with zipfile.ZipFile(partial, "x") as archive:
            shard = ShardWriter(archive)
            for group, row, twin in job.pairs:
                _fill(shard, group, row, job.keep, twin)
                tick()
            shard.finish(job.index)
        partial.replace(path)
    except OSError as error:
        if not path.is_file():
            raise cannot_write(job.folder, error) from error
    finally:
        partial.unlink(missing_ok=True)


class _WriteError(Exception):
    """Keeps a failure to write apart from failures to read."""


def _fill(
    shard: ShardWriter, group: int, row: LabelledVideo, keep: Keep, twin: Path | None
) -> None:
    def put(name: str, data: bytes) -> Stored:
        try:
            return shard.put(f"{group:06d}/{name}", data)
        except OSError as error:
            raise _WriteError from error

    try:
        found, problem = _look(row, keep, put, twin)
    except _WriteError as error:
        assert isinstance(error.__cause__, OSError)
        raise error.__cause__ from None
    if problem:
        shard.add_problem(problem)
    for one in found:
        kinds = one.stored.keys()
        shard.add(
            group,
            one.track,
            one.records,
            has_masks="mask.png" in kinds,
            has_twins="twin.png" in kinds,
        )


def _look(
    row: LabelledVideo, keep: Keep, put: Put, twin: Path | None
) -> tuple[list[Found], str | None]:
    try:
        found = look(row, keep, put, twin)
    except (MediaError, DataError) as error:
        return [], str(error)
    except (UnmaskError, _WriteError):
        raise
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return [], f"Cannot read '{row.path}': {reason}. Check the disk and the path."
    except Exception as error:
        # One strange file must not end the work on thousands.
        return [], f"Cannot read '{row.path}': {type(error).__name__}: {error}. Left out."
    if found:
        return found, None
    length = "" if keep.frames == 1 else f" over {keep.frames} frames"
    return [], f"'{row.path}': no face of at least {keep.min_face_px:g} px{length}; left out."
