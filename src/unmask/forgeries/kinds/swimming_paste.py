"""A face that swims over itself."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from unmask.forgeries.clip import FaceClip, ForgedFrame, Material, smooth_in_time
from unmask.forgeries.disturb import log_uniform, recolor, resample
from unmask.forgeries.paste import (
    draw_region,
    eyes_to_mouth_px,
    lay_over,
    match_color,
    moved,
    region_mask,
)
from unmask.forgeries.registry import kind
from unmask.types import Floats

_DRIFT_SIGMA: Final = 4.0
"""Frames over which a drift is smoothed: it swims, it does not shake."""


@kind("a paste that drifts to and fro", least_frames=2)
def swimming_paste(
    clip: FaceClip, rng: np.random.Generator, material: Material
) -> list[ForgedFrame]:
    """The face over itself, drifting slowly to and fro, by up to 7 % of its height, and turning."""
    region = draw_region(rng, material)
    detail, outline, color = (int(n) for n in rng.integers(2**32, size=3))
    shifts = _drift(len(clip), 2, rng) * rng.uniform(0.025, 0.07)
    turns = _drift(len(clip), 1, rng)[:, 0] * rng.uniform(0.5, 2.0)
    feather = log_uniform(rng, 0.015, 0.06)
    frames = []
    for number, face in enumerate(clip.faces):
        real = face.pixels
        changed = recolor(real, np.random.default_rng(color))
        changed = resample(changed, np.random.default_rng(detail))
        x, y = (float(value) for value in face.landmarks_px.mean(axis=0))
        matrix = cv2.getRotationMatrix2D((x, y), float(turns[number]), 1.0)
        matrix[:, 2] += shifts[number] * eyes_to_mouth_px(face)
        changed = moved(changed, matrix.astype(np.float32), (real.shape[1], real.shape[0]))
        weight = region_mask(face, region, outline, feather=feather)
        changed = match_color(changed, real, weight, 0.6)
        frames.append(ForgedFrame(real, *lay_over(real, changed, weight)))
    return frames


def _drift(count: int, axes: int, rng: np.random.Generator) -> Floats:
    """Smooth motion (T, axes) that reaches 1 at its farthest."""
    noise = rng.standard_normal((count, axes)).astype(np.float32)
    drift = smooth_in_time(np.cumsum(noise, axis=0, dtype=np.float32), _DRIFT_SIGMA)
    drift -= drift.mean(axis=0)
    farthest = np.abs(drift).max(axis=0)
    return np.asarray(drift / np.maximum(farthest, 1e-6), np.float32)
