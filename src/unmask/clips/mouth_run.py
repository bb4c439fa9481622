"""Mouth pictures from 68 landmarks, while the video is read.

The chain of ``mouth.py`` smooths over a frame and the 11 that follow it, so a picture is cut as
soon as these are there; the last ones of a run are cut when it ends.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from unmask.clips.mouth import (
    MEAN_FACE_PX,
    MOUTH_POINTS,
    STEADY_POINTS,
    WINDOW,
    align_window,
    mouth_corner,
    mouth_places,
    sample,
    to_gray,
)
from unmask.imaging.boxes import longest_side
from unmask.imaging.geometry import Points, similarity, transform
from unmask.types import FaceObservation, FacePatch, Floats, InputSpec, Pixels

_MOST_OUTSIDE_PX = 5.0
"""The authors' code stops where the mouth's square lies further outside the aligned frame."""

_ROOM = 1.5
"""Largest factor by which the face may grow over the coming frames, as it comes nearer or turns."""


def is_by_68_points(spec: InputSpec) -> bool:
    """Whether this chain cuts the spec's pictures where 68 points are known."""
    height, width = spec.load_size or spec.size
    return spec.landmarks == 68 and spec.region == "mouth" and height == width


def mouth_reach(spec: InputSpec, observation: FaceObservation) -> Floats:
    """The (4,) box of the frame that the mouth's picture may read, before the future is known.

    Scale and angle of the picture follow from frames to come; the box leaves room for that. It
    is never wider than twice the face, whatever the points are.
    """
    points, box = _points(observation), observation.box_px
    limit = longest_side(box)
    half, steady = limit, points[list(STEADY_POINTS)]
    if _is_spread(steady):
        matrix = similarity(steady, MEAN_FACE_PX)
        scale = math.sqrt(max(float(np.linalg.det(matrix[:, :2])), 1e-12))
        half = min(limit, _ROOM * math.sqrt(0.5) * _side_px(spec) / scale + 2)
    center = points[MOUTH_POINTS].mean(axis=0)
    return np.concatenate([center - half, center + half]).astype(np.float32)


class MouthCut(NamedTuple):
    """One picture: ``pixels`` (H, W, C) uint8, and the (4,) hull of what it shows of the frame."""

    slot: int
    pixels: Pixels
    region_px: Floats


class MouthRun:
    """The frames of one person, one after the other, as long as they carry 68 points.

    A slot without a frame repeats the frame before it: its points count again, and its picture
    stays the same. What cannot be cut is left out of what is returned: the patch does not hold all
    that would be read, or the mouth lies outside of the face that the window's points make.
    """

    def __init__(self, spec: InputSpec) -> None:
        self._spec = spec
        self._waiting: deque[tuple[int, FacePatch]] = deque()
        self._matrix: Points | None = None
        self._last: tuple[FacePatch, MouthCut | None] | None = None

    @property
    def first_waiting(self) -> int | None:
        """The slot of the first frame whose picture is not cut yet."""
        return self._waiting[0][0] if self._waiting else None

    def add(self, slot: int, patch: FacePatch) -> list[MouthCut]:
        """Takes the next frame and returns the pictures that it completes.

        A frame without 68 points ends the run: smoothing does not reach across it.
        """
        if patch.observation.points68_px is None:
            return self.end()
        cuts: list[MouthCut] = []
        if self._waiting:
            last_slot, last = self._waiting[-1]
            for between in range(last_slot + 1, slot):
                cuts += self._append(between, last)
        return cuts + self._append(slot, patch)

    def end(self) -> list[MouthCut]:
        """Cuts what waits by the last full window, or, in a short run, by all its frames."""
        if self._waiting and self._matrix is None:
            self._matrix = self._align()
        cuts = [self._take(slot, patch) for slot, patch in self._waiting]
        self._waiting.clear()
        self._matrix = self._last = None
        return [cut for cut in cuts if cut is not None]

    def _append(self, slot: int, patch: FacePatch) -> list[MouthCut]:
        self._waiting.append((slot, patch))
        if len(self._waiting) < WINDOW:
            return []
        self._matrix = self._align()
        cut = self._take(*self._waiting.popleft())
        return [] if cut is None else [cut]

    def _take(self, slot: int, patch: FacePatch) -> MouthCut | None:
        """The patch's picture, cut where it comes first."""
        if self._last is None or self._last[0] is not patch:
            self._last = patch, self._cut(slot, patch)
        cut = self._last[1]
        return None if cut is None else cut._replace(slot=slot)

    def _align(self) -> Points:
        points = np.stack([_points(patch.observation) for _, patch in self._waiting])
        if not _is_spread(points.mean(axis=0)[list(STEADY_POINTS)]):
            return np.zeros((2, 3))
        return align_window(points)

    def _cut(self, slot: int, patch: FacePatch) -> MouthCut | None:
        matrix, side = self._matrix, _side_px(self._spec)
        if matrix is None or np.linalg.det(matrix[:, :2]) < 1e-9:
            return None
        points = _points(patch.observation)
        center, corner = mouth_corner(points, matrix, side)
        if np.abs(center - corner - side // 2).max() > _MOST_OUTSIDE_PX:
            return None
        places = mouth_places(points, matrix, side)
        if not _holds(patch, places):
            return None
        pixels = sample(patch.pixels, places, patch.origin_px)
        shown = self._spec.size
        if self._spec.color == "gray":
            pixels = to_gray(pixels, shown[0])[..., None]
        else:
            top, left = (side - shown[0]) // 2, (side - shown[1]) // 2
            pixels = pixels[top : top + shown[0], left : left + shown[1]]
        return MouthCut(slot, pixels, _hull(corner, matrix, side, shown))


def _side_px(spec: InputSpec) -> int:
    return (spec.load_size or spec.size)[0]


def _points(observation: FaceObservation) -> Points:
    return np.asarray(observation.points68_px, np.float64)


def _is_spread(points_px: Points) -> bool:
    """Whether the points can be aligned at all: not all in one place."""
    return bool(np.ptp(points_px, axis=0).max() > 1e-6)


def _holds(patch: FacePatch, places: Points) -> bool:
    """Whether the patch holds every pixel of the frame that is read for these places."""
    start, frame = np.array(patch.origin_px), np.array(patch.frame_size_px)
    end = start + np.array([patch.pixels.shape[1], patch.pixels.shape[0]])
    corner: npt.NDArray[np.float64] = np.floor(places)
    first = np.clip(corner.min(axis=(0, 1)), 0, frame)
    last = np.clip(corner.max(axis=(0, 1)) + 2, 0, frame)
    outside = (last <= first).any()  # all of it lies outside the frame, where it is black
    return bool(outside or ((first >= start).all() and (last <= end).all()))


def _hull(corner: Points, matrix: Points, side: int, shown: tuple[int, int]) -> Floats:
    """The upright box around the shown center of the square, in the frame."""
    # +0.5 and -0.5: edges of pixels, where the chain counts their centers.
    start = corner + np.array([(side - shown[1]) // 2, (side - shown[0]) // 2]) - 0.5
    xs, ys = start[0] + np.array([0, shown[1]]), start[1] + np.array([0, shown[0]])
    corners = np.array([[x, y] for x in xs for y in ys])
    back = np.linalg.inv(matrix[:, :2])
    there = transform(corners, np.column_stack([back, -back @ matrix[:, 2]])) + 0.5
    return np.concatenate([there.min(axis=0), there.max(axis=0)]).astype(np.float32)
