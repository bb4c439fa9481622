"""``unmask scan``: videos in, findings and reports out."""

from __future__ import annotations

from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from unmask.cli import options, terminal
from unmask.cli.outputs import Reports, Tally, find_inputs, writable
from unmask.errors import UnknownNameError, UsageError, WeightsError

app = typer.Typer()

FAIL_ON_CODE = 3

_ENDS_ALL = (UsageError, UnknownNameError, WeightsError)
"""Errors that would hit every video of the scan."""


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
_Out = Annotated[Path | None, options.out("DIR", "Write NAME.json and NAME.html to this folder.")]
_Calibrations = Annotated[
    list[Path] | None,
    typer.Option(
        "--calibration",
        metavar="FILE",
        help="Judge by this calibration, made by unmask calibrate. Repeatable.",
    ),
]
_Csv = Annotated[Path | None, typer.Option(metavar="FILE", help="Write a CSV row for each video.")]
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


@app.command("scan")
def scan(
    paths: _Paths,
    detectors: options.Detectors = None,
    weights: options.Weights = None,
    calibrations: _Calibrations = None,
    out: _Out = None,
    csv: _Csv = None,
    as_json: _AsJson = False,
    fail_on: _FailOn = None,
    device: options.Device = "cpu",
    overwrite: options.Overwrite = False,
) -> None:
    """Check videos, pictures or folders of frames for manipulated faces."""
    chosen = options.parse_weights(weights)
    options.check_detectors(list(chosen))
    inputs, are_many = find_inputs(paths)
    reports = Reports(out, inputs, overwrite=overwrite) if out else None
    tally = Tally(csv, inputs, overwrite=overwrite)
    findings, failed = [], []
    with writable(out) if out else nullcontext(), tally.writing():
        from unmask.pipeline import scan as river
        from unmask.verdict import read_calibration

        given = [read_calibration(file) for file in calibrations or ()] or None
        for number, path in enumerate(inputs):
            count = f"[{number + 1}/{len(inputs)}] " if are_many else ""
            try:
                with terminal.video_progress(path, count + path.name) as progress:
                    verdict = river.scan(
                        path,
                        detectors or None,
                        device,
                        weights=chosen,
                        calibrations=given,
                        progress=progress,
                    )
                report = reports.write(number, verdict) if reports else None
            except Exception as error:
                if not are_many or isinstance(error, _ENDS_ALL):
                    raise
                failed.append(path)
                tally.add_failure(path, terminal.explain(error))
                terminal.show_error(terminal.explain(error, f"'{path}'"))
                continue
            findings.append(verdict.finding.value)
            tally.add(path, verdict)
            terminal.show_verdict(verdict, report, as_json=as_json, is_one_line=are_many)
    if not as_json:
        tally.show()
    if findings and not (out or as_json):
        terminal.show_note("For the report with pictures and all numbers, add -o DIR.")
    if failed:
        names = ", ".join(f"'{path}'" for path in failed)
        terminal.show_error(f"{len(failed)} of {len(inputs)} inputs could not be scanned: {names}")
        raise typer.Exit(1)
    if set(findings) & set(fail_on or []):
        raise typer.Exit(FAIL_ON_CODE)
