"""Items in the order of their scores, counted from the highest down."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from unmask.metrics._check import (
    Flags,
    Indices,
    Values,
    check_both,
    check_weights,
    ratio,
)


class Counts(NamedTuple):
    """How much stands at or above each distinct score, once per resample.

    Attributes:
        fake: (R, K + 1), the weight of fakes at or above the k-th highest score; column 0 is 0.
        real: (R, K + 1), the same of reals.
        scores: (K,), the distinct scores, falling.
    """

    fake: Values
    real: Values
    scores: Values

    @property
    def tar(self) -> Values:
        """(R, K + 1), share of the fakes; NaN in a resample without any."""
        return ratio(self.fake, self.fake[:, -1:])

    @property
    def far(self) -> Values:
        """(R, K + 1), share of the reals; NaN in a resample without any."""
        return ratio(self.real, self.real[:, -1:])


def count(labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None) -> Counts:
    """Checks the arguments of a ranking metric and counts along the order of the scores.

    Items are sorted once, however many resamples ``weights`` (R, N) holds. Equal scores are one
    step: no threshold lies between them.

    Raises:
        DataError: shapes or values that cannot be measured.
        NotMeasurableError: one class only.
    """
    is_fake, values = check_both(labels, scores)
    order = np.argsort(-values, kind="stable")
    values, is_fake = values[order], is_fake[order]
    ordered = np.take(check_weights(weights, len(values)), order, axis=1)
    last = ends_of_ties(values)
    return Counts(_sums(ordered, is_fake, last), _sums(ordered, ~is_fake, last), values[last])


def ends_of_ties(ordered: Values) -> Indices:
    """(K,), the place of the last of each run of equal values in ordered ones (N,)."""
    return np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(ordered) - 1)


def _sums(weights: Values, chosen: Flags, last: Indices) -> Values:
    """Running sums of the chosen items' weights, (R, K + 1), read at the end of each tie."""
    sums = np.zeros((len(weights), weights.shape[1] + 1))
    np.multiply(weights, chosen, out=sums[:, 1:])
    np.cumsum(sums, axis=1, out=sums)
    if len(last) == weights.shape[1]:
        return sums
    return np.take(sums, np.concatenate([[0], last + 1]), axis=1)
