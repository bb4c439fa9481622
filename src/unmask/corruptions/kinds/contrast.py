"""All values get darker."""

from __future__ import annotations

import numpy as np

from unmask.corruptions.registry import Corruption, register
from unmask.types import Pixels


def reduce_contrast(frame: Pixels, factor: float, rng: np.random.Generator) -> Pixels:
    """Multiplies every value by ``factor``: towards black, not towards the mean, as there."""
    import cv2

    table = np.rint(np.arange(256) * factor).astype(np.uint8)
    return np.asarray(cv2.LUT(frame, table), np.uint8)


register(
    Corruption(
        name="contrast",
        parameter="factor of all values",
        values=(0.85, 0.725, 0.6, 0.475, 0.35),
        draws="nothing",
        act=reduce_contrast,
        stream=1,
    )
)
