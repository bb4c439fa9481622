"""Who is on which side, as far as names tell: no network looks at who a face belongs to."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from unmask.errors import DataError
from unmask.types import LabelledVideo

_WORD = re.compile(r"[A-Z]?[a-z]{3,}|[A-Z]{4,}")
_MOST_FILES_OF_A_NAME = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A name that stands on several sides, and the files that bear it."""

    name: str
    sides: tuple[str, ...]
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """What names tell of persons.

    ``named`` files name who is in them (by the data set's lists, or by the list given), and
    ``unnamed`` do not: of those nothing is known. ``shared`` persons stand on several sides.
    ``words`` are words of file names on several sides: something to look at, no finding.
    """

    named: int
    unnamed: int
    shared: tuple[Person, ...]
    words: tuple[Person, ...]


def read_people(path: str | Path, rows: Sequence[LabelledVideo]) -> dict[Path, tuple[str, ...]]:
    """Who is in which file, from a CSV with the columns ``path`` and ``person``.

    A path is the end of a file's path (``real/ann.mp4``); a file with several people has several
    lines.

    Raises:
        DataError: it cannot be read, a column or a value is missing, or it names a file that is not
            among the rows, or that several rows end with.
    """
    lines = _lines(Path(path))
    ends: defaultdict[str, list[Path]] = defaultdict(list)
    for row in rows:
        parts = row.path.parts
        for start in range(len(parts)):
            ends["/".join(parts[start:])].append(row.path)
    found: defaultdict[Path, tuple[str, ...]] = defaultdict(tuple)
    for number, name, person in lines:
        files = set(ends.get(name, ()))
        if len(files) != 1:
            what = f"{len(files)} files end so" if files else "no file that is compared ends so"
            raise DataError(
                f"Cannot use '{path}', line {number}: '{name}': {what}. Expected the end of one "
                "file's path. Correct the line, or name all folders."
            )
        found[files.pop()] += (person,)
    return dict(found)


def _lines(path: Path) -> list[tuple[int, str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            entries = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"Cannot read '{path}': {error}. Expected a CSV with the columns path and person. "
            "Give such a file."
        ) from error
    lines = []
    for number, entry in enumerate(entries, 2):
        name, person = (str(entry.get(key) or "").strip() for key in ("path", "person"))
        if not name or not person:
            raise DataError(
                f"Cannot use '{path}', line {number}: expected a path and a person, got "
                f"path={name!r}, person={person!r}. Write 'path,person' first and both in "
                "every line."
            )
        lines.append((number, name, person))
    return lines


def compare_people(
    rows: Sequence[LabelledVideo], known: Mapping[Path, tuple[str, ...]] | None = None
) -> People:
    """Looks for persons on several sides by every name that the rows bear.

    Names are a row's ``identities`` and ``subject``, what ``known`` says of its file, and, within
    one data set, its ``source_id``: a real video and the forgeries made of it.

    Args:
        rows: ``split`` is the side.
        known: file -> who is in it.
    """
    by_person: defaultdict[str, list[LabelledVideo]] = defaultdict(list)
    by_source: defaultdict[str, list[LabelledVideo]] = defaultdict(list)
    unnamed: set[str] = set()
    by_word: defaultdict[str, list[LabelledVideo]] = defaultdict(list)
    named = 0
    for row in rows:
        people = {*row.identities, *(known or {}).get(row.path, ())} | ({row.subject} - {""})
        named += bool(people)
        for name in people:
            by_person[name].append(row)
        if row.source_id:
            source = f"source {row.dataset}:{row.source_id}"
            by_source[source].append(row)
            unnamed |= set() if people else {source}
        for word in {word.lower() for word in _WORD.findall(row.path.stem)}:
            by_word[word].append(row)
    # Where all files of a source name their people, the names have been compared.
    by_person.update({source: by_source[source] for source in unnamed})
    return People(
        named=named,
        unnamed=len(rows) - named,
        shared=_on_several_sides(by_person),
        words=_on_several_sides(
            {w: its for w, its in by_word.items() if len(its) <= _MOST_FILES_OF_A_NAME}
        ),
    )


def _on_several_sides(groups: Mapping[str, Sequence[LabelledVideo]]) -> tuple[Person, ...]:
    return tuple(
        Person(name=name, sides=sides, files=tuple(sorted({row.path for row in rows})))
        for name, rows in sorted(groups.items())
        if len(sides := tuple(sorted({row.split for row in rows}))) > 1
    )
