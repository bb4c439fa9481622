"""Boxes of faces: x0, y0, x1, y1 in pixels."""

from __future__ import annotations

import numpy as np

from unmask.types import Floats


def longest_side(box_px: Floats) -> float:
    """The longer side of a box (4,), in pixels.

    >>> longest_side(np.float32([10, 20, 40, 60]))
    40.0
    """
    return float(max(box_px[2] - box_px[0], box_px[3] - box_px[1]))


def longest_sides(boxes_px: Floats) -> Floats:
    """The longer side (N,) of each of N boxes (N, 4), in pixels."""
    return np.asarray((boxes_px[:, 2:] - boxes_px[:, :2]).max(axis=1))
