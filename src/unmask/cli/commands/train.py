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
    Path,
    typer.Option(
        "--data",
        metavar="PATH",
        help="Root of a data set, or a folder made by unmask prepare. A plain folder has its "
        "manipulated media below fake/.",
    ),
]
_Stage = Annotated[
    str | None,
    typer.Option(
        metavar="STAGE",
        help="Pretrain this stage of the card on data of its own; the result starts the detector.",
    ),
]
_Teacher = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="stage.safetensors of an earlier run, to learn from too."),
]
_Videos = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Train with N real videos and their forgeries only."),
]
_Validation = Annotated[
    Path | None,
    typer.Option(
        metavar="PATH",
        help="Data to validate on. Default: the split val; of a plain folder, a tenth.",
    ),
]
_Out = Annotated[
    Path | None, options.out("RUN_DIR", "Folder of this run. Default: runs/NAME-DATE-TIME.")
]
_Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change one line of the recipe. Repeatable."),
]
_Resume = Annotated[bool, typer.Option("--resume", help="Go on with the interrupted run in -o.")]
_IsDryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Print recipe, data, memory and time of an epoch; only that."),
]
_Devices = Annotated[int, typer.Option(min=1, help="GPUs (or CPU processes) that train together.")]
_Workers = Annotated[int, typer.Option("--workers", min=0, help="Processes that make samples.")]
_Threads = Annotated[int | None, typer.Option(min=1, help="Threads of PyTorch.")]


@app.command("train")
def train(
    name: options.DetectorName,
    data: _Data,
    stage: _Stage = None,
    teacher: _Teacher = None,
    dataset: options.Dataset = None,
    methods: options.Methods = None,
    compressions: options.Compressions = None,
    videos: _Videos = None,
    validation: _Validation = None,
    out: _Out = None,
    weights: options.OwnWeights = None,
    settings: _Settings = None,
    resume: _Resume = False,
    is_dry_run: _IsDryRun = False,
    device: options.Device = "cpu",
    devices: _Devices = 1,
    workers: _Workers = 1,
    threads: _Threads = None,
) -> None:
    """Train a detector, or a stage before it, by the recipe on its card."""
    _check(stage, teacher, out, resume, is_dry_run)
    from unmask.train import Source, dry_run, stage_of, train_stage
    from unmask.train import train as train_one

    training = Source(
        path=data,
        dataset=dataset or ("folder" if stage is None else stage_of(name, stage).layout),
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
    if stage is not None:
        run = functools.partial(train_stage, name, stage, teacher=teacher)
    what = name if stage is None else f"{name}-{stage}"
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
    stage: str | None, teacher: Path | None, out: Path | None, resume: bool, is_dry_run: bool
) -> None:
    """Refuses options that have no meaning together."""
    if resume and out is None:
        raise UsageError("Cannot resume: say which run with -o RUN_DIR.")
    if teacher is not None and stage is None:
        raise UsageError("Cannot use --teacher without --stage. Name the stage, or leave it out.")
    if stage is not None and is_dry_run:
        raise UsageError(
            "Cannot dry-run a stage: --dry-run measures a detector's own training. Leave it out, "
            "or train the stage with --set epochs=1 --set steps_per_epoch=1."
        )
