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

_Accept = Annotated[
    bool, typer.Option("--accept-license", help="Accept a license that forbids commercial use.")
]
_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_weights(as_json: _AsJson = False) -> None:
    """List all weights: where they are, their license and what they were trained on."""
    found = _states(None)
    if as_json:
        rows = [
            {
                "detector": name,
                "tag": entry.tag,
                "state": state,
                "path": str(path) if path else None,
                "license": entry.license,
                "is_non_commercial": entry.is_non_commercial,
                "trained_on": entry.trained_on,
                "sha256": entry.sha256,
                "size_bytes": entry.size_bytes,
            }
            for name, entry, state, path in found
        ]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    show_table(
        ("DETECTOR", "TAG", "STATE", "LICENSE", "SIZE", "TRAINED ON"),
        [
            (name, entry.tag, state, entry.license, _size(entry.size_bytes), entry.trained_on)
            for name, entry, state, _ in found
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
    for (detector, entry, state, path), problem in results:
        told = f"{state}, not checked" if path is None else "damaged" if problem else "ok"
        print(f"{detector}:{entry.tag}  {told}" + (f"  {path}" if path else ""))
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
    accept_license: _Accept = False,
) -> None:
    """Turn a published weights file into verified safetensors; prints where it went."""
    from unmask.detectors import import_weights

    print(import_weights(name, file, out, accept_license=accept_license))


@app.command()
def download(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Detector, or landmarks: 68 points of a face.")
    ],
    tag: Annotated[
        str | None,
        typer.Option("--tag", metavar="TAG", help="Which; else the first.", show_default=False),
    ] = None,
    accept_license: _Accept = False,
) -> None:
    """Download published weights into the cache and check them; prints where they are."""
    from unmask.cli import fetch_weights

    print(fetch_weights.fetch(name, tag, accept_license))


def _states(name: str | None) -> list[WeightsState]:
    from unmask.cli import fetch_weights

    return fetch_weights.states(name)


def _problem(one: WeightsState) -> str:
    from unmask.cli import fetch_weights

    return fetch_weights.problem(one)


def _size(size_bytes: int | None) -> str:
    return "-" if size_bytes is None else f"{size_bytes / 1e6:.1f} MB"
