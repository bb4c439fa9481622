"""``unmask datasets list``: which layouts of data can be read."""

from __future__ import annotations

import typer

from unmask.cli import options
from unmask.cli.terminal import show_json, show_table

app = typer.Typer()

_KEYS = ("name", "title", "paper", "url", "license", "layout", "obtain")


@app.command("list")
def list_datasets(as_json: options.AsJson = False) -> None:
    """List the data sets that can be read: what they are, their license, how to get them."""
    from unmask import datasets

    known = [datasets.get_adapter(name) for name in datasets.list_datasets()]
    if as_json:
        show_json([{key: getattr(adapter, key) for key in _KEYS} for adapter in known])
        return
    show_table(
        ("NAME", "TITLE", "LICENSE", "HOW TO GET IT"),
        [(adapter.name, adapter.title, adapter.license, adapter.obtain) for adapter in known],
    )
