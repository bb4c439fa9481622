"""Files on different sides -> near-duplicates, and persons on several sides."""

from __future__ import annotations

import csv
import dataclasses
import os
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from unmask.datasets import read_dataset
from unmask.errors import DataError, MediaError, OutputError, UsageError, import_optional
from unmask.faces import FaceFinder
from unmask.overlap.compare import Near, near_pairs
from unmask.overlap.fingerprint import SIDE, FindFaces, Fingerprint, fingerprint
from unmask.overlap.kept import KeptFingerprints
from unmask.overlap.people import compare_people, read_people
from unmask.overlap.report import Match, OverlapReport
from unmask.types import LabelledVideo

# Between copies and posed portraits of different people: benchmarks/results/overlap.json.
FRAME_LIMIT: Final = 40
FACE_LIMIT: Final = 50


def read_sides(layout: str, paths: Sequence[Path]) -> list[LabelledVideo]:
    """The rows that are to be compared; ``split`` is the side on which each stands.

    Args:
        layout: one of ``list_datasets()``.
        paths: one root, whose splits are the sides; or several, each of which is a side.

    Raises:
        DataError: a root cannot be read, or everything stands on one side.
    """
    if len(paths) == 1:
        rows = read_dataset(layout, paths[0])
    else:
        names = _names(paths)
        rows = [
            dataclasses.replace(row, split=name)
            for name, path in zip(names, paths, strict=True)
            for row in read_dataset(layout, path)
        ]
    sides = sorted({row.split for row in rows})
    if len(sides) < 2:
        raise DataError(
            f"Nothing to compare: all {len(rows):,} files of '{paths[0]}' are in the split "
            f"{sides[0]!r}. Expected two splits, or two paths. Give a second path."
        )
    return rows


def _names(paths: Sequence[Path]) -> list[str]:
    """The folders' own names where they differ, else the whole paths."""
    own = [path.resolve().name for path in paths]
    return own if len(set(own)) == len(own) else [str(path) for path in paths]


def find_overlap(
    rows: Sequence[LabelledVideo],
    *,
    frame_limit: int = FRAME_LIMIT,
    face_limit: int = FACE_LIMIT,
    people: Path | None = None,
    cache: Path | None = None,
    find_faces: FindFaces | None = None,
    report: Callable[[int, int], None] | None = None,
) -> OverlapReport:
    """Compares what stands on different sides: a few moments of every file, and names.

    Memory grows with the number of moments (about 100 bytes each), not with the files' length.
    A file that cannot be read is listed and left out.

    Args:
        rows: ``split`` is the side of each.
        frame_limit: most bits of 256 in which hashes of whole pictures may differ.
        face_limit: the same for faces.
        people: a CSV of who is in which file; see ``read_people``.
        cache: a file that keeps the hashes of files as they are made, to go on from.
        find_faces: such as a ``FaceFinder``, which is what None takes.
        report: called with how many files were looked at, and of how many.

    Raises:
        UsageError: a limit is no number of bits.
        DataError: nothing could be read on all sides but one, or ``people`` cannot be used.
        OutputError: ``cache`` cannot be written.
        MissingDependencyError: imagehash is not installed.
    """
    for what, limit in (("pictures", frame_limit), ("faces", face_limit)):
        if not 0 <= limit <= SIDE * SIDE:
            raise UsageError(
                f"Cannot compare {what} with a limit of {limit}: expected 0 to {SIDE * SIDE} bits."
            )
    known = read_people(people, rows) if people else None
    seen, unreadable = _look(rows, cache, find_faces or FaceFinder(), report)
    usable = [row for row in rows if row.path in seen]
    sides = Counter(row.split for row in usable)
    if len(sides) < 2:
        raise DataError(
            f"Nothing to compare: {len(unreadable):,} of {len(rows):,} files cannot be read, and "
            f"the rest is on one side. The first: {unreadable[0]}"
        )
    files = [seen[row.path] for row in usable]
    near = near_pairs(files, [row.split for row in usable], frame_limit, face_limit)
    counts = list(sides.values())
    return OverlapReport(
        sides=dict(sorted(sides.items())),
        pairs=(sum(counts) ** 2 - sum(count**2 for count in counts)) // 2,
        moments=sum(len({mark.time_s for mark in file.marks}) for file in files),
        faces=sum(mark.is_face for file in files for mark in file.marks),
        without_face=sum(not file.has_face for file in files),
        plain=tuple(row.path for row, file in zip(usable, files, strict=True) if not file.marks),
        frame_limit=frame_limit,
        face_limit=face_limit,
        matches=tuple(_match(pair, usable, files) for pair in near),
        clusters=_clusters(near, usable),
        people=compare_people(usable, known),
        unreadable=tuple(unreadable),
    )


def _look(
    rows: Sequence[LabelledVideo],
    cache: Path | None,
    find_faces: FindFaces,
    report: Callable[[int, int], None] | None,
) -> tuple[dict[Path, Fingerprint], list[str]]:
    """What every file looks like, and why some could not be read."""
    import_optional("imagehash", "overlap")
    kept = KeptFingerprints(cache)
    seen: dict[Path, Fingerprint] = {}
    unreadable: list[str] = []
    paths = list(dict.fromkeys(row.path for row in rows))
    for number, path in enumerate(paths, 1):
        try:
            found = kept.get(path)
            if found is None:
                found = fingerprint(path, find_faces)
                kept.put(path, found)
            seen[path] = found
        except MediaError as error:
            unreadable.append(str(error))
        except OutputError:
            raise
        except OSError as error:
            reason = error.strerror or type(error).__name__
            unreadable.append(f"Cannot read '{path}': {reason}. Check the disk and the path.")
        if report is not None:
            report(number, len(paths))
    return seen, unreadable


def _match(near: Near, rows: Sequence[LabelledVideo], files: Sequence[Fingerprint]) -> Match:
    a, b = rows[near.a], rows[near.b]
    return Match(
        a=a.path,
        b=b.path,
        sides=(a.split, b.split),
        distance=near.distance,
        is_face=near.is_face,
        is_mirrored=near.is_mirrored,
        a_s=near.a_s,
        b_s=near.b_s,
        moments=near.moments,
        of=len({mark.time_s for mark in files[near.a].marks}),
        is_same_file=files[near.a].sha256 == files[near.b].sha256,
    )


def _clusters(near: Sequence[Near], rows: Sequence[LabelledVideo]) -> tuple[tuple[Path, ...], ...]:
    """Groups of files that are connected by matches, the largest first."""
    if not near:
        return ()
    import_optional("scipy", "overlap")
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = np.array([(pair.a, pair.b) for pair in near])
    edges = coo_array((np.ones(len(ends)), ends.T), shape=(len(rows), len(rows)))
    _, labels = connected_components(edges, directed=False)
    groups: dict[int, list[Path]] = {}
    for number in np.unique(ends):
        groups.setdefault(int(labels[number]), []).append(rows[number].path)
    return tuple(sorted((tuple(its) for its in groups.values()), key=lambda its: (-len(its), its)))


def check_rest(path: Path, sides: Collection[str], drop: str) -> None:
    """Refuses what ``write_rest`` would refuse, before the files are compared.

    Raises:
        UsageError: there is no side ``drop``.
        OutputError: the file exists already, or its folder does not.
    """
    if drop not in sides:
        known = ", ".join(sorted(sides))
        raise UsageError(f"Cannot drop from {drop!r}: expected one of the sides {known}.")
    if os.path.lexists(path) or not path.absolute().parent.is_dir():
        is_there = os.path.lexists(path)
        what = "it exists already" if is_there else "there is no such folder"
        raise OutputError(f"Cannot write '{path}': {what}. Give another name.")


def write_rest(
    path: Path, rows: Sequence[LabelledVideo], report: OverlapReport, drop: str
) -> tuple[Path, ...]:
    """Writes a list (layout ``csv``) of the rows without what crosses; returns what was left out.

    Left out are those files of the side ``drop`` that match a file of another side or show a
    person of another side; of all other sides every row stays.

    Args:
        path: the list, which must not exist; its paths are relative to its folder.
        rows: what may stand in it: what was compared, or a part of that.
        report: on the comparison.
        drop: a side.

    Raises:
        UsageError: there is no such side.
        OutputError: the file exists already or cannot be written.
    """
    check_rest(path, report.sides, drop)
    left_out = report.crossing(rows, drop)
    folder = path.absolute().parent
    names = [item.name for item in dataclasses.fields(LabelledVideo)]
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, names)
            table.writeheader()
            for row in rows:
                if row.split != drop or row.path not in left_out:
                    table.writerow(_entry(row, folder))
    except OSError as error:
        raise OutputError(
            f"Cannot write '{path}': {error.strerror}. Give another name, or remove the file."
        ) from error
    return tuple(sorted(left_out))


def _entry(row: LabelledVideo, folder: Path) -> Mapping[str, object]:
    def relative(file: Path | None) -> str:
        return "" if file is None else Path(os.path.relpath(file.absolute(), folder)).as_posix()

    entry = {item.name: getattr(row, item.name) for item in dataclasses.fields(row)}
    entry |= {"path": relative(row.path), "mask_path": relative(row.mask_path)}
    return entry | {"identities": " ".join(row.identities)}
