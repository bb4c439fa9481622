"""What a calibration is worth on sources and tools that it did not see."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from benchmarks.calibrate._copies import Copies, Values
from benchmarks.calibrate._fit import MISS_RATE, apply, cell_of, cells_of, fit
from benchmarks.candidates._figures import (
    Figure,
    calibration,
    difference,
    estimate,
    least_ece,
    pooled_auc,
    share_over,
    within_cells,
)
from benchmarks.candidates._folds import by_tool
from unmask.errors import DataError

LEAST_CALIBRATED = 8
"""Copies of each label below which nothing is said of probabilities."""

READ = (
    "Every copy is judged by a fit without its source (by tool: without the tool and its "
    "sources): lines, weights and bounds are made anew. Classes of quality are made by counts of "
    "all. Intervals: bootstrap over sources, of shares at least as wide as Wilson's; fits are not "
    "made anew in each resample."
)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Scores (N,) and bounds (N,) of copies, by fits that did not see their source."""

    score: Values
    threshold: Values
    lower: Values
    is_ordered: bool


def without_its_source(copies: Copies, rate: float) -> Judged:
    """Each source judged by what the others give."""
    classes = cells_of(copies)
    found = np.full((3, len(copies)), np.nan)
    is_ordered = True
    for source in np.unique(copies.source):
        out = copies.source == source
        fitted = fit(copies[~out], classes, rate)
        found[:, out] = apply(fitted, copies[out])
        is_ordered &= fitted.is_ordered
    return Judged(*found, is_ordered)


def figures_of(copies: Copies, rate: float, resamples: int) -> dict[str, Any]:
    """Figures by condition, by quality class and by tool, for JSON."""
    judged = without_its_source(copies, rate)
    final = fit(copies, cells_of(copies), rate)
    cell = cell_of(copies, final.classes)
    plain = copies.condition == ""
    groups = {"as they are": plain}
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
            name: _group(copies[inside], _of(judged, inside), resamples)
            for name, inside in groups.items()
        },
        "sources left out, by quality": {
            one.name: _group(copies[cell == number], _of(judged, cell == number), resamples)
            for number, one in enumerate(final.classes)
            if (cell == number).any()
        },
        "tools left out": _tools(copies, rate, resamples),
    }


def _of(judged: Judged, inside: np.ndarray) -> Judged:
    return Judged(
        judged.score[inside], judged.threshold[inside], judged.lower[inside], judged.is_ordered
    )


def _group(copies: Copies, judged: Judged, resamples: int) -> dict[str, Any]:
    """Shares of the three answers by label, areas, and how true the probabilities are."""
    over = (judged.score >= judged.threshold).astype(np.float64)
    under = (judged.score < judged.lower).astype(np.float64) * (1 - over)
    videos = copies.videos(judged.score)
    real, fake = copies.label == 0, copies.label == 1
    figures: dict[str, Figure] = {}
    for name, answer, of in (
        ("false alarms", over, real),
        ("found", over, fake),
        ("misses", under, fake),
        ("nothing found in real ones", under, real),
    ):
        if of.any():
            figures[name] = share_over(answer, of, copies.source)
    if real.any() and fake.any():
        figures["pooled AUC"] = pooled_auc(videos)
        mixed = within_cells(videos, copies.source, "sources")
        if not np.isnan(mixed.measure(np.ones((1, len(copies))))[0]):
            figures["AUC within sources"] = mixed
        if judged.is_ordered and min(real.sum(), fake.sum()) >= LEAST_CALIBRATED:
            figures |= calibration(judged.score, videos)
    told: dict[str, Any] = {name: estimate(one, resamples).plain() for name, one in figures.items()}
    if "ECE" in figures:
        told["mean ECE if the probabilities were true"] = round(least_ece(judged.score), 4)
    return {"real": int(real.sum()), "forged": int(fake.sum()), **told}


def _tools(copies: Copies, rate: float, resamples: int) -> dict[str, Any]:
    """Each tool's forgeries and the real videos of their sources, judged by neither."""
    plain = copies[copies.condition == ""] if (copies.condition == "").any() else copies
    classes = cells_of(copies)
    found: dict[str, Any] = {}
    for fold in by_tool(plain.videos(plain.logit[:, 0])):
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


def compare(copies: Copies, rate: float, resamples: int) -> dict[str, Any]:
    """The panel less its first member alone, on videos as they are, each source left out."""
    plain = copies.condition == ""
    first = dataclasses.replace(copies, logit=copies.logit[:, :1])
    both = [
        copies[plain].videos(without_its_source(one, rate).score[plain]) for one in (copies, first)
    ]
    areas = [within_cells(videos, videos.source, "sources") for videos in both]
    losses = [calibration(videos.logit, videos)["Cllr"] for videos in both]
    told = {
        "AUC within sources, panel": estimate(areas[0], resamples),
        "AUC within sources, first alone": estimate(areas[1], resamples),
        "AUC within sources, difference": difference(areas[0], areas[1], resamples),
        "Cllr, panel": estimate(losses[0], resamples),
        "Cllr, first alone": estimate(losses[1], resamples),
        "Cllr, difference": difference(losses[0], losses[1], resamples),
    }
    area, loss = told["AUC within sources, difference"], told["Cllr, difference"]
    better = (area.value or 0) > 0 and (loss.value or 0) < 0
    return {"better": better} | {name: one.plain() for name, one in told.items()}
