"""Whether scores mean what they say, when they are read as log-odds at equal priors.

A logit of 0 is a probability of 0.5; a logit x is one of 1 / (1 + exp(-x)) that the item is fake.
A mean of probabilities p is turned into a logit by log(p / (1 - p)).

``logits`` (N,) are finite; what the other arguments are, and what the errors say, stands in
``unmask.metrics``.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, overload

import numpy as np
from numpy.typing import ArrayLike

from unmask.errors import UsageError
from unmask.metrics._check import (
    Flags,
    Indices,
    Values,
    check_both,
    check_weights,
    one_or_each,
    ratio,
)
from unmask.metrics._order import count
from unmask.metrics.registry import Metric


class Reliability(NamedTuple):
    """What a reliability diagram shows, one entry per bin that holds anything, each (B,).

    ``probability`` is the mean of the stated probabilities in the bin, ``share_fake`` the share
    of its items that are fake, ``items`` how many they are.
    """

    probability: Values
    share_fake: Values
    items: Indices


@overload
def log_loss(
    labels: ArrayLike,
    logits: ArrayLike,
    *,
    of: Literal["both", "real", "fake"] = "both",
    weights: None = None,
) -> float: ...
@overload
def log_loss(
    labels: ArrayLike,
    logits: ArrayLike,
    *,
    of: Literal["both", "real", "fake"] = "both",
    weights: ArrayLike,
) -> Values: ...
def log_loss(
    labels: ArrayLike,
    logits: ArrayLike,
    *,
    of: Literal["both", "real", "fake"] = "both",
    weights: ArrayLike | None = None,
) -> float | Values:
    """Mean of -ln(the probability given to the true class), in nats.

    Labels (N,) and logits (N,); ``of`` all items or one class (spatio-temporal table 4, fig. 5): at
    least 0, ln 2 for logits of 0, or (R,). Raises ``DataError``, ``NotMeasurableError``,
    ``UsageError``.

    >>> round(log_loss([0, 1], [0.0, 0.0]), 4)
    0.6931
    """
    is_fake, values = check_both(labels, logits, "logit", finite=True)
    chosen = {"both": np.ones_like(is_fake), "real": ~is_fake, "fake": is_fake}
    if of not in chosen:
        raise UsageError(
            f"Cannot take the log loss of '{of}': expected 'both', 'real' or 'fake'. Give one of "
            "them."
        )
    return one_or_each(_mean(_losses(values, is_fake), chosen[of], weights), weights)


@overload
def brier_score(labels: ArrayLike, logits: ArrayLike, *, weights: None = None) -> float: ...
@overload
def brier_score(labels: ArrayLike, logits: ArrayLike, *, weights: ArrayLike) -> Values: ...
def brier_score(
    labels: ArrayLike, logits: ArrayLike, *, weights: ArrayLike | None = None
) -> float | Values:
    """Mean squared distance of the probability of fake from the label (Brier 1950).

    Labels (N,) and logits (N,): 0..1, lower is better, 0.25 for logits of 0, or (R,). Raises
    ``DataError``, ``NotMeasurableError``.

    >>> brier_score([0, 1], [0.0, 0.0])
    0.25
    """
    is_fake, values = check_both(labels, logits, "logit", finite=True)
    squares = (_probability(values) - is_fake) ** 2
    return one_or_each(_mean(squares, np.ones_like(is_fake), weights), weights)


@overload
def calibration_error(
    labels: ArrayLike, logits: ArrayLike, *, bins: int = 15, weights: None = None
) -> float: ...
@overload
def calibration_error(
    labels: ArrayLike, logits: ArrayLike, *, bins: int = 15, weights: ArrayLike
) -> Values: ...
def calibration_error(
    labels: ArrayLike, logits: ArrayLike, *, bins: int = 15, weights: ArrayLike | None = None
) -> float | Values:
    """Expected calibration error (ECE): how far stated probabilities lie from what happens.

    Mean over the items of |mean probability - share of fakes| in their bin, for bins of equal
    width over the probability of fake (Naeini et al. 2015; 15 bins as in Guo et al. 2017, who
    bin the probability of the predicted class instead).

    Labels (N,) and logits (N,), at least 1 bin: 0..1, lower is better, or (R,); few items make it
    larger. Raises ``DataError``, ``NotMeasurableError``, ``UsageError``.

    >>> calibration_error([0, 1, 1, 1], [0.0, 0.0, 0.0, 0.0])  # 0.5 said, 0.75 found
    0.25
    """
    is_fake, values = check_both(labels, logits, "logit", finite=True)
    order, starts = _binned(values, bins)
    counted = np.take(check_weights(weights, len(values)), order, axis=1)
    excess = (_probability(values) - is_fake)[order]
    gaps = np.abs(np.add.reduceat(counted * excess, starts, axis=1))
    return one_or_each(ratio(gaps.sum(axis=1), counted.sum(axis=1)), weights)


def reliability(labels: ArrayLike, logits: ArrayLike, *, bins: int = 15) -> Reliability:
    """The bins of ``calibration_error``, for a diagram.

    Labels (N,) and logits (N,), at least 1 bin. Raises ``DataError``, ``NotMeasurableError``,
    ``UsageError``.

    >>> reliability([0, 1, 1, 1], [0.0, 0.0, 0.0, 0.0]).share_fake.tolist()
    [0.75]
    """
    is_fake, values = check_both(labels, logits, "logit", finite=True)
    order, starts = _binned(values, bins)
    items = np.diff(np.append(starts, len(values)))
    probability = np.add.reduceat(_probability(values)[order], starts) / items
    share = np.add.reduceat(is_fake[order].astype(np.float64), starts) / items
    return Reliability(probability, share, items)


@overload
def cllr(labels: ArrayLike, logits: ArrayLike, *, weights: None = None) -> float: ...
@overload
def cllr(labels: ArrayLike, logits: ArrayLike, *, weights: ArrayLike) -> Values: ...
def cllr(
    labels: ArrayLike, logits: ArrayLike, *, weights: ArrayLike | None = None
) -> float | Values:
    """Cost of the log-likelihood ratios, in bits (Brümmer and du Preez 2006).

    The log loss in bits with both classes weighed alike, however many there are of each.

    Labels (N,) and logits (N,), natural logs of P(what was seen | fake) / P(what was seen | real):
    at least 0, lower is better, 1 for logits of 0, or (R,). Raises ``DataError``,
    ``NotMeasurableError``.

    >>> cllr([0, 1, 1, 1], [0.0, 0.0, 0.0, 0.0])
    1.0
    """
    is_fake, values = check_both(labels, logits, "logit", finite=True)
    losses = _losses(values, is_fake)
    both = _mean(losses, is_fake, weights) + _mean(losses, ~is_fake, weights)
    return one_or_each(both / (2 * np.log(2)), weights)


@overload
def cllr_min(labels: ArrayLike, scores: ArrayLike, *, weights: None = None) -> float: ...
@overload
def cllr_min(labels: ArrayLike, scores: ArrayLike, *, weights: ArrayLike) -> Values: ...
def cllr_min(
    labels: ArrayLike, scores: ArrayLike, *, weights: ArrayLike | None = None
) -> float | Values:
    """The lowest ``cllr`` that a rising map of the scores could reach on these very items.

    What is lost for want of order alone; ``cllr - cllr_min`` is lost for want of calibration.
    The map is found by pooling adjacent violators (Brümmer and du Preez 2006). With
    weights each resample is pooled by itself: about 1 ms each for 5,000 items.

    Labels (N,) and scores (N,) in any units, which may be infinite: 0..1, lower is better, or (R,).
    Raises ``DataError``, ``NotMeasurableError``.

    >>> cllr_min([0, 0, 1, 1], [1.0, 2.0, 3.0, 4.0])
    0.0
    """
    counts = count(labels, scores, weights)
    fake, real = np.diff(counts.fake, axis=1), np.diff(counts.real, axis=1)
    costs = [_pooled_cost(*row) for row in zip(fake, real, strict=True)]
    return one_or_each(np.array(costs), weights)


def _pooled_cost(fake: Values, real: Values) -> float:
    """The cost after pooling, for the weights at each distinct score, the highest first."""
    fakes, reals = fake.sum(), real.sum()
    if not fakes or not reals:
        return float("nan")
    pooled: list[tuple[float, float]] = []
    for up, right in zip(*_runs(fake, real), strict=True):
        # Shares of fakes must not rise from block to block: products, as reals may be 0.
        while pooled and pooled[-1][0] * right <= up * pooled[-1][1]:
            above = pooled.pop()
            up, right = up + above[0], right + above[1]
        pooled.append((up, right))
    tar, far = np.array(pooled).T / [[fakes], [reals]]
    # A fake's log2(1 + 1 / ratio) for the block's likelihood ratio tar / far; a real's likewise.
    cost = tar * np.log2(1 + far / np.where(tar > 0, tar, np.inf))
    cost += far * np.log2(1 + tar / np.where(far > 0, far, np.inf))
    return float(cost.sum() / 2)


def _runs(fake: Values, real: Values) -> tuple[list[float], list[float]]:
    """Sums of neighbors that hold one class only: they are pooled in any case."""
    taken = (fake > 0) | (real > 0)
    fake, real = fake[taken], real[taken]
    kind = (fake > 0) + 2 * (real > 0)
    starts = np.flatnonzero(np.append(True, (kind[1:] != kind[:-1]) | (kind[1:] == 3)))
    return np.add.reduceat(fake, starts).tolist(), np.add.reduceat(real, starts).tolist()


def _losses(logits: Values, is_fake: Flags) -> Values:
    """(N,), -ln of the probability of the true class, without overflow."""
    return np.logaddexp(0, np.where(is_fake, -logits, logits))


def _probability(logits: Values) -> Values:
    """1 / (1 + exp(-x)), without overflow."""
    return np.exp(-np.logaddexp(0, -logits))


def _binned(logits: Values, bins: int) -> tuple[Indices, Indices]:
    """The order that puts items of one bin together, and where in it each bin starts."""
    if bins < 1:
        raise UsageError(f"Cannot use {bins} bins: expected at least 1. 15 are usual.")
    places = np.minimum((_probability(logits) * bins).astype(np.intp), bins - 1)
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    return order, np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))


def _mean(values: Values, chosen: Flags, weights: ArrayLike | None) -> Values:
    """(R,), the weighted mean of the chosen values; NaN where they have no weight."""
    counted = check_weights(weights, len(values))
    return ratio(counted @ (values * chosen), counted @ chosen.astype(np.float64))


METRICS: Final = (
    Metric(
        name="log loss (real)",
        order=50,
        compute=lambda items, w: log_loss(items.labels, items.scores, of="real", weights=w),
        is_share=False,
    ),
    Metric(
        name="log loss (fake)",
        order=51,
        compute=lambda items, w: log_loss(items.labels, items.scores, of="fake", weights=w),
        is_share=False,
    ),
)
