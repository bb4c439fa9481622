"""``unmask weights import``: a published file becomes weights that unmask reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unmask.cli import options
from unmask.cli.terminal import show, show_note

app = typer.Typer()

_File = Annotated[Path, typer.Argument(metavar="FILE", help="Published file (.h5, .pt …).")]
_Out = Annotated[Path | None, options.out("FILE", "File to write. Default: a file in the cache.")]


@app.command("import")
def import_file(
    name: options.DetectorName,
    file: _File,
    out: _Out = None,
    accept_license: options.AcceptLicense = False,
) -> None:
    """Turn a published weights file into verified safetensors; prints where it went."""
    from unmask.weights import import_weights

    written = import_weights(name, file, out, accept_license=accept_license)
    show(written)
    show_note(
        "Scans with them end inconclusive until they are calibrated: unmask calibrate DATA "
        f"-d {name}={written} -o {written.stem}.calibration.json"
    )
