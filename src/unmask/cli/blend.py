"""``unmask blend``: shows the pseudo-forgeries that training makes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unmask.cli.inputs import unique_names
from unmask.cli.results import check_target, replacing, writable

_Path = Annotated[
    Path, typer.Argument(metavar="IMAGE|VIDEO", help="With a face in it.", show_default=False)
]
_Out = Annotated[
    Path,
    typer.Option("--out", "-o", metavar="DIR", help="Folder for the sheet.", show_default=False),
]
_Count = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="Rows of the sheet; 12, or one for each kind.", show_default=False
    ),
]
_Kinds = Annotated[
    list[str] | None,
    typer.Option(
        "--kind",
        metavar="NAME",
        help="Kind of forgery, as in a recipe's mix; may be repeated; all for all.",
        show_default=False,
    ),
]
_Seed = Annotated[int, typer.Option(min=0, metavar="N", help="Of everything random.")]
_Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a sheet that is there.")]


def blend(
    path: _Path,
    out: _Out,
    kinds: _Kinds = None,
    count: _Count = None,
    seed: _Seed = 0,
    overwrite: _Overwrite = False,
) -> None:
    """Forge a face as training does, and write a contact sheet: real, forged, mask."""
    target = out / f"{unique_names([path])[0]}-blends.png"
    check_target(target, [path], overwrite=overwrite)
    from unmask.train.contact_sheet import contact_sheet
    from unmask.train.kind_sheet import kind_sheet

    with writable(out):
        if kinds:
            sheet = kind_sheet(path, kinds, count, seed)
        else:
            sheet = contact_sheet(path, 12 if count is None else count, seed)
        with replacing([target]) as (partial,):
            sheet.save(partial, format="PNG")
    print(target)
