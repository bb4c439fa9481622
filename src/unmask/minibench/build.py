"""From a folder of real videos to a miniature benchmark; run again, it goes on."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from unmask._version import __version__
from unmask.datasets import VIDEO_SUFFIXES
from unmask.errors import DataError, OutputError, UsageError
from unmask.minibench.describe import write_descriptions
from unmask.minibench.make import MakeJob, make, root_of
from unmask.minibench.plan import (
    Plan,
    Source,
    choose,
    plan_from_json,
    plan_to_json,
    read_people,
)
from unmask.minibench.settings import FORMAT, MAIN, OTHER, Settings
from unmask.minibench.sheet import contact_sheet
from unmask.workers import Workers, workers_of

Report = Callable[[str, int, int], None]
"""Called with what is done now, how many are done and of how many."""

_BEGUN: Final = ".build"
"""Folder of an unfinished build: what was asked for, what was chosen, who is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A finished benchmark: where, of which videos, and why others were left out."""

    path: Path
    sources: tuple[Source, ...]
    skipped: dict[str, str]


def build(
    videos: str | Path,
    out: str | Path,
    settings: Settings | None = None,
    *,
    people: str | Path | None = None,
    workers: int = 1,
    report: Report = lambda what, done, total: None,
) -> Built:
    """Builds a miniature benchmark. It measures machinery and trends, not field accuracy.

    The same videos and settings give the same files on the same machine, by any number of
    workers. An interrupted build goes on where it stopped.

    Args:
        videos: a folder of real videos; looked through with the folders in it.
        out: the new folder, or one that an interrupted build of the same left.
        settings: None takes the small setting.
        people: a CSV with path and person; without a line a video is a person by itself.
        workers: processes.
        report: called with what is done now, see ``Report``.

    Raises:
        DataError: there are too few videos that serve, or the list of people is wrong.
        MediaError: a video that was chosen cannot be read any more.
        OutputError: ``out`` holds something else, or cannot be written to.
        UsageError: ``out`` and ``videos`` lie in each other, or there are no workers.
    """
    settings = settings or Settings()
    folder, out = Path(videos), Path(out)
    if workers < 1:
        raise UsageError(f"Cannot build with {workers} workers: expected 1 or more.")
    names = _videos_in(folder, out)
    who = read_people(Path(people), names) if people else {name: name for name in names}
    begun = _begin(out, _request(who, settings))
    with workers_of(workers) as run:
        plan = _planned(begun, folder, who, settings, run, report)
        _make_all(begun, folder, out, plan, settings, run, report)
    _finish(begun, out, plan, settings)
    return Built(path=out, sources=plan.sources, skipped=dict(plan.skipped))


def _videos_in(folder: Path, out: Path) -> list[str]:
    """Paths of the videos below a folder, sorted."""
    if not folder.is_dir():
        raise DataError(f"Cannot read '{folder}': it is no folder. Give a folder of real videos.")
    here, there = folder.resolve(), out.resolve()
    if here == there or here in there.parents or there in here.parents:
        raise UsageError(
            f"Cannot build '{out}' from '{folder}': one lies in the other. Give another place."
        )
    names = sorted(
        file.relative_to(folder).as_posix()
        for file in folder.rglob("*")
        if file.suffix.lower() in VIDEO_SUFFIXES
        and not file.name.startswith(".")
        and file.is_file()
    )
    if not names:
        raise DataError(
            f"No videos in '{folder}': expected files with a suffix such as .mp4. Check the path."
        )
    return names


def _request(people: dict[str, str], settings: Settings) -> dict[str, object]:
    """What must be the same for a build to go on."""
    return {
        "format": FORMAT,
        "unmask": __version__,
        "settings": asdict(settings),
        "videos and people": people,
    }


def _begin(out: Path, request: dict[str, object]) -> Path:
    """The folder of the unfinished build, new or begun with the same request."""
    begun = out / _BEGUN
    asked = begun / "request.json"
    if asked.is_file():
        before = json.loads(asked.read_text(encoding="utf-8"))
        differs = [key for key in request if before.get(key) != request[key]]
        if differs:
            raise OutputError(
                f"Cannot go on in '{out}': its unfinished build was begun with other "
                f"{' and '.join(differs)}. Repeat that command, or give another folder."
            )
        return begun
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        what = "is a finished miniature benchmark" if (out / "minibench.json").is_file() else ""
        raise OutputError(
            f"Cannot build into '{out}': it {what or 'exists and is not an unfinished build'}. "
            "Give a new folder."
        )
    try:
        begun.mkdir(parents=True)
        _write(asked, json.dumps(request, indent=1))
    except OSError as error:
        raise OutputError(
            f"Cannot build into '{out}': {error.strerror}. Check the path and the rights."
        ) from error
    return begun


def _planned(
    begun: Path,
    folder: Path,
    people: dict[str, str],
    settings: Settings,
    run: Workers,
    report: Report,
) -> Plan:
    """What was chosen before, or is now."""
    file = begun / "plan.json"
    if file.is_file():
        return plan_from_json(file.read_text(encoding="utf-8"))
    most = len(people)
    report("Looking for faces", 0, most)
    try:
        plan = choose(
            folder, people, settings, run, lambda done: report("Looking for faces", done, most)
        )
    except DataError:
        # Nothing was begun: with other videos the same folder may be used.
        shutil.rmtree(begun, ignore_errors=True)
        if not any(begun.parent.iterdir()):
            begun.parent.rmdir()
        raise
    _write(file, plan_to_json(plan))
    return plan


def _make_all(
    begun: Path,
    folder: Path,
    out: Path,
    plan: Plan,
    settings: Settings,
    run: Workers,
    report: Report,
) -> None:
    """Makes every source that is not done yet."""
    left = [s for s in plan.sources if not (begun / f"{s.name}.done").is_file()]
    total = len(plan.sources)
    done = total - len(left)
    report("Forging", done, total)

    def tick() -> None:
        nonlocal done
        done += 1
        report("Forging", done, total)

    run(_make_one, [(begun, MakeJob(folder, out, s, settings)) for s in left], tick)


def _make_one(job: tuple[Path, MakeJob]) -> None:
    begun, what = job
    make(what)
    _write(begun / f"{what.source.name}.done", "")


def _finish(begun: Path, out: Path, plan: Plan, settings: Settings) -> None:
    """Splits, descriptions and the sheet; the folder of the unfinished build goes last."""
    for leftover in out.rglob(".*.part*"):
        leftover.unlink(missing_ok=True)  # of a process that was killed
    partial = begun / "sheet.jpg"
    contact_sheet(out, plan.sources).save(partial, quality=90)
    partial.replace(out / "sheet.jpg")
    for part in (OTHER, MAIN):
        if any(source.part == part for source in plan.sources):
            write_descriptions(root_of(out, part), part, plan, settings)
    shutil.rmtree(begun)


def _write(path: Path, text: str) -> None:
    """There with all of its contents, or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
