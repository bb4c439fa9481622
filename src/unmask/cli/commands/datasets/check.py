"""``unmask datasets check``: what is in a data set on disk."""

from __future__ import annotations

from dataclasses import asdict

import typer

from unmask.cli import options
from unmask.cli.terminal import show_json, show_lines
from unmask.errors import DataError

app = typer.Typer()


@app.command("check")
def check(
    name: options.DatasetName,
    path: options.DatasetRoot,
    as_json: options.AsJson = False,
) -> None:
    """Say what a data set holds and what is missing; exit with 1 if it is not complete."""
    from unmask.datasets import check_dataset

    report = check_dataset(name, path)
    if as_json:
        show_json({**asdict(report), "is_complete": report.is_complete})
    else:
        show_lines(report.lines())
    if not report.is_complete:
        raise DataError(f"'{path}' is not a complete {name}: see above for what is missing.")
