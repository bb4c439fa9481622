"""A results folder measured, written as tables, and drawn where that is wanted."""

from __future__ import annotations

from pathlib import Path

from unmask.evaluate.granularity import Results
from unmask.evaluate.printed import Printed, print_metrics
from unmask.evaluate.settings import Measuring
from unmask.plots.write import write_plots


def print_results(
    out: Path, measuring: Measuring | None = None, *, plots: bool = False, as_json: bool = False
) -> Printed:
    """The tables of a results folder, with a note for every file and for what is missing.

    Args:
        out: the results folder, which is read once; tables and ``plots`` are written into it.
        measuring: how; None takes the defaults.
        plots: whether all plots are drawn that the scores allow.
        as_json: whether the text is JSON, else Markdown.

    Raises:
        DataError, OutputError: see ``print_metrics`` and ``write_plots``.
    """
    chosen = measuring or Measuring()
    results = Results(out, faces=chosen.faces)
    printed = print_metrics(results, out, chosen, as_json=as_json)
    if not plots:
        return printed
    drawn = write_plots(
        results,
        out / "plots",
        granularity=chosen.granularity,
        threshold_from=chosen.threshold_from,
        resamples=chosen.resamples,
    )
    notes = [*map(str, drawn.paths), *(f"no plot: {reason}" for reason in drawn.missing)]
    return Printed(printed.text, printed.notes + notes)
