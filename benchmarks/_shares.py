"""Shares, intervals and areas that several benchmarks state of one detector's scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from unmask import metrics
from unmask.calibrate.fit import FALSE_ALARM_RATE, rounded_threshold
from unmask.calibrate.intervals import ScoredVideos, auc_within, estimate
from unmask.metrics.share import wilson_interval
from unmask.verdict import aggregate
from unmask.verdict.aggregate import LONG_RUN_S, longest_run_s

RESAMPLES = 2000


def auc(label: np.ndarray, logit: np.ndarray) -> float:
    """AUC, or NaN for one class."""
    return metrics.auc(label, logit) if 0 < label.sum() < len(label) else float("nan")


def interval(
    groups: np.ndarray, measure: Callable[[np.ndarray], np.ndarray], resamples: int = RESAMPLES
) -> list[float]:
    """95 % interval of a metric of weights (R, N), resampling whole groups."""
    found = metrics.bootstrap_intervals({"value": measure}, groups, resamples=resamples)["value"]
    return [round(found.low, 3), round(found.high, 3)]


def wilson(hits: int, count: int) -> list[float]:
    """95 % interval of a share, for JSON."""
    low, high = wilson_interval(hits, count)
    return [round(low, 3), round(high, 3)]


def within_sources(
    label: np.ndarray, logit: np.ndarray, source: np.ndarray, resamples: int = RESAMPLES
) -> dict[str, Any]:
    """AUC within each source of both classes; their mean with its interval over sources."""
    within = {
        str(s): {
            "auc": round(auc(label[source == s], logit[source == s]), 3),
            "real": int((label[source == s] == 0).sum()),
            "fake": int((label[source == s] == 1).sum()),
        }
        for s in np.unique(source)
        if 0 < label[source == s].sum() < (source == s).sum()
    }
    videos = ScoredVideos(label, logit, source, np.full(len(label), ""), source)
    found = estimate(auc_within(videos, source, "sources"), resamples)
    return {
        "within_source_auc_mean": round(float(np.mean([w["auc"] for w in within.values()])), 3),
        "within_source_auc_interval": [
            None if end is None else round(end, 3) for end in (found.low, found.high)
        ],
        "within_source": within,
    }


def figures(rows: list[dict[str, Any]], resamples: int = RESAMPLES) -> dict[str, Any]:
    """All figures of the scored rows."""
    able = [r for r in rows if r["logit"] is not None]
    label = np.array([r["label"] for r in able])
    logit = np.array([r["logit"] for r in able])
    source = np.array([r["source"] for r in able])
    threshold = rounded_threshold(list(logit[label == 0]), FALSE_ALARM_RATE)
    alarms = int((logit[label == 0] >= threshold).sum())
    outside = _alarms_from_other_sources(label, logit, source)
    reals = int((label == 0).sum())
    methods = {}
    for method in sorted({r["method"] for r in rows if r["label"]}):
        mine = np.array([r["method"] == method for r in able])
        hits = int((logit[mine] >= threshold).sum())
        both = mine | (label == 0)
        methods[method] = {
            "videos": sum(r["method"] == method for r in rows),
            "decided": int(mine.sum()),
            "found": hits,
            "interval": wilson(hits, int(mine.sum())),
            "auc_against_all_real": round(auc(label[both], logit[both]), 3),
        }
    return {
        "videos": len(rows),
        "decided": len(able),
        "real": reals,
        "fake": int(label.sum()),
        **within_sources(label, logit, source, resamples),
        "pooled_auc": round(auc(label, logit), 3),
        "pooled_auc_interval": interval(
            source, lambda w: metrics.auc(label, logit, weights=w), resamples
        ),
        "threshold": round(threshold, 4),
        "false_alarms": alarms,
        "false_alarms_interval": wilson(alarms, reals),
        "false_alarms_threshold_from_other_sources": outside,
        "false_alarms_from_other_sources_interval": wilson(outside, reals),
        "methods": methods,
    }


def other_ways(rows: list[dict[str, Any]], threshold: float) -> dict[str, Any]:
    """What other ways to join a face's clips would give, and whom the two-second rule touches.

    Means of the highest quarter and of the best 10, 15 and 25 neighboring clips stand beside the
    mean of all; counted are videos under the threshold with two seconds over it at a stretch.
    """
    label = np.array([r["label"] for r in rows])
    source = np.array([r["source"] for r in rows])
    ways: dict[str, Callable[[list[float]], float]] = {
        "mean": lambda clips: aggregate(clips, "mean"),
        "top quarter": lambda clips: aggregate(clips, "top_quarter_mean"),
    }
    for size in (10, 15, 25):
        ways[f"best {size} clips"] = lambda clips, n=size: _best_mean(clips, n)  # type: ignore[misc]
    result: dict[str, Any] = {}
    for name, way in ways.items():
        logit = np.array(
            [max(way(c) for c in r["clip_logits"].values() if len(c) >= 3) for r in rows]
        )
        result[name] = {
            "pooled_auc": round(auc(label, logit), 3),
            "within_source_auc_mean": round(_within_mean(label, logit, source), 3),
        }
    touched = {0: 0, 1: 0}
    for row in rows:
        tracks = {s.track_id for s in row["scores"]}
        runs = [
            longest_run_s([s for s in row["scores"] if s.track_id == t], threshold) for t in tracks
        ]
        is_long = max(end - start for start, end in runs) >= LONG_RUN_S
        touched[row["label"]] += int(is_long and row["logit"] < threshold)
    return {"ways": result, "touched_real": touched[0], "touched_forged": touched[1]}


def _best_mean(clips: list[float], size: int) -> float:
    """The highest mean of ``size`` neighboring clips; of all where there are no more."""
    if len(clips) <= size:
        return float(np.mean(clips))
    return float(np.convolve(clips, np.ones(size) / size, "valid").max())


def _within_mean(label: np.ndarray, logit: np.ndarray, source: np.ndarray) -> float:
    values = [auc(label[source == s], logit[source == s]) for s in np.unique(source)]
    return float(np.nanmean(values)) if not np.all(np.isnan(values)) else float("nan")


def _alarms_from_other_sources(label: np.ndarray, logit: np.ndarray, source: np.ndarray) -> int:
    """False alarms when each source's real videos meet a threshold made without that source."""
    alarms = 0
    for name in np.unique(source[label == 0]):
        others = logit[(label == 0) & (source != name)]
        limit = rounded_threshold(list(others), FALSE_ALARM_RATE)
        alarms += int((logit[(label == 0) & (source == name)] >= limit).sum())
    return alarms
