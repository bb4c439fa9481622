"""How well scores put fakes above reals, whatever the threshold.

The ROC here has one step per distinct score: FAR (false-acceptance rate, the share of reals at
or above a threshold) along x, TAR (true-acceptance rate, that of fakes) along y, from (0, 0).

What the arguments are, and what the errors say, stands in ``unmask.metrics``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple, overload

import numpy as np
from numpy.typing import ArrayLike

from unmask.metrics._check import Indices, Values, check_share, one_or_each, ratio
from unmask.metrics._order import Counts, count
from unmask.metrics.registry import Items, Metric


class Roc(NamedTuple):
    """The corners of an ROC, each (K,), from (0, 0) with threshold inf to (1, 1).

    An item is called fake at a score of ``threshold`` or above.
    """

    far: Values
    tar: Values
    threshold: Values


def roc(labels: ArrayLike, scores: ArrayLike) -> Roc:
    """The ROC, without the points in the middle of straight lines.

    Labels (N,) and scores (N,). Raises ``DataError``, ``NotMeasurableError``.

    >>> roc([0, 0, 1, 1], [1.0, 3.0, 2.0, 4.0]).tar.tolist()
    [0.0, 0.5, 0.5, 1.0, 1.0]
    """
    counts = count(labels, scores, None)
    kept = np.concatenate([[0], _corners(counts)[1]])
    thresholds = np.concatenate([[np.inf], counts.scores])
    return Roc(counts.far[0, kept], counts.tar[0, kept], thresholds[kept])


@overload
def auc(labels: ArrayLike, scores: ArrayLike, *, weights: None = None) -> float: ...
@overload
def auc(labels: ArrayLike, scores: ArrayLike, *, weights: ArrayLike) -> Values: ...
def auc(
    labels: ArrayLike, scores: ArrayLike, *, weights: ArrayLike | None = None
) -> float | Values:
    """Area under the ROC: the chance that a fake scores above a real; a tie counts half.

    Labels (N,) and scores (N,): 0..1, or (R,). Raises ``DataError``, ``NotMeasurableError``.

    >>> auc([0, 0, 1, 1], [1.0, 3.0, 2.0, 4.0])
    0.75
    """
    counts = count(labels, scores, weights)
    # Counts, not shares: sums of whole numbers are exact, so no order of the items matters.
    area = np.einsum(
        "rk,rk->r", np.diff(counts.real, axis=1), counts.fake[:, 1:] + counts.fake[:, :-1]
    )
    pairs = counts.real[:, -1] * counts.fake[:, -1]
    return one_or_each(ratio(area, 2 * pairs), weights)


@overload
def partial_auc(
    labels: ArrayLike, scores: ArrayLike, max_far: float, *, weights: None = None
) -> float: ...
@overload
def partial_auc(
    labels: ArrayLike, scores: ArrayLike, max_far: float, *, weights: ArrayLike
) -> Values: ...
def partial_auc(
    labels: ArrayLike, scores: ArrayLike, max_far: float, *, weights: ArrayLike | None = None
) -> float | Values:
    """Area under the ROC up to a FAR, standardised: 0.5 = chance, 1 = perfect (pAUC).

    ``(1 + (A - max_far² / 2) / (max_far - max_far² / 2)) / 2`` for the area A (McClish 1989,
    Medical Decision Making 9; Masi et al. 2020, section 4). The ROC is linear between
    its points, at ``max_far`` too, as scikit-learn's ``roc_auc_score(max_fpr=…)`` has it.
    Worse than chance is below 0.5, to 0 for ``max_far`` 1.

    Labels (N,) and scores (N,), ``max_far`` above 0, to 1: 0..1, or (R,). Raises ``DataError``,
    ``NotMeasurableError``, ``UsageError``.

    >>> round(partial_auc([0, 0, 1, 1], [1.0, 3.0, 2.0, 4.0], 0.5), 4)
    0.6667
    """
    check_share(max_far, "largest FAR")
    counts = count(labels, scores, weights)
    far, tar = counts.far, counts.tar
    widths = np.diff(np.minimum(far, max_far), axis=1)
    area = np.einsum("rk,rk->r", widths, tar[:, 1:] + tar[:, :-1]) / 2
    # The segment that crosses max_far was given the height of its end, not that of the crossing.
    rows = np.arange(len(far))
    after = np.minimum((far <= max_far).sum(axis=1), far.shape[1] - 1)
    x0, x1 = far[rows, after - 1], far[rows, after]
    y0, y1 = tar[rows, after - 1], tar[rows, after]
    missing = (x1 - max_far) / np.where(x1 > max_far, x1 - x0, np.inf)
    area -= (max_far - x0) * (y1 - y0) * missing / 2
    chance = max_far**2 / 2
    return one_or_each((1 + (area - chance) / (max_far - chance)) / 2, weights)


@overload
def truncated_auc(
    labels: ArrayLike, scores: ArrayLike, max_far: float, *, weights: None = None
) -> float: ...
@overload
def truncated_auc(
    labels: ArrayLike, scores: ArrayLike, max_far: float, *, weights: ArrayLike
) -> Values: ...
def truncated_auc(
    labels: ArrayLike, scores: ArrayLike, max_far: float, *, weights: ArrayLike | None = None
) -> float | Values:
    """Mean TAR of the ROC's points with a FAR up to ``max_far`` (tAUC).

    Masi et al. 2020, section 4: the sum of TAR over the FARs from 0 to ``max_far``, divided by
    how many there are. The paper does not say which points an ROC has. Here they are those of
    scikit-learn's ``roc_curve``: (0, 0), the highest score and the corners. Whether the paper
    used the same points is not known: its row of Xception in table 2 (58.2) lies below what
    random ROCs with the same pAUC and TAR give (64 to 75). **A perfect detector reaches only
    (1 + 1 / fakes) / 3**, because its ROC has three such points: read tAUC beside that of other
    detectors on the same videos, not alone.

    Labels (N,) and scores (N,), ``max_far`` above 0, to 1: 0..1, or (R,). Raises ``DataError``,
    ``NotMeasurableError``, ``UsageError``.

    >>> truncated_auc([0, 0, 1, 1], [1.0, 3.0, 2.0, 4.0], 0.5)  # (0 + 0.5 + 0.5 + 1) / 4
    0.5
    """
    check_share(max_far, "largest FAR")
    counts = count(labels, scores, weights)
    row, column = _corners(counts)
    far, tar = counts.far[row, column], counts.tar[row, column]
    counted = far <= max_far
    sums = np.bincount(row[counted], tar[counted], minlength=len(counts.fake))
    points = np.bincount(row[counted], minlength=len(counts.fake)) + 1  # and (0, 0)
    has_both = (counts.fake[:, -1] > 0) & (counts.real[:, -1] > 0)
    return one_or_each(np.where(has_both, sums / points, np.nan), weights)


@overload
def equal_error_rate(labels: ArrayLike, scores: ArrayLike, *, weights: None = None) -> float: ...
@overload
def equal_error_rate(labels: ArrayLike, scores: ArrayLike, *, weights: ArrayLike) -> Values: ...
def equal_error_rate(
    labels: ArrayLike, scores: ArrayLike, *, weights: ArrayLike | None = None
) -> float | Values:
    """The rate at which as many reals are called fake as fakes are missed (EER).

    Where the ROC, linear between its points, meets FAR = 1 - TAR.

    Labels (N,) and scores (N,): 0..1, lower is better, or (R,). Raises ``DataError``,
    ``NotMeasurableError``.

    >>> equal_error_rate([0, 0, 1, 1], [1.0, 3.0, 2.0, 4.0])
    0.5
    """
    counts = count(labels, scores, weights)
    far = counts.far
    excess = far + counts.tar - 1  # from -1 up to 1
    rows = np.arange(len(far))
    after = np.maximum(np.argmax(excess >= 0, axis=1), 1)
    low, high = excess[rows, after - 1], excess[rows, after]
    x0, x1 = far[rows, after - 1], far[rows, after]
    return one_or_each(x0 + (x1 - x0) * -low / (high - low), weights)


def _corners(counts: Counts) -> tuple[Indices, Indices]:
    """Rows and columns of the highest score, the lowest and the corners between, row by row.

    A corner is where the direction changes, not the length of the step: an item that a resample
    drew twice makes no corner.
    """
    steps = (np.diff(counts.fake, axis=1) > 0) | (np.diff(counts.real, axis=1) > 0)
    row, column = np.nonzero(steps)
    column += 1
    up, right = (np.diff(c, axis=1)[steps] for c in (counts.fake, counts.real))
    starts = np.concatenate([[True], row[1:] != row[:-1]])
    turns = np.concatenate([up[:-1] * right[1:] != up[1:] * right[:-1], [True]])
    turns[:-1] |= starts[1:]  # the last of its row
    kept = starts | turns
    return row[kept], column[kept]


def _few_reals(max_far: float) -> Callable[[Items], str]:
    """What a tAUC cannot show where one false alarm is already beyond its largest FAR."""

    def note(items: Items) -> str:
        reals = int((items.labels == 0).sum())
        if reals * max_far >= 1 - 1e-9:
            return ""
        return (
            f"tAUC of {reals} real videos: one false alarm is a FAR of {1 / reals:.1%}, above the "
            f"limit of {max_far:.0%}. Only thresholds without a false alarm count"
        )

    return note


METRICS: Final = (
    Metric(
        name="AUC",
        order=10,
        compute=lambda items, w: auc(items.labels, items.scores, weights=w),
        is_default=True,
        is_compared=True,
    ),
    Metric(
        name="pAUC@10%",
        order=11,
        compute=lambda items, w: partial_auc(items.labels, items.scores, 0.1, weights=w),
        is_default=True,
        is_compared=True,
    ),
    Metric(
        name="tAUC@10%",
        order=12,
        compute=lambda items, w: truncated_auc(items.labels, items.scores, 0.1, weights=w),
        note=_few_reals(0.1),
        is_default=True,
        is_compared=True,
    ),
    Metric(
        name="EER",
        order=14,
        compute=lambda items, w: equal_error_rate(items.labels, items.scores, weights=w),
        is_default=True,
        is_compared=True,
    ),
    Metric(
        name="tAUC@1%",
        order=30,
        compute=lambda items, w: truncated_auc(items.labels, items.scores, 0.01, weights=w),
        note=_few_reals(0.01),
    ),
)
