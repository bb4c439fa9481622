"""What a person or a program reads of a results folder."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from unmask.evaluate.compare import compare, comparisons_to_json, show_comparisons
from unmask.evaluate.granularity import Results
from unmask.evaluate.print_tables import to_json, to_markdown, unscored_lines, write_tables
from unmask.evaluate.scores import VideoScore, read_scores
from unmask.evaluate.settings import Measuring
from unmask.evaluate.tables import measure


class Printed(NamedTuple):
    """A text, and lines about it: files that were written, and what is missing."""

    text: str
    notes: list[str]


def print_metrics(
    results: Results,
    out: Path,
    measuring: Measuring | None = None,
    *,
    as_json: bool = False,
) -> Printed:
    """Measures the scores of a results folder, and writes its tables.

    Args:
        results: what was read of the folder.
        out: the folder of the tables.
        measuring: how; None takes the defaults.
        as_json: whether the text is JSON, else Markdown.

    Raises:
        DataError: there are no scores, or none of ``threshold_from``.
        OutputError: the tables cannot be written.
    """
    chosen = measuring or Measuring()
    scores = results.scores(chosen.granularity)
    rows = measure(
        scores, threshold_from=chosen.threshold_from, rule=chosen.rule, resamples=chosen.resamples
    )
    notes = [f"no score: {line}" for line in unscored_lines(scores)]
    notes += [str(file) for file in write_tables(rows, out, chosen.granularity)]
    return Printed((to_json if as_json else to_markdown)(rows, chosen.granularity), notes)


def print_differences(
    out: Path, names: tuple[str, str], resamples: int = 10_000, *, as_json: bool = False
) -> Printed:
    """The paired differences of two detectors with scores in a results folder.

    Args:
        out: the results folder.
        names: NAME, or NAME@HASH where one detector has scores by several weights.
        resamples: number of bootstrap samples.
        as_json: whether the text is JSON, else Markdown.

    Raises:
        DataError: there are no scores of one of them.
    """
    found = compare(read_scores(out), *names, resamples=resamples)
    return Printed(comparisons_to_json(found) if as_json else show_comparisons(found), [])


def progress_line(number: int, total: int, video: VideoScore) -> str:
    """A new score in one line: which of how many videos, by which detector, and the score."""
    shown = video.reason if video.score is None else f"{video.score:.3f}"
    return f"{number}/{total} {video.key.path} {video.key.detector}: {shown}"
