"""``unmask evaluate``: scores of a data set, and the tables made of them."""

from __future__ import annotations

from unmask.cli import evaluate_options as options
from unmask.cli.evaluate_inputs import (
    check_together,
    find_places,
    find_rows,
    find_weights,
    report,
    root_of,
    show_figures,
)
from unmask.cli.printing import show_note
from unmask.errors import UsageError


def evaluate(
    table: options.Table = None,
    data: options.Data = None,
    dataset: options.Dataset = None,
    detectors: options.Detectors = None,
    weights: options.Weights = None,
    split: options.Split = None,
    methods: options.Methods = None,
    compressions: options.Compressions = None,
    out: options.Out = None,
    compare: options.Compare = None,
    threshold_from: options.ThresholdFrom = None,
    level: options.Level = "video",
    figures: options.Figures = False,
    resamples: options.Resamples = 10_000,
    device: options.Device = "cpu",
) -> None:
    """Score a data set by some detectors and print every figure with its interval.

    Goes on where it stopped. Without --data the tables of RESULTS are made again.
    """
    places = find_places(data or [], dataset or [])
    given = find_weights(weights or [])
    check_together(table, compare, level, figures=figures)
    if table is not None:
        from unmask.cli.evaluate_paper import show_paper

        show_paper(table, places, detectors or [], given, out, device, resamples)
        return
    if out is None:
        raise UsageError("Cannot evaluate: expected a folder for the scores. Name it with -o.")
    from unmask.evaluate import evaluate as score
    from unmask.evaluate import measure, read_scores
    from unmask.evaluate.level import level_named, scores_at
    from unmask.evaluate.print_tables import to_markdown, unscored_lines, write_tables

    shown = level_named(level)
    if compare is not None:
        from unmask.evaluate import compare as differences
        from unmask.evaluate.compare import show_comparisons

        print(show_comparisons(differences(read_scores(out), *compare, resamples=resamples)))
        return
    if bool(places) != bool(detectors):
        lacking = "--data PATH" if detectors else "-d NAME"
        raise UsageError(
            f"Cannot evaluate: {lacking} is missing. Give data and detectors, or "
            "neither to make the tables of RESULTS again."
        )
    for path, layout in places:
        rows = find_rows(path, layout, split, methods, compressions)
        score(
            rows,
            detectors or [],
            out,
            root=root_of(path),
            weights=given,
            device=device,
            report=report,
        )
    scores = scores_at(shown, out)
    found = measure(scores, threshold_from=threshold_from, resamples=resamples)
    for line in unscored_lines(scores):
        show_note(f"no score: {line}")
    for file in write_tables(found, out, shown):
        show_note(str(file))
    if figures:
        show_figures(out, shown, threshold_from, resamples)
    print(to_markdown(found, shown))
