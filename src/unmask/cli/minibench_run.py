"""``unmask minibench run``: all protocols of the papers, in one command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from unmask.cli.printing import one_line, show_note

_Tree = Annotated[
    Path,
    typer.Argument(metavar="TREE", help="Made by: unmask minibench build.", show_default=False),
]
_Out = Annotated[
    Path,
    typer.Option("--out", "-o", metavar="OUT", help="Folder; new, or begun.", show_default=False),
]
_Papers = Annotated[
    list[str] | None,
    typer.Option("--paper", metavar="NAME", help="Take only this paper. Repeatable."),
]
_Detectors = Annotated[
    list[str] | None,
    typer.Option(
        "--detector",
        "-d",
        metavar="NAME",
        help="Instead of those of each protocol's own paper. Repeatable.",
    ),
]
_IsSmall = Annotated[
    bool,
    typer.Option(
        "--small/--full",
        help="A few steps on small pictures, for an hour on two cores; or the recipes as they are.",
    ),
]
_Workers = Annotated[int, typer.Option(min=1, help="Processes.")]
_Device = Annotated[str, typer.Option(metavar="cpu|cuda", help="Where the networks run.")]
_AsJson = Annotated[bool, typer.Option("--json", help="Print what was made as JSON.")]


def run(
    tree: _Tree,
    out: _Out,
    papers: _Papers = None,
    detectors: _Detectors = None,
    is_small: _IsSmall = True,
    workers: _Workers = 1,
    device: _Device = "cpu",
    as_json: _AsJson = False,
) -> None:
    """Train and measure all tables and figures of the papers. Run again, it goes on.

    It measures machinery and trends, not field accuracy. Equal trainings are made once; OUT gets
    faces, runs, results, figures and report.md.
    """
    from unmask.minibench import SENTENCE
    from unmask.papers.run import run_protocols

    ran = run_protocols(
        tree,
        out,
        papers=papers or (),
        detectors=detectors or (),
        is_small=is_small,
        workers=workers,
        device=device,
        tell=show_note,
    )
    if as_json:
        content = {
            "path": str(ran.path),
            "report": str(ran.report),
            "figures": [str(path) for path in ran.figures],
            "tables": ran.tables,
            "trained": ran.trained,
            "not_trained": dict(ran.not_trained),
            "measures": SENTENCE,
        }
        print(json.dumps(content, indent=2))
        return
    for name, reason in ran.not_trained.items():
        show_note(f"not trained: {name}: {reason}")
    counts = f"{ran.tables} tables and figures of the papers, {ran.trained} networks"
    print(one_line(f"{ran.report}: {counts}. {SENTENCE}"))
