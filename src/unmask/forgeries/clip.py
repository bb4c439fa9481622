"""A face over time, forged or not: what every kind of forgery takes and gives."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from unmask.errors import UsageError
from unmask.imaging.boxes import longest_sides
from unmask.types import Floats, Pixels

_LANDMARK_SIGMA: Final = 1.5
"""Frames over which the landmarks are smoothed: what is pasted must not tremble."""


class Face(NamedTuple):
    """A face in one picture.

    ``pixels`` (H, W, 3) RGB uint8, ``landmarks_px`` (5, 2), ``box_px`` (4,).
    """

    pixels: Pixels
    landmarks_px: Floats
    box_px: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FaceClip:
    """T pictures of one face, all of one size, with what is known of them.

    A picture alone is a clip of one frame.

    Attributes:
        frames: T of (H, W, 3) RGB uint8.
        landmarks_px: (T, 5, 2): eyes, tip of the nose, corners of the mouth.
        box_px: (T, 4).
        label: 1 = fake.
        masks: T of (H, W) float32 in 0..1, 1 = forged; None: ``label`` everywhere.
        twins: the same frames at the better compression.
        points68_px: (T, 68, 2), where they are known.
    """

    frames: list[Pixels]
    landmarks_px: Floats
    box_px: Floats
    label: int = 0
    masks: list[Floats] | None = None
    twins: list[Pixels] | None = None
    points68_px: Floats | None = None

    def __post_init__(self) -> None:
        count, points, boxes = len(self.frames), self.landmarks_px.shape, self.box_px.shape
        if not count or points != (count, 5, 2) or boxes != (count, 4):
            raise UsageError(
                "Cannot use this clip: expected T frames, landmarks (T, 5, 2) and boxes (T, 4), "
                f"got {count} frames, {points} and {boxes}. Give five points and a box for every "
                "frame."
            )

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def faces(self) -> list[Face]:
        """The frames one by one."""
        parts = zip(self.frames, self.landmarks_px, self.box_px, strict=True)
        return [Face(*part) for part in parts]

    @property
    def side_px(self) -> float:
        """Longest side of the face box, the mean over the clip."""
        return float(longest_sides(self.box_px).mean())

    @property
    def all_masks(self) -> list[Floats]:
        """The masks; where none are known, ``label`` everywhere."""
        if self.masks is not None:
            return self.masks
        return [np.full(pixels.shape[:2], self.label, np.float32) for pixels in self.frames]

    def frame(self, at: int) -> FaceClip:
        """One frame as a clip."""
        one = slice(at, at + 1)
        return FaceClip(
            frames=self.frames[one],
            landmarks_px=self.landmarks_px[one],
            box_px=self.box_px[one],
            label=self.label,
            masks=self.masks and self.masks[one],
            twins=self.twins and self.twins[one],
            points68_px=None if self.points68_px is None else self.points68_px[one],
        )


class ForgedFrame(NamedTuple):
    """A real picture, a forgery made of it, and where it was forged.

    ``real``, ``fake`` (H, W, 3) RGB uint8; ``mask`` (H, W) float32 in 0..1, 1 = forged. The real
    picture may be the given one disturbed, so that a disturbance does not give the class away.
    """

    real: Pixels
    fake: Pixels
    mask: Floats


class Forgery(NamedTuple):
    """A real clip and a forgery made of it, whose ``masks`` show where; both of T frames."""

    real: FaceClip
    fake: FaceClip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Material:
    """What a forgery may be made of besides the clip itself, each of as many frames.

    Attributes:
        moment: the same person at another moment.
        person: another person, for ``cross_blend`` alone.
        region: where to forge, a key of ``REGIONS``; None draws it.
    """

    moment: FaceClip | None = None
    person: FaceClip | None = None
    region: str | None = None


def forgery_of(clip: FaceClip, frames: Sequence[ForgedFrame]) -> Forgery:
    """The forged frames of a real clip as two clips."""
    nowhere = [np.zeros_like(frame.mask) for frame in frames]
    real = dataclasses.replace(clip, frames=[f.real for f in frames], masks=nowhere, label=0)
    fake = dataclasses.replace(
        clip, frames=[f.fake for f in frames], masks=[f.mask for f in frames], label=1
    )
    return Forgery(real, fake)


def steady(clip: FaceClip) -> FaceClip:
    """The same clip with landmarks that do not tremble over time."""
    if len(clip) == 1:
        return clip
    return dataclasses.replace(
        clip, landmarks_px=smooth_in_time(clip.landmarks_px, _LANDMARK_SIGMA)
    )


def smooth_in_time(values: Floats, sigma_frames: float) -> Floats:
    """Gaussian smoothing over the first axis; the ends repeat.

    Args:
        values: (T, ...).
        sigma_frames: standard deviation, in frames.
    """
    reach = math.ceil(3 * sigma_frames)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma_frames) ** 2)
    kernel /= kernel.sum()
    flat = values.reshape(len(values), -1)
    padded = np.pad(flat, ((reach, reach), (0, 0)), mode="edge")
    columns = [np.convolve(column, kernel, mode="valid") for column in padded.T]
    return np.asarray(np.stack(columns, axis=1).reshape(values.shape), np.float32)
