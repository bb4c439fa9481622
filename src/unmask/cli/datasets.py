"""``unmask datasets``: which layouts of data can be read, and what is in one on disk."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from unmask.cli.overlap import overlap
from unmask.cli.printing import one_line, show_table
from unmask.errors import DataError

app = typer.Typer(help="List and check data sets.", no_args_is_help=True)
app.command("overlap")(overlap)

_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_all(as_json: _AsJson = False) -> None:
    """List the data sets that can be read: what they are, their license, how to get them."""
    from unmask.datasets import get_adapter, list_datasets

    known = [get_adapter(name) for name in list_datasets()]
    if as_json:
        keys = ("name", "title", "paper", "url", "license", "layout", "obtain")
        rows = [{key: getattr(adapter, key) for key in keys} for adapter in known]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    show_table(
        ("NAME", "TITLE", "LICENSE", "HOW TO GET IT"),
        [(adapter.name, adapter.title, adapter.license, adapter.obtain) for adapter in known],
    )


@app.command()
def check(
    name: Annotated[str, typer.Argument(metavar="NAME", help="See: unmask datasets list.")],
    path: Annotated[Path, typer.Argument(metavar="PATH", help="Its root; for csv the file.")],
    as_json: _AsJson = False,
) -> None:
    """Say what a data set holds and what is missing; exit with 1 if it is not complete."""
    from unmask.datasets import check_dataset

    report = check_dataset(name, path)
    if as_json:
        found = {**asdict(report), "path": str(report.path), "is_complete": report.is_complete}
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        print("\n".join(map(one_line, report.lines())))
    if not report.is_complete:
        raise DataError(f"'{path}' is not a complete {name}: see above for what is missing.")
