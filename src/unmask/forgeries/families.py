"""Five families of forgeries of a clip, made of nothing but the clip itself.

Pixels never come from another person: they come from the same frame, from another moment of the
same clip, or from a small network that saw nothing else. Each family draws its parameters once for
a clip, so that the forgery stays the same over time and follows the face.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np

from unmask.errors import UnknownNameError, UsageError
from unmask.forgeries.blend import recolor, resample, sharpen_or_smooth
from unmask.forgeries.face_clip import (
    FaceClip,
    ForgedClip,
    match_color,
    move,
    paste,
    smooth_in_time,
)
from unmask.forgeries.masks import draw_mask
from unmask.forgeries.re_render import re_rendering
from unmask.forgeries.warp import landmark_warp
from unmask.imaging.geometry import similarity
from unmask.types import Floats, Pixels

Family = Callable[[FaceClip, int], ForgedClip]

LEAST_FRAMES: Final = 8
"""Of a clip: with fewer there is no other time to take a mouth from."""

_LANDMARK_SIGMA: Final = 1.5
"""Frames over which the points are smoothed: what is pasted must not tremble."""

_CROSSFADE: Final = 3
"""Frames before and after the one jump that a mouth from another time cannot avoid."""


def forge(clip: FaceClip, family: str, seed: int) -> ForgedClip:
    """Forges a clip.

    Args:
        clip: real frames of one face, at least ``LEAST_FRAMES``.
        family: a key of ``FAMILIES``.
        seed: of everything random; the same seed gives the same forgery.

    Raises:
        UnknownNameError: there is no such family; the message lists the known ones.
        UsageError: the clip is too short, or the seed is below 0.
    """
    if family not in FAMILIES:
        raise UnknownNameError(f"Unknown family {family!r}. Known: {', '.join(FAMILIES)}.")
    if len(clip.frames) < LEAST_FRAMES:
        raise UsageError(
            f"Cannot forge a clip of {len(clip.frames)} frames: expected at least {LEAST_FRAMES}. "
            "Give a longer clip."
        )
    if seed < 0:
        raise UsageError(f"Cannot forge with seed {seed}: expected 0 or more.")
    steady = FaceClip(clip.frames, smooth_in_time(clip.landmarks_px, _LANDMARK_SIGMA))
    return FAMILIES[family](steady, seed)


def whole_face_blend(clip: FaceClip, seed: int) -> ForgedClip:
    """The whole face, disturbed, over itself (after self-blended images, CVPR 2022)."""
    return _self_blend(clip, "whole", np.random.default_rng([seed, 1]))


def inner_face_blend(clip: FaceClip, seed: int) -> ForgedClip:
    """Eyes, nose and mouth, disturbed, over themselves."""
    return _self_blend(clip, "inner", np.random.default_rng([seed, 5]))


def _self_blend(clip: FaceClip, region: str, rng: np.random.Generator) -> ForgedClip:
    """Every frame gets the same change of color, sharpness, resolution and place."""
    color, detail, sharpness, outline = (int(n) for n in rng.integers(2**32, size=4))
    slip = rng.normal(0, 0.03, 2)
    slip += np.sign(slip) * 0.02  # never so little that nothing is out of place
    turn, scale = rng.normal(0, 1.2), 1 + rng.normal(0, 0.02)
    feather = rng.uniform(0.015, 0.06)
    frames, masks = [], []
    for real, points in zip(clip.frames, clip.landmarks_px, strict=True):
        weight = _mask(real, points, region, outline, feather)
        # A generator of the same seed for every frame: the same draw for the whole clip.
        changed = recolor(real, np.random.default_rng(color))
        changed = resample(changed, np.random.default_rng(detail))
        changed = sharpen_or_smooth(changed, np.random.default_rng(sharpness))
        height_px = _face_height_px(points)
        center = points.mean(axis=0)
        matrix = cv2.getRotationMatrix2D((float(center[0]), float(center[1])), turn, scale)
        matrix[:, 2] += slip * height_px
        size = (real.shape[1], real.shape[0])
        forged, mask = paste(real, move(changed, matrix.astype(np.float32), size), weight)
        frames.append(forged)
        masks.append(mask)
    return ForgedClip(np.stack(frames), np.stack(masks))


def mouth_swap_in_time(clip: FaceClip, seed: int) -> ForgedClip:
    """The mouth of another moment of the clip, aligned by the five points.

    The clip's mouths are shifted in time by 0.35 to 0.65 of its length, round the end: so no frame
    keeps its own mouth. (Without a jump some frame would have to: Brouwer's fixed point.) Over the
    jump two mouths are mixed for a few frames.
    """
    rng = np.random.default_rng([seed, 2])
    count = len(clip.frames)
    shift = round(rng.uniform(0.35, 0.65) * count)
    outline, feather = int(rng.integers(2**32)), rng.uniform(0.03, 0.06)
    frames, masks = [], []
    for index, real in enumerate(clip.frames):
        points = clip.landmarks_px[index]
        weight = _mask(real, points, "mouth", outline, feather)
        changed = np.zeros(real.shape, np.float32)
        for other, share in _moments(index, shift, count):
            moved = _mouth_from(clip, other, index)
            changed += share * match_color(moved, real, weight, 0.8)
        forged, mask = paste(real, np.rint(changed).astype(np.uint8), weight)
        frames.append(forged)
        masks.append(mask)
    return ForgedClip(np.stack(frames), np.stack(masks))


def _moments(index: int, shift: int, count: int) -> list[tuple[int, float]]:
    """Which frames the mouth of a frame comes from, and in what shares."""
    before_jump = count - shift  # the first frame whose mouth comes from the clip's beginning
    late = min(index + shift, count - 1)
    early = max(index + shift - count, 0)
    share = (index - before_jump + 0.5) / (2 * _CROSSFADE) + 0.5
    share = min(max(share, 0.0), 1.0)
    return [(n, s) for n, s in ((late, 1 - share), (early, share)) if s > 0]


def _mouth_from(clip: FaceClip, other: int, index: int) -> Pixels:
    """A frame moved so that its face lies on that of another frame."""
    matrix = similarity(clip.landmarks_px[other], clip.landmarks_px[index])
    pixels = clip.frames[other]
    return move(pixels, matrix, (pixels.shape[1], pixels.shape[0]))


def _mask(real: Pixels, points: Floats, region: str, outline: int, feather: float) -> Floats:
    """The region's mask with the same outline in every frame, in the frame of the face."""
    size = (real.shape[0], real.shape[1])
    rng = np.random.default_rng(outline)
    return draw_mask(points, size, region, rng, wobble=0.06, feather=feather)


def _face_height_px(points: Floats) -> float:
    """From the eyes to the mouth."""
    return math.dist(points[:2].mean(axis=0), points[3:5].mean(axis=0))


FAMILIES: Final[Mapping[str, Family]] = MappingProxyType(
    {
        family.__name__: family
        for family in (
            whole_face_blend,
            inner_face_blend,
            mouth_swap_in_time,
            landmark_warp,
            re_rendering,
        )
    }
)
"""Name -> what makes it: (clip, seed) -> forgery."""
