"""Figures as functions of how often each item counts, so that two candidates' can be subtracted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks._shares import wilson
from benchmarks.candidates import _folds
from benchmarks.candidates._pairs import Pairs
from benchmarks.candidates._scores import Videos
from unmask.errors import NotMeasurableError
from unmask.metrics import auc, bootstrap_intervals
from unmask.metrics.calibration import brier_score, calibration_error, cllr

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """``measure`` maps weights (R, N) to (R,) values; ``source`` (N,) is drawn as a whole.

    ``items`` tells what n is; ``hits`` of how many, where the figure is a plain share.
    """

    measure: Callable[[Values], Values]
    source: NDArray[np.str_]
    items: str
    hits: tuple[int, int] | None = None


class Estimate(NamedTuple):
    """A value with its 95 % interval, or why there is none."""

    value: float | None
    low: float | None
    high: float | None
    items: str
    note: str = ""

    def plain(self) -> dict[str, object]:
        """For JSON."""
        ends = None if self.low is None else [_short(self.low), _short(self.high)]
        told: dict[str, object] = {"value": _short(self.value), "interval": ends, "n": self.items}
        return {**told, "note": self.note} if self.note else told


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def estimate(figure: Figure, resamples: int) -> Estimate:
    """The value with the interval of a bootstrap over sources.

    A share's interval is at least as wide as Wilson's: a bootstrap of no alarms at all has no
    width.
    """
    try:
        found = bootstrap_intervals({"figure": figure.measure}, figure.source, resamples=resamples)
    except NotMeasurableError as error:
        value = _alone(figure)
        return Estimate(value, None, None, figure.items, str(error))
    one = found["figure"]
    low, high = one.low, one.high
    if figure.hits is not None:
        bounds = wilson(*figure.hits)
        low, high = min(low, bounds[0]), max(high, bounds[1])
    return Estimate(one.value, low, high, figure.items)


def _alone(figure: Figure) -> float | None:
    """The value where no interval can be had."""
    try:
        value = float(figure.measure(np.ones((1, len(figure.source))))[0])
    except NotMeasurableError:
        return None
    return None if np.isnan(value) else value


def difference(a: Figure, b: Figure, resamples: int) -> Estimate:
    """``a`` less ``b``, both on the same draws of sources; their items need not be the same."""
    first = len(a.source)
    both = Figure(
        lambda w: a.measure(w[:, :first]) - b.measure(w[:, first:]),
        np.concatenate([a.source, b.source]),
        a.items if a.items == b.items else f"{a.items}; {b.items}",
    )
    return estimate(both, resamples)


def within_cells(videos: Videos, cells: NDArray[np.str_], of: str) -> Figure:
    """Mean of the AUCs of each cell's forgeries against the real videos of the same source.

    ``cells`` (N,) are sources or tools. A source's videos are drawn together, so a cell's AUC does
    not move: what varies is which cells are drawn. Undecided videos rank lowest.
    """
    ranked = np.nan_to_num(videos.logit, nan=-np.inf)
    areas, at = [], []
    for source in np.unique(videos.source):
        in_source = videos.source == source
        reals = in_source & (videos.label == 0)
        for cell in np.unique(cells[in_source & (videos.label == 1)]):
            both = reals | (in_source & (videos.label == 1) & (cells == cell))
            if reals.any():
                areas.append(auc(videos.label[both], ranked[both]))
                at.append(int(np.flatnonzero(in_source)[0]))

    def measure(weights: Values) -> Values:
        times = weights[:, at]
        total = times.sum(axis=1)
        return np.where(total > 0, times @ np.array(areas), np.nan) / np.where(total, total, 1)

    return Figure(measure, videos.source, f"{len(areas)} {of} with both classes")


def pooled_auc(videos: Videos) -> Figure:
    """AUC over all videos; undecided ones rank lowest."""
    ranked = np.nan_to_num(videos.logit, nan=-np.inf)
    return Figure(lambda w: auc(videos.label, ranked, weights=w), videos.source, told(videos))


def told(videos: Videos) -> str:
    """How many real and forged videos, and how many of them were not decided on."""
    undecided = int((~videos.is_decided).sum())
    text = f"{int((videos.label == 0).sum())} real, {int(videos.label.sum())} forged"
    return f"{text}, {undecided} undecided" if undecided else text


def share_over(over: Values, chosen: NDArray[np.bool_], source: NDArray[np.str_]) -> Figure:
    """Share of the chosen videos (N,) whose ``over`` (N,) is 1."""
    hits, count = int(over[chosen].sum()), int(chosen.sum())

    def measure(weights: Values) -> Values:
        times = weights[:, chosen]
        total = times.sum(axis=1)
        return np.where(total > 0, times @ over[chosen], np.nan) / np.where(total, total, 1)

    return Figure(measure, source, f"{hits} of {count}", (hits, count))


def balanced_accuracy(over: Values, videos: Videos) -> Figure:
    """Mean of the share of forgeries found and the share of real videos left in peace."""
    found = share_over(over, videos.label == 1, videos.source)
    alarms = share_over(over, videos.label == 0, videos.source)
    return Figure(
        lambda w: (found.measure(w) + 1 - alarms.measure(w)) / 2, videos.source, told(videos)
    )


def calibration(logits: Values, videos: Videos) -> dict[str, Figure]:
    """ECE, Brier and Cllr of log-odds (N,) at equal priors; undecided videos have none."""
    is_told = ~np.isnan(logits)
    labels, stated = videos.label[is_told], logits[is_told]
    source, count = videos.source[is_told], told(videos[is_told])
    return {
        "ECE": Figure(
            lambda w: calibration_error(labels, stated, weights=alike(w, labels)), source, count
        ),
        "Brier": Figure(
            lambda w: brier_score(labels, stated, weights=alike(w, labels)), source, count
        ),
        "Cllr": Figure(lambda w: cllr(labels, stated, weights=w), source, count),
    }


def alike(weights: Values, labels: Values) -> Values:
    """Weights (R, N) that give both classes the same sum; zeros in a resample that lacks one."""
    sums = [weights @ (labels == label) for label in (0.0, 1.0)]
    has_both = (sums[0] > 0) & (sums[1] > 0)
    scale = [np.where(has_both, 1 / np.where(total > 0, total, 1), 0) for total in sums]
    return weights * np.where(labels[None] == 0, scale[0][:, None], scale[1][:, None])


def least_ece(logits: Values, seed: int = 0, draws: int = 500) -> float:
    """The mean ECE if the stated probabilities were true: what so few items show at the least."""
    stated = logits[~np.isnan(logits)]
    truth = np.random.default_rng(seed).random((draws, len(stated))) < 1 / (1 + np.exp(-stated))
    return float(np.mean([calibration_error(labels, stated) for labels in truth]))


def pair_figures(pairs: Pairs) -> dict[str, Figure]:
    """Share of pairs in the right order, AUC over single clips, and IoU of the mask at 0.5."""
    count = f"{len(pairs.real)} pairs of {len(np.unique(pairs.source))} sources"
    right = (pairs.forged > pairs.real) + (pairs.forged == pairs.real) / 2
    label = np.repeat([0.0, 1.0], len(pairs.real))
    logits = np.concatenate([pairs.real, pairs.forged])
    found = {
        "pairs in order": Figure(_mean_of(right), pairs.source, count),
        "AUC": Figure(lambda w: auc(label, logits, weights=np.tile(w, 2)), pairs.source, count),
    }
    if pairs.iou is not None:
        found["mask IoU"] = Figure(_mean_of(pairs.iou), pairs.source, count)
    return found


def _mean_of(values: Values) -> Callable[[Values], Values]:
    return lambda w: (w @ values) / w.sum(axis=1)


def figures_of(
    videos: Mapping[str, Videos], pairs: Mapping[str, Pairs], rate: float
) -> dict[str, Figure]:
    """All figures of a candidate, by their names in the tables.

    Args:
        videos: its scores by condition; those of "as they are" are in every figure else.
        pairs: pseudo-forgeries by set.
        rate: of false alarms that thresholds are drawn for.
    """
    plain = videos["as they are"]
    folds = _folds.by_source(plain)
    over = {
        "conformal": _over(plain, folds, _folds.conformal(rate)),
        "balanced": _over(plain, folds, _folds.balanced),
    }
    found = {
        "AUC within sources": within_cells(plain, plain.source, "sources"),
        "AUC within sources, by tool": within_cells(plain, plain.tool, "tools"),
        "pooled AUC": pooled_auc(plain),
    }
    for name, values in over.items():
        found[f"found, {name} threshold of other sources"] = share_over(
            values, plain.label == 1, plain.source
        )
        found[f"false alarms, {name} threshold of other sources"] = share_over(
            values, plain.label == 0, plain.source
        )
        found[f"balanced accuracy, {name} threshold of other sources"] = balanced_accuracy(
            values, plain
        )
    logits = _folds.scaled(plain, folds, _folds.fit_apart(plain, folds, _folds.platt))
    for name, figure in calibration(logits, plain).items():
        found[f"{name}, scaling of other sources"] = figure
    for name, changed in videos.items():
        if changed is not plain:
            found[f"pooled AUC, {name}"] = pooled_auc(changed)
            found[f"AUC within sources, {name}"] = within_cells(changed, changed.source, "sources")
    for name, one in pairs.items():
        for what, figure in pair_figures(one).items():
            found[f"{what}, pseudo-forgeries, {name}"] = figure
    return found


def _over(videos: Videos, folds: list[_folds.Fold], fit: Callable[[Videos], float]) -> Values:
    return _folds.over_thresholds(videos, folds, _folds.fit_apart(videos, folds, fit))
