"""``unmask schema``: what every key of a scan's JSON means."""

from __future__ import annotations

import typer

from unmask.cli.terminal import show_json

app = typer.Typer()


@app.command("schema")
def schema() -> None:
    """Print the JSON schema of a scan's result."""
    from unmask.report import schema as result_schema

    show_json(result_schema())
