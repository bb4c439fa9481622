"""The one place of a heat map that it points at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from unmask.types import Floats


def peak(heat: Floats) -> tuple[int, ...]:
    """Indices of the highest value; of several equal ones, the one nearest to their middle.

    Occlusion has areas of equal heat: their first corner is not what they point at.

    >>> peak(np.array([[0, 1, 1, 1, 0]], np.float32))
    (0, 2)
    """
    places = np.argwhere(heat == heat.max())
    distances = ((places - places.mean(axis=0)) ** 2).sum(axis=1)
    return tuple(int(v) for v in places[distances.argmin()])
