"""What a calibration is worth on sources that it was not fitted on."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np

from unmask.calibrate.copies import Copies, Values
from unmask.calibrate.fit import apply, classes_of, fit, folds_of
from unmask.calibrate.intervals import (
    Estimate,
    Statistic,
    auc_within,
    difference,
    estimate,
    least_ece,
    likelihood_metrics,
    pooled_auc,
    share_of,
    value_of,
)
from unmask.types import LeftOutRates, Rate

_SHARES = ("false alarms", "nothing found in real ones", "found", "misses")

LEAST_CALIBRATED = 8
"""Copies of each label below which nothing is said of probabilities."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Scores (N,) and bounds (N,) of copies, by fits that did not see their source."""

    score: Values
    threshold: Values
    lower: Values
    is_ordered: bool

    def __getitem__(self, chosen: np.ndarray) -> Judged:
        return Judged(
            self.score[chosen], self.threshold[chosen], self.lower[chosen], self.is_ordered
        )


class LeftOut(NamedTuple):
    """Metrics of copies whose source was left out, and how many of each label they are of."""

    real: int
    fake: int
    metrics: dict[str, Estimate]
    least_ece: float | None = None


def judge_left_out(copies: Copies, rate: float) -> Judged:
    """Each source judged by what the others give.

    Raises:
        DataError: without one of the sources there is too little to fit on.
    """
    classes = classes_of(copies)
    found = np.full((3, len(copies)), np.nan)
    is_ordered = True
    for out in folds_of(copies.source):
        fitted = fit(copies[~out], classes, rate)
        found[:, out] = apply(fitted, copies[out])
        is_ordered &= fitted.is_ordered
    score, threshold, lower = found
    return Judged(score, threshold, lower, is_ordered)


def measure_left_out(copies: Copies, judged: Judged, resamples: int) -> LeftOut:
    """Shares of the three answers by label, areas, and how true the probabilities are."""
    over = (judged.score >= judged.threshold).astype(np.float64)
    under = (judged.score < judged.lower).astype(np.float64) * (1 - over)
    videos = copies.scored(judged.score)
    real, fake = copies.label == 0, copies.label == 1
    metrics: dict[str, Statistic] = {}
    for name, hit, of in (
        ("false alarms", over, real),
        ("found", over, fake),
        ("misses", under, fake),
        ("nothing found in real ones", under, real),
    ):
        if of.any():
            metrics[name] = share_of(hit, of, copies.source)
    if real.any() and fake.any():
        metrics["pooled AUC"] = pooled_auc(videos)
        within = auc_within(videos, copies.source, "sources")
        if value_of(within) is not None:
            metrics["AUC within sources"] = within
        if judged.is_ordered and min(real.sum(), fake.sum()) >= LEAST_CALIBRATED:
            metrics |= likelihood_metrics(judged.score, videos)
    return LeftOut(
        real=int(real.sum()),
        fake=int(fake.sum()),
        metrics={name: estimate(one, resamples) for name, one in metrics.items()},
        least_ece=least_ece(judged.score) if "ECE" in metrics else None,
    )


def rates_of(found: LeftOut) -> LeftOutRates | None:
    """The rates of answers as a calibration keeps them; None where one has no interval."""
    rates = [_rate(found.metrics.get(name)) for name in _SHARES]
    if any(rate is None for rate in rates):
        return None
    false_alarms, cleared, hits, missed = (rate for rate in rates if rate is not None)
    return LeftOutRates(false_alarms=false_alarms, cleared=cleared, found=hits, missed=missed)


def _rate(share: Estimate | None) -> Rate | None:
    if share is None or share.hits is None or share.low is None or share.high is None:
        return None
    return Rate(
        hits=share.hits[0],
        videos=share.hits[1],
        interval=(round(share.low, 4), round(share.high, 4)),
    )


def compare_with_first(copies: Copies, rate: float, resamples: int) -> dict[str, Estimate]:
    """The panel against its first member alone, on videos as they are, each source left out."""
    plain = copies.condition == ""
    first = dataclasses.replace(copies, logit=copies.logit[:, :1])
    both = [copies[plain].scored(judge_left_out(one, rate).score[plain]) for one in (copies, first)]
    areas = [auc_within(videos, videos.source, "sources") for videos in both]
    losses = [likelihood_metrics(videos.logit, videos)["Cllr"] for videos in both]
    return {
        "AUC within sources, panel": estimate(areas[0], resamples),
        "AUC within sources, first alone": estimate(areas[1], resamples),
        "AUC within sources, difference": difference(areas[0], areas[1], resamples),
        "Cllr, panel": estimate(losses[0], resamples),
        "Cllr, first alone": estimate(losses[1], resamples),
        "Cllr, difference": difference(losses[0], losses[1], resamples),
    }


def is_better(compared: dict[str, Estimate]) -> bool:
    """Whether a panel ranks better than its first member alone, and loses less."""
    area, loss = compared["AUC within sources, difference"], compared["Cllr, difference"]
    return (area.value or 0) > 0 and (loss.value or 0) < 0
