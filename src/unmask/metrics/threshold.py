"""What a threshold, chosen on validation data, gives on other data.

A score at or above the threshold is called fake.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import ArrayLike

from unmask.errors import DataError
from unmask.metrics._check import (
    Flags,
    Values,
    check_labels,
    check_scores,
    check_weights,
    one_or_each,
    require_both_classes,
)
from unmask.metrics._order import count


class Found(NamedTuple):
    """How many items of a forgery method were called fake."""

    found: int
    items: int

    @property
    def share(self) -> float:
        """0..1."""
        return self.found / self.items


def best_threshold(labels: ArrayLike, scores: ArrayLike) -> float:
    """The threshold with the highest class-balanced accuracy, for validation data.

    It lies half-way between two neighboring scores. Of several as good, the highest: it gives
    the fewest false alarms.

    Args:
        labels: (N,), 1 = fake.
        scores: (N,), higher = more likely fake.

    Returns:
        In units of the scores; inf or -inf where it is best to call nothing or everything fake.

    Raises:
        DataError: lengths differ, a label is not 0 or 1, a score is NaN.
        NotMeasurableError: one class only.

    >>> best_threshold([0, 0, 1, 1], [1.0, 2.0, 3.0, 4.0])
    2.5
    """
    counts = count(labels, scores, None)
    gain = counts.tar[0] - counts.far[0]
    at = int(np.argmax(gain))
    if at == 0:
        return float("inf")
    if at == len(counts.scores):
        return float("-inf")
    above, below = float(counts.scores[at - 1]), float(counts.scores[at])
    middle = above / 2 + below / 2
    return middle if below < middle <= above else above


@overload
def accuracy(
    labels: ArrayLike, scores: ArrayLike, threshold: float, *, weights: None = None
) -> float: ...
@overload
def accuracy(
    labels: ArrayLike, scores: ArrayLike, threshold: float, *, weights: ArrayLike
) -> Values: ...
def accuracy(
    labels: ArrayLike, scores: ArrayLike, threshold: float, *, weights: ArrayLike | None = None
) -> float | Values:
    """Share of the items on their own side of the threshold; follows the larger class.

    Args:
        labels: (N,), 1 = fake.
        scores: (N,), higher = more likely fake.
        threshold: in units of the scores.
        weights: (R, N), how often each item counts in each of R resamples.

    Returns:
        0..1, or (R,) of them with weights.

    Raises:
        DataError: lengths differ, a label is not 0 or 1, a score is NaN.
        NotMeasurableError: one class only.

    >>> accuracy([0, 1, 1, 1], [1.0, 1.0, 3.0, 4.0], threshold=2)
    0.75
    """
    is_fake, is_right = _sides(labels, scores, threshold)
    counted = check_weights(weights, len(is_fake))
    return one_or_each(_share(counted, is_right, np.ones_like(is_fake)), weights)


@overload
def balanced_accuracy(
    labels: ArrayLike, scores: ArrayLike, threshold: float, *, weights: None = None
) -> float: ...
@overload
def balanced_accuracy(
    labels: ArrayLike, scores: ArrayLike, threshold: float, *, weights: ArrayLike
) -> Values: ...
def balanced_accuracy(
    labels: ArrayLike, scores: ArrayLike, threshold: float, *, weights: ArrayLike | None = None
) -> float | Values:
    """Mean of the accuracies on reals and on fakes.

    The "overall average" of the spatio-temporal paper (section 4.1 and tables 1 and B.6).

    Args:
        labels: (N,), 1 = fake.
        scores: (N,), higher = more likely fake.
        threshold: in units of the scores.
        weights: (R, N), how often each item counts in each of R resamples.

    Returns:
        0..1, or (R,) of them with weights: NaN in a resample that lacks a class.

    Raises:
        DataError: lengths differ, a label is not 0 or 1, a score is NaN.
        NotMeasurableError: one class only.

    >>> round(balanced_accuracy([0, 1, 1, 1], [1.0, 1.0, 3.0, 4.0], threshold=2), 4)
    0.8333
    """
    is_fake, is_right = _sides(labels, scores, threshold)
    counted = check_weights(weights, len(is_fake))
    both = _share(counted, is_right, is_fake) + _share(counted, is_right, ~is_fake)
    return one_or_each(both / 2, weights)


@overload
def share_found(scores: ArrayLike, threshold: float, *, weights: None = None) -> float: ...
@overload
def share_found(scores: ArrayLike, threshold: float, *, weights: ArrayLike) -> Values: ...
def share_found(
    scores: ArrayLike, threshold: float, *, weights: ArrayLike | None = None
) -> float | Values:
    """Share of the scores at or above the threshold: TAR if all are of fakes, FAR if of reals.

    Args:
        scores: (N,), higher = more likely fake, all of one method.
        threshold: in units of the scores.
        weights: (R, N), how often each item counts in each of R resamples.

    Returns:
        0..1, or (R,) of them with weights: NaN in a resample that draws none of the items.

    Raises:
        DataError: no score, or one is NaN.

    >>> share_found([1.0, 3.0, 4.0, 5.0], threshold=2)
    0.75
    """
    values = check_scores(scores)
    counted = check_weights(weights, len(values))
    return one_or_each(
        _share(counted, values >= threshold, np.ones(len(values), np.bool_)), weights
    )


def found_per_method(
    labels: ArrayLike, scores: ArrayLike, methods: Sequence[str], threshold: float
) -> dict[str, Found]:
    """How many fakes of each forgery method are found (spatio-temporal tables 1-3).

    Args:
        labels: (N,), 1 = fake; reals are not counted.
        scores: (N,), higher = more likely fake.
        methods: (N,), the name of each item's method; whatever it says for reals.
        threshold: in units of the scores.

    Returns:
        By method, in alphabetical order; empty without fakes.

    Raises:
        DataError: lengths differ, a label is not 0 or 1, a score is NaN.

    >>> found_per_method([0, 1, 1, 1], [0.0, 1.0, 3.0, 4.0], ["", "DF", "DF", "NT"], 2)
    {'DF': Found(found=1, items=2), 'NT': Found(found=1, items=1)}
    """
    values = check_scores(scores)
    is_fake = check_labels(labels, len(values))
    if len(methods) != len(values):
        raise DataError(
            f"Cannot measure: expected one method per score, got {len(methods)} methods for "
            f"{len(values)} scores. Give one name per score."
        )
    names = np.asarray(methods, object)[is_fake]
    found = values[is_fake] >= threshold
    return {
        str(name): Found(int(found[names == name].sum()), int((names == name).sum()))
        for name in sorted(set(names))
    }


def mean_drop(full: float, left_out: ArrayLike) -> float:
    """Mean change of the overall accuracy over the runs that leave one method out.

    With the sign of the spatio-temporal paper's column "drop" (table 1): a fall is negative.

    Args:
        full: class-balanced accuracy of the run that trains on all methods.
        left_out: (M,), that of each run that leaves a method out, tested on all of them.

    Raises:
        DataError: no run, or a NaN.

    >>> round(mean_drop(98.64, [89.43, 89.50, 87.93, 87.07, 87.86]), 2)  # Xception
    -10.28
    """
    runs = check_scores(left_out, "accuracy", finite=True)
    whole = check_scores([full], "accuracy of the full run", finite=True)
    return float(runs.mean() - whole[0])


def _sides(labels: ArrayLike, scores: ArrayLike, threshold: float) -> tuple[Flags, Flags]:
    """Which items are fake, and which lie on their own side of the threshold."""
    values = check_scores(scores)
    is_fake = check_labels(labels, len(values))
    require_both_classes(is_fake)
    return is_fake, (values >= threshold) == is_fake


def _share(weights: Values, is_right: Flags, of: Flags) -> Values:
    """(R,), the weight of what is right among some items, as a share of their weight."""
    total = weights @ of.astype(np.float64)
    right = weights @ (is_right & of).astype(np.float64)
    return np.asarray(right / np.where(total > 0, total, np.nan))
