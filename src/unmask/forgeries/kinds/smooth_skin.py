"""Skin without pores, as generators and beauty filters draw it."""

from __future__ import annotations

import cv2
import numpy as np

from unmask.forgeries.registry import kind
from unmask.forgeries.traced import everywhere, on_face, sharpened
from unmask.types import Pixels


def smooth_skin(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Skin without pores between rims that are too sharp."""
    color, space = rng.uniform(18, 42), rng.uniform(2.5, 5)
    sigma, amount = rng.uniform(0.8, 1.6), rng.uniform(0.3, 1.0)
    smooth = cv2.bilateralFilter(pixels, 7, color, space)
    smooth = cv2.bilateralFilter(smooth, 5, color / 2, space)
    return sharpened(np.asarray(smooth, np.uint8), sigma, amount)


kind("skin without pores, rims too sharp", name="smooth_skin")(on_face(smooth_skin))
kind("the whole picture smoothed between sharp rims", name="smooth_skin_everywhere")(
    everywhere(smooth_skin)
)
