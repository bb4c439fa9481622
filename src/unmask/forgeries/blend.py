"""Self-blended pseudo-forgeries (after Shiohara & Yamasaki, CVPR 2022), our own recipe.

Two versions of one face, differing in color, sharpness, grain, resolution, compression and
slightly in place, are blended under a mask. What a forger's paste leaves behind, this leaves
behind; nothing else differs between the real picture and the forged one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from unmask.forgeries.face_clip import move
from unmask.forgeries.masks import draw_mask
from unmask.imaging.codecs import jpeg_round_trip
from unmask.imaging.geometry import similarity
from unmask.types import Floats, Pixels

_REGION_SHARES = {"whole": 0.32, "inner": 0.22, "lower": 0.2, "mouth": 0.18, "eyes": 0.08}
_RESIZES = (
    cv2.INTER_NEAREST,
    cv2.INTER_LINEAR,
    cv2.INTER_CUBIC,
    cv2.INTER_AREA,
    cv2.INTER_LANCZOS4,
)
"""Interpolations that a forger's resampling may leave traces of."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face in a picture: ``pixels`` (H, W, 3) RGB uint8, points (5, 2), ``box_px`` (4,)."""

    pixels: Pixels
    landmarks_px: Floats
    box_px: Floats


class Pair(NamedTuple):
    """A real picture, a forgery made of it, and where it was forged.

    ``real``, ``fake`` (H, W, 3) RGB uint8; ``mask`` (H, W) float32 in 0..1, 1 = forged.
    """

    real: Pixels
    fake: Pixels
    mask: Floats


def self_blend(
    face: Face,
    rng: np.random.Generator,
    *,
    other: Face | None = None,
    region: str | None = None,
    is_coarse: bool = False,
) -> Pair:
    """Makes one pseudo-forgery.

    Args:
        face: the real face.
        rng: source of all randomness.
        other: the same person at another moment of the same clip; its region is then aligned
            by the five points and pasted, as a lip-sync tool would.
        region: a key of ``REGIONS``; None draws one.
        is_coarse: makes the forgery plain to see, by color and blur, and disturbs what is under
            the mask alone: for checks that a network learns at all.

    Returns:
        The pair. In two of five without ``other`` the disturbed version is outside the mask, and
        the real picture is disturbed alike: disturbance as such does not tell the classes apart.
    """
    drawn = str(rng.choice(list(_REGION_SHARES), p=list(_REGION_SHARES.values())))
    height, width = face.pixels.shape[:2]
    mask = draw_mask(face.landmarks_px, (height, width), region or drawn, rng)
    mask *= float(rng.choice([1.0, 0.75, 0.5], p=[0.7, 0.2, 0.1]))
    plain, paste = face.pixels, face.pixels
    if other is not None:
        size = (width, height)
        paste = move(other.pixels, similarity(other.landmarks_px, face.landmarks_px), size)
    changed = _displace(_disturb(paste, rng), rng)
    if is_coarse:
        mask = np.minimum(mask / max(float(mask.max()), 1e-6), 1)
        changed = _coarsen(changed, rng)
    background = plain
    if other is None and not is_coarse and rng.random() < 0.4:
        background, changed = changed, plain
    weight = mask[..., None]
    fake = weight * changed.astype(np.float32) + (1 - weight) * background.astype(np.float32)
    return Pair(background, np.clip(np.rint(fake), 0, 255).astype(np.uint8), mask)


def _disturb(pixels: Pixels, rng: np.random.Generator) -> Pixels:
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


def _coarsen(pixels: Pixels, rng: np.random.Generator) -> Pixels:
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


def _displace(pixels: Pixels, rng: np.random.Generator) -> Pixels:
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
