"""The options of ``unmask evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Table = Annotated[
    str | None,
    typer.Argument(
        metavar="paper:NAME/TABLE",
        help="A table of one of the papers; a name that does not exist lists them.",
        show_default=False,
    ),
]
Data = Annotated[
    list[Path] | None,
    typer.Option("--data", metavar="PATH", help="Root of a data set. Repeatable with a paper's."),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="RESULTS",
        help="Folder of the scores and tables; what is scored there is not scored again.",
    ),
]
Compare = Annotated[
    tuple[str, str] | None,
    typer.Option(
        "--compare",
        metavar="A B",
        help="Paired differences of two detectors with scores in RESULTS, NAME or NAME@HASH.",
    ),
]
ThresholdFrom = Annotated[
    str | None,
    typer.Option(
        "--threshold-from",
        metavar="DATA_SET",
        help="Take thresholds from the split val of this data set in RESULTS, else of each own.",
    ),
]
Granularity = Annotated[
    str,
    typer.Option(
        "--granularity",
        metavar="video|face|clip",
        help="Measure videos, each face in them, or each clip (of an image detector: frames).",
    ),
]
Plots = Annotated[
    bool,
    typer.Option(
        "--plots",
        help="Draw what the scores allow into RESULTS/plots; say what the rest needs.",
    ),
]
Conditions = Annotated[
    list[str] | None,
    typer.Option(
        "--condition",
        metavar="CONDITION",
        help="Such as 'blur 3', flip_1, all-corruptions or all-orders; '' is none. Repeatable.",
    ),
]
Embeddings = Annotated[bool, typer.Option("--embeddings", help="Keep them too, for a map.")]
StandIn = Annotated[
    str | None,
    typer.Option(
        "--stand-in",
        metavar="minibench",
        help="Run a paper's table on such data instead; the paper's values are of others.",
    ),
]
Resamples = Annotated[int, typer.Option(metavar="N", help="Of the bootstrap, for intervals.")]
