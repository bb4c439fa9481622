"""The loop of ``unmask scan``: one video after the other, and one failure stops no other."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

from unmask.cli.inputs import Inputs
from unmask.cli.printing import explain, one_line, show_error, show_summary
from unmask.cli.progress import show_progress
from unmask.cli.results import Results, writable
from unmask.cli.tally import Tally
from unmask.errors import UnknownNameError, UsageError, WeightsError
from unmask.pipeline.scan import scan
from unmask.report import to_json
from unmask.types import Finding, Verdict

_ENDS_ALL = (UsageError, UnknownNameError, WeightsError)
"""What is wrong with one video for these reasons is wrong with all of them."""


def scan_each(
    inputs: Inputs,
    detectors: Sequence[str] | None,
    weights: Mapping[str, str | Path],
    device: str,
    *,
    results: Results | None,
    tally: Tally,
    as_json: bool,
) -> tuple[list[Finding], list[Path]]:
    """Scans and shows every input.

    Returns:
        The findings, and the inputs that failed; a single input raises instead.
    """
    findings: list[Finding] = []
    failed: list[Path] = []
    with writable(results.folder) if results else nullcontext(), tally.writing():
        for number, path in enumerate(inputs.paths):
            count = f"[{number + 1}/{len(inputs.paths)}] " if inputs.are_many else ""
            try:
                with show_progress(path, one_line(count + path.name)) as progress:
                    verdict = scan(path, detectors, device, weights=weights, progress=progress)
                report = results.write(number, verdict) if results else None
            except Exception as error:
                if not inputs.are_many or isinstance(error, _ENDS_ALL):
                    raise
                failed.append(path)
                tally.add_failure(path, explain(error))
                show_error(explain(error, f"'{path}'"))
                continue
            findings.append(verdict.finding)
            tally.add(path, verdict)
            _show(verdict, report, as_json=as_json, is_one_of_many=inputs.are_many)
    if not as_json:
        tally.show()
    return findings, failed


def _show(verdict: Verdict, report: Path | None, *, as_json: bool, is_one_of_many: bool) -> None:
    if as_json:
        text = to_json(verdict)
        if is_one_of_many:  # JSON Lines
            text = json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":")) + "\n"
        sys.stdout.write(text)
    else:
        show_summary(verdict)
        if report:
            print(f"  Report: {report}")
    sys.stdout.flush()  # whoever reads along sees each video when it is done
