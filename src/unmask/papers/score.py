"""The protocols of a run, measured with what was trained; several at a time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from unmask.errors import DataError, UsageError
from unmask.evaluate.data import Data
from unmask.papers.measure import Ours, run_protocol
from unmask.papers.plan import OCCLUSION, Part
from unmask.workers import stop_if_asked

if TYPE_CHECKING:
    from unmask.evaluate.scores import VideoScore
    from unmask.papers.protocol import Protocol

_POLL_S: Final = 10.0
_NOTE_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One protocol: with which detectors, and where the weights of its trainings are."""

    protocol: Protocol
    detectors: tuple[str, ...]
    weights: Mapping[str, Path]

    @property
    def weight(self) -> int:
        """About how much of the work it is: videos under a condition, for every model."""
        places = {(c.dataset, c.methods, c.compression, c.condition) for c in self.protocol.cells}
        return max(1, len(places)) * max(1, len(self.weights))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreJob:
    """Protocols that share a results folder, because they share scores.

    ``threads`` are torch's; None leaves its default. ``note`` is a file that tells how far it is.
    """

    tables: tuple[Table, ...]
    data: tuple[Data, ...]
    folder: Path
    note: Path
    device: str
    resamples: int
    threads: int | None

    @property
    def weight(self) -> int:
        """Of all its tables."""
        return sum(table.weight for table in self.tables)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What a protocol found, and how long that took; or why its detectors cannot do it."""

    protocol: Protocol
    ours: tuple[Ours, ...]
    folder: Path
    seconds: float
    reason: str = ""


def score_jobs(
    parts: Sequence[Part],
    weights: Mapping[str, Mapping[str, Path]],
    data: Sequence[Data],
    out: Path,
    *,
    device: str,
    resamples: int,
    threads: int | None,
) -> list[ScoreJob]:
    """Jobs by paper, the largest first; corrupted copies are a job of their own.

    Args:
        parts: the protocols.
        weights: by name of the protocol, then by ``TrainingSpec.key``.
        data: the benchmark's indexes.
        out: folder of the results.
        device: where the networks run.
        resamples: of the bootstrap.
        threads: of torch, in each job.
    """
    tables: dict[str, list[Table]] = {}
    for part in parts:
        protocol = part.protocol
        if protocol.kind == OCCLUSION:
            continue
        place = protocol.paper + ("-robustness" if protocol.kind == "robustness" else "")
        tables.setdefault(place, []).append(
            Table(
                protocol=protocol,
                detectors=tuple(card.name for card in part.cards),
                weights=weights[protocol.name],
            )
        )
    jobs = [
        ScoreJob(
            tables=tuple(some),
            data=tuple(data),
            folder=out / place,
            note=out / f".{place}.progress",
            device=device,
            resamples=resamples,
            threads=threads,
        )
        for place, some in tables.items()
    ]
    return sorted(jobs, key=lambda job: job.weight, reverse=True)


def score_one(job: ScoreJob) -> list[Scored]:
    """Measures the protocols of a job one after the other.

    Raises:
        DataError, OutputError, WeightsError: as ``run_protocol`` does.
    """
    import torch

    if job.threads is not None:
        torch.set_num_threads(job.threads)
    found, passed = [], 0
    for table in job.tables:
        found.append(_measured(job, table, passed))
        passed += table.weight
        job.note.parent.mkdir(parents=True, exist_ok=True)
        job.note.write_text(json.dumps(passed), encoding="utf-8")
    return found


def _measured(job: ScoreJob, table: Table, passed: int) -> Scored:
    """One protocol; detectors that it is not for are a result, not an error."""
    begun, ours, reason = time.monotonic(), list[Ours](), ""
    try:
        ours = run_protocol(
            table.protocol,
            job.data,
            table.detectors,
            job.folder,
            weights=table.weights,
            device=job.device,
            report=_noting(job.note, passed, table.weight),
            resamples=job.resamples,
            is_strict=False,  # the small setting shrinks inputs
        )
    except (DataError, UsageError) as error:
        reason = str(error)
    return Scored(
        protocol=table.protocol,
        ours=tuple(ours),
        folder=job.folder,
        seconds=round(time.monotonic() - begun, 1),
        reason=reason,
    )


@contextmanager
def watched(jobs: Sequence[ScoreJob], report: Callable[[float], None]) -> Iterator[None]:
    """While the block lasts, tells now and then which share of the work is done."""
    over, total = Event(), sum(job.weight for job in jobs) or 1

    def watch() -> None:
        while not over.wait(_POLL_S):
            report(sum(_noted(job.note) for job in jobs) / total)

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        for job in jobs:
            job.note.unlink(missing_ok=True)


def _noting(note: Path, passed: int, weight: int) -> Callable[[int, int, VideoScore], None]:
    """Writes down how far a protocol is, at most once in a second; ends when asked to."""
    last = time.monotonic()

    def heard(number: int, total: int, video: VideoScore) -> None:
        nonlocal last
        stop_if_asked()
        if time.monotonic() - last > _NOTE_S:
            last = time.monotonic()
            note.write_text(json.dumps(passed + weight * number / total), encoding="utf-8")

    return heard


def _noted(note: Path) -> float:
    with suppress(OSError, ValueError):
        return float(json.loads(note.read_text(encoding="utf-8")))
    return 0.0
