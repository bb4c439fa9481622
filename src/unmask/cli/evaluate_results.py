"""What ``unmask evaluate`` shows of a results folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from unmask.cli.terminal import show_lines, show_note

if TYPE_CHECKING:
    from unmask.evaluate.granularity import Granularity, Results


def show_tables(
    out: Path,
    granularity: Granularity,
    threshold_from: str | None,
    resamples: int,
    *,
    plots: bool,
    as_json: bool,
) -> None:
    """Measures, writes the tables (and draws plots), and prints them."""
    from unmask.evaluate import measure
    from unmask.evaluate.granularity import Results
    from unmask.evaluate.print_tables import to_json, to_markdown, unscored_lines, write_tables

    results = Results(out)
    scores = results.scores(granularity)
    found = measure(scores, threshold_from=threshold_from, resamples=resamples)
    for line in unscored_lines(scores):
        show_note(f"no score: {line}")
    for file in write_tables(found, out, granularity):
        show_note(file)
    if plots:
        show_plots(results, out, granularity, threshold_from, resamples)
    text = to_json(found, granularity) if as_json else to_markdown(found, granularity)
    show_lines(text.splitlines())


def show_plots(
    results: Results,
    out: Path,
    granularity: Granularity,
    threshold_from: str | None,
    resamples: int,
) -> None:
    """Draws into ``out``; on stderr a line for each file and for each plot that is missing."""
    from unmask.plots.write import write_plots

    drawn = write_plots(
        results,
        out / "plots",
        granularity=granularity,
        threshold_from=threshold_from,
        resamples=resamples,
    )
    for path in drawn.paths:
        show_note(path)
    for reason in drawn.missing:
        show_note(f"no plot: {reason}")


def show_differences(out: Path, names: tuple[str, str], resamples: int, *, as_json: bool) -> None:
    """Prints the paired differences of two detectors."""
    from unmask.evaluate import compare, read_scores
    from unmask.evaluate.compare import comparisons_to_json, show_comparisons

    found = compare(read_scores(out), *names, resamples=resamples)
    text = comparisons_to_json(found) if as_json else show_comparisons(found)
    show_lines(text.splitlines())
