"""``unmask weights list``: all weights, and where they are."""

from __future__ import annotations

import typer

from unmask.cli import options
from unmask.cli.terminal import show_json, show_table

app = typer.Typer()


@app.command("list")
def list_weights(as_json: options.AsJson = False) -> None:
    """List all weights: where they are, their license and what they were trained on."""
    from unmask.weights import fetch

    found = fetch.states(None)
    if as_json:
        rows = [
            {
                "detector": name,
                "tag": entry.tag,
                "state": state,
                "path": path,
                "license": entry.license,
                "is_non_commercial": entry.is_non_commercial,
                "trained_on": entry.trained_on,
                "sha256": entry.sha256,
                "size_bytes": entry.size_bytes,
            }
            for name, entry, state, path in found
        ]
        show_json(rows)
        return
    show_table(
        ("DETECTOR", "TAG", "STATE", "LICENSE", "SIZE", "TRAINED ON"),
        [
            (name, entry.tag, state, entry.license, _size(entry.size_bytes), entry.trained_on)
            for name, entry, state, _ in found
        ],
    )


def _size(size_bytes: int | None) -> str:
    return "-" if size_bytes is None else f"{size_bytes / 1e6:.1f} MB"
