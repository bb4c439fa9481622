"""Items in the order of their scores, counted from the highest down."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from unmask.metrics._check import (
    Flags,
    Indices,
    Values,
    check_labels,
    check_scores,
    check_weights,
    require_both_classes,
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
        return _share(self.fake)

    @property
    def far(self) -> Values:
        """(R, K + 1), share of the reals; NaN in a resample without any."""
        return _share(self.real)


def count(labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None) -> Counts:
    """Checks the arguments of a ranking metric and counts along the order of the scores.

    Items are sorted once, however many resamples ``weights`` (R, N) holds. Equal scores are one
    step: no threshold lies between them.

    Raises:
        DataError: shapes or values that cannot be measured.
        NotMeasurableError: one class only.
    """
    values = check_scores(scores)
    is_fake = check_labels(labels, len(values))
    require_both_classes(is_fake)
    order = np.argsort(-values, kind="stable")
    values, is_fake = values[order], is_fake[order]
    ordered = np.take(check_weights(weights, len(values)), order, axis=1)
    last = np.append(np.flatnonzero(values[1:] != values[:-1]), len(values) - 1)
    return Counts(_sums(ordered, is_fake, last), _sums(ordered, ~is_fake, last), values[last])


def _sums(weights: Values, chosen: Flags, last: Indices) -> Values:
    """Running sums of the chosen items' weights, (R, K + 1), read at the end of each tie."""
    sums = np.zeros((len(weights), weights.shape[1] + 1))
    np.multiply(weights, chosen, out=sums[:, 1:])
    np.cumsum(sums, axis=1, out=sums)
    if len(last) == weights.shape[1]:
        return sums
    return np.take(sums, np.concatenate([[0], last + 1]), axis=1)


def _share(counts: Values) -> Values:
    total = counts[:, -1:]
    return counts / np.where(total > 0, total, np.nan)
