"""What is found at a false-alarm rate or a recall that somebody asked for.

What the arguments are, and what the errors say, stands in ``unmask.metrics``.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple, overload

import numpy as np
from numpy.typing import ArrayLike

from unmask.errors import NotMeasurableError, UsageError
from unmask.metrics._check import Indices, Values, check_share, one_or_each
from unmask.metrics._order import count
from unmask.metrics.registry import Metric


class OperatingPoint(NamedTuple):
    """A threshold and what it gives: scores at or above it are called fake.

    ``threshold`` is inf where nothing may be called fake.
    """

    threshold: float
    far: float
    tar: float


def threshold_at_far(labels: ArrayLike, scores: ArrayLike, far: float) -> OperatingPoint:
    """The lowest threshold whose FAR is at most ``far``, to be chosen on validation data.

    Labels (N,) and scores (N,), ``far`` above 0, to 1. Raises ``DataError``, ``NotMeasurableError``
    (also with fewer than 1 / ``far`` reals), ``UsageError``.

    >>> threshold_at_far([0, 0, 1, 1], [1.0, 3.0, 2.0, 4.0], far=0.5)
    OperatingPoint(threshold=2.0, far=0.5, tar=1.0)
    """
    check_share(far, "FAR")
    counts = count(labels, scores, None)
    _require_reals(labels, far)
    at = int(_last_at_most(counts.far, far)[0])
    threshold = float(counts.scores[at - 1]) if at else math.inf
    return OperatingPoint(threshold, float(counts.far[0, at]), float(counts.tar[0, at]))


@overload
def tar_at_far(
    labels: ArrayLike, scores: ArrayLike, far: float, *, weights: None = None
) -> float: ...
@overload
def tar_at_far(
    labels: ArrayLike, scores: ArrayLike, far: float, *, weights: ArrayLike
) -> Values: ...
def tar_at_far(
    labels: ArrayLike, scores: ArrayLike, far: float, *, weights: ArrayLike | None = None
) -> float | Values:
    """Share of the fakes found by the lowest threshold whose FAR is at most ``far``.

    Nothing is interpolated: it is the TAR of a threshold that exists (Masi et al. 2020, section
    4, gives TAR at 10 % and 1 % and does not say how).

    Labels (N,) and scores (N,), ``far`` above 0, to 1: 0..1, or (R,). Raises ``DataError``,
    ``NotMeasurableError`` (also with fewer than 1 / ``far`` reals), ``UsageError``.

    >>> tar_at_far([0, 0, 1, 1], [1.0, 3.0, 2.0, 4.0], far=0.5)
    1.0
    """
    check_share(far, "FAR")
    counts = count(labels, scores, weights)
    _require_reals(labels, far)
    at = _last_at_most(counts.far, far)
    found = counts.tar[np.arange(len(at)), at]
    return one_or_each(np.where(counts.real[:, -1] > 0, found, np.nan), weights)


@overload
def log_weighted_precision(
    labels: ArrayLike,
    scores: ArrayLike,
    recall: float,
    *,
    alpha: float = 100,
    weights: None = None,
) -> float: ...
@overload
def log_weighted_precision(
    labels: ArrayLike, scores: ArrayLike, recall: float, *, alpha: float = 100, weights: ArrayLike
) -> Values: ...
def log_weighted_precision(
    labels: ArrayLike,
    scores: ArrayLike,
    recall: float,
    *,
    alpha: float = 100,
    weights: ArrayLike | None = None,
) -> float | Values:
    """Natural logarithm of TP / (TP + alpha FP) at the highest threshold with that recall.

    The DFDC preview's measure (Dolhansky et al. 2019; Masi et al. 2020, section 4.3, table 4b,
    recall 10, 50 and 90 %): ``alpha`` weighs a false alarm as if reals were that many times as
    frequent as they are here. 0 where no real scores as high.

    Labels (N,) and scores (N,); ``recall``, the share of the fakes to be found at least, above 0,
    to 1; ``alpha`` at least 0: at most 0, or (R,). Raises ``DataError``, ``NotMeasurableError``,
    ``UsageError``.

    >>> round(log_weighted_precision([0, 0, 1, 1], [1.0, 3.0, 2.0, 4.0], 0.9), 4)  # ln 2 / 102
    -3.9318
    """
    check_share(recall, "recall")
    if not 0 <= alpha < math.inf:
        raise UsageError(
            f"Cannot weigh false alarms by {alpha:g}: expected a finite number of at least 0. "
            "The DFDC preview uses 100."
        )
    counts = count(labels, scores, weights)
    at = np.argmax(counts.tar >= recall, axis=1)
    rows = np.arange(len(at))
    true, false = counts.fake[rows, at], counts.real[rows, at]
    has_both = (counts.fake[:, -1] > 0) & (counts.real[:, -1] > 0)
    ratio = alpha * false / np.where(has_both, true, np.nan)
    return one_or_each(-np.log1p(ratio), weights)


def _last_at_most(far: Values, limit: float) -> Indices:
    """(R,), the last column whose FAR is at most ``limit``; column 0 has a FAR of 0."""
    return np.asarray(np.maximum((far <= limit).sum(axis=1) - 1, 0))


def _require_reals(labels: ArrayLike, far: float) -> None:
    """Refuses a FAR below the share that one real item makes."""
    reals = int((np.asarray(labels) == 0).sum())
    if reals * far < 1 - 1e-9:
        raise NotMeasurableError(
            f"Not measurable: a FAR of {far:g} needs at least {math.ceil(1 / far - 1e-9)} real "
            f"items (label 0), got {reals}. Ask for a FAR of {1 / reals:.3g} or more, or add "
            "real items."
        )


def _log_precision(recall: float, order: int) -> Metric:
    return Metric(
        name=f"log wP@{recall:.0%}",
        order=order,
        compute=lambda items, w: log_weighted_precision(
            items.labels, items.scores, recall, weights=w
        ),
        is_share=False,
    )


METRICS: Final = (
    Metric(
        name="TAR@10%",
        order=13,
        compute=lambda items, w: tar_at_far(items.labels, items.scores, 0.1, weights=w),
        is_default=True,
        is_compared=True,
    ),
    Metric(
        name="TAR@1%",
        order=31,
        compute=lambda items, w: tar_at_far(items.labels, items.scores, 0.01, weights=w),
    ),
    _log_precision(0.1, 40),
    _log_precision(0.5, 41),
    _log_precision(0.9, 42),
)
