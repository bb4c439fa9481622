"""A results folder measured, written as tables, and drawn where that is wanted."""

from __future__ import annotations

from pathlib import Path

from unmask.evaluate.granularity import Granularity, Results
from unmask.evaluate.printed import Printed, print_metrics
from unmask.plots.write import write_plots


def print_results(
    out: Path,
    granularity: Granularity,
    threshold_from: str | None = None,
    resamples: int = 10_000,
    *,
    plots: bool = False,
    as_json: bool = False,
) -> Printed:
    """The tables of a results folder, with a note for every file and for what is missing.

    Args:
        out: the results folder, which is read once; tables and ``plots`` are written into it.
        granularity: what a score belongs to.
        threshold_from: data set whose split ``val`` gives the thresholds; None: each its own.
        resamples: number of bootstrap samples.
        plots: whether all plots are drawn that the scores allow.
        as_json: whether the text is JSON, else Markdown.

    Raises:
        DataError, OutputError: see ``print_metrics`` and ``write_plots``.
    """
    results = Results(out)
    printed = print_metrics(
        results,
        out,
        granularity=granularity,
        threshold_from=threshold_from,
        resamples=resamples,
        as_json=as_json,
    )
    if not plots:
        return printed
    drawn = write_plots(
        results,
        out / "plots",
        granularity=granularity,
        threshold_from=threshold_from,
        resamples=resamples,
    )
    notes = [*map(str, drawn.paths), *(f"no plot: {reason}" for reason in drawn.missing)]
    return Printed(printed.text, printed.notes + notes)
