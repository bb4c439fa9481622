"""``unmask evaluate``: scores of a data set, and the tables made of them."""

from __future__ import annotations

import typer

from unmask.cli import options
from unmask.cli.terminal import show_note, show_with_notes
from unmask.errors import UsageError

app = typer.Typer()


@app.command("evaluate")
def evaluate(
    table: options.Table = None,
    data: options.DataRoots = None,
    dataset: options.Datasets = None,
    detectors: options.Detectors = None,
    weights: options.Weights = None,
    split: options.Split = None,
    methods: options.Methods = None,
    compressions: options.Compressions = None,
    out: options.Results = None,
    compare: options.Compare = None,
    threshold_from: options.ThresholdFrom = None,
    threshold: options.Threshold = None,
    faces: options.Faces = None,
    frames: options.FirstFrames = None,
    granularity: options.Granularity = "video",
    plots: options.Plots = False,
    conditions: options.Conditions = None,
    embeddings: options.Embeddings = False,
    stand_in: options.StandIn = None,
    as_json: options.AsJson = False,
    resamples: options.Resamples = 10_000,
    device: options.Device = "cpu",
) -> None:
    """Score a data set by some detectors and print every value with its interval.

    Goes on where it stopped. Without --data the tables of RESULTS are made again.
    """
    places = options.pair_layouts(data, dataset)
    given = options.parse_weights(weights)
    _check(table, compare, stand_in, granularity, (conditions, embeddings, plots))
    if table is not None:
        from unmask.papers.table import print_table

        printed = print_table(
            table,
            places,
            detectors or [],
            out,
            weights=given,
            stand_in=stand_in,
            threshold=threshold,
            faces=faces,
            frames=frames,
            device=device,
            resamples=resamples,
            as_json=as_json,
            log=show_note,
        )
        show_with_notes(*printed)
        return
    if out is None:
        raise UsageError("Cannot evaluate: expected a folder for the scores. Name it with -o.")
    from unmask import evaluate as bench
    from unmask.plots.results import print_results

    if compare is not None:
        show_with_notes(*bench.print_differences(out, compare, resamples, as_json=as_json))
        return
    if bool(places) != bool(detectors):
        missing = "--data PATH" if detectors else "-d NAME"
        raise UsageError(f"Cannot evaluate: {missing} is missing. Give both, or neither.")
    measuring = bench.Measuring.named(granularity, faces, threshold, threshold_from, resamples)
    changed = bench.find_conditions(conditions or [""], frames)
    for path, layout in places:
        found = bench.read_data(path, layout, split, methods, compressions)
        bench.evaluate(
            found.rows,
            detectors or [],
            out,
            root=found.root,
            weights=given,
            device=device,
            report=lambda *progress: show_note(bench.progress_line(*progress)),
            conditions=changed,
            keeps_embeddings=embeddings,
        )
    show_with_notes(*print_results(out, measuring, plots=plots, as_json=as_json))


def _check(
    table: str | None,
    compare: tuple[str, str] | None,
    stand_in: str | None,
    granularity: str,
    others: tuple[object, object, object],
) -> None:
    """Refuses options that a paper's table or a comparison does not take."""
    if stand_in is not None and table is None:
        raise UsageError("Cannot use --stand-in without a paper's table. Name paper:NAME/TABLE.")
    what = "a paper's table" if table is not None else "--compare"
    names = ("--condition", "--embeddings", "--plots")
    given = dict(zip(names, others, strict=True))
    given |= {f"--granularity {granularity}": granularity != "video"}
    for option, value in given.items() if table is not None or compare is not None else ():
        if value:
            raise UsageError(f"Cannot use {option} with {what}. Leave {option} out.")
