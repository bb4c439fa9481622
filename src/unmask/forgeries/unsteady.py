"""Forgeries that betray themselves over time alone: mouths out of step, masks that flicker.

Every frame for itself may look right. All take at least a few frames of one face.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.forgeries.blend import Face, log_uniform, recolor, resample
from unmask.forgeries.face_clip import (
    FaceClip,
    ForgedClip,
    match_color,
    move,
    smooth_in_time,
)
from unmask.forgeries.forgery import (
    Forgery,
    Maker,
    Material,
    gather,
    height_px,
    lay_over,
    region_mask,
)
from unmask.forgeries.traced import draw_region
from unmask.imaging.geometry import similarity
from unmask.types import Floats, Pixels

_MOUTH_FEATHER: Final = (0.015, 0.06)
_DRIFT_SIGMA: Final = 4.0
"""Frames over which a drift is smoothed: it swims, it does not shake."""


def of_family(family: Callable[[FaceClip, int], ForgedClip]) -> Maker:
    """A kind made by one of ``FAMILIES``; its mask is 0 or 1."""

    def make(faces: Sequence[Face], rng: np.random.Generator, material: Material) -> Forgery:
        frames = np.stack([face.pixels for face in faces])
        points = np.stack([face.landmarks_px for face in faces])
        forged = family(FaceClip(frames, points), int(rng.integers(2**31)))
        masks = [mask.astype(np.float32) for mask in forged.masks]
        return Forgery([face.pixels for face in faces], [*forged.frames], masks)

    return make


def jittered_mouth(faces: Sequence[Face], rng: np.random.Generator, material: Material) -> Forgery:
    """Every frame has the mouth of a frame one to four earlier or later: speech that stutters."""
    count = len(faces)
    reach = min(int(rng.integers(1, 5)), count - 1)
    steps = rng.integers(1, reach + 1, count) * rng.choice([-1, 1], count)
    at = np.arange(count)
    # A mouth from beyond the ends would be the frame's own: the other side has one.
    inside = (at + steps >= 0) & (at + steps < count)
    mirrored = at - steps
    sources = np.where(inside, at + steps, np.clip(mirrored, 0, count - 1))
    return _mouths(faces, sources, rng, material)


def frozen_mouth(faces: Sequence[Face], rng: np.random.Generator, material: Material) -> Forgery:
    """The mouth of one frame stays for 60 to 100 % of the clip, while the head moves on.

    The other frames are the real ones, and their mask is 0.
    """
    count = len(faces)
    length = min(count, max(2, round(rng.uniform(0.6, 1.0) * count)))
    first = int(rng.integers(count - length + 1))
    sources = np.arange(count)
    sources[first : first + length] = int(rng.integers(first, first + length))
    return _mouths(faces, sources, rng, material, own=np.arange(count) - sources == 0)


def _mouths(
    faces: Sequence[Face],
    sources: NDArray[np.int64],
    rng: np.random.Generator,
    material: Material,
    own: NDArray[np.bool_] | None = None,
) -> Forgery:
    """Gives every frame the mouth of another frame, by number; one that is its own stays real."""
    region = material.region or str(rng.choice(["mouth", "lower"], p=[0.7, 0.3]))
    outline, feather = int(rng.integers(2**32)), log_uniform(rng, *_MOUTH_FEATHER)
    parts = []
    for number, face in enumerate(faces):
        real, other = face.pixels, faces[int(sources[number])]
        weight = region_mask(face, region, outline, feather=feather)
        if own is not None and own[number]:
            parts.append((real, real, np.zeros_like(weight)))
            continue
        size = (real.shape[1], real.shape[0])
        moved = move(other.pixels, similarity(other.landmarks_px, face.landmarks_px), size)
        parts.append((real, *lay_over(real, match_color(moved, real, weight, 0.8), weight)))
    return gather(parts)


def flicker(faces: Sequence[Face], rng: np.random.Generator, material: Material) -> Forgery:
    """The face, resampled, over itself; opacity, outline and color change from frame to frame."""
    region = draw_region(rng, material)
    detail, outline, color = (int(n) for n in rng.integers(2**32, size=3))
    hold = int(rng.integers(1, 4))  # frames that an outline stays
    amount = rng.uniform(2, 6)
    opacity = rng.uniform(0.5, 1.0, len(faces)).astype(np.float32)
    tints = rng.normal(0, amount, (len(faces), 3)) * 0.4 + rng.normal(0, amount, (len(faces), 1))
    feather = log_uniform(rng, 0.015, 0.06)
    parts = []
    for number, face in enumerate(faces):
        changed = recolor(face.pixels, np.random.default_rng(color))
        changed = resample(changed, np.random.default_rng(detail))
        changed = np.asarray(np.clip(changed + tints[number], 0, 255), np.uint8)
        weight = region_mask(face, region, outline + number // hold, feather=feather)
        parts.append((face.pixels, *lay_over(face.pixels, changed, weight * opacity[number])))
    return gather(parts)


def swimming_paste(faces: Sequence[Face], rng: np.random.Generator, material: Material) -> Forgery:
    """The face over itself, drifting slowly to and fro, by up to 7 % of its height, and turning."""
    region = draw_region(rng, material)
    detail, outline, color = (int(n) for n in rng.integers(2**32, size=3))
    shifts = _drift(len(faces), 2, rng) * rng.uniform(0.025, 0.07)
    turns = _drift(len(faces), 1, rng)[:, 0] * rng.uniform(0.5, 2.0)
    feather = log_uniform(rng, 0.015, 0.06)
    parts = []
    for number, face in enumerate(faces):
        real = face.pixels
        changed = recolor(real, np.random.default_rng(color))
        changed = resample(changed, np.random.default_rng(detail))
        x, y = (float(value) for value in face.landmarks_px.mean(axis=0))
        matrix = cv2.getRotationMatrix2D((x, y), float(turns[number]), 1.0)
        matrix[:, 2] += shifts[number] * height_px(face)
        changed = move(changed, matrix.astype(np.float32), (real.shape[1], real.shape[0]))
        weight = region_mask(face, region, outline, feather=feather)
        parts.append((real, *lay_over(real, _near(changed, real, weight), weight)))
    return gather(parts)


def _near(changed: Pixels, real: Pixels, weight: Floats) -> Pixels:
    return match_color(changed, real, weight, 0.6)


def _drift(count: int, axes: int, rng: np.random.Generator) -> Floats:
    """Smooth motion (T, axes) that reaches 1 at its farthest."""
    noise = rng.standard_normal((count, axes)).astype(np.float32)
    drift = smooth_in_time(np.cumsum(noise, axis=0, dtype=np.float32), _DRIFT_SIGMA)
    drift -= drift.mean(axis=0)
    farthest = np.abs(drift).max(axis=0)
    return np.asarray(drift / np.maximum(farthest, 1e-6), np.float32)
