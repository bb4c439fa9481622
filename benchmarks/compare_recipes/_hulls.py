"""Masks from 468 points: hulls of face regions, deformed as the authors of SBI deform theirs.

Shiohara & Yamasaki, "Detecting Deepfakes with Self-Blended Images" (CVPR 2022), files ``sbi.py``
and ``blend.py`` of their code.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from unmask.types import Floats

_OVAL: Final = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
_JAW: Final = (
    *(356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172),
    *(58, 132, 93, 234, 127),
)
_BROWS: Final = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)
_EYES: Final = (33, 133, 159, 145, 263, 362, 386, 374, 230, 450)
_LIPS: Final = (
    *(61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185),
)
_CHIN: Final = (
    *(132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361),
    *(98, 327, 2, 205, 425),
)
HULLS: Final = {
    "whole": _OVAL,
    "no_forehead": _JAW + _BROWS,
    "inner": _BROWS + _LIPS + _EYES,
    "lower": _CHIN,
    "mouth": (*_LIPS, 2, 18),
    "eyes": _BROWS + _EYES,
}
"""Numbers of MediaPipe's points whose hull covers a region."""

SMALL: Final = ("lower", "mouth", "eyes")
"""Regions that do not survive being cut where the blurred mask falls below 1."""

_PUBLISHED_PX: Final = 380
"""Picture size that the strength of the elastic deformation is given for."""


def hull_mask(mesh: Floats, size_px: tuple[int, int], region: str) -> Floats:
    """(H, W), 1 within the convex hull of a region's points, of ``mesh`` (468, 2)."""
    mask = np.zeros(size_px, np.uint8)
    hull = cv2.convexHull(np.rint(mesh[list(HULLS[region])]).astype(np.int32))
    cv2.fillConvexPoly(mask, hull, 255, cv2.LINE_AA)
    return np.asarray(mask / np.float32(255), np.float32)


def slip(size_px: tuple[int, int], rng: np.random.Generator) -> Floats:
    """A shift by up to 3 % and 1.5 % and a scale of 0.95 to 1 / 0.95, (2, 3)."""
    height, width = size_px
    scale = float(rng.uniform(0.95, 1 / 0.95))
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 0, scale)
    matrix[:, 2] += rng.uniform(-1, 1, 2) * (0.03 * width, 0.015 * height)
    return np.asarray(matrix, np.float32)


def elastic(
    mask: Floats, rng: np.random.Generator, alpha: float = 50.0, sigma: float = 7.0
) -> Floats:
    """The mask (H, W), moved about by smoothed noise of strength ``alpha``."""
    height, width = mask.shape
    share = max(height, width) / _PUBLISHED_PX
    small = (max(8, round(height / share)), max(8, round(width / share)))
    fields = []
    for _ in range(2):
        noise = cv2.GaussianBlur(rng.uniform(-1, 1, small).astype(np.float32), (0, 0), sigma)
        fields.append(cv2.resize(noise * np.float32(alpha * share), (width, height)))
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return np.asarray(cv2.remap(mask, x + fields[0], y + fields[1], cv2.INTER_LINEAR), np.float32)


def softened(mask: Floats, rng: np.random.Generator) -> Floats:
    """The mask (H, W) resized, blurred, cut where it is below 1, and blurred again."""
    height, width = mask.shape
    columns, rows = (int(n) for n in rng.integers(192, 257, 2))
    small = cv2.resize(mask, (columns, rows))
    first, second = (int(rng.integers(2, 13)) * 2 + 1 for _ in range(2))
    small = cv2.GaussianBlur(small, (first, first), 0)
    small = np.where(small / max(float(small.max()), 1e-6) < 0.999, 0, 1).astype(np.float32)
    small = cv2.GaussianBlur(small, (second, second), float(rng.integers(5, 46)))
    small /= max(float(small.max()), 1e-6)
    return np.asarray(np.clip(cv2.resize(small, (width, height)), 0, 1), np.float32)


def drawn_mask(
    mesh: Floats, size_px: tuple[int, int], region: str, rng: np.random.Generator
) -> Floats:
    """A region's hull (H, W), deformed, with a soft rim."""
    mask = elastic(hull_mask(mesh, size_px, region), rng)
    if region in SMALL:
        side = 0.01 * max(size_px) * float(rng.uniform(0.5, 3))
        grown = cv2.dilate(mask, np.ones((5, 5), np.uint8))
        return np.asarray(np.clip(cv2.GaussianBlur(grown, (0, 0), side), 0, 1), np.float32)
    return softened(mask, rng)
