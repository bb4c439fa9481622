"""What a threshold, chosen on validation data, gives on other data.

A score at or above the threshold is called fake; thresholds are in units of the scores.

What the arguments are, and what the errors say, stands in ``unmask.metrics``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, overload

import numpy as np
from numpy.typing import ArrayLike

from unmask.errors import DataError
from unmask.metrics._check import (
    Flags,
    Values,
    check_both,
    check_labels,
    check_scores,
    check_weights,
    one_or_each,
    ratio,
)
from unmask.metrics._order import count
from unmask.metrics.registry import Metric


class Found(NamedTuple):
    """How many items of a forgery method were called fake."""

    found: int
    items: int

    @property
    def share(self) -> float:
        """0..1."""
        return self.found / self.items


def best_threshold(labels: ArrayLike, scores: ArrayLike, *, is_balanced: bool = True) -> float:
    """The threshold with the highest accuracy, for validation data.

    It lies half-way between two neighboring scores. Of several as good, the highest: it gives
    the fewest false alarms.

    Labels (N,) and scores (N,); ``is_balanced``: both classes weigh alike, however many items
    they have. inf or -inf where it is best to call nothing or everything fake.
    Raises ``DataError``, ``NotMeasurableError``.

    >>> best_threshold([0, 0, 1, 1], [1.0, 2.0, 3.0, 4.0])
    2.5
    """
    counts = count(labels, scores, None)
    gain = counts.tar[0] - counts.far[0] if is_balanced else counts.fake[0] - counts.real[0]
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

    Labels (N,) and scores (N,): 0..1, or (R,). Raises ``DataError``, ``NotMeasurableError``.

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

    Labels (N,) and scores (N,): 0..1, or (R,). Raises ``DataError``, ``NotMeasurableError``.

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

    Scores (N,) of one method: 0..1, or (R,), NaN in a resample that draws none of them. Raises
    ``DataError``.

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

    Labels, scores and names of methods (N,), whatever they say for reals: by method, in
    alphabetical order; empty without fakes. Raises ``DataError``.

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

    Of the class-balanced accuracy of the run with all methods and those (M,) of the runs that leave
    one out, tested on all. Raises ``DataError``.

    >>> round(mean_drop(98.64, [89.43, 89.50, 87.93, 87.07, 87.86]), 2)  # Xception
    -10.28
    """
    runs = check_scores(left_out, "accuracy", finite=True)
    whole = check_scores([full], "accuracy of the full run", finite=True)
    return float(runs.mean() - whole[0])


def _sides(labels: ArrayLike, scores: ArrayLike, threshold: float) -> tuple[Flags, Flags]:
    """Which items are fake, and which lie on their own side of the threshold."""
    is_fake, values = check_both(labels, scores)
    return is_fake, (values >= threshold) == is_fake


def _share(weights: Values, is_right: Flags, of: Flags) -> Values:
    """(R,), the weight of what is right among some items, as a share of their weight."""
    return ratio(weights @ (is_right & of).astype(np.float64), weights @ of.astype(np.float64))


METRICS: Final = (
    Metric(
        name="accuracy",
        order=20,
        compute=lambda items, w: accuracy(items.labels, items.scores, items.threshold, weights=w),
        needs_threshold=True,
        is_default=True,
    ),
    Metric(
        name="balanced accuracy",
        order=21,
        compute=lambda items, w: balanced_accuracy(
            items.labels, items.scores, items.threshold, weights=w
        ),
        needs_threshold=True,
        is_default=True,
    ),
    Metric(
        name="found",
        order=22,
        compute=lambda items, w: share_found(items.scores, items.threshold, weights=w),
        classes=("fake",),
        needs_threshold=True,
        is_default=True,
    ),
)
