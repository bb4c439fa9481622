"""Self-blended pseudo-forgeries (after Shiohara & Yamasaki, CVPR 2022), our own recipe.

Two versions of one face, differing in color, sharpness, grain, resolution, compression and
slightly in place, are blended under a mask. What a forger's paste leaves behind, this leaves
behind; nothing else differs between the real picture and the forged one.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from unmask.forgeries.clip import Face, FaceClip, ForgedFrame, Material
from unmask.forgeries.disturb import coarsen, displace, disturb
from unmask.forgeries.masks import draw_mask
from unmask.forgeries.paste import aligned
from unmask.forgeries.registry import kind

_REGION_SHARES: Final = {"whole": 0.32, "inner": 0.22, "lower": 0.2, "mouth": 0.18, "eyes": 0.08}


@kind("the face, disturbed, over itself or another moment of it", moment_share=0.3)
def self_blend(clip: FaceClip, rng: np.random.Generator, material: Material) -> list[ForgedFrame]:
    """The face over itself; with another moment its region is aligned by the five points and
    pasted, as a lip-sync tool would.

    In two of five without another moment the disturbed version is outside the mask, and the real
    picture is disturbed alike: disturbance as such does not give the class away.
    """
    return _blend_frames(clip, rng, material, is_coarse=False)


@kind("the face over itself, plain to see: checks that a network learns at all", moment_share=0.3)
def coarse_blend(clip: FaceClip, rng: np.random.Generator, material: Material) -> list[ForgedFrame]:
    """The forgery differs plainly in color and blur, and under the mask alone."""
    return _blend_frames(clip, rng, material, is_coarse=True)


def _blend_frames(
    clip: FaceClip, rng: np.random.Generator, material: Material, *, is_coarse: bool
) -> list[ForgedFrame]:
    """Every frame by a generator of the same seed: the same draw for the whole clip."""
    moments = [None] * len(clip) if material.moment is None else material.moment.faces
    seed = int(rng.integers(2**32))
    return [
        _blend(face, np.random.default_rng(seed), other, material.region, is_coarse=is_coarse)
        for face, other in zip(clip.faces, moments, strict=True)
    ]


def _blend(
    face: Face,
    rng: np.random.Generator,
    other: Face | None,
    region: str | None,
    *,
    is_coarse: bool,
) -> ForgedFrame:
    drawn = str(rng.choice(list(_REGION_SHARES), p=list(_REGION_SHARES.values())))
    height, width = face.pixels.shape[:2]
    mask = draw_mask(face.landmarks_px, (height, width), region or drawn, rng)
    mask *= float(rng.choice([1.0, 0.75, 0.5], p=[0.7, 0.2, 0.1]))
    plain = face.pixels
    changed = displace(disturb(plain if other is None else aligned(other, face), rng), rng)
    if is_coarse:
        mask = np.minimum(mask / max(float(mask.max()), 1e-6), 1)
        changed = coarsen(changed, rng)
    background = plain
    if other is None and not is_coarse and rng.random() < 0.4:
        background, changed = changed, plain
    weight = mask[..., None]
    fake = weight * changed.astype(np.float32) + (1 - weight) * background.astype(np.float32)
    return ForgedFrame(background, np.clip(np.rint(fake), 0, 255).astype(np.uint8), mask)
