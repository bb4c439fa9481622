"""``unmask train``: data and a detector's name in, a run's folder out."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path

from unmask.cli import train_options as options
from unmask.cli.printing import one_line, show_note
from unmask.errors import UsageError


def train(
    name: options.Name,
    data: options.Data,
    dataset: options.Dataset = "folder",
    methods: options.Methods = None,
    compressions: options.Compressions = None,
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
    """Train a detector by the recipe on its card."""
    if resume and out is None:
        raise UsageError("Cannot resume: say which run with -o RUN_DIR.")
    from unmask.train import Source, dry_run
    from unmask.train import train as train_one

    def source(path: Path) -> Source:
        return Source(
            path=path,
            dataset=dataset,
            methods=tuple(methods) if methods else None,
            compressions=tuple(compressions) if compressions else None,
        )

    checking = None if validation is None else source(validation)
    if is_dry_run:
        found = dry_run(
            name,
            source(data),
            validation=checking,
            settings=settings or (),
            device=device,
            workers=workers,
            threads=threads,
            report=show_note,
        )
        print("\n".join(map(one_line, found.lines())))
        return
    stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    train_one(
        name,
        source(data),
        out or Path("runs") / f"{name}-{stamp}",
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
