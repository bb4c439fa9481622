"""``unmask weights``: what is here, whether it is whole, and how to bring in more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unmask.cli.printing import show_table
from unmask.errors import WeightsError

if TYPE_CHECKING:
    from unmask.cli.weights_state import WeightsState

app = typer.Typer(help="List, check and import weights.", no_args_is_help=True)

_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_weights(as_json: _AsJson = False) -> None:
    """List all weights: where they are, their license and what they were trained on."""
    found = _states(None)
    if as_json:
        rows = [
            {
                "detector": card.name,
                "tag": entry.tag,
                "state": state,
                "path": str(path) if path else None,
                "license": entry.license,
                "trained_on": entry.trained_on,
                "sha256": entry.sha256,
                "size_bytes": entry.size_bytes,
            }
            for card, entry, state, path in found
        ]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    show_table(
        ("DETECTOR", "TAG", "STATE", "LICENSE", "SIZE", "TRAINED ON"),
        [
            (card.name, entry.tag, state, entry.license, _size(entry.size_bytes), entry.trained_on)
            for card, entry, state, _ in found
        ],
    )


@app.command()
def verify(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Detector; else all.", show_default=False)
    ] = None,
) -> None:
    """Check the hashes of all weights that are here; exit with 1 if one is damaged."""
    results = [(one, _problem(one)) for one in _states(name)]
    for (card, entry, state, path), problem in results:
        told = f"{state}, not checked" if path is None else "damaged" if problem else "ok"
        print(f"{card.name}:{entry.tag}  {told}" + (f"  {path}" if path else ""))
    problems = [problem for _, problem in results if problem]
    if problems:
        raise WeightsError(" ".join(problems))


@app.command("import")
def import_file(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Detector that the file is for.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Published file (.h5, .pt …).")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="OUT", help="File to write; else into the cache."),
    ] = None,
) -> None:
    """Turn a published weights file into verified safetensors; prints where it went."""
    from unmask.detectors import import_weights

    print(import_weights(name, file, out))


def _states(name: str | None) -> list[WeightsState]:
    from unmask.cli.weights_state import states_of
    from unmask.detectors import get_card, list_detectors

    names = list_detectors() if name is None else [name]
    return [state for known in names for state in states_of(get_card(known))]


def _problem(one: WeightsState) -> str:
    """What is wrong with the file; empty if it is whole, or not here."""
    from unmask.detectors import load_detector

    if one.path is None:
        return ""
    try:
        load_detector(one.card.name, one.entry.tag)
    except WeightsError as error:
        return str(error)
    return ""


def _size(size_bytes: int | None) -> str:
    return "-" if size_bytes is None else f"{size_bytes / 1e6:.1f} MB"
