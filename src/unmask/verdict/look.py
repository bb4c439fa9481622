"""What faces look like over their time: whether they are photographs, and whether they move."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np

from unmask.imaging.geometry import similarity
from unmask.types import FaceLook, FacePatch, Floats, Pixels

_APART_S: Final = 0.35
"""Moments of one face are at least so far apart."""

_FLAT_PX, _SIDE_PX = 64, 96
_FLAT_LEVELS: Final = 1

# Of a face of 64 x 64: eyes, nose, corners of the mouth, as in aligned crops of face recognition.
_POINTS: Final = np.array(
    [(21.8, 29.5), (42.0, 29.4), (32.0, 41.0), (23.7, 52.8), (40.4, 52.7)], np.float32
)


@dataclass(slots=True)
class _Seen:
    last_s: float = -np.inf
    last: Floats | None = None
    flat: list[float] = field(default_factory=list)
    changes: list[float] = field(default_factory=list)


class FaceLooks:
    """Watches the patches of a scan as they pass; nothing is decoded or cut for it.

    Each face is looked at some three times a second, on small gray pictures of it, so that
    neither the time nor the memory of a scan grows visibly.
    """

    def __init__(self) -> None:
        self._seen: dict[int, _Seen] = {}

    def watch(self, patches: Iterable[FacePatch]) -> Iterator[FacePatch]:
        """Passes patches on."""
        for patch in patches:
            self._look(patch)
            yield patch

    def found(self) -> dict[int, FaceLook]:
        """What every face so far looks like, by ``track_id``."""
        return {
            track: FaceLook(
                flat_share=round(float(np.median(seen.flat)), 4),
                change=round(float(np.median(seen.changes)), 3) if seen.changes else None,
                moments=len(seen.flat),
            )
            for track, seen in self._seen.items()
            if seen.flat
        }

    def _look(self, patch: FacePatch) -> None:
        shown = patch.observation
        seen = self._seen.setdefault(shown.track_id, _Seen())
        if shown.time_s - seen.last_s < _APART_S:
            return
        face, points = _face(patch)
        if face is None:
            return
        seen.last_s = shown.time_s
        seen.flat.append(flat_share(face))
        upright = _upright(face, points)
        if seen.last is not None:
            seen.changes.append(float(np.abs(upright - seen.last).mean()))
        seen.last = upright


def flat_share(face: Pixels) -> float:
    """Share of the pixels of a face that equal their neighbors, at 64 x 64.

    Skin has shades everywhere, even after strong compression; drawings are filled with one color.

    Args:
        face: (h, w) uint8, gray.
    """
    small = cv2.resize(face, (_FLAT_PX, _FLAT_PX), interpolation=cv2.INTER_AREA).astype(np.int16)
    right = np.abs(np.diff(small, axis=1))[:-1] <= _FLAT_LEVELS
    below = np.abs(np.diff(small, axis=0))[:, :-1] <= _FLAT_LEVELS
    return float((right & below).mean())


def _face(patch: FacePatch) -> tuple[Pixels | None, Floats]:
    """The face alone, gray, at most 96 pixels wide and high, and its five points there."""
    left, top = patch.origin_px
    height, width = patch.pixels.shape[:2]
    x0, y0, x1, y1 = np.round(patch.observation.box_px - (left, top, left, top)).astype(int)
    x0, x1 = max(x0, 0), min(x1, width)
    y0, y1 = max(y0, 0), min(y1, height)
    points = patch.observation.landmarks_px - (left + x0, top + y0)
    if x1 - x0 < 8 or y1 - y0 < 8 or len(points) != len(_POINTS):
        return None, _POINTS
    gray = cv2.cvtColor(patch.pixels[y0:y1, x0:x1], cv2.COLOR_RGB2GRAY)
    share = min(1.0, _SIDE_PX / max(gray.shape))
    if share < 1:
        size = (max(8, round(gray.shape[1] * share)), max(8, round(gray.shape[0] * share)))
        points = points * (size[0] / gray.shape[1], size[1] / gray.shape[0])
        gray = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    return np.asarray(gray, np.uint8), np.asarray(points, np.float32)


def _upright(face: Pixels, points: Floats) -> Floats:
    """(64, 64) the face turned by its points, less its mean brightness, slightly blurred."""
    turn = similarity(points, _POINTS)
    small = cv2.warpAffine(face, turn, (64, 64), flags=cv2.INTER_LINEAR, borderMode=1)
    soft = cv2.GaussianBlur(small, (5, 5), 0).astype(np.float32)
    return np.asarray(soft - soft.mean(), np.float32)
