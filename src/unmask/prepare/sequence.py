"""One person over consecutive frames, as stored; everything is read when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from unmask.errors import DataError
from unmask.prepare.shard import ENDINGS, Entry, Records, Stored, read_bytes, read_records
from unmask.types import Floats, LabelledVideo, Pixels


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FaceSequence:
    """One stored sequence of T frames, all of one size.

    Only its place is held in memory: a data set has millions of frames. Reading raises
    ``DataError`` if the shard is damaged or gone.

    Attributes:
        video: the row of the data set's index that it comes from.
        shard: the file that it is stored in.
        entry: where in it.
    """

    video: LabelledVideo
    shard: Path
    entry: Entry

    def __len__(self) -> int:
        return self.entry.frames

    @property
    def label(self) -> int:
        """1 = fake."""
        return self.video.label

    @property
    def group(self) -> int:
        """Number of the row: equal ones are of the same file."""
        return self.entry.group

    @property
    def track(self) -> int:
        """The person in it."""
        return self.entry.track

    @property
    def has_masks(self) -> bool:
        """Whether the forged pixels are known."""
        return self.entry.has_masks

    @property
    def has_twins(self) -> bool:
        """Whether the same pixels of another compression level are stored."""
        return self.entry.has_twins

    @property
    def frame_indices(self) -> tuple[int, ...]:
        """(T,) numbers of the frames in the video, from 0."""
        return tuple(self._records()["frame"].tolist())

    @property
    def times_s(self) -> tuple[float, ...]:
        """(T,) seconds in the video."""
        return tuple(self._records()["time_s"].tolist())

    @property
    def is_real(self) -> tuple[bool, ...]:
        """(T,) False where a missing frame repeats the one before."""
        return tuple(self._records()["is_real"].tolist())

    @property
    def landmarks_px(self) -> Floats:
        """(T, 5, 2) in the stored pictures."""
        return self._floats("points")

    @property
    def points68_px(self) -> Floats | None:
        """(T, 68, 2) in the stored pictures; None unless they are known in every frame."""
        points = self._floats("points68")
        return points if np.isfinite(points).all() else None

    @property
    def box_px(self) -> Floats:
        """(T, 4) in the stored pictures."""
        return self._floats("box")

    def pixels(self, places: Sequence[int]) -> list[Pixels]:
        """The pictures (h, w, 3) RGB uint8 at these places of the sequence."""
        return self._read(places, "png")

    def twins(self, places: Sequence[int]) -> list[Pixels]:
        """The same pictures from the video's twin."""
        return self._read(places, "twin.png")

    def masks(self, places: Sequence[int]) -> list[Floats]:
        """Masks (h, w) float32 in 0..1, 1 = forged, as stored: nothing is binarized."""
        return [
            mask.astype(np.float32) / np.float32(255) for mask in self._read(places, "mask.png")
        ]

    def _records(self) -> Records:
        return read_records(self.shard, self.entry.records)

    def _floats(self, name: str) -> Floats:
        return np.array(self._records()[name], np.float32)

    def _read(self, places: Sequence[int], ending: str) -> list[Pixels]:
        at = ENDINGS.index(ending)
        if (False, not self.has_masks, not self.has_twins)[at]:
            what = ending.removesuffix(".png")
            raise DataError(
                f"No {what}s were kept of '{self.video.path}' in '{self.shard.parent}'. Prepare "
                f"anew from data that hold its {what}."
            )
        records = self._records()[list(places)]
        stored = [
            Stored(int(r["start"][at]), int(r["bytes"][at]), int(r["crc"][at])) for r in records
        ]
        return [_unpacked(packed, ending) for packed in read_bytes(self.shard, stored)]


def _unpacked(packed: bytes, ending: str) -> Pixels:
    mode = cv2.IMREAD_GRAYSCALE if ending == "mask.png" else cv2.IMREAD_COLOR
    pixels = np.asarray(cv2.imdecode(np.frombuffer(packed, np.uint8), mode), np.uint8)
    return pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., ::-1])
