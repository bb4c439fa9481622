"""A face whose mask and color change from frame to frame."""

from __future__ import annotations

import numpy as np

from unmask.forgeries.clip import FaceClip, ForgedFrame, Material
from unmask.forgeries.disturb import log_uniform, recolor, resample
from unmask.forgeries.paste import draw_region, lay_over, region_mask
from unmask.forgeries.registry import kind


@kind("mask and color change from frame to frame", least_frames=2)
def flicker(clip: FaceClip, rng: np.random.Generator, material: Material) -> list[ForgedFrame]:
    """The face, resampled, over itself; opacity, outline and color change from frame to frame."""
    region = draw_region(rng, material)
    detail, outline, color = (int(n) for n in rng.integers(2**32, size=3))
    hold = int(rng.integers(1, 4))  # frames that an outline stays
    amount = rng.uniform(2, 6)
    opacity = rng.uniform(0.5, 1.0, len(clip)).astype(np.float32)
    tints = rng.normal(0, amount, (len(clip), 3)) * 0.4 + rng.normal(0, amount, (len(clip), 1))
    feather = log_uniform(rng, 0.015, 0.06)
    frames = []
    for number, face in enumerate(clip.faces):
        changed = recolor(face.pixels, np.random.default_rng(color))
        changed = resample(changed, np.random.default_rng(detail))
        changed = np.asarray(np.clip(changed + tints[number], 0, 255), np.uint8)
        weight = region_mask(face, region, outline + number // hold, feather=feather)
        frames.append(
            ForgedFrame(face.pixels, *lay_over(face.pixels, changed, weight * opacity[number]))
        )
    return frames
