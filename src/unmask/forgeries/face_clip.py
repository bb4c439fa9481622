"""A face over time, and what the families of clip forgeries share: alignment and pasting."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from unmask.errors import UsageError
from unmask.types import Floats, Pixels

_FAINTEST: Final = 0.04
"""Weights up to here paste nothing: rounding would hide them, and the mask would still tell."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceClip:
    """Consecutive frames of one face.

    Attributes:
        frames: (T, H, W, 3) RGB uint8.
        landmarks_px: (T, 5, 2) float32: eyes, nose tip, mouth corners, in every frame.
    """

    frames: Pixels
    landmarks_px: Floats

    def __post_init__(self) -> None:
        shape, points = self.frames.shape, self.landmarks_px.shape
        if len(shape) != 4 or shape[-1] != 3 or not shape[0] or points != (shape[0], 5, 2):
            raise UsageError(
                "Cannot use this clip: expected frames (T, H, W, 3) and landmarks (T, 5, 2) of "
                f"one T, got {shape} and {points}. Give five points for every frame."
            )


class ForgedClip(NamedTuple):
    """A forgery of a clip and where it was forged.

    ``frames`` (T, H, W, 3) RGB uint8; ``masks`` (T, H, W) uint8, 1 where pixels were replaced,
    0 where every frame is the real one, bit by bit.
    """

    frames: Pixels
    masks: Pixels


def smooth_in_time(values: Floats, sigma_frames: float) -> Floats:
    """Gaussian smoothing over the first axis; the ends repeat.

    Args:
        values: (T, ...).
        sigma_frames: standard deviation, in frames.
    """
    reach = math.ceil(3 * sigma_frames)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma_frames) ** 2)
    kernel /= kernel.sum()
    flat = values.reshape(len(values), -1)
    padded = np.pad(flat, ((reach, reach), (0, 0)), mode="edge")
    columns = [np.convolve(column, kernel, mode="valid") for column in padded.T]
    return np.asarray(np.stack(columns, axis=1).reshape(values.shape), np.float32)


def paste(real: Pixels, changed: Pixels, weight: Floats) -> tuple[Pixels, Pixels]:
    """Blends a changed picture over the real one.

    Args:
        real: (H, W, 3) RGB uint8.
        changed: (H, W, 3) RGB uint8.
        weight: (H, W) float32 in 0..1, of the changed one; the faintest of it becomes 0.

    Returns:
        The blend, and its mask (H, W) uint8: 1 where the weight is above 0.
    """
    clear = np.clip((weight - _FAINTEST) / (1 - 2 * _FAINTEST), 0, 1)[..., None]
    blend = clear * changed.astype(np.float32) + (1 - clear) * real.astype(np.float32)
    mask = np.asarray(clear[..., 0] > 0, np.uint8)
    return np.asarray(np.where(mask[..., None] > 0, np.rint(blend), real), np.uint8), mask


def match_color(changed: Pixels, real: Pixels, weight: Floats, share: float = 1.0) -> Pixels:
    """Moves the mean color of a picture under the mask to that of the real one.

    Args:
        changed: (H, W, 3) RGB uint8.
        real: (H, W, 3) RGB uint8.
        weight: (H, W) float32, of which the means are taken.
        share: of the difference that is made up for.
    """
    total = max(float(weight.sum()), 1e-6)
    difference = (real.astype(np.float32) - changed) * weight[..., None]
    shift = share * difference.sum(axis=(0, 1)) / total
    return np.asarray(np.clip(np.rint(changed + shift.astype(np.float32)), 0, 255), np.uint8)


def move(pixels: Pixels, matrix: npt.NDArray[np.floating], size: tuple[int, int]) -> Pixels:
    """The picture under a matrix (2, 3), bicubic, in ``size`` (width, height); borders reflect."""
    moved: Pixels = cv2.warpAffine(
        pixels, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )
    return moved
