"""``unmask train``: data and a detector's name in, a run's folder out."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path
from typing import Annotated

import typer

from unmask.cli.printing import show_note
from unmask.errors import UsageError

_Name = Annotated[str, typer.Argument(metavar="NAME", help="Detector; see: unmask list.")]
_Data = Annotated[
    Path,
    typer.Option("--data", metavar="PATH", help="Folder; forged media lie below fake/ in it."),
]
_Validation = Annotated[
    Path | None,
    typer.Option("--validation", metavar="PATH", help="Folder that validates; else a tenth does."),
]
_Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="RUN_DIR",
        help="Folder of this run. [default: runs/NAME-DATE-TIME]",
        show_default=False,
    ),
]
_Weights = Annotated[
    str | None,
    typer.Option("--weights", "-w", metavar="TAG|FILE", help="Go on from these weights."),
]
_Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change one line of the recipe. Repeatable."),
]
_Resume = Annotated[bool, typer.Option("--resume", help="Go on with the interrupted run in -o.")]
_Device = Annotated[str, typer.Option(metavar="cpu|cuda", help="Where the network is trained.")]
_Workers = Annotated[int, typer.Option(min=0, help="Processes that make samples.")]
_Threads = Annotated[int | None, typer.Option(min=1, help="Threads of torch; else its default.")]


def train(
    name: _Name,
    data: _Data,
    validation: _Validation = None,
    out: _Out = None,
    weights: _Weights = None,
    settings: _Settings = None,
    resume: _Resume = False,
    device: _Device = "cpu",
    workers: _Workers = 1,
    threads: _Threads = None,
) -> None:
    """Train a detector by the recipe on its card."""
    if resume and out is None:
        raise UsageError("Cannot resume: say which run with -o RUN_DIR.")
    from unmask.train import train as train_one

    stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    train_one(
        name,
        data,
        out or Path("runs") / f"{name}-{stamp}",
        validation=validation,
        weights=weights,
        settings=settings or (),
        resume=resume,
        device=device,
        workers=workers,
        threads=threads,
        report=show_note,
        progress=sys.stderr.isatty(),
    )
