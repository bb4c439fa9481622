"""One person over consecutive frames, as stored; pixels are read when they are asked for."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from unmask.errors import DataError
from unmask.prepared.look import Found
from unmask.types import Floats, LabelledVideo, Pixels


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FaceSequence:
    """One stored sequence of T frames, all of one size.

    Attributes:
        video: the row of the data set's index that it comes from.
        group: number of that row: equal ones are of the same file.
        track: the person in it.
        times_s: (T,) seconds in the video.
        is_real: (T,) False where a missing frame repeats the one before.
        landmarks_px: (T, 5, 2) in the stored pictures.
        box_px: (T, 4) in the stored pictures.
        has_masks: whether the forged pixels are known.
        has_twins: whether the same pixels of another compression level are stored.
    """

    video: LabelledVideo
    group: int
    track: int
    times_s: tuple[float, ...]
    is_real: tuple[bool, ...]
    landmarks_px: Floats
    box_px: Floats
    has_masks: bool
    has_twins: bool
    shard: Path
    number: int

    def __len__(self) -> int:
        return len(self.times_s)

    @property
    def label(self) -> int:
        """1 = fake."""
        return self.video.label

    def pixels(self, places: Sequence[int]) -> list[Pixels]:
        """The pictures (h, w, 3) RGB uint8 at these places of the sequence."""
        return [self._read(place, "png") for place in places]

    def twins(self, places: Sequence[int]) -> list[Pixels]:
        """The same pictures from the video's twin."""
        return [self._read(place, "twin.png") for place in places]

    def masks(self, places: Sequence[int]) -> list[Floats]:
        """Masks (h, w) float32 in 0..1, 1 = forged, as stored: nothing is binarized."""
        return [
            self._read(place, "mask.png").astype(np.float32) / np.float32(255) for place in places
        ]

    def _read(self, place: int, kind: str) -> Pixels:
        packed = _open(self.shard).read(f"{self.number:05d}/{place:03d}.{kind}")
        mode = cv2.IMREAD_GRAYSCALE if kind.startswith("mask") else cv2.IMREAD_COLOR
        decoded = cv2.imdecode(np.frombuffer(packed, np.uint8), mode)
        if decoded is None:
            raise DataError(f"'{self.shard}' is damaged. Delete it and prepare again.")
        pixels = np.asarray(decoded, np.uint8)
        return pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., ::-1])


@lru_cache(maxsize=64)
def _opened(path: Path, _process: int) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)


def _open(path: Path) -> zipfile.ZipFile:
    """The archive, opened once in every process: workers must not share a file's position."""
    return _opened(path, os.getpid())


def as_json(group: int, found: Found) -> dict[str, Any]:
    """What stands in a shard's list about one sequence; its geometry stands beside it."""
    return {
        "group": group,
        "track": found.track,
        "frames": list(found.frame_indices),
        "times_s": list(found.times_s),
        "is_real": list(found.is_real),
        "has_masks": found.masks is not None,
        "has_twins": found.twins is not None,
    }


def from_json(
    entry: dict[str, Any], geometry: Floats, video: LabelledVideo, shard: Path, number: int
) -> FaceSequence:
    """The opposite of ``as_json``; ``geometry`` (T, 14): five points, then the box."""
    return FaceSequence(
        video=video,
        group=entry["group"],
        track=entry["track"],
        times_s=tuple(entry["times_s"]),
        is_real=tuple(entry["is_real"]),
        landmarks_px=geometry[:, :10].reshape(-1, 5, 2),
        box_px=geometry[:, 10:],
        has_masks=entry["has_masks"],
        has_twins=entry["has_twins"],
        shard=shard,
        number=number,
    )
