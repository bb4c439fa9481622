"""The picture gets small and large again."""

from __future__ import annotations

import numpy as np

from unmask.corruptions.registry import Corruption, register
from unmask.types import Pixels


def pixelate(frame: Pixels, factor: float, rng: np.random.Generator) -> Pixels:
    """Down by ``factor`` and up again, bilinear both ways as there; no side below 1 px."""
    import cv2

    height, width = frame.shape[:2]
    small = (max(1, width // int(factor)), max(1, height // int(factor)))
    return np.asarray(cv2.resize(cv2.resize(frame, small), (width, height)), np.uint8)


register(
    Corruption(
        name="pixelation",
        parameter="factor down and up again",
        values=(2, 3, 4, 5, 6),
        draws="nothing",
        act=pixelate,
        stream=5,
    )
)
