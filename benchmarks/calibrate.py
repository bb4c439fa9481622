"""Scans labelled videos and draws the line for one detector's weights: its calibration.

    python -m benchmarks calibrate --data ../shared/media/val [-d screener] [--calibrate FILE]

Prints and writes: the mean of the AUCs within sources (sources differ in codec, size and sound,
so a pooled AUC flatters or hides), the pooled AUC with a 95 % interval from a bootstrap over
sources, detections per forgery method at the threshold, and false alarms on real videos, both
at the shipped threshold and with each source judged by a threshold from the other sources.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

import unmask
from benchmarks import _result
from unmask.datasets import read_folder
from unmask.detectors import get_card
from unmask.types import Calibration
from unmask.verdict import aggregate, conformal_threshold, video_logit, write_calibration
from unmask.verdict.aggregate import LONG_RUN_S, longest_run_s

MIN_FACE_PX = 48.0
FALSE_ALARM_RATE = 0.05
CAUTION_RATE = 0.25
RESAMPLES = 2000


def read_rows(data: Path) -> list[dict[str, Any]]:
    """Path, label, method and source of every video, from manifest.csv beside it if there."""
    manifest = data.parent / "manifest.csv"
    if manifest.is_file():
        with manifest.open() as lines:
            return [
                {
                    "path": data.parent / row["path"],
                    "label": int(row["label"]),
                    "method": row["method"],
                    "source": row["source"],
                }
                for row in csv.DictReader(lines)
                if row["split"] == data.name
            ]
    return [
        {"path": v.path, "label": v.label, "method": v.method, "source": v.source_id}
        for v in read_folder(data, split="val")
    ]


def score(rows: list[dict[str, Any]], name: str, weights: str | None) -> list[dict[str, Any]]:
    """Scans every video; adds its logit (None: no face could decide), face size and clips."""
    how = get_card(name).aggregate
    given = {name: weights} if weights else None
    for number, row in enumerate(rows):
        verdict = unmask.scan(row["path"], [name], weights=given, calibrations=[])
        row["logit"] = video_logit(verdict.clip_scores, name, how, MIN_FACE_PX)
        row["face_px"] = max((f.face_px for f in verdict.faces), default=0.0)
        row["clips"] = len(verdict.clip_scores)
        row["clip_logits"] = {
            str(face.track_id): [
                round(s.logit, 2) for s in verdict.clip_scores if s.track_id == face.track_id
            ]
            for face in verdict.faces
        }
        row["scores"] = verdict.clip_scores
        row["sha256"] = verdict.detectors[0].sha256
        shown = "no decision" if row["logit"] is None else f"{row['logit']:.3f}"
        print(f"{number + 1}/{len(rows)} {row['label']} {shown} {row['path'].name}", flush=True)
    return rows


def auc(label: np.ndarray, logit: np.ndarray) -> float:
    """AUC, or NaN for one class."""
    return float(roc_auc_score(label, logit)) if 0 < label.sum() < len(label) else float("nan")


def bootstrap(
    groups: np.ndarray, figure: Callable[[np.ndarray], float], resamples: int = RESAMPLES
) -> list[float]:
    """95 % interval of a figure of indices, resampling whole groups."""
    rng = np.random.default_rng(0)
    members = [np.flatnonzero(groups == g) for g in np.unique(groups)]
    values = []
    for _ in range(resamples):
        chosen = rng.integers(len(members), size=len(members))
        values.append(figure(np.concatenate([members[i] for i in chosen])))
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return [round(float(low), 3), round(float(high), 3)]


def wilson(hits: int, count: int) -> list[float]:
    """95 % interval of a share (Wilson)."""
    if count == 0:
        return [0.0, 1.0]
    bounds = binomtest(hits, count).proportion_ci(method="wilson")
    return [round(float(bounds.low), 3), round(float(bounds.high), 3)]


def within_sources(label: np.ndarray, logit: np.ndarray, source: np.ndarray) -> dict[str, Any]:
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
    return {
        "within_source_auc_mean": round(float(np.mean([w["auc"] for w in within.values()])), 3),
        "within_source_auc_interval": bootstrap(
            source, lambda i: _within_mean(label[i], logit[i], source[i])
        ),
        "within_source": within,
    }


def line(real: Sequence[float], rate: float) -> float:
    """The conformal threshold, raised to the next thousandth.

    The same video's score differs in the seventh digit with the number of threads, and the real
    video that the threshold comes from must not pass it by that.
    """
    return math.ceil(conformal_threshold(real, rate) * 1000) / 1000


def figures(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """All figures of the scored rows."""
    able = [r for r in rows if r["logit"] is not None]
    label = np.array([r["label"] for r in able])
    logit = np.array([r["logit"] for r in able])
    source = np.array([r["source"] for r in able])
    threshold = line(list(logit[label == 0]), FALSE_ALARM_RATE)
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
        **within_sources(label, logit, source),
        "pooled_auc": round(auc(label, logit), 3),
        "pooled_auc_interval": bootstrap(source, lambda i: auc(label[i], logit[i])),
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
        limit = line(list(others), FALSE_ALARM_RATE)
        alarms += int((logit[(label == 0) & (source == name)] >= limit).sum())
    return alarms


def calibration(
    rows: list[dict[str, Any]], result: dict[str, Any], name: str, data: str
) -> Calibration:
    """The calibration that the scores support; without a probability if they do not order."""
    able = [r for r in rows if r["logit"] is not None]
    label = np.array([r["label"] for r in able])
    logit = np.array([r["logit"] for r in able])
    threshold = line(list(logit[label == 0]), FALSE_ALARM_RATE)
    lower = min(line(list(logit[label == 0]), CAUTION_RATE), threshold)
    slope: float | None = None
    intercept: float | None = None
    # A probability is given only if the scores order the classes beyond doubt.
    if result["pooled_auc_interval"][0] > 0.5 and result["within_source_auc_interval"][0] > 0.5:
        fit = LogisticRegression(class_weight="balanced").fit(logit[:, None], label)
        slope, intercept = float(fit.coef_[0, 0]), float(fit.intercept_[0])
    return Calibration(
        name=f"{name} on {Path(data).name}, {datetime.date.today().isoformat()}",
        detector=name,
        weights_sha256=able[0]["sha256"],
        threshold=threshold,
        lower=lower,
        target_false_alarm_rate=FALSE_ALARM_RATE,
        real_videos=int((label == 0).sum()),
        false_alarms=int((logit[label == 0] >= threshold).sum()),
        fake_videos=int(label.sum()),
        fakes_found=int((logit[label == 1] >= threshold).sum()),
        data=f"{len(able)} videos of the media pack's {Path(data).name} split",
        date=datetime.date.today().isoformat(),
        slope=slope,
        intercept=intercept,
        min_face_px=MIN_FACE_PX,
    )


def main(arguments: list[str]) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks calibrate")
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("-d", "--detector", default="screener")
    parser.add_argument("-w", "--weights")
    parser.add_argument("--name", help="of the result file")
    parser.add_argument("--calibrate", type=Path, help="writes the calibration to this file")
    given = parser.parse_args(arguments)
    rows = score(read_rows(given.data.resolve()), given.detector, given.weights)
    result = figures(rows)
    able = [row for row in rows if row["logit"] is not None]
    result["other_ways"] = other_ways(able, result["threshold"])
    listed = [
        {k: v for k, v in row.items() if k not in ("sha256", "scores")} | {"path": row["path"].name}
        for row in rows
    ]
    path = _result.write(
        given.name or f"calibration_{given.detector}",
        "python -m benchmarks calibrate " + " ".join(arguments),
        {
            "detector": given.detector,
            "weights": given.weights,
            "weights_sha256": rows[0]["sha256"],
            **result,
            "scores": listed,
        },
    )
    for key, value in result.items():
        print(f"{key}: {value}")
    if given.calibrate:
        write_calibration(
            calibration(rows, result, given.detector, str(given.data)), given.calibrate
        )
    print(path)
    return 0
