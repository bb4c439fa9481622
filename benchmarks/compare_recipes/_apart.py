"""Which run is chosen, and what that choice is worth, without a look at what is judged.

For each source the run is chosen by all others, so the figures printed are of choices that never
saw the videos they are judged on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from benchmarks.compare_recipes._figures import MAIN, SHOWN, Rows, estimates, figures, in_spreads

_SOURCE = 2


def chosen_apart(runs: Mapping[str, Rows], resamples: int, by: str = MAIN) -> dict[str, Any]:
    """Figures of the runs that the other sources choose, and how often each was chosen.

    Scores of different runs meet in one figure, so each is counted in spreads of its run's scores
    of real clips, of other sources too.

    Args:
        runs: rows of each, on the same videos and clips.
        resamples: of every interval.
        by: the figure to choose by.
    """
    first = next(iter(runs.values()))
    sources = sorted({row[_SOURCE] for kind in ("videos", "clips") for row in first[kind]})
    measured = {name: figures(rows)[by] for name, rows in runs.items()}
    chosen: dict[str, str] = {}
    for source in sources:
        values = {
            name: float(figure.measure((figure.source != source).astype(float)[None])[0])
            for name, figure in measured.items()
        }
        chosen[source] = max(values, key=lambda name: values[name])
    scaled = {source: in_spreads(runs[name], source) for source, name in chosen.items()}
    rows: Rows = {
        kind: [scaled[row[_SOURCE]][kind][number] for number, row in enumerate(first[kind])]
        for kind in ("videos", "clips")
    }
    return {
        "by": by,
        "figures": estimates(rows, resamples, SHOWN),
        "times chosen": dict(Counter(chosen.values()).most_common()),
    }
