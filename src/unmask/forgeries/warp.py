"""A smooth warp of mouth and brows over time: the face's own pixels, moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import cv2
import numpy as np

from unmask.forgeries.masks import face_frame
from unmask.types import Floats, Pixels


class _Handle(NamedTuple):
    """A place of the face that is pulled.

    Place, reach and pull are in the frame of the face (see ``forgeries.masks``): 1 is the distance
    from the eyes to the mouth, y points down. ``pull`` is the most it is moved.
    """

    x: float
    y: float
    reach: float
    pull_x: float
    pull_y: float
    motion: str


_HANDLES: Final = (
    _Handle(-0.36, 1.0, 0.22, -0.09, -0.04, "corners"),
    _Handle(0.36, 1.0, 0.22, 0.09, -0.04, "corners"),
    _Handle(0.0, 0.9, 0.2, 0.0, -0.05, "lips"),
    _Handle(0.0, 1.2, 0.26, 0.0, 0.13, "lips"),
    _Handle(-0.5, -0.3, 0.26, -0.02, -0.12, "left brow"),
    _Handle(0.5, -0.3, 0.26, 0.02, -0.12, "right brow"),
)


def motion(count: int, rng: np.random.Generator) -> Floats:
    """How far a handle is pulled, per frame: 0.3 to 1, or with the opposite sign."""
    frame = np.arange(count)
    wave = np.zeros(count)
    for period in rng.uniform(14, 45, 2):  # frames: half a second to two
        wave += 0.5 * np.sin(2 * np.pi * (frame / period + rng.random()))
    sign = 1.0 if rng.random() < 0.7 else -0.6
    return np.asarray(sign * (0.65 + 0.35 * wave), np.float32)


def pull_field(points: Floats, size: tuple[int, int], pulls: Mapping[str, float]) -> Floats:
    """Displacement (H, W, 2) in pixels.

    Args:
        points: (5, 2) in pixels.
        size: (H, W).
        pulls: how far the handles of a motion (``corners``, ``lips``, ``left brow``, ``right
            brow``) are pulled, 1 being the most; a motion that is not named rests.
    """
    matrix, origin = face_frame(points)
    height, width = size
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    unit_px = float(np.linalg.norm(matrix[:, 1]))
    field = np.zeros((height, width, 2), np.float32)
    for handle in _HANDLES:
        center = matrix @ np.array([handle.x, handle.y], np.float32) + origin
        pull = matrix @ np.array([handle.pull_x, handle.pull_y], np.float32)
        reach_px = handle.reach * unit_px
        distance = ((x - center[0]) ** 2 + (y - center[1]) ** 2) / (2 * reach_px**2)
        field += (pulls.get(handle.motion, 0.0) * np.exp(-distance))[..., None] * pull
    return field


def displaced(real: Pixels, field: Floats) -> Pixels:
    """Every pixel of (H, W, 3) comes from where the displacement (H, W, 2) took it from."""
    height, width = real.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    warped: Pixels = cv2.remap(
        real, x - field[..., 0], y - field[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )
    return warped
