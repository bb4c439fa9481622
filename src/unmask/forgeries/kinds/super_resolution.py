"""A small picture enlarged and sharpened, as by cheap super-resolution."""

from __future__ import annotations

import cv2
import numpy as np

from unmask.forgeries.registry import kind
from unmask.forgeries.traced import everywhere, on_face, sharpened, through_size
from unmask.types import Pixels


def super_resolution(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Small, enlarged by Lanczos and sharpened until it rings."""
    share = rng.uniform(0.25, 0.6)
    sigma, amount = rng.uniform(0.9, 1.8), rng.uniform(0.5, 1.5)
    return sharpened(through_size(pixels, share, cv2.INTER_LANCZOS4), sigma, amount)


kind("small, enlarged by Lanczos, sharpened until it rings", name="super_resolution")(
    on_face(super_resolution)
)
kind("the whole picture enlarged and sharpened", name="super_resolution_everywhere")(
    everywhere(super_resolution)
)
