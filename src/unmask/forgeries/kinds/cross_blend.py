"""Blends across people, after Face X-ray: another face with nearly the same points is pasted."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.forgeries.clip import FaceClip, ForgedFrame, Material
from unmask.forgeries.disturb import resample, sharpen_or_smooth
from unmask.forgeries.paste import aligned, lay_over, region_mask
from unmask.forgeries.registry import kind
from unmask.types import Floats, Pixels

_REGION_SHARES: Final = {"whole": 0.5, "inner": 0.5}


@kind("another person with like landmarks, matched in color (Face X-ray)", needs_person=True)
def cross_blend(clip: FaceClip, rng: np.random.Generator, material: Material) -> list[ForgedFrame]:
    """Pastes the face of another person, aligned by the five points and matched in color.

    After Li et al., "Face X-ray for More General Face Forgery Detection" (CVPR 2020, section 3.2):
    the donor has the nearest landmarks, its color is transferred under the mask, and the mask is
    deformed and blurred at random. The mask that is returned is the blend's own weight m, so 4 m
    (1 - m) is the paper's X-ray. Here, half of the donors also have another sharpness or
    resolution.
    """
    assert material.person is not None  # see needs_person
    drawn = str(rng.choice(list(_REGION_SHARES), p=list(_REGION_SHARES.values())))
    region = material.region or drawn
    outline, detail, sharpness = (int(n) for n in rng.integers(2**32, size=3))
    is_resampled, is_sharpened = rng.random() < 0.35, rng.random() < 0.25
    frames = []
    for face, donor in zip(clip.faces, material.person.faces, strict=True):
        pixels = donor.pixels
        if is_resampled:
            pixels = resample(pixels, np.random.default_rng(detail))
        if is_sharpened:
            pixels = sharpen_or_smooth(pixels, np.random.default_rng(sharpness))
        weight = region_mask(face, region, outline)
        pasted = aligned(donor._replace(pixels=pixels), face)
        pasted = transfer_color(pasted, face.pixels, weight)
        frames.append(ForgedFrame(face.pixels, *lay_over(face.pixels, pasted, weight)))
    return frames


def transfer_color(changed: Pixels, real: Pixels, weight: Floats) -> Pixels:
    """Gives a picture the mean and spread of another one's colors under a mask.

    In CIELAB, after Reinhard et al., "Color Transfer between Images" (2001).

    Args:
        changed: (H, W, 3) RGB uint8.
        real: (H, W, 3) RGB uint8.
        weight: (H, W) float32; what is above one half of its highest value counts.
    """
    under = np.asarray(weight > 0.5 * float(weight.max()), np.uint8)
    ours, theirs = (cv2.cvtColor(p, cv2.COLOR_RGB2LAB) for p in (changed, real))
    mean, spread = cv2.meanStdDev(ours, mask=under)
    wanted_mean, wanted_spread = cv2.meanStdDev(theirs, mask=under)
    gain = np.clip(wanted_spread / np.maximum(spread, 1), 0.7, 1.4)
    moved = (ours - mean[:, 0]) * gain[:, 0] + wanted_mean[:, 0]
    in_bytes = np.asarray(np.clip(np.rint(moved), 0, 255), np.uint8)
    made: Pixels = cv2.cvtColor(in_bytes, cv2.COLOR_LAB2RGB)
    return made


def landmark_distances(landmarks_px: Floats, pool_px: Floats) -> NDArray[np.float64]:
    """How much the points of faces differ in shape: place, size and turn do not count.

    Args:
        landmarks_px: (5, 2) of one face.
        pool_px: (N, 5, 2) of others.

    Returns:
        (N,) from 0, the same shape, to 1 (full Procrustes distance, squared).
    """
    ours, theirs = _shapes(landmarks_px[None])[0], _shapes(pool_px)
    overlap = np.abs(theirs @ ours.conj())
    return np.asarray(np.clip(1 - overlap**2, 0, 1), np.float64)


def _shapes(points: Floats) -> NDArray[np.complex128]:
    values = points[..., 0].astype(np.float64) + 1j * points[..., 1]
    values -= values.mean(axis=1, keepdims=True)
    return np.asarray(
        values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-9), np.complex128
    )
