"""Disturbances that make one picture look like two: color, sharpness, resolution, place."""

from __future__ import annotations

import math

import cv2
import numpy as np

from unmask.imaging.codecs import jpeg_round_trip
from unmask.types import Pixels

_RESIZES = (
    cv2.INTER_NEAREST,
    cv2.INTER_LINEAR,
    cv2.INTER_CUBIC,
    cv2.INTER_AREA,
    cv2.INTER_LANCZOS4,
)
"""Interpolations that a forger's resampling may leave traces of."""


def disturb(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Changes color, sharpness, resolution, grain and compression: at least one of them."""
    steps = [
        (recolor, 0.7),
        (resample, 0.55),
        (sharpen_or_smooth, 0.45),
        (_add_grain, 0.2),
        (_recompress, 0.25),
    ]
    chosen = [step for step, chance in steps if rng.random() < chance]
    for step in chosen or [recolor]:
        pixels = step(pixels, rng)
    return pixels


def recolor(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Gain, offset and saturation, as between two cameras or an imperfect color transfer."""
    values = pixels.astype(np.float32)
    gain = 1 + rng.normal(0, 0.06) + rng.normal(0, 0.025, 3)
    offset = rng.normal(0, 7) + rng.normal(0, 4, 3)
    gray = values.mean(axis=2, keepdims=True)
    values = gray + (values - gray) * (1 + rng.normal(0, 0.12))
    mean = values.mean(axis=(0, 1))
    values = (values - mean) * gain.astype(np.float32) + mean + offset.astype(np.float32)
    return np.asarray(np.clip(values, 0, 255), np.uint8)


def resample(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Down and up again: the resolution of a generator smaller than the face."""
    height, width = pixels.shape[:2]
    share = rng.uniform(0.3, 0.92)
    size = (max(8, round(width * share)), max(8, round(height * share)))
    down = int(rng.choice(_RESIZES[1:4], p=[0.4, 0.2, 0.4]))
    up = int(rng.choice(_RESIZES, p=[0.08, 0.36, 0.32, 0.04, 0.2]))
    small = cv2.resize(pixels, size, interpolation=down)
    back: Pixels = cv2.resize(small, (width, height), interpolation=up)
    return back


def coarsen(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Another tint, and half the sharpness."""
    blurred = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(1.0, 2.5))
    return np.asarray(np.clip(blurred + rng.normal(0, 25, 3), 0, 255), np.uint8)


def sharpen_or_smooth(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Another sharpness than the camera's: sharpened, blurred, or skin without pores."""
    kind = rng.random()
    if kind < 0.4:
        blurred = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.7, 2.0))
        amount = rng.uniform(0.3, 1.3)
        sharp: Pixels = cv2.addWeighted(pixels, 1 + amount, blurred, -amount, 0)
        return sharp
    if kind < 0.75:
        blurred = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.4, 1.8))
        return np.asarray(blurred, np.uint8)
    # Skin without pores under a sharp outline, as generators like it.
    return np.asarray(
        cv2.bilateralFilter(pixels, 5, rng.uniform(15, 45), rng.uniform(2, 5)), np.uint8
    )


def _add_grain(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    grain = rng.standard_normal((*pixels.shape[:2], 1), np.float32) * rng.uniform(1, 7)
    return np.clip(pixels + grain, 0, 255).astype(np.uint8)


def _recompress(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    return jpeg_round_trip(pixels, int(rng.integers(35, 92)))


def displace(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """A paste never sits quite right: shift, scale and turn, sometimes a smooth warp."""
    if rng.random() < 0.35:
        return pixels
    height, width = pixels.shape[:2]
    side = min(height, width)
    scale, turn = 1 + rng.normal(0, 0.018), rng.normal(0, 0.9)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, scale)
    matrix[:, 2] += rng.normal(0, 0.008 * side, 2)
    if rng.random() < 0.6:
        moved: Pixels = cv2.warpAffine(
            pixels, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        return moved
    coarse = rng.normal(0, 0.009 * side, (4, 4, 2)).astype(np.float32)
    field = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    warped: Pixels = cv2.remap(
        pixels,
        x + field[..., 0],
        y + field[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    return warped


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """One number whose logarithm is uniform between those of ``low`` and ``high``."""
    return math.exp(rng.uniform(math.log(low), math.log(high)))
