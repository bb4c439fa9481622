"""Tables as Markdown, CSV and LaTeX. Shares are shown in percent, in CSV as 0..1."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from unmask.errors import OutputError
from unmask.evaluate.granularity import Granularity
from unmask.evaluate.scores import VideoScore
from unmask.evaluate.tables import RULES, MetricValue, Row
from unmask.metrics.registry import get_metric

_NAMES = ("detector", "weights", "data set", "compression", "split", "condition", "method")
_COUNTS = ("real", "fake", "sources", "unscored")
_LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"} | {
    character: "\\" + character for character in "&%$#_{}"
}


def to_markdown(rows: Sequence[Row], granularity: Granularity = "video") -> str:
    """A table, and below it a line for each reason why a value is missing.

    Args:
        rows: of ``measure``.
        granularity: of the scores that were measured, see ``scores_at``.
    """
    head, cells = _cells(rows)
    notes = _notes(rows)
    lines = [head, ["---"] * len(head), *cells]
    table = "\n".join("| " + " | ".join(map(_markdown, line)) + " |" for line in lines)
    listed = "".join(f"\n[{number}] {note}  " for note, number in notes.items())
    return (
        f"{_heading(granularity)}; values in percent (log wP and log loss as they are) with 95 % "
        f"intervals by bootstrap over sources; accuracies at {_thresholds(rows)}.\n\n"
        f"{table}\n{listed and listed + chr(10)}"
    )


def to_latex(rows: Sequence[Row], granularity: Granularity = "video") -> str:
    """A ``tabular`` that needs no package; a comment gives the granularity."""
    head, cells = _cells(rows)
    lines = [" & ".join(map(_latex, line)) + r" \\" for line in (head, *cells)]
    notes = [f"% {_heading(granularity)}"]
    notes += [f"% [{number}] {note}" for note, number in _notes(rows).items()]
    start = rf"\begin{{tabular}}{{{'l' * len(_NAMES)}{'r' * (len(head) - len(_NAMES))}}}"
    body = [start, r"\hline", lines[0], r"\hline", *lines[1:], r"\hline", r"\end{tabular}"]
    return "\n".join([*notes, *body]) + "\n"


def to_csv(rows: Sequence[Row], granularity: Granularity = "video") -> str:
    """One line per row; each metric has the columns value, low, high and note."""
    text = io.StringIO()
    names = _metric_names(rows)
    parts = MetricValue._fields
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        [
            *_NAMES,
            "granularity",
            *_COUNTS,
            "threshold",
            *(f"{name} {part}" for name in names for part in parts),
        ]
    )
    for row in rows:
        threshold = "" if row.threshold is None else repr(row.threshold)
        found = [row.values.get(name, MetricValue(None)) for name in names]
        values = ["" if part is None else part for value in found for part in value]
        names_of = _names_of(row)
        names_of[1] = row.weights_sha256
        writer.writerow([*names_of, granularity, *_counts_of(row), threshold, *values])
    return text.getvalue()


def to_json(rows: Sequence[Row], granularity: Granularity = "video") -> str:
    """The rows with all that they hold; values as in CSV."""
    plain = [
        asdict(row) | {"values": {name: f._asdict() for name, f in row.values.items()}}
        for row in rows
    ]
    return json.dumps({"granularity": granularity, "rows": plain}, indent=1, ensure_ascii=False)


def write_tables(
    rows: Sequence[Row], folder: Path, granularity: Granularity = "video"
) -> list[Path]:
    """Writes ``tables.md``, ``tables.csv`` and ``tables.tex``, replacing those of an earlier run.

    Those of another granularity lie beside them, as ``tables-clip.md`` and so on.

    Raises:
        OutputError: they cannot be written.
    """
    makers = {"md": to_markdown, "csv": to_csv, "tex": to_latex}
    texts = {ending: make(rows, granularity) for ending, make in makers.items()}
    name = "tables" if granularity == "video" else f"tables-{granularity}"
    paths = []
    for ending, text in texts.items():
        path = folder / f"{name}.{ending}"
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise OutputError(
                f"Cannot write '{path}': {error.strerror}. Make it writable, or give another "
                "folder with -o."
            ) from error
        paths.append(path)
    return paths


def unscored_lines(scores: Iterable[VideoScore]) -> list[str]:
    """One line for each video without a score: what, which detector, why."""
    return [
        f"{row.key.path} ({row.key.dataset}, {row.key.detector}): {row.reason}"
        for row in scores
        if row.score is None
    ]


def show_value(
    value: MetricValue, notes: dict[str, int] | None = None, *, is_share: bool = True
) -> str:
    """A value in a cell, with the number of its note; a share in percent.

    >>> show_value(MetricValue(0.8251, 0.7, 0.91))
    '82.5 [70.0, 91.0]'
    >>> show_value(MetricValue(None, note="not measurable"), {"not measurable": 1})
    '- [1]'
    """
    scale, digits = (100, 1) if is_share else (1, 3)
    mark = f" [{notes[value.note]}]" if notes and value.note else ""
    if value.value is None:
        return "-" + mark
    text = f"{scale * value.value:.{digits}f}"
    if value.low is None or value.high is None:
        return text + mark
    return f"{text} [{scale * value.low:.{digits}f}, {scale * value.high:.{digits}f}]" + mark


def _heading(granularity: Granularity) -> str:
    counted = "" if granularity == "video" else " (unscored: videos)"
    return f"{granularity.capitalize()} level{counted}"


def _thresholds(rows: Sequence[Row]) -> str:
    return ", ".join(dict.fromkeys(RULES[row.rule] for row in rows))


def _cells(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    names, notes = _metric_names(rows), _notes(rows)
    head = [*_NAMES, *_COUNTS, *names]
    cells = [
        _names_of(row)
        + [str(count) for count in _counts_of(row)]
        + [
            show_value(
                row.values.get(name, MetricValue(None)), notes, is_share=get_metric(name).is_share
            )
            for name in names
        ]
        for row in rows
    ]
    return head, cells


def _metric_names(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row.values))


def _notes(rows: Sequence[Row]) -> dict[str, int]:
    """Each reason for a missing value or interval, numbered from 1."""
    texts = dict.fromkeys(f.note for row in rows for f in row.values.values() if f.note)
    return {note: number for number, note in enumerate(texts, 1)}


def _names_of(row: Row) -> list[str]:
    return [
        row.detector,
        row.weights_sha256[:8],
        row.dataset,
        row.compression,
        row.split,
        row.condition,
        row.method,
    ]


def _counts_of(row: Row) -> list[int]:
    return [row.reals, row.fakes, row.sources, row.unscored]


def _markdown(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
