"""``unmask weights verify``: whether the weights on this machine are whole."""

from __future__ import annotations

from typing import Annotated

import typer

from unmask.cli.terminal import show
from unmask.errors import WeightsError

app = typer.Typer()

_Name = Annotated[
    str | None,
    typer.Argument(metavar="[NAME]", help="Detector. Default: all.", show_default=False),
]


@app.command("verify")
def verify(name: _Name = None) -> None:
    """Check the hashes of all weights that are here; exit with 1 if one is damaged."""
    from unmask.weights import fetch

    results = [(state, fetch.damage(state)) for state in fetch.states(name)]
    for (detector, entry, state, path), problem in results:
        result = f"{state}, not checked" if path is None else "damaged" if problem else "ok"
        show(f"{detector}:{entry.tag}  {result}" + (f"  {path}" if path else ""))
    problems = [problem for _, problem in results if problem]
    if problems:
        raise WeightsError(" ".join(problems))
