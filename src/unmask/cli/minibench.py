"""``unmask minibench``: a miniature benchmark that anybody can rebuild from real videos."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unmask.cli.minibench_run import run
from unmask.cli.printing import one_line, show_note

if TYPE_CHECKING:
    from unmask.minibench import Built

app = typer.Typer(
    help="A miniature benchmark: it measures machinery and trends, not field accuracy.",
    no_args_is_help=True,
)

_Folder = Annotated[
    Path, typer.Argument(metavar="VIDEOS", help="Folder of real videos.", show_default=False)
]
_Out = Annotated[
    Path,
    typer.Option("--out", "-o", metavar="DIR", help="Folder; new, or begun.", show_default=False),
]
_Videos = Annotated[int, typer.Option(metavar="N", help="Real videos at most, at least 3.")]
_Other = Annotated[int, typer.Option(metavar="N", help="Of the second tree; 0: no second tree.")]
_Seconds = Annotated[float, typer.Option(metavar="S", help="Length of every clip.")]
_Size = Annotated[int, typer.Option(metavar="PX", help="Longest side; nothing is enlarged.")]
_Seed = Annotated[int, typer.Option(metavar="N", help="Of everything random.")]
_People = Annotated[
    Path | None,
    typer.Option(metavar="CSV", help="Columns path,person: who is in more than one video."),
]
_Workers = Annotated[int, typer.Option(min=1, help="Processes.")]
_AsJson = Annotated[bool, typer.Option("--json", help="Print what was built as JSON.")]


@app.callback()
def options() -> None:
    """A miniature benchmark: it measures machinery and trends, not field accuracy."""


@app.command("build")
def build(
    videos_folder: _Folder,
    out: _Out,
    videos: _Videos = 12,
    other: _Other = 4,
    seconds: _Seconds = 3.0,
    size: _Size = 320,
    seed: _Seed = 0,
    people: _People = None,
    workers: _Workers = 1,
    as_json: _AsJson = False,
) -> None:
    """Forge real videos in five ways, as a small tree like FaceForensics++. Run again, it goes on.

    It measures machinery and trends, not field accuracy: all forgeries are pseudo-forgeries, each
    made of its own clip. The defaults are the small setting.
    """
    from unmask.minibench import Settings
    from unmask.minibench import build as build_all

    settings = Settings(videos=videos, other=other, seconds=seconds, size_px=size, seed=seed)
    with _progress() as report:
        built = build_all(
            videos_folder, out, settings, people=people, workers=workers, report=report
        )
    _show(built, as_json)


app.command("run")(run)


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on a terminal's stderr, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda what, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda what, done, total: bar.update(
            task, description=what, completed=done, total=total
        )


def _show(built: Built, as_json: bool) -> None:
    from unmask.minibench import SENTENCE

    for name, reason in built.skipped.items():
        show_note(f"left out '{name}': {reason}")
    per_part = {
        part: sum(source.part == part for source in built.sources) for part in ("main", "other")
    }
    if as_json:
        content = {"path": str(built.path), "sources": per_part, "skipped": built.skipped}
        print(json.dumps({**content, "measures": SENTENCE}, indent=2))
        return
    counts = f"{per_part['main']} real videos, {per_part['other']} in the second tree"
    print(one_line(f"{built.path}: {counts}. {SENTENCE}"))
