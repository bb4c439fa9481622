"""Metrics as functions of how often each video counts, with intervals over sources.

A metric in this form can be measured on resampled sources, and subtracted from another one on the
same draws.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unmask.errors import NotMeasurableError
from unmask.metrics import auc, bootstrap_intervals
from unmask.metrics.calibration import brier_score, calibration_error, cllr
from unmask.metrics.share import wilson_interval

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ScoredVideos:
    """Scores of N videos by one detector; NaN: no face could decide.

    ``label`` (N,) 1 = fake; ``logit`` (N,) is what a scan compares with its threshold;
    ``source``, ``tool`` and ``path`` (N,) are texts, a real video's tool is empty.
    """

    label: Values
    logit: Values
    source: NDArray[np.str_]
    tool: NDArray[np.str_]
    path: NDArray[np.str_]

    @property
    def is_decided(self) -> NDArray[np.bool_]:
        """(N,), whether a face could decide."""
        return ~np.isnan(self.logit)

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> ScoredVideos:
        return ScoredVideos(
            self.label[chosen],
            self.logit[chosen],
            self.source[chosen],
            self.tool[chosen],
            self.path[chosen],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Statistic:
    """A metric of N videos.

    Attributes:
        measure: maps weights (R, N) to (R,) values.
        source: (N,), drawn as a whole.
        items: says in words what n is.
        hits: (hits, trials), where the metric is a plain share.
    """

    measure: Callable[[Values], Values]
    source: NDArray[np.str_]
    items: str
    hits: tuple[int, int] | None = None


class Estimate(NamedTuple):
    """A value with its 95 % interval; ``note`` says why where there is none; see ``Statistic``."""

    value: float | None
    low: float | None
    high: float | None
    items: str
    note: str = ""
    hits: tuple[int, int] | None = None

    def plain(self) -> dict[str, object]:
        """The same for JSON, rounded."""
        ends = None if self.low is None else [_rounded(self.low), _rounded(self.high)]
        entry: dict[str, object] = {
            "value": _rounded(self.value),
            "interval": ends,
            "n": self.items,
        }
        return {**entry, "note": self.note} if self.note else entry


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def estimate(statistic: Statistic, resamples: int) -> Estimate:
    """The value with the interval of a bootstrap over sources.

    A share's interval is at least as wide as Wilson's: a bootstrap of no alarms at all has no
    width.
    """
    try:
        found = bootstrap_intervals(
            {"value": statistic.measure}, statistic.source, resamples=resamples
        )
    except NotMeasurableError as error:
        value = value_of(statistic)
        return Estimate(value, None, None, statistic.items, str(error), statistic.hits)
    interval = found["value"]
    low, high = interval.low, interval.high
    if statistic.hits is not None:
        bounds = wilson_interval(*statistic.hits)
        low, high = min(low, bounds[0]), max(high, bounds[1])
    return Estimate(interval.value, low, high, statistic.items, hits=statistic.hits)


def value_of(statistic: Statistic) -> float | None:
    """The value on the videos as they are; None where it cannot be measured."""
    try:
        value = float(statistic.measure(np.ones((1, len(statistic.source))))[0])
    except NotMeasurableError:
        return None
    return None if np.isnan(value) else value


def difference(a: Statistic, b: Statistic, resamples: int) -> Estimate:
    """``a`` less ``b``, both on the same draws of sources; their videos need not be the same."""
    first = len(a.source)
    both = Statistic(
        lambda w: a.measure(w[:, :first]) - b.measure(w[:, first:]),
        np.concatenate([a.source, b.source]),
        a.items if a.items == b.items else f"{a.items}; {b.items}",
    )
    return estimate(both, resamples)


def auc_within(videos: ScoredVideos, groups: NDArray[np.str_], noun: str) -> Statistic:
    """Mean of the AUCs of each group's fakes against the real videos of the same source.

    A source's videos are drawn together, so a group's AUC does not move: what varies is which
    groups are drawn. Undecided videos rank lowest.

    Args:
        videos: scored.
        groups: (N,), their sources or tools.
        noun: what the groups are called.
    """
    ranked = np.nan_to_num(videos.logit, nan=-np.inf)
    areas, at = [], []
    for source in np.unique(videos.source):
        in_source = videos.source == source
        reals = in_source & (videos.label == 0)
        for group in np.unique(groups[in_source & (videos.label == 1)]):
            both = reals | (in_source & (videos.label == 1) & (groups == group))
            if reals.any():
                areas.append(auc(videos.label[both], ranked[both]))
                at.append(int(np.flatnonzero(in_source)[0]))

    def measure(weights: Values) -> Values:
        times = weights[:, at]
        total = times.sum(axis=1)
        return np.where(total > 0, times @ np.array(areas), np.nan) / np.where(total, total, 1)

    return Statistic(measure, videos.source, f"{len(areas)} {noun} with both classes")


def pooled_auc(videos: ScoredVideos) -> Statistic:
    """AUC over all videos; undecided ones rank lowest."""
    ranked = np.nan_to_num(videos.logit, nan=-np.inf)
    return Statistic(
        lambda w: auc(videos.label, ranked, weights=w), videos.source, count_text(videos)
    )


def count_text(videos: ScoredVideos) -> str:
    """How many real and forged videos, and how many of them were not decided on."""
    undecided = int((~videos.is_decided).sum())
    text = f"{int((videos.label == 0).sum())} real, {int(videos.label.sum())} forged"
    return f"{text}, {undecided} undecided" if undecided else text


def share_of(hit: Values, chosen: NDArray[np.bool_], source: NDArray[np.str_]) -> Statistic:
    """Share of the chosen videos (N,) whose ``hit`` (N,) is 1."""
    hits, trials = int(hit[chosen].sum()), int(chosen.sum())

    def measure(weights: Values) -> Values:
        times = weights[:, chosen]
        total = times.sum(axis=1)
        return np.where(total > 0, times @ hit[chosen], np.nan) / np.where(total, total, 1)

    return Statistic(measure, source, f"{hits} of {trials}", (hits, trials))


def likelihood_metrics(logits: Values, videos: ScoredVideos) -> dict[str, Statistic]:
    """ECE, Brier and Cllr of log-odds (N,) at equal priors; undecided videos have none."""
    is_known = ~np.isnan(logits)
    labels, stated = videos.label[is_known], logits[is_known]
    source, items = videos.source[is_known], count_text(videos[is_known])
    return {
        "ECE": Statistic(
            lambda w: calibration_error(labels, stated, weights=balanced(w, labels)), source, items
        ),
        "Brier": Statistic(
            lambda w: brier_score(labels, stated, weights=balanced(w, labels)), source, items
        ),
        "Cllr": Statistic(lambda w: cllr(labels, stated, weights=w), source, items),
    }


def balanced(weights: Values, labels: Values) -> Values:
    """Weights (R, N) that give both classes the same sum; zeros in a resample without one."""
    sums = [weights @ (labels == label) for label in (0.0, 1.0)]
    has_both = (sums[0] > 0) & (sums[1] > 0)
    scale = [np.where(has_both, 1 / np.where(total > 0, total, 1), 0) for total in sums]
    return weights * np.where(labels[None] == 0, scale[0][:, None], scale[1][:, None])


def least_ece(logits: Values, seed: int = 0, draws: int = 500) -> float:
    """The mean ECE if the stated probabilities were true: what so few videos show at the least."""
    stated = logits[~np.isnan(logits)]
    truth = np.random.default_rng(seed).random((draws, len(stated))) < 1 / (1 + np.exp(-stated))
    return float(np.mean([calibration_error(labels, stated) for labels in truth]))
