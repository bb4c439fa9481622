"""``unmask datasets overlap``: what stands on both sides of a split."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unmask.cli.printing import one_line, show_note
from unmask.errors import DataError, UsageError

if TYPE_CHECKING:
    from unmask.overlap import OverlapReport

_Paths = Annotated[
    list[Path],
    typer.Argument(
        metavar="PATH...",
        help="One root, whose splits are compared; or several, which are compared.",
    ),
]
_Layout = Annotated[
    str, typer.Option("--dataset", metavar="LAYOUT", help="See: unmask datasets list.")
]
_People = Annotated[
    Path | None,
    typer.Option("--people", metavar="FILE", help="CSV of path,person: who is in which file."),
]
_FrameLimit = Annotated[
    int | None,
    typer.Option("--frame-limit", metavar="BITS", help="Whole pictures: most bits apart, of 256."),
]
_FaceLimit = Annotated[
    int | None, typer.Option("--face-limit", metavar="BITS", help="Faces: most bits apart, of 256.")
]
_Cache = Annotated[
    Path | None,
    typer.Option("--cache", metavar="FILE", help="Keep hashes here; the same command goes on."),
]
_Out = Annotated[
    Path | None,
    typer.Option(
        "--out", "-o", metavar="FILE", help="Write a csv list for train, without what crosses."
    ),
]
_Drop = Annotated[
    str | None,
    typer.Option(
        "--drop",
        metavar="SIDE",
        help="With --out: the side that loses it; of several PATHs, the one listed.",
    ),
]
_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def overlap(
    paths: _Paths,
    layout: _Layout = "folder",
    people: _People = None,
    frame_limit: _FrameLimit = None,
    face_limit: _FaceLimit = None,
    cache: _Cache = None,
    out: _Out = None,
    drop: _Drop = None,
    as_json: _AsJson = False,
) -> None:
    """Find near-duplicates and named persons on both sides of a split; exit with 1 if any."""
    if (out is None) != (drop is None):
        raise UsageError("--out and --drop belong together: give both, or neither.")
    from unmask import overlap as library

    rows = library.read_sides(layout, paths)
    if out is not None and drop is not None:
        library.check_rest(out, {row.split for row in rows}, drop)
    frames = library.FRAME_LIMIT if frame_limit is None else frame_limit
    faces = library.FACE_LIMIT if face_limit is None else face_limit
    with _progress() as tick:
        found = library.find_overlap(
            rows, frame_limit=frames, face_limit=faces, people=people, cache=cache, report=tick
        )
    _show(found, as_json)
    if out is not None and drop is not None:
        # Given --validation, train takes every row of its list: of two roots it must hold one.
        kept = rows if len(paths) == 1 else [row for row in rows if row.split == drop]
        left_out = library.write_rest(out, kept, found, drop)
        files = "1 file" if len(left_out) == 1 else f"{len(left_out):,} files"
        show_note(f"{out}: without {files} of {drop}.")
    elif not found.is_clean:
        raise DataError("Something stands on both sides: see above. Leave it out on one of them.")


def _show(found: OverlapReport, as_json: bool) -> None:
    if as_json:
        content = {**asdict(found), "is_clean": found.is_clean}
        print(json.dumps(content, indent=2, ensure_ascii=False, default=str))
    else:
        print("\n".join(map(one_line, found.lines())))


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None] | None]:
    """A bar on a terminal's stderr, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("Looking at files", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
