"""How far a value would move if other videos had been drawn.

A real video and all forgeries made of it share their scenes and faces: they are drawn together
or not at all. Drawing videos one by one would give intervals that are too narrow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from unmask.errors import DataError, NotMeasurableError, UsageError
from unmask.metrics._check import Indices, Values

Measure = Callable[[Values], Values]
"""Weights (R, N), how often each of N items counts in each of R resamples, to (R,) values."""

_ITEMS_AT_ONCE = 2**18  # weights of 2 MB, and as much for each of a measure's steps


class Interval(NamedTuple):
    """A value, and where it would lie if the sources had been drawn anew.

    Attributes:
        value: on the items as they are.
        low, high: percentiles of the resamples.
        items: how many were measured (n).
        sources: how many independent clusters they come from.
        resamples: how many had a value; one that lacks a class has none.
    """

    value: float
    low: float
    high: float
    items: int
    sources: int
    resamples: int


def bootstrap_intervals(
    measures: Mapping[str, Measure],
    sources: ArrayLike,
    *,
    resamples: int = 10_000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Interval]:
    """Percentile intervals of several values by one cluster bootstrap.

    All measures see the same draws, so the difference of two detectors on the same items is a
    measure too: ``lambda w: auc(y, a, weights=w) - auc(y, b, weights=w)``. The same seed gives
    the same intervals.

    Args:
        measures: by name; each takes weights (R, N) and returns (R,), NaN where it has no value.
        sources: (N,), the ``source_id`` of each item, or its number.
        resamples: at least 1.
        level: share of the resamples inside the interval, between 0 and 1.
        seed: of the draws.

    Returns:
        By the same names. An interval of a value at its bound (an AUC of 1) has no width: that
        is the method's limit, not certainty.

    Raises:
        DataError: no item, or an empty source.
        NotMeasurableError: a single source, or a measure without value in over half of the
            resamples or on the items themselves.
        UsageError: ``resamples`` or ``level`` out of range.

    >>> from unmask.metrics import auc
    >>> y, scores = [0, 1, 0, 1, 0, 1], [1.0, 3.0, 2.0, 4.0, 3.5, 5.0]
    >>> found = bootstrap_intervals(
    ...     {"AUC": lambda w: auc(y, scores, weights=w)}, ["a", "a", "b", "b", "c", "c"]
    ... )
    >>> found["AUC"].sources, found["AUC"].low <= found["AUC"].value <= found["AUC"].high
    (3, True)
    """
    if resamples < 1 or not 0 < level < 1:
        raise UsageError(
            f"Cannot draw {resamples} resamples for a level of {level:g}: expected at least 1 "
            "and a level between 0 and 1. 10000 and 0.95 are usual."
        )
    cluster = _clusters(sources)
    clusters = int(cluster.max()) + 1
    if clusters < 2:
        raise NotMeasurableError(
            f"Not measurable: an interval needs at least 2 sources, got 1 for {len(cluster)} "
            "items. Add videos of other people or leave the interval out."
        )
    drawn: dict[str, list[Values]] = {name: [] for name in measures}
    for weights in _draws(cluster, clusters, resamples, np.random.default_rng(seed)):
        for name, measure in measures.items():
            drawn[name].append(measure(weights))
    whole = np.ones((1, len(cluster)))
    tails = [(1 - level) / 2, (1 + level) / 2]
    return {
        name: _interval(name, float(measure(whole)[0]), np.concatenate(drawn[name]), tails, cluster)
        for name, measure in measures.items()
    }


def _clusters(sources: ArrayLike) -> Indices:
    """(N,), the number of each item's cluster."""
    values = np.asarray(sources)
    if values.ndim != 1 or not len(values):
        raise DataError(
            f"Cannot draw sources: expected one per item, shape (N,) with N at least 1, got shape "
            f"{values.shape}. Give a list of source ids."
        )
    empty = values == ""
    if np.any(empty):
        raise DataError(
            f"Cannot draw sources: the source at index {int(np.argmax(empty))} is empty "
            f"({int(np.sum(empty))} of {len(values)} are); expected the id that a real video "
            "shares with its forgeries. Fill source_id, or give each video its own."
        )
    return np.unique(values, return_inverse=True)[1]


def _draws(
    cluster: Indices, clusters: int, resamples: int, random: np.random.Generator
) -> Iterator[Values]:
    """Weights (r, N) of a few resamples at a time: how often each item's cluster was drawn."""
    rows = max(1, _ITEMS_AT_ONCE // len(cluster))
    for start in range(0, resamples, rows):
        count = min(rows, resamples - start)
        chosen = random.integers(0, clusters, size=(count, clusters))
        chosen += np.arange(count)[:, None] * clusters
        times = np.bincount(chosen.ravel(), minlength=count * clusters).astype(np.float64)
        yield np.take(times.reshape(count, clusters), cluster, axis=1)


def _interval(
    name: str, value: float, values: Values, tails: list[float], cluster: Indices
) -> Interval:
    """The percentiles of the resamples that have a value."""
    known = values[~np.isnan(values)]
    if np.isnan(value) or 2 * len(known) < len(values):
        raise NotMeasurableError(
            f"Not measurable: {name} has a value in {len(known)} of {len(values)} resamples, at "
            "least half are needed. Add videos of the class that has few sources."
        )
    low, high = np.quantile(known, tails)
    sources = int(cluster.max()) + 1
    return Interval(value, float(low), float(high), len(cluster), sources, len(known))
