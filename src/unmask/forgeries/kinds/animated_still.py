"""One still picture made to move like the clip: what audio- and video-driven portraits do.

Every frame is the same picture under another warp, so skin and grain move with the head and
nothing new ever appears. Frame by frame it may look right; over time it is too steady.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from unmask.forgeries.clip import FaceClip, ForgedFrame, Material, smooth_in_time
from unmask.forgeries.decoders import decoded
from unmask.forgeries.registry import kind
from unmask.forgeries.warp import displaced, motion, pull_field
from unmask.imaging.boxes import longest_side
from unmask.imaging.geometry import similarity
from unmask.types import Floats, Pixels

_REACH: Final = 1.1
"""Where the head's motion has fallen to 0.6, in longest sides of the face box."""

_DECODED_SHARE: Final = 0.4
_SMOOTHING: Final = 1.5


@kind("one frame warped to move like the clip (audio-driven portraits)", least_frames=2)
def animated_still(
    clip: FaceClip, rng: np.random.Generator, material: Material
) -> list[ForgedFrame]:
    """A frame of the clip is turned, moved and scaled like the head of every frame; mouth and
    brows are pulled in a rhythm of their own. The surroundings stay where they are.

    In two of five every frame is drawn anew by one small autoencoder as well. The mask is 1
    everywhere: all of the picture is of another moment.
    """
    still = clip.faces[int(rng.integers(len(clip)))]
    side = longest_side(still.box_px)
    center = still.landmarks_px.mean(axis=0)
    points = smooth_in_time(clip.landmarks_px, _SMOOTHING)
    pulls = {name: motion(len(clip), rng) for name in ("corners", "lips", "brows")}
    pulls["left brow"], pulls["right brow"] = pulls["brows"], pulls["brows"] * 0.8
    is_decoded, seed = rng.random() < _DECODED_SHARE, int(rng.integers(2**32))
    size = (still.pixels.shape[0], still.pixels.shape[1])
    window = _window(size, center, _REACH * side)
    frames = []
    for number, real in enumerate(clip.frames):
        field = _head_field(still.landmarks_px, points[number], size) * window
        field += pull_field(points[number], size, {k: float(v[number]) for k, v in pulls.items()})
        made: Pixels = displaced(still.pixels, field)
        if is_decoded:
            made = decoded(made, np.random.default_rng(seed))
        frames.append(ForgedFrame(real, made, np.ones(size, np.float32)))
    return frames


def _window(size: tuple[int, int], center: Floats, reach_px: float) -> Floats:
    """(H, W, 1), 1 at the face and falling off like a Gaussian."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    distance = ((x - center[0]) ** 2 + (y - center[1]) ** 2) / (2 * reach_px**2)
    return np.asarray(np.exp(-distance)[..., None], np.float32)


def _head_field(still: Floats, points: Floats, size: tuple[int, int]) -> Floats:
    """(H, W, 2): how far the similarity from the still's points to a frame's moves each pixel.

    ``displaced`` looks back from where a pixel ends, so the field is that of the way back.
    """
    back = similarity(points, still)
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    moved_x = back[0, 0] * x + back[0, 1] * y + back[0, 2]
    moved_y = back[1, 0] * x + back[1, 1] * y + back[1, 2]
    return np.stack([x - moved_x, y - moved_y], axis=2).astype(np.float32)
