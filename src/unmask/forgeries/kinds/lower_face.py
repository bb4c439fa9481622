"""The lower face replaced, as lip-sync tools do: what is under the eyes does not belong there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import cv2
import numpy as np

from unmask.forgeries.clip import Face, FaceClip, ForgedFrame, Material, smooth_in_time
from unmask.forgeries.disturb import log_uniform
from unmask.forgeries.paste import aligned, in_crop, lay_over, match_color, region_mask
from unmask.forgeries.registry import kind
from unmask.forgeries.warp import displaced, pull_field
from unmask.types import Floats, Pixels

_REGION_SHARES: Final = {"lower": 0.7, "mouth": 0.3}
_LIPS_SIGMA: Final = 2.0
"""Frames over which the motion of lips is smoothed."""


@kind("under the eyes another moment or another mouth, drawn small and soft", moment_share=0.8)
def lower_face(clip: FaceClip, rng: np.random.Generator, material: Material) -> list[ForgedFrame]:
    """Pastes another moment of the same person under the eyes, redrawn small and soft.

    Without another moment the mouth of the face itself is opened or closed, and its corners are
    pulled. Either passes through a crop of 64 to 192 px, the sizes of lip-sync generators.
    """
    drawn = str(rng.choice(list(_REGION_SHARES), p=list(_REGION_SHARES.values())))
    region = material.region or drawn
    side, sigma = round(log_uniform(rng, 64, 192)), rng.uniform(0.3, 0.9)
    feather = log_uniform(rng, 0.01, 0.06)
    outline = int(rng.integers(2**32))
    motions = _motions(len(clip), rng)
    shift = rng.normal(0, 2.5, 3)

    def redraw(crop: Pixels) -> Pixels:
        soft = cv2.GaussianBlur(crop, (0, 0), sigma)
        return np.asarray(np.clip(soft + shift, 0, 255), np.uint8)

    moments = material.moment and material.moment.faces
    frames = []
    for number, face in enumerate(clip.faces):
        if moments:
            pixels = aligned(moments[number], face)
        else:
            pulls = {name: float(motion[number]) for name, motion in motions.items()}
            pixels = _spoken(face, pulls)
        changed = in_crop(face._replace(pixels=pixels), side, redraw)
        weight = region_mask(face, region, outline, feather=feather)
        changed = match_color(changed, face.pixels, weight, 0.8)
        frames.append(ForgedFrame(face.pixels, *lay_over(face.pixels, changed, weight)))
    return frames


def _motions(count: int, rng: np.random.Generator) -> Mapping[str, Floats]:
    """How far lips and corners are pulled, (T,): never so little that nothing moves."""
    motions = {}
    for name, most in (("lips", 1.5), ("corners", 1.0)):
        values = rng.uniform(0.4, most, count) * rng.choice([-0.6, 1.0])
        motions[name] = smooth_in_time(values.astype(np.float32)[:, None], _LIPS_SIGMA)[:, 0]
    return motions


def _spoken(face: Face, pulls: Mapping[str, float]) -> Pixels:
    size = (face.pixels.shape[0], face.pixels.shape[1])
    return displaced(face.pixels, pull_field(face.landmarks_px, size, pulls))
