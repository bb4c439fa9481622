"""How well masks show which pixels are forged, over all pixels of many masks together.

Masks are counted into histograms as they come, 16 KB per item, so that memory does not grow with
their size. The bins are even in the logit of a mask's value, because masks crowd at 0 and 1.

``counts`` (2, B), or (N, 2, B) for N items, are of ``count_pixels``, B even; for the other
arguments and the errors see ``unmask.metrics``.
"""

from __future__ import annotations

from typing import Final, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unmask.errors import DataError, NotMeasurableError
from unmask.metrics._check import Flags, Values, check_weights, one_or_each, ratio
from unmask.metrics.registry import Items, Metric

PixelCounts = NDArray[np.int64]

BINS = 1024
"""Bins of a histogram; values below the half-way bin are below 0.5, without exception."""

_LARGEST_LOGIT = 16.0  # float32 has no number between the sigmoid of 17.3 and 1


def count_pixels(mask: ArrayLike, truth: ArrayLike, *, bins: int = BINS) -> PixelCounts:
    """Histograms of a mask's values over genuine and over forged pixels.

    The counts of several masks add up: ``count_pixels(a, ta) + count_pixels(b, tb)``. Stacked,
    one row per item, they are what the other functions here take.

    Args:
        mask: any shape, 0..1, 1 = forged.
        truth: the same shape, 1 (or True) = forged.
        bins: of a histogram; even.

    Returns:
        (2, bins): row 0 counts genuine pixels, row 1 forged ones.

    Raises:
        DataError: the shapes differ, a value of the mask lies outside 0..1 or is NaN, or one of
            the truth is not 0 or 1.

    >>> count_pixels([[0.1, 0.9]], [[0, 1]]).sum(axis=1).tolist()
    [1, 1]
    """
    values, true = np.asarray(mask, np.float64), np.asarray(truth)
    if values.shape != true.shape or not values.size:
        raise DataError(
            f"Cannot count pixels: expected a mask and its truth of one shape, got {values.shape} "
            f"and {true.shape}. Resize the truth to the mask, nearest pixel."
        )
    for name, bad, wanted in (
        ("mask", ~((values >= 0) & (values <= 1)), "0..1"),
        ("truth", (true != 0) & (true != 1), "0 or 1"),
    ):
        if bad.any():
            at = tuple(int(i) for i in np.argwhere(bad)[0])
            found = (values if name == "mask" else true)[at]
            raise DataError(
                f"Cannot count pixels: the {name} is {found} at {at}; expected {wanted}. Give "
                "probabilities for the mask and classes for the truth."
            )
    with np.errstate(divide="ignore"):
        logits = np.log(values) - np.log1p(-values)
    return count_logits(logits, true != 0, bins=bins)


def count_logits(
    logits: Values | NDArray[np.float32], truth: Flags, *, bins: int = BINS
) -> PixelCounts:
    """The same of the mask's logits, unchecked: for a detector's own masks, frame after frame.

    Args:
        logits: any shape, float, not NaN; 0 and above = called forged.
        truth: the same shape, True = forged.
        bins: of a histogram; even.

    Returns:
        (2, bins): row 0 counts genuine pixels, row 1 forged ones.

    >>> count_logits(np.array([-2.0, 0.0]), np.array([False, True]), bins=2).tolist()
    [[1, 0], [0, 1]]
    """
    spread = np.floor(logits * (bins / 2 / _LARGEST_LOGIT)) + bins // 2
    places = np.clip(spread, 0, bins - 1).astype(np.intp) + bins * truth
    return np.bincount(places.ravel(), minlength=2 * bins).astype(np.int64).reshape(2, bins)


@overload
def pixel_accuracy(counts: PixelCounts, *, weights: None = None) -> float: ...
@overload
def pixel_accuracy(counts: PixelCounts, *, weights: ArrayLike) -> Values: ...
def pixel_accuracy(counts: PixelCounts, *, weights: ArrayLike | None = None) -> float | Values:
    """Pixel-wise binary classification accuracy (PBCA) of masks at 0.5.

    Mazaheri and Roy-Chowdhury 2022 (EMD), table 4. It flatters: where few pixels are forged, a
    mask of zeros does well. ``intersection_over_union`` and ``f1_score`` do not.

    Histograms (2, B) or (N, 2, B): 0..1, or (R,). Raises ``DataError``.

    >>> pixel_accuracy(count_pixels([0.1, 0.2, 0.9, 0.3], [0, 0, 1, 1]))
    0.75
    """
    table = _at_half(counts, weights)
    right = table[:, 0, 0] + table[:, 1, 1]
    return one_or_each(ratio(right, table.sum(axis=(1, 2))), weights)


@overload
def intersection_over_union(counts: PixelCounts, *, weights: None = None) -> float: ...
@overload
def intersection_over_union(counts: PixelCounts, *, weights: ArrayLike) -> Values: ...
def intersection_over_union(
    counts: PixelCounts, *, weights: ArrayLike | None = None
) -> float | Values:
    """Pixels both forged and found, by those forged or found, for masks at 0.5 (IoU, Jaccard).

    Histograms (2, B) or (N, 2, B): 0..1, or (R,), NaN without forged pixels. Raises ``DataError``,
    ``NotMeasurableError``.

    >>> intersection_over_union(count_pixels([0.1, 0.2, 0.9, 0.3], [0, 0, 1, 1]))
    0.5
    """
    table = _at_half(counts, weights)
    _require(counts, 1)
    forged = table[:, 1].sum(axis=1)
    union = np.where(forged > 0, forged + table[:, 0, 1], np.nan)
    return one_or_each(table[:, 1, 1] / union, weights)


@overload
def f1_score(counts: PixelCounts, *, weights: None = None) -> float: ...
@overload
def f1_score(counts: PixelCounts, *, weights: ArrayLike) -> Values: ...
def f1_score(counts: PixelCounts, *, weights: ArrayLike | None = None) -> float | Values:
    """Harmonic mean of precision and recall of the forged pixels, for masks at 0.5 (F1, Dice).

    Histograms (2, B) or (N, 2, B): 0..1, or (R,), NaN without forged pixels. Raises ``DataError``,
    ``NotMeasurableError``.

    >>> round(f1_score(count_pixels([0.1, 0.2, 0.9, 0.3], [0, 0, 1, 1])), 4)
    0.6667
    """
    table = _at_half(counts, weights)
    _require(counts, 1)
    forged, found = table[:, 1].sum(axis=1), table[:, :, 1].sum(axis=1)
    return one_or_each(2 * table[:, 1, 1] / np.where(forged > 0, forged + found, np.nan), weights)


@overload
def pixel_auc(counts: PixelCounts, *, weights: None = None) -> float: ...
@overload
def pixel_auc(counts: PixelCounts, *, weights: ArrayLike) -> Values: ...
def pixel_auc(counts: PixelCounts, *, weights: ArrayLike | None = None) -> float | Values:
    """Area under the ROC over pixels (EMD, figures 4 and 5).

    Values in one bin are ties, which count half: off by ``pixel_auc_error`` at most. ``auc`` of
    all pixels is exact where they fit into memory.

    Histograms (2, B) or (N, 2, B): 0..1, or (R,), NaN without pixels of a class. Raises
    ``DataError``, ``NotMeasurableError``.

    >>> pixel_auc(count_pixels([0.1, 0.2, 0.9, 0.3], [0, 0, 1, 1]))
    1.0
    """
    pooled = _pool(counts, weights)
    _require(counts, 0)
    _require(counts, 1)
    genuine, forged = pooled[:, 0], pooled[:, 1]
    below = np.cumsum(genuine, axis=1) - genuine / 2
    pairs = genuine.sum(axis=1) * forged.sum(axis=1)
    area = np.einsum("rk,rk->r", forged, below)
    return one_or_each(ratio(area, pairs), weights)


def pixel_auc_error(counts: PixelCounts) -> float:
    """How far ``pixel_auc`` can be from the area over the pixels themselves.

    Half the share of the pairs of a forged and a genuine pixel that lie in one bin.

    Histograms (2, B) or (N, 2, B): 0..0.5. Raises ``DataError``, ``NotMeasurableError``.

    >>> pixel_auc_error(count_pixels([0.1, 0.1, 0.9], [0, 1, 1]))
    0.25
    """
    genuine, forged = _pool(counts, None)[0]
    _require(counts, 0)
    _require(counts, 1)
    return float((genuine * forged).sum() / (2 * genuine.sum() * forged.sum()))


def _pool(counts: PixelCounts, weights: ArrayLike | None) -> Values:
    """The histograms of each resample, (R, 2, B)."""
    _check_counts(counts)
    items = counts[None] if counts.ndim == 2 else counts
    flat = np.asarray(items.reshape(len(items), -1), np.float64)
    pooled = check_weights(weights, len(items)) @ flat
    return np.asarray(pooled).reshape(-1, 2, items.shape[2])


def _check_counts(counts: PixelCounts) -> None:
    """Refuses what is no histogram, with a ``DataError``."""
    is_histogram = counts.ndim in (2, 3) and counts.shape[-2] == 2 and not counts.shape[-1] % 2
    if not is_histogram or not counts.size:
        raise DataError(
            "Cannot measure masks: expected histograms of shape (2, B) or (N, 2, B) with B even, "
            f"got {counts.shape}. Stack what count_pixels returns."
        )


def _at_half(counts: PixelCounts, weights: ArrayLike | None) -> Values:
    """(R, 2, 2): genuine and forged pixels, each below 0.5 and not."""
    _check_counts(counts)
    halves = counts.reshape(*counts.shape[:-1], 2, -1).sum(axis=-1)
    return _pool(halves, weights)


def _require(counts: PixelCounts, row: int) -> None:
    """Refuses masks without pixels of a class."""
    if not counts[..., row, :].any():
        name = "forged" if row else "genuine"
        raise NotMeasurableError(
            f"Not measurable: no {name} pixels (truth {row}) among {int(counts.sum())}. Add masks "
            "that have some or leave this metric out."
        )


_VISIBLE_ERROR: Final = 0.0005
"""Half of the last digit of a table in percent."""


def _auc_note(items: Items) -> str:
    error = pixel_auc_error(items.pixels)
    if error < _VISIBLE_ERROR:
        return ""
    return f"pixel AUC off by at most {100 * error:.2f} points: values in a bin are ties"


# EMD measures test images, forged and pristine (section IV-D, figures 4 to 7). Anti-Compression
# (section 4.1) takes PBCA from Dang et al. 2020, who leave nothing out. Real videos have no
# forged pixels and flatter PBCA, so there is one without them too.
METRICS: Final = (
    Metric(
        name="PBCA",
        order=60,
        compute=lambda items, w: pixel_accuracy(items.pixels, weights=w),
        needs_masks=True,
        is_default=True,
    ),
    Metric(
        name="PBCA (forged)",
        order=61,
        compute=lambda items, w: pixel_accuracy(items.pixels, weights=w),
        classes=("fake",),
        needs_masks=True,
        is_default=True,
    ),
    Metric(
        name="IoU",
        order=62,
        compute=lambda items, w: intersection_over_union(items.pixels, weights=w),
        classes=("fake",),
        needs_masks=True,
        is_default=True,
    ),
    Metric(
        name="F1 (pixels)",
        order=63,
        compute=lambda items, w: f1_score(items.pixels, weights=w),
        classes=("fake",),
        needs_masks=True,
        is_default=True,
    ),
    Metric(
        name="pixel AUC",
        order=64,
        compute=lambda items, w: pixel_auc(items.pixels, weights=w),
        needs_masks=True,
        is_default=True,
        note=_auc_note,
    ),
)
