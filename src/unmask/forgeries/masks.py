"""Masks of face regions, from five points alone.

Regions are closed curves in a frame that the points define: the eyes lie at (-0.5, 0) and
(0.5, 0), the middle of the mouth at (0, 1). The curves were laid out on an average face.
"""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import NamedTuple

import cv2
import numpy as np

from unmask.types import Floats


class _Oval(NamedTuple):
    x: float
    y: float
    radius_x: float
    radius_y: float
    power: float


REGIONS = MappingProxyType(
    {
        "whole": _Oval(0.0, 0.45, 1.22, 1.45, 2.3),
        "inner": _Oval(0.0, 0.45, 0.88, 0.98, 2.6),
        "lower": _Oval(0.0, 1.05, 1.0, 0.78, 2.5),
        "mouth": _Oval(0.0, 1.02, 0.62, 0.42, 2.2),
        "eyes": _Oval(0.0, -0.06, 0.98, 0.36, 2.8),
    }
)
"""Center, radii and superellipse power of each region; whole, inner, lower, mouth, eyes."""

_VERTICES = 40


def face_frame(landmarks_px: Floats) -> tuple[Floats, Floats]:
    """Matrix (2, 2) and origin (2,) that take face coordinates to pixels."""
    eyes = landmarks_px[:2].mean(axis=0)
    across = landmarks_px[1] - landmarks_px[0]
    down = landmarks_px[3:5].mean(axis=0) - eyes
    # In profile the eyes meet: the height of the face then stands in for its width.
    upright = np.array([down[1], -down[0]], np.float32)
    if np.linalg.norm(across) < 0.45 * np.linalg.norm(down):
        across = 0.7 * upright
    return np.stack([across, down], axis=1).astype(np.float32), eyes


def _outline(region: str, rng: np.random.Generator, wobble: float) -> Floats:
    """The region's curve (V, 2) in face coordinates, randomly deformed."""
    oval = REGIONS[region]
    angle = np.linspace(0, 2 * math.pi, _VERTICES, endpoint=False)
    cosine, sine = np.cos(angle), np.sin(angle)
    radius = (np.abs(cosine) ** oval.power + np.abs(sine) ** oval.power) ** (-1 / oval.power)
    for order in (1, 2, 3, 5):
        phase, amount = rng.uniform(0, 2 * math.pi), rng.normal(0, wobble / order)
        radius = radius * (1 + amount * np.cos(order * angle + phase))
    size = rng.uniform(0.88, 1.1, 2)
    shift = rng.normal(0, 0.05, 2)
    x = oval.x + shift[0] + size[0] * oval.radius_x * radius * cosine
    y = oval.y + shift[1] + size[1] * oval.radius_y * radius * sine
    return np.stack([x, y], axis=1).astype(np.float32)


def draw_mask(
    landmarks_px: Floats,
    size_px: tuple[int, int],
    region: str,
    rng: np.random.Generator,
    *,
    wobble: float = 0.1,
    feather: float | None = None,
) -> Floats:
    """Draws a feathered mask of one region of a face.

    Args:
        landmarks_px: (5, 2) points of the face in the picture.
        size_px: (H, W) of the picture.
        region: a key of ``REGIONS``.
        rng: source of all randomness.
        wobble: strength of the random deformation of the outline, relative to its radius.
        feather: standard deviation of the soft edge as a share of the face's height; None
            draws it log-uniformly from 0.008 to 0.09.

    Returns:
        (H, W) float32 in 0..1, 1 inside.
    """
    matrix, origin = face_frame(landmarks_px)
    height, width = size_px
    points = _outline(region, rng, wobble) @ matrix.T + origin
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.rint(points * 16).astype(np.int32)], 255, lineType=cv2.LINE_AA, shift=4)
    if feather is None:
        feather = math.exp(rng.uniform(math.log(0.008), math.log(0.09)))
    sigma = feather * 2.5 * float(np.linalg.norm(matrix[:, 1]))
    if sigma > 0.3:
        mask = cv2.GaussianBlur(mask, (0, 0), min(sigma, 40.0))
    return (mask / 255.0).astype(np.float32)
