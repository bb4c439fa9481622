"""Mouth and brows pulled to and fro by a smooth warp: the face's own pixels, moved."""

from __future__ import annotations

from typing import Final

import numpy as np

from unmask.forgeries.clip import FaceClip, ForgedFrame, Material
from unmask.forgeries.paste import lay_over
from unmask.forgeries.registry import kind
from unmask.forgeries.warp import displaced, motion, pull_field

_SMALLEST_PX: Final = 0.25
"""Smaller displacements are left out: what is moved by less looks like the real frame."""


@kind("mouth and brows pulled to and fro", least_frames=2)
def landmark_warp(
    clip: FaceClip, rng: np.random.Generator, material: Material
) -> list[ForgedFrame]:
    """Corners of the mouth, lips and brows are pulled to and fro, each in a rhythm of its own.

    The displacement is a sum of Gaussian windows about the pulled places, so it is smooth in space
    and time and ends around them.
    """
    motions = {name: motion(len(clip), rng) for name in ("corners", "lips", "brows")}
    # Both brows move together, one of them a little less.
    motions["left brow"], motions["right brow"] = motions["brows"], motions["brows"] * 0.8
    frames = []
    for number, face in enumerate(clip.faces):
        real = face.pixels
        pulls = {name: float(values[number]) for name, values in motions.items()}
        field = pull_field(face.landmarks_px, (real.shape[0], real.shape[1]), pulls)
        length_px = np.linalg.norm(field, axis=2)
        weight = np.clip((length_px - _SMALLEST_PX) / _SMALLEST_PX, 0, 1).astype(np.float32)
        frames.append(ForgedFrame(real, *lay_over(real, displaced(real, field), weight)))
    return frames
