"""What ``unmask evaluate`` shows of a results folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from unmask.cli.terminal import show_lines, show_note

if TYPE_CHECKING:
    from unmask.evaluate.level import Level


def show_tables(
    out: Path,
    level: Level,
    threshold_from: str | None,
    resamples: int,
    *,
    figures: bool,
    as_json: bool,
) -> None:
    """Measures, writes the tables (and draws figures), and prints them."""
    from unmask.evaluate import measure
    from unmask.evaluate.level import scores_at
    from unmask.evaluate.print_tables import to_json, to_markdown, unscored_lines, write_tables

    scores = scores_at(level, out)
    found = measure(scores, threshold_from=threshold_from, resamples=resamples)
    for line in unscored_lines(scores):
        show_note(f"no score: {line}")
    for file in write_tables(found, out, level):
        show_note(file)
    if figures:
        show_figures(out, level, threshold_from, resamples)
    text = to_json(found, level) if as_json else to_markdown(found, level)
    show_lines(text.splitlines())


def show_figures(out: Path, level: Level, threshold_from: str | None, resamples: int) -> None:
    """Draws into ``out``; on stderr a line for each file and for each figure that is lacking."""
    from unmask.plots.write import write_figures

    drawn = write_figures(
        out, out / "figures", level=level, threshold_from=threshold_from, resamples=resamples
    )
    for path in drawn.paths:
        show_note(path)
    for reason in drawn.lacking:
        show_note(f"no figure: {reason}")


def show_differences(out: Path, names: tuple[str, str], resamples: int, *, as_json: bool) -> None:
    """Prints the paired differences of two detectors."""
    from unmask.evaluate import compare, read_scores
    from unmask.evaluate.compare import comparisons_to_json, show_comparisons

    found = compare(read_scores(out), *names, resamples=resamples)
    text = comparisons_to_json(found) if as_json else show_comparisons(found)
    show_lines(text.splitlines())
