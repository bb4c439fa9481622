"""All protocols of the five papers on a miniature benchmark, from videos to tables."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from unmask.datasets import read_dataset
from unmask.detectors import Card
from unmask.errors import DataError, OutputError, import_optional
from unmask.evaluate.data import Data
from unmask.papers.draw import DrawJob, draw, show_occlusion
from unmask.papers.faces import face_sets, prepare_faces, source_of
from unmask.papers.plan import OCCLUSION, Part, TrainingJob, find_parts, training_jobs
from unmask.papers.progress import Count, Log
from unmask.papers.report import Findings, write_report
from unmask.papers.score import Scored, Table, score_jobs, score_one, watched
from unmask.papers.small import trial
from unmask.papers.train import Trained, TrainTask, cannot_write, earlier, train_one
from unmask.papers.trainings import TrainingSpec
from unmask.workers import workers_of

_FORMAT: Final = 1
_REQUEST: Final = "request.json"
_TIMES: Final = "times.json"
_RESAMPLES: Final = {True: 1_000, False: 10_000}
_NEEDED: Final = (("lightning", "train"), ("pyarrow", "evaluate"), ("matplotlib", "evaluate"))
_BYTES: Final = 4
"""Of a parameter. While it trains, a network's checkpoints are seven times as large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What a run of all protocols left.

    Attributes:
        path: the folder.
        report: in it, for people; beside it lies the same as JSON.
        plots: files.
        tables: how many tables and figures of the papers were run.
        trained: how many networks there are.
        not_trained: by name of a training, why there is none.
    """

    path: Path
    report: Path
    plots: tuple[Path, ...]
    tables: int
    trained: int
    not_trained: Mapping[str, str]


@dataclass(slots=True, kw_only=True)
class _Run:
    """One call: where it works, with what, and what it has found so far."""

    tree: Path
    out: Path
    is_small: bool
    workers: int
    device: str
    log: Log
    data: tuple[Data, ...]
    seconds: float
    times: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def threads(self) -> int | None:
        """Of torch: with several processes each has one."""
        return None if self.workers == 1 else 1

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Adds to the time that a part took, in this call and in interrupted ones."""
        wall, cpu = time.monotonic(), _cpu_s()
        try:
            yield
        finally:
            self.spent(part, wall, cpu)

    def spent(self, part: str, wall_s: float, cpu_s: float) -> None:
        """Adds what a part took since these readings of the clocks."""
        spent = self.times.setdefault(part, {"wall_s": 0.0, "cpu_s": 0.0})
        spent["wall_s"] = round(spent["wall_s"] + time.monotonic() - wall_s, 1)
        spent["cpu_s"] = round(spent["cpu_s"] + _cpu_s() - cpu_s, 1)
        _write(self.out / _TIMES, self.times)


def run_protocols(
    tree: str | Path,
    out: str | Path,
    *,
    papers: Sequence[str] = (),
    detectors: Sequence[str] = (),
    is_small: bool = True,
    workers: int = 1,
    device: str = "cpu",
    log: Log = lambda line: None,
) -> RunResult:
    """Trains and measures every table and figure of the papers on a miniature benchmark.

    It measures machinery and trends, not field accuracy. Equal trainings are made once. Call it
    again after an interruption and it goes on: what was trained and scored is kept.

    Args:
        tree: of ``build``.
        out: folder of faces, runs, results, plots and the report; new, or of an earlier call.
        papers: short names; none takes all.
        detectors: run with every protocol; none takes those of each protocol's own paper.
        is_small: shrinks the recipes to a few steps, see ``small_settings``; else they are the
            papers'.
        workers: processes.
        device: ``cpu`` or ``cuda``.
        log: receives lines that say how far it is.

    Raises:
        DataError: ``tree`` is no miniature benchmark, or has too few videos.
        OutputError: ``out`` holds something else, or cannot be written (a full disk).
        UnknownNameError: there is no such paper or detector.
        MissingDependencyError: what trains, or what measures and draws, is not installed.
    """
    wall_s, cpu_s = time.monotonic(), _cpu_s()
    for module, extra in _NEEDED:
        import_optional(module, extra)
    parts = find_parts(papers, detectors)
    tree, out = Path(tree).resolve(), Path(out)
    data, seconds = _read_tree(tree)
    run = _Run(
        tree=tree,
        out=out,
        is_small=is_small,
        workers=workers,
        device=device,
        log=log,
        data=data,
        seconds=seconds,
        times=_begin(out, tree, is_small=is_small),
    )
    jobs = training_jobs(parts, seconds, is_small=is_small)
    run.spent("planning", wall_s, cpu_s)
    log(f"{len(parts)} tables and figures of the papers take {len(jobs)} trainings.")
    trained = _train_all(run, jobs)
    weights = {part.protocol.name: _weights_of(part, trained) for part in parts}
    scored = _score_all(run, parts, weights)
    plots = _draw_all(run, parts, weights, scored)
    findings = Findings(
        scored=tuple(scored),
        maps=tuple(part.protocol for part in parts if part.protocol.kind == OCCLUSION),
        trained={job.name: trained[training] for training, job in jobs.items()},
        jobs={job.name: job for job in jobs.values()},
        data=data,
        plots=tuple(path.relative_to(out) for path in plots),
        settings=_about(run),
    )
    report = write_report(out, findings)
    return RunResult(
        path=out,
        report=report,
        plots=tuple(plots),
        tables=len(parts),
        trained=sum(one.file is not None for one in trained.values()),
        not_trained={
            name: one.reason for name, one in findings.trained.items() if one.file is None
        },
    )


def _read_tree(tree: Path) -> tuple[tuple[Data, ...], float]:
    """The indexes of both trees, and the length of the clips.

    Raises:
        DataError: it is no miniature benchmark, or a split lacks a class.
    """
    main = read_dataset("minibench", tree)
    for split in ("train", "val", "test"):
        labels = {row.label for row in main if row.split == split}
        if len(labels) < 2:
            what = "forged videos" if labels == {0} else "real videos" if labels else "videos"
            raise DataError(
                f"Cannot run the protocols on '{tree}': its split {split} holds no {what}. "
                "Expected both classes in each split; build one from more videos."
            )
    found = [Data(main, tree)]
    if (tree / "other").is_dir():
        found.append(Data(read_dataset("minibench_other", tree), tree))
    content = json.loads((tree / "minibench.json").read_text(encoding="utf-8"))
    return tuple(found), float(content["settings"]["seconds"])


def _begin(out: Path, tree: Path, *, is_small: bool) -> dict[str, dict[str, float]]:
    """Makes the folder, or makes sure that it holds the same work; returns the times so far.

    Raises:
        OutputError: it holds something else, or cannot be written.
    """
    digest = hashlib.sha256((tree / "minibench.json").read_bytes()).hexdigest()
    request = {"format": _FORMAT, "setting": _named(is_small), "benchmark": digest}
    begun = out / _REQUEST
    if begun.is_file():
        before = json.loads(begun.read_text(encoding="utf-8"))
        if differs := [key for key in request if before.get(key) != request[key]]:
            raise OutputError(
                f"Cannot go on in '{out}': it was begun with another {' and '.join(differs)}. "
                "Repeat that command, or give another folder."
            )
        times = out / _TIMES
        return dict(json.loads(times.read_text(encoding="utf-8"))) if times.is_file() else {}
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputError(
            f"Cannot run into '{out}': it exists and is not a begun run. Give a new folder."
        )
    _write(begun, request)
    return {}


def _train_all(run: _Run, jobs: Mapping[TrainingSpec, TrainingJob]) -> dict[TrainingSpec, Trained]:
    """Trains what is not trained yet."""
    folder = run.out / "runs"
    found = {
        training: done
        for training, job in jobs.items()
        if (done := earlier(folder / job.name)) is not None
    }
    left = {training: job for training, job in jobs.items() if training not in found}
    if not left:
        return found
    _check_room(run.out, [job.card for job in left.values()])
    with run.timed("faces"):
        places = _find_faces(run, list(left.values()))
    count = Count("Trained", len(jobs), run.log, done=len(found))
    tasks = [
        TrainTask(
            detector=training.detector,
            settings=job.settings,
            source=source_of(job, places[job.name]),
            folder=folder / job.name,
            device=run.device,
            threads=run.threads,
        )
        for training, job in left.items()
    ]
    with run.timed("training"), workers_of(run.workers) as work:
        made = work(train_one, tasks, count.tick)
    return found | dict(zip(left, made, strict=True))


def _find_faces(run: _Run, jobs: Sequence[TrainingJob]) -> dict[str, Path]:
    """Finds the faces for some trainings; the folder of each, by its name."""
    main = [row for row in run.data[0].rows if row.split in ("train", "val")]
    places: dict[str, Path] = {}
    for faces in face_sets(jobs, main):
        count = Count(f"Faces ({faces.spec.frames} frames), videos", len(faces.rows), run.log)
        report = partial(_only_done, count)
        place = prepare_faces(faces, run.out / "faces", run.workers, report)
        places |= {job.name: place for job in faces.jobs}
    return places


def _only_done(count: Count, done: int, total: int) -> None:
    count.reached(done)


def _weights_of(part: Part, trained: Mapping[TrainingSpec, Trained]) -> dict[str, Path]:
    """What was trained for a protocol, by ``TrainingSpec.key``."""
    return {one.key: file for one in part.trainings if (file := trained[one].file) is not None}


def _score_all(
    run: _Run, parts: Sequence[Part], weights: Mapping[str, Mapping[str, Path]]
) -> list[Scored]:
    """Measures all protocols, in their order."""
    jobs = score_jobs(
        parts,
        weights,
        run.data,
        run.out / "results",
        device=run.device,
        resamples=_RESAMPLES[run.is_small],
        threads=run.threads,
    )
    count = Count("Scored, percent", 100, run.log)

    def report(share: float) -> None:
        count.reached(round(100 * share))

    with run.timed("scoring"), watched(jobs, report), workers_of(run.workers) as work:
        made = work(score_one, jobs, lambda: None)
    found = {one.protocol.name: one for some in made for one in some}
    names = [part.protocol.name for part in parts]
    return [found[name] for name in names if name in found]


def _draw_all(
    run: _Run,
    parts: Sequence[Part],
    weights: Mapping[str, Mapping[str, Path]],
    scored: Sequence[Scored],
) -> list[Path]:
    """All plots, the maps of where networks look among them."""
    out, paths = run.out / "plots", list[Path]()
    count = Count("Drawn, protocols", len(parts), run.log, done=0)
    jobs = [
        DrawJob(
            scored=one,
            models=tuple(_sha256(file) for file in weights[one.protocol.name].values()),
            out=out,
            resamples=_RESAMPLES[run.is_small],
        )
        for one in scored
    ]
    with run.timed("plots"):
        with workers_of(run.workers) as work:
            paths += [path for drawn in work(draw, jobs, count.tick) for path in drawn]
        for part in (part for part in parts if part.protocol.kind == OCCLUSION):
            table = Table(
                protocol=part.protocol,
                detectors=tuple(card.name for card in part.cards),
                weights=weights[part.protocol.name],
            )
            paths += show_occlusion(table, run.data, out, run.device)
            count.tick()
    return paths


def _check_room(out: Path, cards: Sequence[Card]) -> None:
    """Refuses to begin what the disk has no room for."""
    sizes: dict[str, int] = {}
    for card in cards:
        key = f"{card.name} {dict(card.args)}"
        if key not in sizes:
            found = trial(card)
            sizes[key] = 0 if found is None else _BYTES * found.parameters
    needed = sum(sizes[f"{card.name} {dict(card.args)}"] for card in cards)
    needed += 7 * max(sizes.values())
    free = shutil.disk_usage(out).free
    if free < needed:
        raise OutputError(
            f"Cannot train {len(cards)} networks into '{out}': their weights take about "
            f"{needed / 1e9:.1f} GB, the disk has {free / 1e9:.1f} GB left. Make room there, take "
            "fewer papers, or give another folder."
        )


def _about(run: _Run) -> dict[str, Any]:
    """The setting, the machine and the times."""
    return {
        "setting": _named(run.is_small),
        "benchmark": json.loads((run.tree / "minibench.json").read_text(encoding="utf-8")),
        "resamples": _RESAMPLES[run.is_small],
        "workers": run.workers,
        "device": run.device,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "load": round(os.getloadavg()[1], 1) if hasattr(os, "getloadavg") else None,
        "times": run.times,
    }


def _named(is_small: bool) -> str:
    return "small" if is_small else "full"


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _cpu_s() -> float:
    """Of this process and of those that it waited for."""
    return sum(os.times()[:4])


def _write(path: Path, content: object) -> None:
    """There with all of its contents, or not at all."""
    partial = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise cannot_write(path.parent, error) from error
