"""Faces as pure geometry, and a finder that is told what to find: for tests without pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from unmask.faces import FoundFaces
from unmask.types import FaceObservation, FacePatch, Floats, Frame, InputSpec, Pixels

POINTS = np.array([[-0.2, -0.12], [0.2, -0.12], [0, 0.08], [-0.15, 0.25], [0.15, 0.25]], np.float32)
"""Five points of an upright face relative to its box's center, in units of its side."""


class Spot(NamedTuple):
    """A face for the fake finder: center, side in pixels, confidence."""

    x: float
    y: float
    side: float = 60.0
    confidence: float = 0.9


def box_of(spot: Spot) -> Floats:
    half = spot.side / 2
    return np.array([spot.x - half, spot.y - half, spot.x + half, spot.y + half], np.float32)


def points_of(spot: Spot, angle: float = 0.0) -> Floats:
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(POINTS * spot.side @ turn.T + [spot.x, spot.y], np.float32)


def observation(
    spot: Spot, *, angle: float = 0.0, track: int = 0, index: int = 0, time_s: float = 0.0
) -> FaceObservation:
    return FaceObservation(
        track_id=track,
        frame_index=index,
        time_s=time_s,
        box_px=box_of(spot),
        landmarks_px=points_of(spot, angle),
        confidence=spot.confidence,
    )


def whole_frame_patch(pixels: Pixels, seen: FaceObservation) -> FacePatch:
    height, width = pixels.shape[:2]
    return FacePatch(
        observation=seen, pixels=pixels, origin_px=(0, 0), frame_size_px=(width, height)
    )


def noise(height: int, width: int, seed: int = 0) -> Pixels:
    """Pixels that are all different from their neighbors."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def numbered_frames(times_s: Sequence[float], width: int = 320, height: int = 240) -> list[Frame]:
    """Gray frames that carry their number in the first two pixels, for ``FakeFinder``."""
    frames = []
    for index, time_s in enumerate(times_s):
        pixels = np.full((height, width, 3), 128, np.uint8)
        pixels[0, 0, 0], pixels[0, 1, 0] = divmod(index, 256)
        frames.append(Frame(index=index, time_s=time_s, pixels=pixels))
    return frames


def mouth_spec(frames: int) -> InputSpec:
    """Clips of a mouth that do not overlap, gray and cut by 68 points, as a lip reader sees it."""
    return InputSpec(
        region="mouth",
        align="similarity",
        margin=0.61,
        size=(88, 88),
        load_size=(96, 96),
        color="gray",
        mean=(0.4,),
        std=(0.2,),
        frames=frames,
        hop=frames,
        landmarks=68,
    )


class FakeFinder:
    """Finds what ``where(frame number)`` says; remembers which frames it was asked for."""

    def __init__(self, where: Callable[[int], Sequence[Spot]]) -> None:
        self._where = where
        self.asked: list[int] = []

    def __call__(self, pixels: Pixels) -> FoundFaces:
        index = int(pixels[0, 0, 0]) * 256 + int(pixels[0, 1, 0])
        self.asked.append(index)
        spots = self._where(index)
        return FoundFaces(
            np.array([box_of(s) for s in spots], np.float32).reshape(-1, 4),
            np.array([points_of(s) for s in spots], np.float32).reshape(-1, 5, 2),
            np.array([s.confidence for s in spots], np.float32),
        )
