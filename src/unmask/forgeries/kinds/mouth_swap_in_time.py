"""The mouth of a far moment of the same clip."""

from __future__ import annotations

from typing import Final

import numpy as np

from unmask.forgeries.clip import FaceClip, ForgedFrame, Material
from unmask.forgeries.paste import aligned, lay_over, match_color, region_mask
from unmask.forgeries.registry import kind

_CROSSFADE: Final = 3
"""Frames before and after the one jump that a mouth from another time cannot avoid."""


@kind("the mouth of a time half a clip away", least_frames=8)
def mouth_swap_in_time(
    clip: FaceClip, rng: np.random.Generator, material: Material
) -> list[ForgedFrame]:
    """The mouth of another moment of the clip, aligned by the five points.

    The clip's mouths are shifted in time by 0.35 to 0.65 of its length, round the end: so no frame
    keeps its own mouth. (Without a jump some frame would have to: Brouwer's fixed point.) Over the
    jump two mouths are mixed for a few frames.
    """
    count = len(clip)
    shift = round(rng.uniform(0.35, 0.65) * count)
    outline, feather = int(rng.integers(2**32)), rng.uniform(0.03, 0.06)
    faces, frames = clip.faces, []
    for index, face in enumerate(faces):
        real = face.pixels
        weight = region_mask(face, "mouth", outline, wobble=0.06, feather=feather)
        changed = np.zeros(real.shape, np.float32)
        for other, share in _moments(index, shift, count):
            changed += share * match_color(aligned(faces[other], face), real, weight, 0.8)
        made = lay_over(real, np.rint(changed).astype(np.uint8), weight)
        frames.append(ForgedFrame(real, *made))
    return frames


def _moments(index: int, shift: int, count: int) -> list[tuple[int, float]]:
    """Which frames the mouth of a frame comes from, and in what shares."""
    before_jump = count - shift  # the first frame whose mouth comes from the clip's beginning
    late = min(index + shift, count - 1)
    early = max(index + shift - count, 0)
    share = (index - before_jump + 0.5) / (2 * _CROSSFADE) + 0.5
    share = min(max(share, 0.0), 1.0)
    return [(n, s) for n, s in ((late, 1 - share), (early, share)) if s > 0]
