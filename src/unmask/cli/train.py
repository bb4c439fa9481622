"""``unmask train``: data and a detector's name in, a run's folder out."""

from __future__ import annotations

import datetime
import functools
import sys
from pathlib import Path

from unmask.cli import train_options as options
from unmask.cli.printing import one_line, show_note
from unmask.errors import UsageError


def train(
    name: options.Name,
    data: options.Data,
    stage: options.Stage = None,
    teacher: options.Teacher = None,
    dataset: options.Dataset = None,
    methods: options.Methods = None,
    compressions: options.Compressions = None,
    videos: options.Videos = None,
    validation: options.Validation = None,
    out: options.Out = None,
    weights: options.Weights = None,
    settings: options.Settings = None,
    resume: options.Resume = False,
    is_dry_run: options.IsDryRun = False,
    device: options.Device = "cpu",
    devices: options.Devices = 1,
    workers: options.Workers = 1,
    threads: options.Threads = None,
) -> None:
    """Train a detector, or a stage before it, by the recipe on its card."""
    _check(stage, teacher, out, resume, is_dry_run)
    from unmask.train import Source, dry_run, stage_of, train_stage
    from unmask.train import train as train_one

    layout = dataset or ("folder" if stage is None else stage_of(name, stage).layout)

    def source(path: Path, videos: int | None = None) -> Source:
        return Source(
            path=path,
            dataset=layout,
            methods=tuple(methods) if methods else None,
            compressions=tuple(compressions) if compressions else None,
            videos=videos,
        )

    checking = None if validation is None else source(validation)
    if is_dry_run:
        found = dry_run(
            name,
            source(data, videos),
            validation=checking,
            weights=weights,
            settings=settings or (),
            device=device,
            workers=workers,
            threads=threads,
            report=show_note,
        )
        print("\n".join(map(one_line, found.lines())))
        return
    run, what = functools.partial(train_one, name), name
    if stage is not None:
        run = functools.partial(train_stage, name, stage, teacher=teacher)
        what = f"{name}-{stage}"
    run(
        source(data, videos),
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
        raise UsageError(
            "Cannot use --teacher without --stage: a detector itself has none. Name the stage, or "
            "leave --teacher out."
        )
    if stage is not None and is_dry_run:
        raise UsageError(
            "Cannot dry-run a stage: --dry-run measures a detector's own training. Leave it out, "
            "or train the stage with --set epochs=1 --set steps_per_epoch=1."
        )
