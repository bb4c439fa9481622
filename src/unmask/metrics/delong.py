"""Whether two detectors' AUCs on the same items differ by more than chance."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from unmask.errors import DataError, NotMeasurableError, UsageError
from unmask.metrics._check import (
    Flags,
    Indices,
    Values,
    check_labels,
    check_scores,
    require_both_classes,
)


class AucComparison(NamedTuple):
    """Two AUCs on the same items.

    Attributes:
        auc_a, auc_b: of the two detectors.
        difference: ``auc_a - auc_b``.
        low, high: interval of the difference.
        standard_error: of the difference.
        p_value: two-sided, for "the AUCs are equal".
    """

    auc_a: float
    auc_b: float
    difference: float
    low: float
    high: float
    standard_error: float
    p_value: float


def compare_auc(
    labels: ArrayLike,
    scores_a: ArrayLike,
    scores_b: ArrayLike,
    *,
    sources: ArrayLike | None = None,
    level: float = 0.95,
) -> AucComparison:
    """Paired test of two AUCs (DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44).

    With ``sources``, items of one source may depend on each other: the variance is then that of
    Obuchowski 1997, Biometrics 53, which equals DeLong's if every item is a source of its own.

    Args:
        labels: (N,), 1 = fake; at least two of each class.
        scores_a: (N,), of one detector, higher = more likely fake.
        scores_b: (N,), of the other, for the same items in the same order.
        sources: (N,), the ``source_id`` of each item; None: all items are independent.
        level: of the interval, between 0 and 1.

    Raises:
        DataError: lengths differ, a label is not 0 or 1, a score is NaN.
        NotMeasurableError: fewer than two items, or sources, of a class, or AUCs that differ
            without any variance to judge it by.
        UsageError: ``level`` out of range.

    >>> found = compare_auc([0, 0, 0, 1, 1, 1], [1, 2, 4, 3, 5, 6], [1, 4, 5, 3, 2, 6])
    >>> round(found.difference, 4), round(found.standard_error, 4), round(found.p_value, 4)
    (0.3333, 0.2722, 0.2207)
    """
    if not 0 < level < 1:
        raise UsageError(
            f"Cannot give an interval of level {level:g}: expected between 0 and 1. 0.95 is usual."
        )
    first = check_scores(scores_a, "score of the first detector")
    second = check_scores(scores_b, "score of the second detector")
    is_fake = check_labels(labels, len(first))
    if len(second) != len(first):
        raise DataError(
            f"Cannot compare: expected scores of the same items, got {len(first)} and "
            f"{len(second)}. Leave out the items that one detector did not score."
        )
    require_both_classes(is_fake, least=2)
    cluster = _clusters(sources, is_fake)
    placed_a, placed_b = _placements(first, is_fake), _placements(second, is_fake)
    auc_a, auc_b = float(placed_a[is_fake].mean()), float(placed_b[is_fake].mean())
    difference = auc_a - auc_b
    error = math.sqrt(max(_variance(placed_a - placed_b, is_fake, cluster), 0.0))
    if error < 1e-12 and abs(difference) > 1e-12:
        raise NotMeasurableError(
            f"Not measurable: the AUCs {auc_a:.4f} and {auc_b:.4f} differ, but no item speaks "
            "for more or less than another, so there is no variance to test with. Add harder "
            "items."
        )
    normal = NormalDist()
    half = normal.inv_cdf((1 + level) / 2) * error
    p_value = math.erfc(abs(difference) / error / math.sqrt(2)) if error >= 1e-12 else 1.0
    return AucComparison(
        auc_a, auc_b, difference, difference - half, difference + half, error, p_value
    )


def _placements(scores: Values, is_fake: Flags) -> Values:
    """(N,): for a fake the share of reals below it, for a real that of fakes above; ties half."""
    fakes, reals = np.sort(scores[is_fake]), np.sort(scores[~is_fake])
    placed = np.empty_like(scores)
    for chosen, others in ((is_fake, reals), (~is_fake, fakes)):
        low, high = (np.searchsorted(others, scores[chosen], side) for side in ("left", "right"))
        placed[chosen] = (low + high) / (2 * len(others))
    placed[~is_fake] = 1 - placed[~is_fake]
    return placed


def _variance(placed: Values, is_fake: Flags, cluster: Indices) -> float:
    """Of the mean placement: within the fakes, within the reals, and twice what they share."""
    clusters = int(cluster.max()) + 1
    centered = placed - placed[is_fake].mean()
    total = 0.0
    shared = np.ones(clusters)
    for chosen in (is_fake, ~is_fake):
        sums = np.bincount(cluster[chosen], centered[chosen], minlength=clusters) / chosen.sum()
        among = len(np.unique(cluster[chosen]))
        total += among / (among - 1) * float(sums @ sums)
        shared = shared * sums
    return total + 2 * clusters / (clusters - 1) * float(shared.sum())


def _clusters(sources: ArrayLike | None, is_fake: Flags) -> Indices:
    """(N,), the number of each item's source."""
    if sources is None:
        return np.arange(len(is_fake))
    values = np.asarray(sources)
    if values.shape != is_fake.shape:
        raise DataError(
            f"Cannot compare: expected one source per item, got shape {values.shape} for "
            f"{len(is_fake)} items. Give one source id per score."
        )
    numbers = np.unique(values, return_inverse=True)[1]
    for name, chosen in (("real", ~is_fake), ("fake", is_fake)):
        if len(np.unique(numbers[chosen])) < 2:
            raise NotMeasurableError(
                f"Not measurable: all {name} items come from one source, at least 2 are needed. "
                f"Add {name} items of other sources."
            )
    return numbers
