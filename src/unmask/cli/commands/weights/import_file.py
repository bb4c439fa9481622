"""``unmask weights import``: a published file becomes weights that unmask reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unmask.cli import options
from unmask.cli.terminal import show, show_note
from unmask.errors import UsageError

app = typer.Typer()

_File = Annotated[Path, typer.Argument(metavar="FILE", help="Published file (.h5, .pt …).")]
_Out = Annotated[Path | None, options.out("FILE", "File to write. Default: a file in the cache.")]


_Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Argument of a network that differs from the card's; what does not fit stays new. "
        "Repeatable.",
    ),
]


@app.command("import")
def import_file(
    name: options.DetectorName,
    file: _File,
    out: _Out = None,
    settings: _Settings = None,
    accept_license: options.AcceptLicense = False,
) -> None:
    """Turn a published weights file into verified safetensors; prints where it went."""
    from unmask.weights import import_weights

    args = _args(name, settings) if settings else None
    written = import_weights(name, file, out, args=args, accept_license=accept_license)
    show(written)
    show_note(
        "Scans with them end inconclusive until they are calibrated: unmask calibrate DATA "
        f"-d {name}={written} -o {written.stem}.calibration.json"
    )


def _args(name: str, settings: list[str]) -> dict[str, object]:
    """The arguments of the network that differ from the card's."""
    from unmask.detectors import get_card
    from unmask.train import apply_settings

    card = get_card(name)
    for setting in settings:
        if setting.partition("=")[0] not in card.args:
            raise UsageError(
                f"Cannot import with --set {setting}: expected an argument of the network of "
                f"{name} ({', '.join(card.args) or 'it has none'}). Other settings are for train."
            )
    changed = apply_settings(card, settings).args
    return {key: value for key, value in changed.items() if value != card.args[key]}
