"""Prepares a data set: many videos in, a folder of shards out; resumable, on several cores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from unmask.errors import DataError
from unmask.prepare.index import (
    VIDEOS_PER_SHARD,
    open_folder,
    read_index,
    remove,
    shard_of,
    sweep,
    with_twins,
)
from unmask.prepare.landmarks import load_landmarks
from unmask.prepare.sequence import FaceSequence
from unmask.prepare.shard import read_list
from unmask.prepare.shard_job import ShardJob, make_shard
from unmask.prepare.spec import PrepareSpec
from unmask.types import LabelledVideo
from unmask.workers import workers_of


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """A prepared data set.

    ``rows`` is the index it was made of (of twins, the better videos alone), ``problems`` has a
    line for every file that could not be used.
    """

    path: Path
    spec: PrepareSpec
    rows: tuple[LabelledVideo, ...]
    sequences: tuple[FaceSequence, ...]
    problems: tuple[str, ...]


def prepare(
    rows: Sequence[LabelledVideo],
    out: str | Path,
    spec: PrepareSpec | None = None,
    *,
    workers: int = 1,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> Prepared:
    """Finds the faces of a data set and keeps them in ``out``.

    Call it again after an interruption and it goes on: finished shards (of 16 videos) are kept.
    Several processes may work on one folder. A file that cannot be read is left out and listed
    in ``problems``.

    Args:
        rows: the data set's index.
        out: a folder; new, or of an earlier call with the same rows and the same ``spec``.
        spec: what to keep.
        workers: processes.
        report: called with how many videos are done, and of how many.

    Returns:
        What was kept.

    Raises:
        OutputError: ``out`` holds something else, cannot be written (a full disk), or a process
                died.
        DataError: there is no row, a twin is missing, or not one face was found.
        MissingDependencyError: 68 points are asked for, and their source is not installed.
    """
    spec = spec or PrepareSpec()
    folder = Path(out)
    pairs = with_twins(rows, spec)
    if spec.landmarks == 68:
        load_landmarks()
    index = open_folder(folder, pairs, spec)
    shards = [pairs[at : at + VIDEOS_PER_SHARD] for at in range(0, len(pairs), VIDEOS_PER_SHARD)]
    jobs = [
        ShardJob(folder=folder, number=number, index=index, pairs=shard, spec=spec)
        for number, shard in enumerate(shards)
        if not shard_of(folder, number).is_file()
    ]
    done = len(pairs) - sum(len(job.pairs) for job in jobs)
    report(done, len(pairs))

    def tick() -> None:
        nonlocal done
        done += 1
        report(done, len(pairs))

    with workers_of(min(workers, len(jobs))) as run:
        run(make_shard, jobs, tick, counts_steps=True)
    sweep(folder)
    found = read_prepared(folder)
    if not found.sequences:
        remove(folder, len(shards))
        first = f" First problem: {found.problems[0]}" if found.problems else ""
        raise DataError(
            f"No face of at least {spec.min_face_px:g} px in {len(pairs)} files.{first} "
            "Give files with larger faces."
        )
    return found


def read_prepared(path: str | Path) -> Prepared:
    """Reads the list of what ``prepare`` kept; pixels are read when a sequence is asked.

    Raises:
        DataError: ``path`` was not prepared, only in part, by another version, or is damaged.
    """
    folder = Path(path)
    index = read_index(folder)
    shards = [shard_of(folder, number) for number in range(index.shards)]
    missing = [shard for shard in shards if not shard.is_file()]
    if missing:
        raise DataError(
            f"'{folder}' is prepared only in part: {len(missing)} of {len(shards)} shards are "
            "missing. Run the same prepare command again; it goes on where it stopped."
        )
    sequences: list[FaceSequence] = []
    problems: list[str] = []
    for shard in shards:
        content = read_list(shard, index.digest)
        problems += content.problems
        sequences += [
            FaceSequence(video=index.rows[entry.group], shard=shard, entry=entry)
            for entry in content.entries
        ]
    return Prepared(
        path=folder,
        spec=index.spec,
        rows=index.rows,
        sequences=tuple(sequences),
        problems=tuple(problems),
    )
