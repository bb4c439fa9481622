"""The demo's clip: a public-domain portrait before a moving camera, its second half forged.

The forging happens in the portrait, before the motion: it stays in its place on the face, as the
work of a forger would, and every frame is resampled exactly once in both halves.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from unmask.errors import DataError, import_optional
from unmask.faces import FaceFinder
from unmask.forgeries import draw_mask
from unmask.media import write_video
from unmask.types import Floats, Pixels

FPS = 25
HALF_S = 4.0
_SIZE_PX = (480, 360)
_SEED = 7


def write_demo_clip(path: Path, *, overwrite: bool = False) -> None:
    """Writes 8 s of video: the first 4 s untouched, the last 4 s self-blended.

    The face is Eileen Collins (NASA, public domain), from ``skimage.data.astronaut``.

    Raises:
        MissingDependencyError: scikit-image is not installed.
        OutputError: the file exists, or cannot be written.
    """
    portrait = np.ascontiguousarray(import_optional("skimage.data", "demo").astronaut()[..., :3])
    found = FaceFinder()(portrait)
    if not len(found.boxes_px):
        raise DataError("No face found in scikit-image's astronaut. Install unmask again.")
    forged = forge(portrait, found.landmarks_px[0])
    write_video(path, _film(portrait, forged, found.landmarks_px[0]), FPS, overwrite=overwrite)


def forge(portrait: Pixels, landmarks_px: Floats) -> Pixels:
    """Pastes a version of the face onto itself: less fine, warmer, slightly too large."""
    rng = np.random.default_rng(_SEED)
    height, width = portrait.shape[:2]
    mask = draw_mask(landmarks_px, (height, width), "inner", rng, wobble=0.05, feather=0.02)
    small = cv2.resize(portrait, (width * 2 // 5, height * 2 // 5), interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    nose = (float(landmarks_px[2, 0]), float(landmarks_px[2, 1]))
    larger = cv2.getRotationMatrix2D(nose, 0.6, 1.02)
    pasted = cv2.warpAffine(coarse, larger, (width, height), borderMode=cv2.BORDER_REFLECT)
    pasted = pasted * np.array([1.06, 1.0, 0.95], np.float32) + np.float32(4)
    mixed = mask[..., None] * pasted + (1 - mask[..., None]) * portrait
    return np.asarray(np.clip(np.rint(mixed), 0, 255), np.uint8)


def _film(portrait: Pixels, forged: Pixels, landmarks_px: Floats) -> Iterator[Pixels]:
    """The camera makes the same way in both halves, so that nothing but the forging differs."""
    x, y = landmarks_px.mean(axis=0)
    width, height = _SIZE_PX
    steps = round(HALF_S * FPS)
    for still in (portrait, forged):
        for step in range(steps):
            turn = 2 * math.pi * step / steps
            zoom = 1.12 - 0.06 * math.cos(turn)
            middle_x, middle_y = x + 30 + 14 * math.sin(turn), y + 48 + 6 * math.sin(2 * turn)
            matrix = np.array(
                [[zoom, 0, width / 2 - zoom * middle_x], [0, zoom, height / 2 - zoom * middle_y]]
            )
            frame = cv2.warpAffine(
                still, matrix, _SIZE_PX, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
            )
            yield np.asarray(frame, np.uint8)
