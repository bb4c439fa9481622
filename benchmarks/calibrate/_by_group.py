"""Metrics of a calibration with sources left out, by condition, by quality class and by tool."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.candidates._folds import by_tool
from unmask.calibrate.copies import Copies
from unmask.calibrate.fit import MISS_RATE, apply, class_numbers, classes_of, fit
from unmask.calibrate.left_out import Judged, judge_left_out, measure_left_out
from unmask.errors import DataError

READ = (
    "Every copy is judged by a fit without its source (by tool: without the tool and its "
    "sources): lines, weights and bounds are made anew. Classes of quality are made by counts of "
    "all. Intervals: bootstrap over sources, of shares at least as wide as Wilson's; fits are not "
    "made anew in each resample."
)


def metrics_by_group(copies: Copies, rate: float, resamples: int) -> dict[str, Any]:
    """Metrics by condition, by quality class and by tool, for JSON."""
    judged = judge_left_out(copies, rate)
    final = fit(copies, classes_of(copies), rate)
    number_of = class_numbers(copies, final.classes)
    groups = {"as they are": copies.condition == ""}
    groups |= {str(c): copies.condition == c for c in np.unique(copies.condition) if c}
    groups["all copies"] = np.ones(len(copies), bool)
    return {
        "read": READ,
        "rates": {"false alarms at most": rate, "misses at most": MISS_RATE},
        "scores order the labels in every fold": judged.is_ordered,
        "width": final.width,
        "classes": [
            {"name": one.name, "slope": round(one.slope, 4), "intercept": round(one.intercept, 4)}
            | {"real": one.real_videos, "forged": one.fake_videos}
            | {"threshold": one.threshold, "lower": one.lower}
            for one in final.classes
        ],
        "sources left out": {
            name: _group(copies[inside], judged[inside], resamples)
            for name, inside in groups.items()
        },
        "sources left out, by quality": {
            one.name: _group(copies[number_of == number], judged[number_of == number], resamples)
            for number, one in enumerate(final.classes)
            if (number_of == number).any()
        },
        "tools left out": _tools(copies, rate, resamples),
    }


def _group(copies: Copies, judged: Judged, resamples: int) -> dict[str, Any]:
    found = measure_left_out(copies, judged, resamples)
    entry: dict[str, Any] = {"real": found.real, "forged": found.fake}
    entry |= {name: one.plain() for name, one in found.metrics.items()}
    if found.least_ece is not None:
        entry["mean ECE if the probabilities were true"] = round(found.least_ece, 4)
    return entry


def _tools(copies: Copies, rate: float, resamples: int) -> dict[str, Any]:
    """Each tool's forgeries and the real videos of their sources, judged by neither."""
    plain = copies[copies.condition == ""] if (copies.condition == "").any() else copies
    classes = classes_of(copies)
    found: dict[str, Any] = {}
    for fold in by_tool(plain.scored(plain.logit[:, 0])):
        kept = ~np.isin(copies.source, plain.source[fold.judged]) & (copies.tool != fold.name)
        part = plain[fold.judged]
        try:
            fitted = fit(copies[kept], classes, rate)
        except DataError as error:
            found[fold.name] = {"note": str(error)}
            continue
        judged = Judged(*apply(fitted, part), fitted.is_ordered)
        found[fold.name] = _group(part, judged, resamples)
    return found
