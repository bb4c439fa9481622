"""Many verdicts as one table: a row for each video, as CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from unmask.printable import printable
from unmask.report.to_json import path_text
from unmask.report.wording import FINDING_WORDS, chance, score_text
from unmask.types import Verdict

COLUMNS = (
    "path",
    "sha256",
    "finding",
    "probability",
    "probability_low",
    "probability_high",
    "llr",
    "score",
    "threshold",
    "lower",
    "real_at_or_above",
    "real_videos",
    "fake_at_or_below",
    "fake_videos",
    "quality",
    "gates",
    "faces_found",
    "faces_decided",
    "duration_s",
    "scored_s",
    "calibration",
    "detectors",
    "unmask_version",
    "scanned_at",
    "error",
)
"""Of the CSV, in this order; the same names mean the same in the JSON of a scan."""

# A spreadsheet would take a cell that starts with one of these for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Row = tuple[str, ...]


def table_row(verdict: Verdict) -> Row:
    """One video as a row of ``COLUMNS``; a number that is not given is an empty cell."""
    face = verdict.deciding_face
    errors = face.errors if face else None
    interval = verdict.probability_interval
    gates = {gate for one in verdict.faces for gate in one.gates}
    values: dict[str, float | int | str | None] = {
        "path": path_text(verdict.video.path),
        "sha256": verdict.video.sha256,
        "finding": verdict.finding.value,
        "probability": verdict.probability,
        "probability_low": interval[0] if interval else None,
        "probability_high": interval[1] if interval else None,
        "llr": verdict.llr,
        "score": verdict.score,
        "threshold": face.threshold if face else None,
        "lower": face.lower if face else None,
        "real_at_or_above": errors.real_at_or_above if errors else None,
        "real_videos": errors.real_videos if errors else None,
        "fake_at_or_below": errors.fake_at_or_below if errors else None,
        "fake_videos": errors.fake_videos if errors else None,
        "quality": face.quality if face else "",
        "gates": "; ".join(sorted(gates)),
        "faces_found": verdict.coverage.faces_found,
        "faces_decided": sum(one.score is not None for one in verdict.faces),
        "duration_s": verdict.coverage.duration_s,
        "scored_s": verdict.coverage.scored_s,
        "calibration": verdict.judgement.calibration.name if verdict.judgement else "",
        "detectors": ", ".join(use.name for use in verdict.detectors),
        "unmask_version": verdict.unmask_version,
        "scanned_at": verdict.scanned_at,
    }
    return tuple(_cell(values.get(name)) for name in COLUMNS)


def failed_row(path: Path, error: str) -> Row:
    """A file that could not be scanned, as a row of ``COLUMNS``: its path and why."""
    values = {"path": path_text(path), "error": error}
    return tuple(_cell(values.get(name)) for name in COLUMNS)


def to_csv(rows: Sequence[Row], *, has_head: bool = True) -> str:
    """The rows as CSV (RFC 4180).

    A text that a spreadsheet would take for a formula gets an apostrophe in front.

    Args:
        rows: from ``table_row`` and ``failed_row``.
        has_head: whether a line with ``COLUMNS`` stands above them.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    if has_head:
        writer.writerow(COLUMNS)
    writer.writerows(rows)
    return text.getvalue()


def short_row(verdict: Verdict) -> Row:
    """One video for a table on the terminal: finding, probability, interval, likelihood ratio."""
    interval = verdict.probability_interval
    return (
        FINDING_WORDS[verdict.finding],
        "" if verdict.probability is None else chance(verdict.probability),
        "" if interval is None else " to ".join(chance(end) for end in interval),
        "" if verdict.llr is None else score_text(verdict.llr),
    )


def _cell(value: float | int | str | None) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        shown = printable(value)
        return f"'{shown}" if shown.startswith(_FORMULA) else shown
    return f"{value:.6g}" if isinstance(value, float) else str(value)
