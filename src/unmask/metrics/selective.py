"""What is gained when a detector may answer "inconclusive".

Scores are finite here; what the arguments are, and what the errors say, stands in
``unmask.metrics``.
"""

from __future__ import annotations

from typing import NamedTuple, overload

import numpy as np
from numpy.typing import ArrayLike

from unmask.metrics._check import Values, check_both, check_weights, one_or_each, ratio
from unmask.metrics._order import ends_of_ties


class RiskCoverage(NamedTuple):
    """Error against the share of answers given, each (K,), from the surest answers to all.

    At ``margin`` the scores within it of the threshold, on either side, are "inconclusive".
    """

    coverage: Values
    risk: Values
    margin: Values


def risk_coverage(labels: ArrayLike, scores: ArrayLike, threshold: float) -> RiskCoverage:
    """The share of wrong answers among those given, for every width of the undecided band.

    Sureness is the distance of the score from the threshold; an answer is "fake" at or above it.

    Labels (N,) and scores (N,), ``threshold`` in units of the scores: one point per distinct
    sureness, where answers at least ``margin`` sure are given. Raises ``DataError``,
    ``NotMeasurableError``.

    >>> risk_coverage([0, 1, 1, 1], [-4.0, -1.0, 2.0, 3.0], 0.0).risk.tolist()
    [0.0, 0.0, 0.0, 0.25]
    """
    steps = _steps(labels, scores, threshold, None)
    given, wrong = steps.given[0], steps.wrong[0]
    return RiskCoverage(given / given[-1], wrong / given, steps.margin)


@overload
def aurc(
    labels: ArrayLike, scores: ArrayLike, threshold: float, *, weights: None = None
) -> float: ...
@overload
def aurc(
    labels: ArrayLike, scores: ArrayLike, threshold: float, *, weights: ArrayLike
) -> Values: ...
def aurc(
    labels: ArrayLike, scores: ArrayLike, threshold: float, *, weights: ArrayLike | None = None
) -> float | Values:
    """Area under the risk-coverage curve: mean over the items of the risk at their sureness.

    Geifman, Uziel and El-Yaniv 2019: the risk of the answers as sure as an item's or
    surer, averaged over the items.

    Labels (N,) and scores (N,), ``threshold`` in units of the scores: 0..1, lower is better, or
    (R,). Raises ``DataError``, ``NotMeasurableError``.

    >>> aurc([0, 1, 1, 1], [-4.0, -1.0, 2.0, 3.0], 0.0)  # (0 + 0 + 0 + 1 / 4) / 4
    0.0625
    """
    steps = _steps(labels, scores, threshold, weights)
    risk = steps.wrong / np.where(steps.given > 0, steps.given, 1)
    area = np.einsum("rk,rk->r", np.diff(steps.given, axis=1, prepend=0), risk)
    return one_or_each(ratio(area, steps.given[:, -1]), weights)


class _Steps(NamedTuple):
    """Running sums (R, K) of the answers given and the wrong among them; ``margin`` (K,)."""

    given: Values
    wrong: Values
    margin: Values


def _steps(
    labels: ArrayLike, scores: ArrayLike, threshold: float, weights: ArrayLike | None
) -> _Steps:
    is_fake, values = check_both(labels, scores, finite=True)
    is_wrong = (values >= threshold) != is_fake
    sureness = np.abs(values - threshold)
    order = np.argsort(-sureness, kind="stable")
    sureness = sureness[order]
    last = ends_of_ties(sureness)
    counted = np.take(check_weights(weights, len(values)), order, axis=1)
    wrong = np.cumsum(counted * is_wrong[order], axis=1)[:, last]
    return _Steps(np.cumsum(counted, axis=1)[:, last], wrong, sureness[last])
