"""``unmask minibench run``: all protocols of the papers, in one command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unmask.cli import options
from unmask.cli.terminal import show, show_json, show_note

app = typer.Typer()

_Tree = Annotated[
    Path,
    typer.Argument(metavar="TREE", help="Made by: unmask minibench build.", show_default=False),
]
_Out = Annotated[Path, options.out("DIR", "Folder; new, or of an earlier run, which goes on.")]
_Papers = Annotated[
    list[str] | None,
    typer.Option("--paper", metavar="NAME", help="Take only this paper. Repeatable."),
]
_IsSmall = Annotated[
    bool,
    typer.Option(
        "--small/--full",
        help="A few steps on small pictures, for an hour on two cores; or the recipes as they are.",
    ),
]


@app.command("run")
def run(
    tree: _Tree,
    out: _Out,
    papers: _Papers = None,
    detectors: options.Detectors = None,
    is_small: _IsSmall = True,
    workers: options.Workers = 1,
    device: options.Device = "cpu",
    as_json: options.AsJson = False,
) -> None:
    """Train and measure all tables and figures of the papers. Run again, it goes on.

    It measures machinery and trends, not field accuracy. Equal trainings are made once; DIR gets
    faces, runs, results, plots and report.md. Detectors replace those of each protocol's paper.
    """
    from unmask.minibench import SENTENCE
    from unmask.papers.run import run_protocols

    result = run_protocols(
        tree,
        out,
        papers=papers or (),
        detectors=detectors or (),
        is_small=is_small,
        workers=workers,
        device=device,
        log=show_note,
    )
    if as_json:
        content = {
            "path": result.path,
            "report": result.report,
            "plots": result.plots,
            "tables": result.tables,
            "trained": result.trained,
            "not_trained": dict(result.not_trained),
            "measures": SENTENCE,
        }
        show_json(content)
        return
    for name, reason in result.not_trained.items():
        show_note(f"not trained: {name}: {reason}")
    counts = f"{result.tables} tables and figures of the papers, {result.trained} networks"
    show(f"{result.report}: {counts}. {SENTENCE}")
