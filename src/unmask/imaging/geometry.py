"""Alignment: the turn, scale and shift that take points onto others."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]


def similarity(source_px: npt.ArrayLike, target_px: npt.ArrayLike) -> Points:
    """The rotation, uniform scale and shift that best map one set of points onto another.

    Least squares (Umeyama 1991), never a reflection. No point is left out, unlike in OpenCV's
    robust estimates, so the matrix does not jump from frame to frame.

    Args:
        source_px: (K, 2). Points that are all the same are mapped with scale 0.
        target_px: (K, 2).

    Returns:
        (2, 3) float64: the target is about ``matrix[:, :2] @ source + matrix[:, 2]``.

    >>> square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    >>> similarity(square, 2 * square + 5).round(6).tolist()
    [[2.0, -0.0, 5.0], [0.0, 2.0, 5.0]]
    """
    source, target = np.asarray(source_px, np.float64), np.asarray(target_px, np.float64)
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    source, target = source - source_mean, target - target_mean
    # In the plane a similarity is one complex number: the projection of target onto source.
    along = float((source * target).sum())
    across = float((source[:, 0] * target[:, 1] - source[:, 1] * target[:, 0]).sum())
    a, b = np.array([along, across]) / max(float((source**2).sum()), 1e-6)
    linear = np.array([[a, -b], [b, a]])
    return np.column_stack([linear, target_mean - linear @ source_mean])


def transform(points_px: Points, matrix: Points) -> Points:
    """Maps (K, 2) points by a (2, 3) matrix."""
    return points_px @ matrix[:, :2].T + matrix[:, 2]
