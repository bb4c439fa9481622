"""Mouths out of step with the head: every frame for itself may look right."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from unmask.forgeries.clip import FaceClip, ForgedFrame, Material
from unmask.forgeries.disturb import log_uniform
from unmask.forgeries.paste import aligned, lay_over, match_color, region_mask
from unmask.forgeries.registry import kind

_FEATHER: Final = (0.015, 0.06)


@kind("the mouth of a frame a little earlier or later", least_frames=2)
def jittered_mouth(
    clip: FaceClip, rng: np.random.Generator, material: Material
) -> list[ForgedFrame]:
    """Every frame has the mouth of a frame one to four earlier or later: speech that stutters."""
    count = len(clip)
    reach = min(int(rng.integers(1, 5)), count - 1)
    steps = rng.integers(1, reach + 1, count) * rng.choice([-1, 1], count)
    at = np.arange(count)
    # A mouth from beyond the ends would be the frame's own: the other side has one.
    inside = (at + steps >= 0) & (at + steps < count)
    mirrored = at - steps
    sources = np.where(inside, at + steps, np.clip(mirrored, 0, count - 1))
    return _mouths(clip, sources, rng, material)


@kind("one mouth for most of the clip", least_frames=3)
def frozen_mouth(clip: FaceClip, rng: np.random.Generator, material: Material) -> list[ForgedFrame]:
    """The mouth of one frame stays for 60 to 100 % of the clip, while the head moves on.

    The other frames are the real ones, and their mask is 0.
    """
    count = len(clip)
    length = min(count, max(2, round(rng.uniform(0.6, 1.0) * count)))
    first = int(rng.integers(count - length + 1))
    sources = np.arange(count)
    sources[first : first + length] = int(rng.integers(first, first + length))
    return _mouths(clip, sources, rng, material, own=np.arange(count) - sources == 0)


def _mouths(
    clip: FaceClip,
    sources: NDArray[np.int64],
    rng: np.random.Generator,
    material: Material,
    own: NDArray[np.bool_] | None = None,
) -> list[ForgedFrame]:
    """Gives every frame the mouth of another frame, by number; one that is its own stays real."""
    region = material.region or str(rng.choice(["mouth", "lower"], p=[0.7, 0.3]))
    outline, feather = int(rng.integers(2**32)), log_uniform(rng, *_FEATHER)
    faces, frames = clip.faces, []
    for number, face in enumerate(faces):
        real = face.pixels
        weight = region_mask(face, region, outline, feather=feather)
        if own is not None and own[number]:
            frames.append(ForgedFrame(real, real, np.zeros_like(weight)))
            continue
        changed = aligned(faces[int(sources[number])], face)
        changed = match_color(changed, real, weight, 0.8)
        frames.append(ForgedFrame(real, *lay_over(real, changed, weight)))
    return frames
