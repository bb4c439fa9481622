"""Faces whose place is known, and a store in memory: for the tests of prepared data."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np

from unmask.prepare.shard import Stored
from unmask.types import FaceObservation, FacePatch, Frame, LabelledVideo, Pixels

BOX = np.array([20, 24, 60, 74], np.float32)


def row(path: Path, label: int = 0, **others: object) -> LabelledVideo:
    return LabelledVideo(path=path, label=label, dataset="d", split="train", **others)  # type: ignore[arg-type]


class Store:
    """Takes pictures as a shard does, and keeps them by name."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._data: list[bytes] = []

    def __call__(self, name: str, data: bytes) -> Stored:
        self.names.append(name)
        self._data.append(data)
        return Stored(len(self._data) - 1, len(data), zlib.crc32(data))

    def picture(self, place: Stored) -> Pixels:
        decoded = cv2.imdecode(
            np.frombuffer(self._data[place.start], np.uint8), cv2.IMREAD_UNCHANGED
        )
        return decoded if decoded.ndim == 2 else decoded[..., ::-1]


def patch_of(
    frame: Frame, track: int, shift: tuple[int, int], margin: int = 15, points68: bool = False
) -> FacePatch:
    """A face at ``BOX`` moved by ``shift``, with so many pixels of the frame around it."""
    box = BOX + np.array([*shift, *shift], np.float32)
    height, width = frame.pixels.shape[:2]
    x0, y0 = (max(0, int(v) - margin) for v in box[:2])
    x1, y1 = min(width, int(box[2]) + margin), min(height, int(box[3]) + margin)
    points = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
    side = box[2:] - box[:2]
    return FacePatch(
        observation=FaceObservation(
            track_id=track,
            frame_index=frame.index,
            time_s=frame.time_s,
            box_px=box,
            landmarks_px=(box[:2] + points * side).astype(np.float32),
            confidence=1.0,
            points68_px=np.full((68, 2), box[:2], np.float32) if points68 else None,
        ),
        pixels=np.ascontiguousarray(frame.pixels[y0:y1, x0:x1]),
        origin_px=(x0, y0),
        frame_size_px=(width, height),
    )


Script = Callable[[Frame], Iterable[FacePatch]]
