"""How long the metrics take: every measure of a million scores, and a large cluster bootstrap.

    python -m benchmarks metrics

The scores are drawn: normal, fakes 1.5 higher, four fakes to a real. The bootstrap draws 10,000
times from 1,000 sources with 5 videos each. Everything is given in seconds of one process.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from benchmarks import _result
from unmask import metrics
from unmask.metrics import bootstrap_intervals, calibration, selective, threshold

_SCORES = 1_000_000
_SOURCES = 1_000
_VIDEOS_PER_SOURCE = 5
_RESAMPLES = 10_000


def measures(labels: Any, scores: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The measures that look at the order alone, and those of thresholds and calibration."""
    ranking = {
        "AUC": partial(metrics.auc, labels, scores),
        "pAUC 10 %": partial(metrics.partial_auc, labels, scores, 0.1),
        "tAUC 10 %": partial(metrics.truncated_auc, labels, scores, 0.1),
        "TAR at FAR 1 %": partial(metrics.tar_at_far, labels, scores, 0.01),
        "EER": partial(metrics.equal_error_rate, labels, scores),
        "log wP at recall 50 %": partial(metrics.log_weighted_precision, labels, scores, 0.5),
    }
    others = {
        "accuracy": partial(threshold.accuracy, labels, scores, 0.75),
        "balanced accuracy": partial(threshold.balanced_accuracy, labels, scores, 0.75),
        "log loss": partial(calibration.log_loss, labels, scores),
        "Brier": partial(calibration.brier_score, labels, scores),
        "ECE": partial(calibration.calibration_error, labels, scores),
        "Cllr": partial(calibration.cllr, labels, scores),
        "Cllr min": partial(calibration.cllr_min, labels, scores),
        "AURC": partial(selective.aurc, labels, scores, 0.75),
    }
    return ranking, others


def draw(count: int, per_source: int) -> tuple[Any, Any, Any]:
    """Labels, scores and sources; a source's videos share a part of their scores."""
    random = np.random.default_rng(0)
    sources = np.arange(count) // per_source
    labels = (np.arange(count) % per_source > 0).astype(np.int64)
    scene = 0.5 * random.normal(size=sources[-1] + 1)[sources]
    return labels, random.normal(size=count) + 1.5 * labels + scene, sources


def seconds(calls: Mapping[str, Callable[[], Any]]) -> dict[str, float]:
    """How long each call takes, and all of them."""
    spent = {}
    for name, call in calls.items():
        start = time.perf_counter()
        call()
        spent[name] = round(time.perf_counter() - start, 3)
        print(f"{name}: {spent[name]} s", flush=True)
    return spent | {"all": round(sum(spent.values()), 3)}


def main(arguments: list[str]) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks metrics")
    parser.add_argument("--note", default="", help="goes into the result, e.g. what else ran")
    given = parser.parse_args(arguments)
    labels, scores, _ = draw(_SCORES, _VIDEOS_PER_SOURCE)
    ranking, others = measures(labels, scores)
    content: dict[str, Any] = {
        "scores": _SCORES,
        "ranking_s": seconds(ranking),
        "threshold_and_calibration_s": seconds(others),
    }
    labels, scores, sources = draw(_SOURCES * _VIDEOS_PER_SOURCE, _VIDEOS_PER_SOURCE)
    ranking, others = measures(labels, scores)
    bootstraps = {
        name: partial(
            bootstrap_intervals,
            {name: lambda w, measure=measure: measure(weights=w)},
            sources,
            resamples=_RESAMPLES,
        )
        for name, measure in (ranking | others).items()
    }
    content |= {
        "bootstrap": {
            "videos": len(labels),
            "sources": _SOURCES,
            "resamples": _RESAMPLES,
            "seconds": seconds(bootstraps),
        },
        "delong_5000_videos_s": seconds(
            {"DeLong": partial(metrics.compare_auc, labels, scores, scores**3, sources=sources)}
        )["all"],
        "note": given.note,
    }
    command = "python -m benchmarks metrics" + (f" --note {given.note!r}" if given.note else "")
    print(_result.write("metrics", command, content))
    return 0
