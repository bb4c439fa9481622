"""``unmask minibench build``: real videos in, a small tree like FaceForensics++ out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unmask.cli import options
from unmask.cli.terminal import count_progress, show, show_json, show_note

if TYPE_CHECKING:
    from unmask.minibench import Built

app = typer.Typer()

_Folder = Annotated[
    Path, typer.Argument(metavar="VIDEOS", help="Folder of real videos.", show_default=False)
]
_Out = Annotated[Path, options.out("DIR", "Folder; new, or of an earlier run, which goes on.")]
_Videos = Annotated[int, typer.Option(metavar="N", help="Real videos at most, at least 3.")]
_Other = Annotated[
    int, typer.Option(metavar="N", help="Real videos of the second tree; 0: no second tree.")
]
_Seconds = Annotated[float, typer.Option(metavar="S", help="Length of every clip.")]
_Size = Annotated[int, typer.Option(metavar="PX", help="Longest side; nothing is enlarged.")]
_People = Annotated[
    Path | None,
    typer.Option(metavar="CSV", help="Columns path,person: who is in more than one video."),
]


@app.command("build")
def build(
    videos_folder: _Folder,
    out: _Out,
    videos: _Videos = 12,
    other: _Other = 4,
    seconds: _Seconds = 3.0,
    size: _Size = 320,
    seed: options.Seed = 0,
    people: _People = None,
    workers: options.Workers = 1,
    as_json: options.AsJson = False,
) -> None:
    """Forge real videos in five ways, as a small tree like FaceForensics++. Run again, it goes on.

    It measures machinery and trends, not field accuracy: all forgeries are pseudo-forgeries, each
    made of its own clip. The defaults are the small setting.
    """
    from unmask.minibench import Settings
    from unmask.minibench import build as build_all

    settings = Settings(videos=videos, other=other, seconds=seconds, size_px=size, seed=seed)
    with count_progress("") as update:
        built = build_all(
            videos_folder,
            out,
            settings,
            people=people,
            workers=workers,
            report=lambda what, done, total: update(done, total, what),
        )
    _show(built, as_json)


def _show(built: Built, as_json: bool) -> None:
    from unmask.minibench import SENTENCE

    for name, reason in built.skipped.items():
        show_note(f"left out '{name}': {reason}")
    per_part = {
        part: sum(source.part == part for source in built.sources) for part in ("main", "other")
    }
    if as_json:
        content = {"path": built.path, "sources": per_part, "skipped": built.skipped}
        show_json({**content, "measures": SENTENCE})
        return
    counts = f"{per_part['main']} real videos, {per_part['other']} in the second tree"
    show(f"{built.path}: {counts}. {SENTENCE}")
