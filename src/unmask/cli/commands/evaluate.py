"""``unmask evaluate``: scores of a data set, and the tables made of them."""

from __future__ import annotations

import typer

from unmask.cli import evaluate_options, options
from unmask.cli.evaluate_inputs import (
    check_together,
    find_places,
    find_rows,
    report,
    root_of,
)
from unmask.cli.evaluate_results import show_differences, show_tables
from unmask.errors import UsageError

app = typer.Typer()


@app.command("evaluate")
def evaluate(
    table: evaluate_options.Table = None,
    data: evaluate_options.Data = None,
    dataset: options.Datasets = None,
    detectors: options.Detectors = None,
    weights: options.Weights = None,
    split: options.Split = None,
    methods: options.Methods = None,
    compressions: options.Compressions = None,
    out: evaluate_options.Out = None,
    compare: evaluate_options.Compare = None,
    threshold_from: evaluate_options.ThresholdFrom = None,
    granularity: evaluate_options.Granularity = "video",
    plots: evaluate_options.Plots = False,
    conditions: evaluate_options.Conditions = None,
    embeddings: evaluate_options.Embeddings = False,
    stand_in: evaluate_options.StandIn = None,
    as_json: options.AsJson = False,
    resamples: evaluate_options.Resamples = 10_000,
    device: options.Device = "cpu",
) -> None:
    """Score a data set by some detectors and print every value with its interval.

    Goes on where it stopped. Without --data the tables of RESULTS are made again.
    """
    places = find_places(data or [], dataset or [], stand_in)
    given = options.parse_weights(weights)
    drawn = {"plots": plots, "embeddings": embeddings}
    check_together(table, compare, granularity, conditions, stand_in=stand_in, **drawn)
    if table is not None:
        from unmask.cli.evaluate_paper import show_paper

        show_paper(
            table,
            places,
            detectors or [],
            given,
            out,
            stand_in=stand_in,
            device=device,
            resamples=resamples,
            as_json=as_json,
        )
        return
    if out is None:
        raise UsageError("Cannot evaluate: expected a folder for the scores. Name it with -o.")
    if compare is not None:
        show_differences(out, compare, resamples, as_json=as_json)
        return
    if bool(places) != bool(detectors):
        missing = "--data PATH" if detectors else "-d NAME"
        raise UsageError(
            f"Cannot evaluate: {missing} is missing. Give data and detectors, or "
            "neither to make the tables of RESULTS again."
        )
    from unmask.evaluate import evaluate as score
    from unmask.evaluate.condition import find_conditions
    from unmask.evaluate.granularity import granularity_named

    shown, changed = granularity_named(granularity), find_conditions(conditions or [""])
    for path, layout in places:
        score(
            find_rows(path, layout, split, methods, compressions),
            detectors or [],
            out,
            root=root_of(path),
            weights=given,
            device=device,
            report=report,
            conditions=changed,
            keeps_embeddings=embeddings,
        )
    show_tables(out, shown, threshold_from, resamples, plots=plots, as_json=as_json)
