"""``unmask scan``: videos in, findings and reports out."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from unmask.cli.inputs import find_inputs
from unmask.cli.printing import show_error, show_note
from unmask.cli.results import Results
from unmask.cli.tally import Tally
from unmask.errors import UsageError

FAIL_ON_CODE = 3


class FailOn(StrEnum):
    """Findings that can be turned into exit code 3."""

    MANIPULATED = "manipulated"
    INCONCLUSIVE = "inconclusive"


_Paths = Annotated[
    list[Path],
    typer.Argument(
        metavar="PATH",
        help="Videos, pictures, folders of videos, or folders with the frames of one video.",
        show_default=False,
    ),
]
_Detectors = Annotated[
    list[str] | None,
    typer.Option("--detector", "-d", metavar="NAME", help="Repeatable; see: unmask list."),
]
_Weights = Annotated[
    list[str] | None,
    typer.Option(
        "--weights", "-w", metavar="NAME=TAG|FILE", help="Other weights for a detector. Repeatable."
    ),
]
_Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="DIR", help="Write NAME.json and NAME.html here."),
]
_Csv = Annotated[Path | None, typer.Option(metavar="FILE", help="Write a row for each video here.")]
_AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON; with several videos, one line for each.")
]
_FailOn = Annotated[
    list[FailOn] | None,
    typer.Option(
        "--fail-on",
        metavar="FINDING",
        help="Exit with 3 on manipulated, or on inconclusive. Repeatable.",
    ),
]
_Device = Annotated[str, typer.Option(metavar="cpu|cuda", help="Where the networks run.")]
_Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace reports that are there.")]


def scan(
    paths: _Paths,
    detectors: _Detectors = None,
    weights: _Weights = None,
    out: _Out = None,
    csv: _Csv = None,
    as_json: _AsJson = False,
    fail_on: _FailOn = None,
    device: _Device = "cpu",
    overwrite: _Overwrite = False,
) -> None:
    """Look for forged faces in videos, pictures or folders of frames."""
    from unmask.cli.scan_each import scan_each

    inputs = find_inputs(paths)
    chosen = _chosen_weights(weights or [], detectors)
    results = Results(out, inputs.paths, overwrite=overwrite) if out else None
    tally = Tally(csv, inputs.paths, overwrite=overwrite)
    findings, failed = scan_each(
        inputs, detectors or None, chosen, device, results=results, tally=tally, as_json=as_json
    )
    if findings and not (out or as_json):
        show_note("For the report with pictures and all numbers, add -o DIR.")
    if failed:
        told = f"{len(failed)} of {len(inputs.paths)} inputs could not be scanned: "
        show_error(told + ", ".join(f"'{path}'" for path in failed))
        raise typer.Exit(1)
    if any(finding.value in (fail_on or []) for finding in findings):
        raise typer.Exit(FAIL_ON_CODE)


def _chosen_weights(choices: Sequence[str], detectors: Sequence[str] | None) -> dict[str, str]:
    """``NAME=TAG|FILE`` as a mapping; unknown names of detectors are refused here, before work."""
    from unmask.detectors import get_card
    from unmask.pipeline.panel import default_names

    names = list(detectors or default_names())
    for name in names:
        get_card(name)
    chosen: dict[str, str] = {}
    for choice in choices:
        name, equals, value = choice.partition("=")
        if not (name and equals and value):
            raise UsageError(f"Cannot use -w '{choice}': expected NAME=TAG or NAME=FILE.")
        get_card(name)
        if name not in names:
            raise UsageError(
                f"Cannot use -w '{choice}': {name} does not scan here (only {', '.join(names)}). "
                f"Add -d {name}, or leave the weights out."
            )
        if name in chosen:
            raise UsageError(f"Cannot use -w '{choice}': {name} has weights already. Give one.")
        chosen[name] = value
    return chosen
