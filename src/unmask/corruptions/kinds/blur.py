"""A Gaussian blur."""

from __future__ import annotations

import numpy as np

from unmask.corruptions.registry import Corruption, register
from unmask.types import Pixels


def blur(frame: Pixels, kernel_px: float, rng: np.random.Generator) -> Pixels:
    """Blurs with a Gaussian of ``kernel_px`` pixels (odd) and a sigma of a sixth of them."""
    import cv2

    edge = int(kernel_px)
    return np.asarray(cv2.GaussianBlur(frame, (edge, edge), edge / 6), np.uint8)


register(
    Corruption(
        name="blur",
        parameter="edge of the Gaussian kernel, px",
        values=(7, 9, 13, 17, 21),
        draws="nothing",
        act=blur,
        stream=4,
    )
)
