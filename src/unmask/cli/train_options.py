"""The options of ``unmask train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Name = Annotated[str, typer.Argument(metavar="NAME", help="Detector; see: unmask list.")]
Data = Annotated[
    Path,
    typer.Option(
        "--data",
        metavar="PATH",
        help="Root of a data set, or a folder made by unmask prepare. Of a plain folder, forged "
        "media lie below fake/.",
    ),
]
Stage = Annotated[
    str | None,
    typer.Option(
        "--stage",
        metavar="STAGE",
        help="Pretrain this stage of the card on data of its own; the result starts the detector.",
    ),
]
Teacher = Annotated[
    Path | None,
    typer.Option(
        "--teacher",
        metavar="FILE",
        help="stage.safetensors of an earlier run of the stage, to learn from as well.",
    ),
]
Dataset = Annotated[
    str | None,
    typer.Option(
        "--dataset",
        metavar="LAYOUT",
        help="See: unmask datasets list. Else folder; of a stage, its own.",
    ),
]
Methods = Annotated[
    list[str] | None,
    typer.Option(
        "--method",
        metavar="METHOD",
        help="Take only this forgery method (of a stage: this class). Repeatable.",
    ),
]
Compressions = Annotated[
    list[str] | None,
    typer.Option("--compression", metavar="LEVEL", help="Take only this level. Repeatable."),
]
Videos = Annotated[
    int | None,
    typer.Option(
        "--videos",
        metavar="N",
        min=1,
        help="Train with N real videos, drawn by the recipe's seed, and the forgeries of them.",
    ),
]
Validation = Annotated[
    Path | None,
    typer.Option(
        "--validation",
        metavar="PATH",
        help="Another one that validates; else the split val, of a plain folder a tenth.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="RUN_DIR",
        help="Folder of this run. [default: runs/NAME-DATE-TIME]",
        show_default=False,
    ),
]
Weights = Annotated[
    str | None,
    typer.Option("--weights", "-w", metavar="TAG|FILE", help="Go on from these weights."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change one line of the recipe. Repeatable."),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the interrupted run in -o.")]
IsDryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Print recipe, data, memory and time for an epoch; write nothing."
    ),
]
Device = Annotated[str, typer.Option(metavar="cpu|cuda", help="Where the network is trained.")]
Devices = Annotated[int, typer.Option(min=1, help="GPUs (or CPU processes) that train together.")]
Workers = Annotated[int, typer.Option(min=0, help="Processes that make samples.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads of torch; else its default.")]
