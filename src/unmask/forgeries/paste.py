"""How changed pixels are laid over a face: masks, colors, alignment, a generator's crop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from unmask.forgeries.clip import Face, Material
from unmask.forgeries.masks import draw_mask
from unmask.imaging.geometry import similarity
from unmask.types import Floats, Pixels

_FAINTEST: Final = 0.03
"""Weights up to here paste nothing: rounding would hide them, and the mask would still show."""

_UPRIGHT: Final = np.array(
    [[-0.5, -0.5], [0.5, -0.5], [0.0, 0.08], [-0.38, 0.58], [0.38, 0.58]], np.float32
)
"""The five points of an upright face about its middle; 1 is the distance of the eyes."""

_EYES_SHARE: Final = 0.27
"""Distance of the eyes in a generator's crop, as a share of its side."""

_REGION_SHARES: Final = {"whole": 0.45, "inner": 0.35, "lower": 0.2}


def draw_region(rng: np.random.Generator, material: Material) -> str:
    """The material's region, or one that face generators replace."""
    drawn = str(rng.choice(list(_REGION_SHARES), p=list(_REGION_SHARES.values())))
    return material.region or drawn


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


def match_color(changed: Pixels, real: Pixels, weight: Floats, share: float = 1.0) -> Pixels:
    """Moves the mean color of a picture under the mask to that of the real one.

    Args:
        changed: (H, W, 3) RGB uint8.
        real: (H, W, 3) RGB uint8.
        weight: (H, W) float32, of which the means are taken.
        share: of the difference that is made up for.
    """
    total = max(float(weight.sum()), 1e-6)
    difference = (real.astype(np.float32) - changed) * weight[..., None]
    shift = share * difference.sum(axis=(0, 1)) / total
    return np.asarray(np.clip(np.rint(changed + shift.astype(np.float32)), 0, 255), np.uint8)


def region_mask(
    face: Face, region: str, seed: int, *, feather: float | None = None, wobble: float = 0.1
) -> Floats:
    """The region's mask (H, W); a seed gives the same outline about any face.

    Args:
        face: in a picture (H, W, 3).
        region: a key of ``REGIONS``.
        seed: of the outline.
        feather: see ``draw_mask``.
        wobble: see ``draw_mask``.
    """
    size = (face.pixels.shape[0], face.pixels.shape[1])
    rng = np.random.default_rng(seed)
    return draw_mask(face.landmarks_px, size, region, rng, wobble=wobble, feather=feather)


def moved(pixels: Pixels, matrix: npt.NDArray[np.floating], size: tuple[int, int]) -> Pixels:
    """The picture under a matrix (2, 3), bicubic, in ``size`` (width, height); borders reflect."""
    made: Pixels = cv2.warpAffine(
        pixels, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )
    return made


def aligned(other: Face, face: Face) -> Pixels:
    """The picture of another face, moved so that its points lie on those of ``face``."""
    size = (face.pixels.shape[1], face.pixels.shape[0])
    return moved(other.pixels, similarity(other.landmarks_px, face.landmarks_px), size)


def crop_points(side_px: int, eyes_share: float = _EYES_SHARE) -> Floats:
    """Where the five points (5, 2) of an upright face lie in a generator's square crop.

    Args:
        side_px: of the crop.
        eyes_share: distance of the eyes, as a share of the side.
    """
    return _UPRIGHT * np.float32(eyes_share * side_px) + np.float32(side_px / 2)


def in_crop(face: Face, side_px: int, change: Callable[[Pixels], Pixels]) -> Pixels:
    """Changes a face as a generator does: cut upright, in a size of its own, and put back.

    Args:
        face: in a picture (H, W, 3).
        side_px: of the generator's square crop.
        change: of the crop (side, side, 3); it keeps the size.

    Returns:
        The picture (H, W, 3): the crop's content, resampled twice, whose edge repeats outside.
    """
    matrix = similarity(face.landmarks_px, crop_points(side_px))
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    pixels = face.pixels
    if scale < 0.7:  # Else what is left out would fold back as a pattern of its own.
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), 0.45 / max(scale, 0.05)), np.uint8)
    crop = cv2.warpAffine(
        pixels, matrix, (side_px, side_px), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return put_back(change(np.asarray(crop, np.uint8)), matrix, face.pixels)


def put_back(crop: Pixels, matrix: npt.NDArray[np.floating], picture: Pixels) -> Pixels:
    """A crop in its place in a picture (H, W, 3); outside of it the crop's edge repeats.

    Args:
        crop: (side, side, 3).
        matrix: (2, 3) from the picture to the crop.
        picture: gives the size.
    """
    back: Pixels = cv2.warpAffine(
        crop,
        matrix,
        (picture.shape[1], picture.shape[0]),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return back


def eyes_to_mouth_px(face: Face) -> float:
    """The distance from the middle of the eyes to the middle of the mouth."""
    eyes, mouth = face.landmarks_px[:2].mean(axis=0), face.landmarks_px[3:5].mean(axis=0)
    return float(np.linalg.norm(mouth - eyes))
