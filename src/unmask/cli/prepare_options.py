"""The options of ``unmask prepare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Layout = Annotated[str, typer.Argument(metavar="LAYOUT", help="See: unmask datasets list.")]
Root = Annotated[Path, typer.Argument(metavar="PATH", help="Its root; for csv the file.")]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="Folder; new, or begun.")]
For = Annotated[
    str | None,
    typer.Option(
        "--for",
        metavar="DETECTOR",
        help="Keep what its training reads; else the default detector's.",
    ),
]
Sequences = Annotated[
    str | None, typer.Option(metavar="N|all", help="Of each person, spread over the video.")
]
Frames = Annotated[int | None, typer.Option(min=1, help="In a sequence; 1: single moments.")]
Fps = Annotated[float | None, typer.Option(help="Rate of a sequence's frames; 0: the video's.")]
Stride = Annotated[int | None, typer.Option(min=1, help="Every n-th of these frames.")]
MinFace = Annotated[float | None, typer.Option(metavar="PX", help="Leave smaller faces out.")]
LargestFace = Annotated[
    float | None,
    typer.Option(metavar="PX", help="Reduce larger faces to this; else by the detector's input."),
]
IsNative = Annotated[bool, typer.Option("--native", help="Do not reduce large faces.")]
Methods = Annotated[
    list[str] | None,
    typer.Option("--methods", "--method", metavar="METHOD", help="Only this one. Repeatable."),
]
Compressions = Annotated[
    list[str] | None,
    typer.Option(
        "--compressions", "--compression", metavar="LEVEL", help="Only this one. Repeatable."
    ),
]
Split = Annotated[str | None, typer.Option(metavar="SPLIT", help="Only train, val or test.")]
Workers = Annotated[int, typer.Option(min=1, help="Processes.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
