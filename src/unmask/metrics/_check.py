"""What every metric asks of its arguments, and says when it does not get it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unmask.errors import DataError, NotMeasurableError, UsageError

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]


def check_scores(scores: ArrayLike, name: str = "score", *, finite: bool = False) -> Values:
    """Scores as (N,) float64.

    Args:
        scores: (N,), N at least 1.
        name: what one of them is called in a message.
        finite: refuses infinite ones too.

    Raises:
        DataError: not one-dimensional, none, NaN, or infinite where that is refused.
    """
    values = np.asarray(scores, np.float64)
    if values.ndim != 1 or not len(values):
        raise DataError(
            f"Cannot measure: expected one {name} per item, shape (N,) with N at least 1, got "
            f"shape {values.shape}. Give a list of numbers."
        )
    bad = ~np.isfinite(values) if finite else np.isnan(values)
    if bad.any():
        first = int(np.argmax(bad))
        others = int(bad.sum()) - 1
        more = f" (and {others} more)" if others else ""
        wanted = "a finite number" if finite else "a number"
        raise DataError(
            f"Cannot measure: the {name} at index {first} is {values[first]}{more}; expected "
            f"{wanted}. Leave the item out and say so, or score it again."
        )
    return values


def check_labels(labels: ArrayLike, count: int) -> Flags:
    """Labels as (N,) bool, True = fake.

    Args:
        labels: (N,), each 0 (real) or 1 (fake).
        count: N, how many scores there are.

    Raises:
        DataError: another number of labels, or another value.
    """
    values = np.asarray(labels)
    if values.shape != (count,):
        raise DataError(
            f"Cannot measure: expected as many labels as scores, got labels of shape "
            f"{values.shape} for {count} scores. Give one label per score."
        )
    is_fake = values == 1
    bad = ~is_fake & (values != 0)
    if bad.any():
        first = int(np.argmax(bad))
        raise DataError(
            f"Cannot measure: the label at index {first} is {values[first]}; expected 0 (real) "
            "or 1 (fake). Turn the labels into these."
        )
    return np.asarray(is_fake, np.bool_)


def require_both_classes(is_fake: Flags, *, least: int = 1) -> None:
    """Refuses items that are all of one class.

    Args:
        is_fake: (N,).
        least: items wanted of each class.

    Raises:
        NotMeasurableError: fewer than ``least`` of a class.
    """
    fakes = int(is_fake.sum())
    for name, label, count in (("real", 0, len(is_fake) - fakes), ("fake", 1, fakes)):
        if count < least:
            raise NotMeasurableError(
                f"Not measurable: {count or 'no'} {name} item{'' if count == 1 else 's'} "
                f"(label {label}) among {len(is_fake)}, at least {least} needed. Add {name} items "
                "or leave this metric out."
            )


def check_both(
    labels: ArrayLike, scores: ArrayLike, name: str = "score", *, finite: bool = False
) -> tuple[Flags, Values]:
    """Labels as (N,) bool, True = fake, and scores as (N,) float64; both classes are there.

    Args:
        labels: (N,), each 0 (real) or 1 (fake).
        scores: (N,).
        name: what one of the scores is called in a message.
        finite: refuses infinite ones too.

    Raises:
        DataError: shapes or values that cannot be measured.
        NotMeasurableError: one class only.
    """
    values = check_scores(scores, name, finite=finite)
    is_fake = check_labels(labels, len(values))
    require_both_classes(is_fake)
    return is_fake, values


def check_weights(weights: ArrayLike | None, count: int) -> Values:
    """How often each item counts, as (R, N) float64; None: each once, (1, N).

    Raises:
        DataError: another shape, or a negative weight.
    """
    if weights is None:
        return np.ones((1, count))
    values = np.asarray(weights, np.float64)
    if values.ndim != 2 or values.shape[1] != count:
        raise DataError(
            f"Cannot measure: expected weights of shape (R, {count}), one row per resample, got "
            f"shape {values.shape}. Give one weight per item in each row."
        )
    if not values.min(initial=0) >= 0:
        raise DataError(
            "Cannot measure: a weight is negative or NaN; expected how often each item counts. "
            "Give weights of 0 or more."
        )
    return values


def check_share(value: float, name: str, *, zero: bool = False) -> None:
    """Refuses a rate outside 0..1.

    Args:
        value: the rate.
        name: what it is called in the message.
        zero: whether 0 itself is allowed.

    Raises:
        UsageError: it is not above 0 (or not at least 0) or is above 1.
    """
    if not (0 <= value <= 1 if zero else 0 < value <= 1):
        raise UsageError(
            f"Cannot use the {name} {value:g}: expected {'0' if zero else 'more than 0'} to 1. "
            "Give a share, not a percentage."
        )


def ratio(part: Values, whole: Values) -> Values:
    """The part as a share of the whole; NaN where the whole is 0."""
    return np.asarray(part / np.where(whole > 0, whole, np.nan))


def one_or_each(values: Values, weights: ArrayLike | None) -> float | Values:
    """The single value of unweighted items, or all of (R,)."""
    return float(values[0]) if weights is None else values
