"""``unmask datasets overlap``: what stands on both sides of a split."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unmask.cli import options
from unmask.cli.terminal import count_progress, show_json, show_lines, show_note
from unmask.errors import DataError, UsageError

if TYPE_CHECKING:
    from unmask.overlap import OverlapReport

app = typer.Typer()

_Paths = Annotated[
    list[Path],
    typer.Argument(
        metavar="PATH...",
        help="One root, whose splits are compared; or several, which are compared.",
    ),
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
    Path | None, options.out("FILE", "Write a csv list for train, without what crosses.")
]
_Drop = Annotated[
    str | None,
    typer.Option(
        "--drop",
        metavar="SIDE",
        help="With --out: the side that loses it; of several PATHs, the one listed.",
    ),
]


@app.command("overlap")
def overlap(
    paths: _Paths,
    layout: options.Dataset = None,
    people: _People = None,
    frame_limit: _FrameLimit = None,
    face_limit: _FaceLimit = None,
    cache: _Cache = None,
    out: _Out = None,
    drop: _Drop = None,
    as_json: options.AsJson = False,
) -> None:
    """Find near-duplicates and named persons on both sides of a split; exit with 1 if any."""
    if (out is None) != (drop is None):
        raise UsageError("--out and --drop belong together: give both, or neither.")
    from unmask import overlap as library

    rows = library.read_sides(layout or "folder", paths)
    if out is not None and drop is not None:
        library.check_rest(out, {row.split for row in rows}, drop)
    frames = library.FRAME_LIMIT if frame_limit is None else frame_limit
    faces = library.FACE_LIMIT if face_limit is None else face_limit
    with count_progress("Looking at files") as update:
        found = library.find_overlap(
            rows, frame_limit=frames, face_limit=faces, people=people, cache=cache, report=update
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
        show_json({**asdict(found), "is_clean": found.is_clean})
    else:
        show_lines(found.lines())
