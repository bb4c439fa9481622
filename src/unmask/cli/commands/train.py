"""``unmask train``: data and a detector's name in, a run's folder out."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import sys
from pathlib import Path
from typing import Annotated

import typer

from unmask.cli import options
from unmask.cli.terminal import show_lines, show_note
from unmask.errors import UsageError

app = typer.Typer()

_Data = Annotated[
    Path, typer.Option(metavar="PATH", help="Data set, or a folder made by unmask prepare.")
]
_Pretraining = Annotated[str | None, typer.Option(metavar="NAME", help="Pretrain instead.")]
_Teacher = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Learn from an earlier pretraining's result.")
]
_Videos = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Use N real videos, and their forgeries.")
]
_Validation = Annotated[
    Path | None, typer.Option(metavar="PATH", help="Data to validate on. Default: the split val.")
]
_Out = Annotated[Path | None, options.out("RUN_DIR", "Folder of this run. Default: a new one.")]
_Resume = Annotated[bool, typer.Option("--resume", help="Go on with the interrupted run in -o.")]
_IsDryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print recipe, data, memory and time; train nothing.")
]
_Workers = Annotated[int, typer.Option("--workers", min=0, help="Processes that make samples.")]


@app.command("train")
def train(
    name: options.DetectorName,
    data: _Data,
    pretraining: _Pretraining = None,
    teacher: _Teacher = None,
    dataset: options.Dataset = None,
    methods: options.Methods = None,
    compressions: options.Compressions = None,
    videos: _Videos = None,
    validation: _Validation = None,
    out: _Out = None,
    weights: options.OwnWeights = None,
    settings: options.Settings = None,
    resume: _Resume = False,
    is_dry_run: _IsDryRun = False,
    device: options.Device = "cpu",
    devices: options.Devices = 1,
    workers: _Workers = 1,
    threads: options.Threads = None,
) -> None:
    """Train a detector, or do a pretraining for it, by the recipe on its card."""
    _check(pretraining, teacher, out, resume, is_dry_run)
    from unmask.train import Source, dry_run, pretrain, pretraining_of
    from unmask.train import train as train_one

    training = Source(
        path=data,
        dataset=dataset
        or ("folder" if pretraining is None else pretraining_of(name, pretraining).layout),
        methods=tuple(methods) if methods else None,
        compressions=tuple(compressions) if compressions else None,
        videos=videos,
    )
    checking = validation and dataclasses.replace(training, path=validation, videos=None)
    if is_dry_run:
        found = dry_run(
            name,
            training,
            validation=checking,
            weights=weights,
            settings=settings or (),
            device=device,
            workers=workers,
            threads=threads,
            report=show_note,
        )
        show_lines(found.lines())
        return
    run = functools.partial(train_one, name)
    if pretraining is not None:
        run = functools.partial(pretrain, name, pretraining, teacher=teacher)
    what = name if pretraining is None else f"{name}-{pretraining}"
    run(
        training,
        out or Path("runs") / f"{what}-{datetime.datetime.now():%Y%m%d-%H%M%S}",
        validation=checking,
        weights=weights,
        settings=settings or (),
        resume=resume,
        device=device,
        devices=devices,
        workers=workers,
        threads=threads,
        report=show_note,
        progress=sys.stderr.isatty(),
    )


def _check(
    pretraining: str | None, teacher: Path | None, out: Path | None, resume: bool, is_dry_run: bool
) -> None:
    """Refuses options that have no meaning together."""
    if resume and out is None:
        raise UsageError("Cannot resume: say which run with -o RUN_DIR.")
    if teacher is not None and pretraining is None:
        raise UsageError("Cannot use --teacher without --pretraining. Name one, or leave it out.")
    if pretraining is not None and is_dry_run:
        raise UsageError("Cannot dry-run pretraining. Use --set epochs=1 --set steps_per_epoch=1.")
