"""Colors lose their saturation."""

from __future__ import annotations

from typing import Final

import numpy as np

from unmask.corruptions.registry import Corruption, register
from unmask.types import Pixels

_LUMA: Final = (0.299, 0.587, 0.114)
"""BT.601, as OpenCV's YCrCb: R, G, B to luma."""


def saturate(frame: Pixels, factor: float, rng: np.random.Generator) -> Pixels:
    """Multiplies the chroma (BT.601) by ``factor``: 1 changes nothing, 0 leaves gray."""
    import cv2

    gray = np.tile(np.array(_LUMA, np.float32), (3, 1))
    matrix = factor * np.eye(3, dtype=np.float32) + (1 - factor) * gray
    # In float32: on bytes OpenCV reckons with ten bits.
    changed = cv2.transform(frame.astype(np.float32), matrix)
    return np.asarray(cv2.convertScaleAbs(changed), np.uint8)


register(
    Corruption(
        name="saturation",
        parameter="factor of the chroma",
        values=(0.4, 0.3, 0.2, 0.1, 0.0),
        draws="nothing",
        act=saturate,
        stream=0,
    )
)
