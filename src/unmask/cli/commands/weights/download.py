"""``unmask weights download``: published weights, fetched and checked."""

from __future__ import annotations

from typing import Annotated

import typer

from unmask.cli import options
from unmask.cli.terminal import show

app = typer.Typer()

_Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Detector, or landmarks: 68 points of a face.")
]
_Tag = Annotated[str | None, typer.Option(metavar="TAG", help="Which weights. Default: the first.")]


@app.command("download")
def download(name: _Name, tag: _Tag = None, accept_license: options.AcceptLicense = False) -> None:
    """Download published weights into the cache and check them; prints where they are."""
    from unmask.weights import fetch

    show(fetch.fetch_weights(name, tag, accept_license))
