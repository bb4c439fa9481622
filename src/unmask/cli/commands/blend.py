"""``unmask blend``: shows the pseudo-forgeries that training makes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unmask.cli import options
from unmask.cli.outputs import check_target, replacing, unique_names, writable
from unmask.cli.terminal import show

app = typer.Typer()

_Path = Annotated[
    Path,
    typer.Argument(metavar="IMAGE|VIDEO", help="Picture or video with a face.", show_default=False),
]
_Out = Annotated[Path, options.out("DIR", "Folder for the sheet.")]
_Count = Annotated[
    int | None,
    typer.Option(metavar="N", help="Rows of the sheet. Default: 12, or one for each kind."),
]
_Kinds = Annotated[
    list[str] | None,
    typer.Option(
        "--kind",
        "-k",
        metavar="NAME",
        help="Kind of forgery, as in a recipe's mix; 'all' for every kind. Repeatable.",
    ),
]


@app.command("blend")
def blend(
    path: _Path,
    out: _Out,
    kinds: _Kinds = None,
    count: _Count = None,
    seed: options.Seed = 0,
    overwrite: options.Overwrite = False,
) -> None:
    """Forge a face as training does, and write a contact sheet: real, forged, mask."""
    target = out / f"{unique_names([path])[0]}-blends.png"
    check_target(target, [path], overwrite=overwrite)
    from unmask.media import probe

    probe(path)  # before a network is loaded
    from unmask.train.sheet import kind_sheet, moment_sheet

    with writable(out):
        if kinds:
            sheet = kind_sheet(path, kinds, count, seed)
        else:
            sheet = moment_sheet(path, 12 if count is None else count, seed)
        with replacing([target]) as (partial,):
            sheet.save(partial, format="PNG")
    show(target)
