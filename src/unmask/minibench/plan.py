"""Which videos serve, who is in which split, and what each video's name is."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from unmask.errors import DataError, MediaError
from unmask.minibench.settings import MAIN, OTHER, Settings
from unmask.minibench.survey import Stretch, find_stretch
from unmask.workers import Workers

_MOST_REASONS = 10
_HELD_OUT_SHARE = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A real video of the benchmark: ``name`` stands for it in every file's name.

    ``file`` is its path below the folder of videos; ``part`` is ``main`` or ``other``.
    """

    name: str
    part: str
    split: str
    person: str
    file: str
    seed: int
    stretch: Stretch


class Plan(NamedTuple):
    """The videos that serve, and why others do not: file -> reason."""

    sources: tuple[Source, ...]
    skipped: Mapping[str, str]


def read_people(path: Path, files: Sequence[str]) -> dict[str, str]:
    """Who is in which video, from a CSV with the columns ``path`` and ``person``.

    Args:
        path: the list.
        files: the videos, as paths below their folder; one without a line is a person by itself.

    Raises:
        DataError: a column is missing, a line is empty or twice, or a video is not there.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"Cannot read '{path}': {error}. Give a CSV with path,person.") from error
    people: dict[str, str] = {}
    for number, line in enumerate(lines, 2):
        name, person = (str(line.get(key) or "").strip() for key in ("path", "person"))
        if not name or not person:
            raise DataError(
                f"Cannot use '{path}': line {number} lacks a path or a person. Expected a first "
                "line 'path,person' and both in every line."
            )
        if name in people or name not in files:
            what = "stands in two lines" if name in people else "is no video of the folder"
            raise DataError(
                f"Cannot use '{path}': '{name}' in line {number} {what}. "
                "Give each video once, by its path below the folder of videos."
            )
        people[name] = person
    return {name: people.get(name, name) for name in files}


def choose(
    folder: Path,
    people: Mapping[str, str],
    settings: Settings,
    workers: Workers,
    tick: Callable[[int], None],
) -> Plan:
    """Looks at videos in an order drawn by the seed, until enough of them serve.

    Args:
        folder: of the videos.
        people: file below it -> person; all the files there are.
        settings: of the build.
        workers: who looks.
        tick: called with how many were looked at.

    Raises:
        DataError: too few serve; the message says why the others do not.
    """
    order = iter(_in_order(people, settings))
    wanted = settings.videos + settings.other
    found: dict[str, Stretch] = {}
    skipped: dict[str, str] = {}
    looked = 0

    def count() -> None:
        nonlocal looked
        looked += 1
        tick(looked)

    while batch := list(islice(order, max(0, wanted - len(found)))):
        jobs = [_Look(folder / name, settings.seconds, settings.size_px) for name in batch]
        for name, (stretch, reason) in zip(batch, workers(_look, jobs, count), strict=True):
            same = next((n for n, s in found.items() if stretch and s.sha256 == stretch.sha256), "")
            if stretch is None or same:
                skipped[name] = reason or f"it is the same file as '{same}'"
            else:
                found[name] = stretch
    return Plan(_deal(folder, found, skipped, people, settings), skipped)


def _in_order(people: Mapping[str, str], settings: Settings) -> list[str]:
    """The videos of one person after the other, so many of each that everybody needed has room.

    The rest of a person's videos comes after everybody else's.
    """
    most = max(1, (settings.videos + settings.other) // settings.least_videos)
    seen: Counter[str] = Counter()
    first: list[str] = []
    rest: list[str] = []
    for name in sorted(people, key=lambda name: (_draw(settings, people[name]), name)):
        (first if seen[people[name]] < most else rest).append(name)
        seen[people[name]] += 1
    return first + rest


class _Look(NamedTuple):
    path: Path
    seconds: float
    longest_px: int


def _look(job: _Look) -> tuple[Stretch | None, str]:
    """The stretch of a video, or why there is none."""
    try:
        return find_stretch(job.path, job.seconds, job.longest_px), ""
    except (MediaError, DataError) as error:
        return None, str(error)


def _draw(settings: Settings, person: str) -> str:
    """Orders people as if drawn; another video more or less changes nobody's place."""
    return hashlib.sha256(f"{settings.seed}/{person}".encode()).hexdigest()


def _deal(
    folder: Path,
    found: Mapping[str, Stretch],
    skipped: Mapping[str, str],
    people: Mapping[str, str],
    settings: Settings,
) -> tuple[Source, ...]:
    """People, one after the other: first to what is tested on, then to training."""
    groups: dict[str, list[str]] = {}
    for name in found:
        groups.setdefault(people[name], []).append(name)
    if len(groups) < settings.least_videos:
        raise DataError(_too_few(folder, len(groups), skipped, settings))
    other = 0
    if settings.other:
        wanted = settings.videos + settings.other
        other = max(1, round(len(found) * settings.other / wanted))
    held_out = max(1, round((len(found) - other) * _HELD_OUT_SHARE))
    places = [(MAIN, "test", held_out), (MAIN, "val", held_out), (OTHER, "test", other)]
    places = [*(place for place in places if place[2]), (MAIN, "train", len(found))]
    left = list(groups.values())
    dealt = [left.pop(0) for _ in places]  # one person for every place, however few there are
    for names, (_, _, count) in zip(dealt, places, strict=True):
        while left and len(names) < count:
            names += left.pop(0)
    rows = [
        (part, split, name)
        for (part, split, _), names in zip(places, dealt, strict=True)
        for name in names
    ]
    order = ((MAIN, "train"), (MAIN, "val"), (MAIN, "test"), (OTHER, "test"))
    rows.sort(key=lambda row: (order.index(row[:2]), row[2]))
    return tuple(
        Source(
            name=f"{number:03d}",
            part=part,
            split=split,
            person=people[name],
            file=name,
            seed=_seed(settings, part, found[name].sha256),
            stretch=found[name],
        )
        for number, (part, split, name) in enumerate(rows)
    )


def _seed(settings: Settings, part: str, sha256: str) -> int:
    """Of a video's forgeries; both parts draw differently from the same seed."""
    text = f"{settings.seed}/{part}/{sha256}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "big")


def _too_few(folder: Path, people: int, skipped: Mapping[str, str], settings: Settings) -> str:
    """How many are needed, how many there are, and why the others do not serve."""
    reasons = [f"'{name}': {reason.rstrip('.')}" for name, reason in skipped.items()]
    shown = "; ".join(reasons[:_MOST_REASONS])
    rest = len(reasons) - _MOST_REASONS
    why = f" Not usable: {shown}{f' and {rest:,} more' if rest > 0 else ''}." if reasons else ""
    return (
        f"Cannot build a miniature benchmark from '{folder}': expected videos of at least "
        f"{settings.least_videos} people (one for each split"
        f"{' and one for the other tree' if settings.other else ''}) with a face for "
        f"{settings.seconds:g} s, found {people}.{why} Add videos, or ask for fewer --seconds."
    )


def plan_to_json(plan: Plan) -> str:
    """For going on later."""
    content = {"sources": [asdict(s) for s in plan.sources], "skipped": dict(plan.skipped)}
    return json.dumps(content, indent=1)


def plan_from_json(text: str) -> Plan:
    """What ``plan_to_json`` wrote."""
    content = json.loads(text)
    sources = []
    for given in content["sources"]:
        stretch = Stretch(**{**given["stretch"], "crop_px": tuple(given["stretch"]["crop_px"])})
        sources.append(Source(**{**given, "stretch": stretch}))
    return Plan(tuple(sources), content["skipped"])
