"""What every kind of pseudo-forgery takes and gives, and how pixels are laid over pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import cv2
import numpy as np

from unmask.forgeries.blend import Face
from unmask.forgeries.face_clip import smooth_in_time
from unmask.forgeries.masks import draw_mask
from unmask.imaging.geometry import similarity
from unmask.types import Floats, Pixels

_FAINTEST: Final = 0.03
"""Weights up to here paste nothing: rounding would hide them, and the mask would still tell."""

_LANDMARK_SIGMA: Final = 1.5
"""Frames over which the points are smoothed: what is pasted must not tremble."""

_TEMPLATE: Final = np.array(
    [[-0.5, -0.5], [0.5, -0.5], [0.0, 0.08], [-0.38, 0.58], [0.38, 0.58]], np.float32
)
"""The five points of an upright face about its middle; 1 is the distance of the eyes."""

_EYES_SHARE: Final = 0.27
"""Distance of the eyes in a generator's crop, as a share of its side."""


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What a forgery may be made of besides the faces themselves, each with as many frames.

    Attributes:
        moment: the same person at another moment.
        person: another person, for ``cross_blend`` alone.
        region: where to forge; None draws it.
    """

    moment: Sequence[Face] | None = None
    person: Sequence[Face] | None = None
    region: str | None = None


class Forgery(NamedTuple):
    """A real clip, a forgery made of it, and where: T of each, T = 1 for a picture.

    ``real``, ``fake`` (H, W, 3) RGB uint8; ``masks`` (H, W) float32 in 0..1, 1 = forged. The real
    frames may be the given ones disturbed, so that a disturbance does not tell the classes apart.
    """

    real: list[Pixels]
    fake: list[Pixels]
    masks: list[Floats]


Maker = Callable[[Sequence[Face], np.random.Generator, Material], Forgery]


def gather(parts: Sequence[tuple[Pixels, Pixels, Floats]]) -> Forgery:
    """Frames (real, fake, mask) one by one, as a forgery."""
    return Forgery([p[0] for p in parts], [p[1] for p in parts], [p[2] for p in parts])


def steady(faces: Sequence[Face]) -> list[Face]:
    """The same faces with points that do not tremble over time."""
    if len(faces) == 1:
        return list(faces)
    points = smooth_in_time(np.stack([f.landmarks_px for f in faces]), _LANDMARK_SIGMA)
    return [Face(f.pixels, p, f.box_px) for f, p in zip(faces, points, strict=True)]


def lay_over(real: Pixels, changed: Pixels, weight: Floats) -> tuple[Pixels, Floats]:
    """Blends a changed picture over the real one.

    Args:
        real: (H, W, 3) RGB uint8.
        changed: (H, W, 3) RGB uint8.
        weight: (H, W) float32 in 0..1 of the changed one; the faintest becomes 0.

    Returns:
        The blend and the weight that it was made with.
    """
    mask = np.where(weight > _FAINTEST, weight, 0).astype(np.float32)
    difference = changed.astype(np.float32) - real
    difference *= mask[..., None]
    difference += real
    return np.asarray(np.clip(np.rint(difference), 0, 255), np.uint8), mask


def region_mask(face: Face, region: str, seed: int, *, feather: float | None = None) -> Floats:
    """The region's mask (H, W); a seed gives the same outline about any face."""
    size = (face.pixels.shape[0], face.pixels.shape[1])
    rng = np.random.default_rng(seed)
    return draw_mask(face.landmarks_px, size, region, rng, feather=feather)


def in_crop(face: Face, side_px: int, change: Callable[[Pixels], Pixels]) -> Pixels:
    """Changes a face as a generator does: cut upright, in a size of its own, and put back.

    Args:
        face: in a picture (H, W, 3).
        side_px: of the generator's square crop.
        change: of the crop (side, side, 3); it keeps the size.

    Returns:
        The picture (H, W, 3): the crop's content, resampled twice, whose edge repeats outside.
    """
    points = _TEMPLATE * np.float32(_EYES_SHARE * side_px) + np.float32(side_px / 2)
    matrix = similarity(face.landmarks_px, points)
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    pixels = face.pixels
    if scale < 0.7:  # Else what is left out would fold back as a pattern of its own.
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), 0.45 / max(scale, 0.05)), np.uint8)
    crop = cv2.warpAffine(
        pixels, matrix, (side_px, side_px), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    back: Pixels = cv2.warpAffine(
        change(np.asarray(crop, np.uint8)),
        matrix,
        (pixels.shape[1], pixels.shape[0]),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return back


def height_px(face: Face) -> float:
    """From the eyes to the mouth."""
    eyes, mouth = face.landmarks_px[:2].mean(axis=0), face.landmarks_px[3:5].mean(axis=0)
    return float(np.linalg.norm(mouth - eyes))
