"""A region of the face, disturbed, over itself; the real frames stay as they are."""

from __future__ import annotations

import cv2
import numpy as np

from unmask.forgeries.clip import FaceClip, ForgedFrame, Material
from unmask.forgeries.disturb import recolor, resample, sharpen_or_smooth
from unmask.forgeries.paste import eyes_to_mouth_px, lay_over, moved, region_mask
from unmask.forgeries.registry import kind


@kind("the whole face, disturbed and out of place, over itself")
def whole_face_blend(
    clip: FaceClip, rng: np.random.Generator, material: Material
) -> list[ForgedFrame]:
    """The whole face, disturbed, over itself (after self-blended images, CVPR 2022)."""
    return _blend(clip, "whole", rng)


@kind("eyes, nose and mouth, disturbed and out of place, over themselves")
def inner_face_blend(
    clip: FaceClip, rng: np.random.Generator, material: Material
) -> list[ForgedFrame]:
    """Eyes, nose and mouth, disturbed, over themselves."""
    return _blend(clip, "inner", rng)


def _blend(clip: FaceClip, region: str, rng: np.random.Generator) -> list[ForgedFrame]:
    """Every frame gets the same change of color, sharpness, resolution and place."""
    color, detail, sharpness, outline = (int(n) for n in rng.integers(2**32, size=4))
    slip = rng.normal(0, 0.03, 2)
    slip += np.sign(slip) * 0.02  # never so little that nothing is out of place
    turn, scale = rng.normal(0, 1.2), 1 + rng.normal(0, 0.02)
    feather = rng.uniform(0.015, 0.06)
    frames = []
    for face in clip.faces:
        real = face.pixels
        weight = region_mask(face, region, outline, wobble=0.06, feather=feather)
        # A generator of the same seed for every frame: the same draw for the whole clip.
        changed = recolor(real, np.random.default_rng(color))
        changed = resample(changed, np.random.default_rng(detail))
        changed = sharpen_or_smooth(changed, np.random.default_rng(sharpness))
        x, y = (float(value) for value in face.landmarks_px.mean(axis=0))
        matrix = cv2.getRotationMatrix2D((x, y), turn, scale)
        matrix[:, 2] += slip * eyes_to_mouth_px(face)
        changed = moved(changed, matrix.astype(np.float32), (real.shape[1], real.shape[0]))
        frames.append(ForgedFrame(real, *lay_over(real, changed, weight)))
    return frames
