"""Sides of boxes."""

from __future__ import annotations

import numpy as np

from unmask.imaging.boxes import longest_side, longest_sides


def test_the_longer_side_counts():
    boxes = np.float32([[0, 0, 30, 20], [5, 5, 10, 45]])
    assert longest_sides(boxes).tolist() == [30, 40]
    assert [longest_side(box) for box in boxes] == [30, 40]
