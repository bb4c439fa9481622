"""Figures as functions of how often each item counts, so that two candidates' can be subtracted."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from benchmarks.candidates import _folds
from benchmarks.candidates._pairs import Pairs
from unmask.calibrate.intervals import (
    ScoredVideos,
    Statistic,
    Values,
    auc_within,
    count_text,
    likelihood_metrics,
    pooled_auc,
    share_of,
)
from unmask.metrics import auc


def balanced_accuracy(over: Values, videos: ScoredVideos) -> Statistic:
    """Mean of the share of forgeries found and the share of real videos left in peace."""
    found = share_of(over, videos.label == 1, videos.source)
    alarms = share_of(over, videos.label == 0, videos.source)
    return Statistic(
        lambda w: (found.measure(w) + 1 - alarms.measure(w)) / 2, videos.source, count_text(videos)
    )


def pair_figures(pairs: Pairs) -> dict[str, Statistic]:
    """Share of pairs in the right order, AUC over single clips, and IoU of the mask at 0.5."""
    count = f"{len(pairs.real)} pairs of {len(np.unique(pairs.source))} sources"
    right = (pairs.forged > pairs.real) + (pairs.forged == pairs.real) / 2
    label = np.repeat([0.0, 1.0], len(pairs.real))
    logits = np.concatenate([pairs.real, pairs.forged])
    found = {
        "pairs in order": Statistic(_mean_of(right), pairs.source, count),
        "AUC": Statistic(lambda w: auc(label, logits, weights=np.tile(w, 2)), pairs.source, count),
    }
    if pairs.iou is not None:
        found["mask IoU"] = Statistic(_mean_of(pairs.iou), pairs.source, count)
    return found


def _mean_of(values: Values) -> Callable[[Values], Values]:
    return lambda w: (w @ values) / w.sum(axis=1)


def figures_of(
    videos: Mapping[str, ScoredVideos], pairs: Mapping[str, Pairs], rate: float
) -> dict[str, Statistic]:
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
        "AUC within sources": auc_within(plain, plain.source, "sources"),
        "AUC within sources, by tool": auc_within(plain, plain.tool, "tools"),
        "pooled AUC": pooled_auc(plain),
    }
    for name, values in over.items():
        found[f"found, {name} threshold of other sources"] = share_of(
            values, plain.label == 1, plain.source
        )
        found[f"false alarms, {name} threshold of other sources"] = share_of(
            values, plain.label == 0, plain.source
        )
        found[f"balanced accuracy, {name} threshold of other sources"] = balanced_accuracy(
            values, plain
        )
    logits = _folds.scaled(plain, folds, _folds.fit_apart(plain, folds, _folds.platt))
    for name, figure in likelihood_metrics(logits, plain).items():
        found[f"{name}, scaling of other sources"] = figure
    for name, changed in videos.items():
        if changed is not plain:
            found[f"pooled AUC, {name}"] = pooled_auc(changed)
            found[f"AUC within sources, {name}"] = auc_within(changed, changed.source, "sources")
    for name, one in pairs.items():
        for what, figure in pair_figures(one).items():
            found[f"{what}, pseudo-forgeries, {name}"] = figure
    return found


def _over(
    videos: ScoredVideos, folds: list[_folds.Fold], fit: Callable[[ScoredVideos], float]
) -> Values:
    return _folds.over_thresholds(videos, folds, _folds.fit_apart(videos, folds, fit))
