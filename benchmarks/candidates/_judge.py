"""A candidate against the aims, two candidates against each other, and which one wins."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks._shares import wilson
from benchmarks.candidates import _folds
from unmask.calibrate.intervals import (
    Estimate,
    ScoredVideos,
    Statistic,
    auc_within,
    difference,
    estimate,
    least_ece,
    pooled_auc,
)
from unmask.errors import DataError, NotMeasurableError
from unmask.metrics import auc, compare_auc

MAIN = "AUC within sources"
"""Whoever wins, wins here: nothing is fitted for it, and no source is compared with another."""

COMPARED = (
    MAIN,
    "AUC within sources, by tool",
    "pooled AUC",
    "balanced accuracy, conformal threshold of other sources",
    "balanced accuracy, balanced threshold of other sources",
    "Cllr, scaling of other sources",
    "AUC within sources, H.264 CRF 40",
    "AUC within sources, half size",
    "pairs in order, pseudo-forgeries, raw",
    "pairs in order, pseudo-forgeries, H.264 CRF 32",
    "mask IoU, pseudo-forgeries, raw",
)

LOWER = ("Cllr, scaling of other sources",)
"""Of these, the ones where less is better."""


class Aim(NamedTuple):
    """What issue 5 asks of a figure: at least, or at most, ``bound``."""

    figure: str
    bound: float
    is_least: bool = True

    def __str__(self) -> str:
        return f"{'≥' if self.is_least else '≤'} {self.bound:g}"

    def judge(self, found: Estimate) -> str:
        """Whether it is reached, and whether all of the interval says the same."""
        if found.value is None:
            return "not measurable"
        sign = 1 if self.is_least else -1
        is_reached = sign * found.value >= sign * self.bound
        if found.low is None or found.high is None:
            return f"{'yes' if is_reached else 'no'}, no interval"
        sides = {sign * end >= sign * self.bound for end in (found.low, found.high)}
        reached = "yes" if is_reached else "no"
        return reached if sides == {is_reached} else f"{reached}, not certain"


AIMS = (
    Aim(MAIN, 0.90),
    Aim("pairs in order, pseudo-forgeries, raw", 0.95),
    Aim("pairs in order, pseudo-forgeries, H.264 CRF 32", 0.85),
    Aim("false alarms, conformal threshold of other sources", 0.02, is_least=False),
    Aim("AUC within sources, H.264 CRF 40", 0.80),
    Aim("AUC within sources, half size", 0.80),
    Aim("mask IoU, pseudo-forgeries, raw", 0.5),
    Aim("ECE, scaling of other sources", 0.05, is_least=False),
)


def sources_left_out(videos: ScoredVideos, rate: float) -> dict[str, dict[str, object]]:
    """Each source judged by what the others give; ``rest`` is the mean AUC without it."""
    folds = _folds.by_source(videos)
    thresholds = _folds.fit_apart(videos, folds, _folds.conformal(rate))
    scalings = _folds.fit_apart(videos, folds, _folds.platt)
    result = {}
    for fold, threshold, scaling in zip(folds, thresholds, scalings, strict=True):
        part, rest = videos[fold.judged], videos[fold.fit]
        result[fold.name] = {
            **_found(part, threshold),
            "AUC": _auc(part),
            "AUC within the other sources": _main(rest),
            "slope of the scaling": round(scaling.slope, 3),
        }
    return result


def tools_left_out(
    videos: ScoredVideos, rate: float, resamples: int
) -> dict[str, dict[str, object]]:
    """Each tool judged by what neither it nor its sources gave; a note where that is too little."""
    return {fold.name: _of_tool(videos, fold, rate, resamples) for fold in _folds.by_tool(videos)}


def _of_tool(
    videos: ScoredVideos, fold: _folds.Fold, rate: float, resamples: int
) -> dict[str, object]:
    _folds.check_fold(videos, fold)
    part = videos[fold.judged]
    against_all = videos[(videos.tool == fold.name) | (videos.label == 0)]
    areas: dict[str, object] = {
        "AUC against real videos of its sources": _auc(part),
        "AUC against all real videos": estimate(pooled_auc(against_all), resamples).plain(),
    }
    try:
        (threshold,) = _folds.fit_apart(videos, [fold], _folds.conformal(rate))
        (other,) = _folds.fit_apart(videos, [fold], _folds.balanced)
    except DataError as error:
        return {**areas, "note": str(error)}
    return {**_found(part, threshold), "balanced threshold": _found(part, other), **areas}


def _found(videos: ScoredVideos, threshold: float) -> dict[str, object]:
    """ScoredVideos over a threshold, with Wilson's intervals."""
    over = np.nan_to_num(videos.logit, nan=-np.inf) >= threshold
    result: dict[str, object] = {
        "threshold": round(threshold, 4),
        "undecided": int((~videos.is_decided).sum()),
    }
    for name, label in (("found", 1), ("false alarms", 0)):
        hits, count = int(over[videos.label == label].sum()), int((videos.label == label).sum())
        result[name] = {"over": hits, "of": count}
        if count:
            result[name] = {"over": hits, "of": count, "interval": wilson(hits, count)}
    return result


def _auc(videos: ScoredVideos) -> float | None:
    if len(np.unique(videos.label)) < 2:
        return None
    return round(float(auc(videos.label, np.nan_to_num(videos.logit, nan=-np.inf))), 4)


def _main(videos: ScoredVideos) -> float | None:
    figure = auc_within(videos, videos.source, "sources")
    value = float(figure.measure(np.ones((1, len(videos.label))))[0])
    return None if np.isnan(value) else round(value, 4)


def chosen_apart(
    videos: Mapping[str, ScoredVideos], folds_of: Callable[[ScoredVideos], list[_folds.Fold]]
) -> dict[str, object]:
    """What choosing among the candidates gives where the choice saw nothing of what is judged.

    In each fold the candidate with the highest AUC within the other sources is taken (of equals
    the first), and its AUC on the part left out is kept.
    """
    first = next(iter(videos.values()))
    picks: dict[str, dict[str, object]] = {}
    areas = []
    for fold in folds_of(first):
        _folds.check_fold(first, fold)
        rest = {name: _main(one[fold.fit]) for name, one in videos.items()}
        area = {name: _auc(one[fold.judged]) for name, one in videos.items()}
        best = max(rest, key=lambda name: -1.0 if rest[name] is None else float(rest[name] or 0))
        found = area[best]
        if found is not None and rest[best] is not None:
            areas.append(found)
            picks[fold.name] = {"chosen": best, "AUC": found, "AUC of each": area}
    return {
        "mean AUC": round(float(np.mean(areas)), 4) if areas else None,
        "folds": len(areas),
        "times chosen": {
            name: sum(pick["chosen"] == name for pick in picks.values()) for name in videos
        },
        "by fold": picks,
    }


def compare(
    figures: Mapping[str, Mapping[str, Statistic]],
    videos: Mapping[str, ScoredVideos],
    resamples: int,
) -> list[dict[str, object]]:
    """Differences of every two candidates, with intervals from draws that both share."""
    result: list[dict[str, object]] = []
    for a, b in itertools.combinations(figures, 2):
        differences = {
            name: difference(figures[a][name], figures[b][name], resamples)
            for name in COMPARED
            if name in figures[a] and name in figures[b]
        }
        main = differences[MAIN]
        result.append(
            {
                "a": a,
                "b": b,
                "differences": {
                    name: {**one.plain(), "better": better(a, b, one, lower=name in LOWER)}
                    for name, one in differences.items()
                },
                "DeLong of the pooled AUC": _delong(videos[a], videos[b]),
                "better": better(a, b, main),
            }
        )
    return result


def better(a: str, b: str, found: Estimate, *, lower: bool = False) -> str | None:
    """The candidate that ``a`` less ``b`` speaks for; None if 0 lies in its interval.

    With ``lower``, a low figure is a good one.
    """
    if found.low is None or found.high is None or found.low <= 0 <= found.high:
        return None
    return a if (found.low > 0) != lower else b


def winner(names: Sequence[str], compared: Sequence[Mapping[str, object]]) -> str | None:
    """The candidate that is better than every other one; None if there is none."""
    if len(names) < 2:
        return None
    for name in names:
        its = [one for one in compared if name in (one["a"], one["b"])]
        if all(one["better"] == name for one in its):
            return name
    return None


def _delong(a: ScoredVideos, b: ScoredVideos) -> dict[str, object]:
    """The paired test, clustered by source."""
    scores = [np.nan_to_num(one.logit, nan=-np.inf) for one in (a, b)]
    try:
        found = compare_auc(a.label, scores[0], scores[1], sources=a.source)
    except NotMeasurableError as error:
        return {"value": None, "note": str(error)}
    return {
        "value": round(found.difference, 4),
        "interval": [round(found.low, 4), round(found.high, 4)],
        "p": round(found.p_value, 4),
    }


def scaling_told(videos: ScoredVideos) -> dict[str, object]:
    """What calibration can show at this size: the ECE that even true probabilities would have."""
    folds = _folds.by_source(videos)
    logits = _folds.scaled(videos, folds, _folds.fit_apart(videos, folds, _folds.platt))
    return {"mean ECE if the probabilities were true": round(least_ece(logits), 4)}
