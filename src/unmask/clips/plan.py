"""Decides which frames and which region of them the detectors need, before anything is cut."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from unmask.clips.mouth_run import is_by_68_points, mouth_reach
from unmask.imaging.boxes import longest_side
from unmask.types import FaceObservation, Floats, InputSpec

_SAME_RATE = 0.02
"""Relative difference up to which a video's own rate counts as the rate asked for."""

_TIME_TOLERANCE_S = 1e-3

_LONGEST_STILL_S = 10.0
"""A frame shown for longer fills no more slots: repeats say nothing new, and a broken time
stamp must not ask for a million of them."""


class Plan:
    """Which frames each input spec takes, decided from time stamps as the video streams by.

    A spec with a rate has a slot at every k / rate seconds, filled by the frame that a viewer
    sees at that moment; so variable rates are respected, and a slow video repeats its frames.
    A spec without a rate, or with the video's own, has a slot for every frame.
    """

    def __init__(
        self, specs: Iterable[InputSpec], fps: Fraction, is_variable_rate: bool = False
    ) -> None:
        self.specs = tuple(dict.fromkeys(specs))
        self._frame_s = 1 / float(fps) if fps > 0 else 0.04
        self._slots: dict[int, tuple[tuple[int, int], ...]] = {}
        self._rates: list[float | None] = []
        for spec in self.specs:
            near = spec.fps is not None and abs(float(fps) / spec.fps - 1) < _SAME_RATE
            own = spec.fps is None or (near and not is_variable_rate)
            self._rates.append(None if own else spec.fps)

    def wants(self, index: int, time_s: float, next_time_s: float | None) -> bool:
        """Says whether any spec takes this frame, and remembers for which slots."""
        end_s = time_s + self._frame_s if next_time_s is None else next_time_s
        end_s = min(end_s, time_s + _LONGEST_STILL_S)
        slots: list[tuple[int, int]] = []
        for number, (spec, rate) in enumerate(zip(self.specs, self._rates, strict=True)):
            taken: Iterable[int] = (index,)
            if rate is not None:
                first = math.ceil((time_s - _TIME_TOLERANCE_S) * rate)
                taken = range(max(first, 0), math.ceil((end_s - _TIME_TOLERANCE_S) * rate))
            slots += [(number, k // spec.stride) for k in taken if k % spec.stride == 0]
        if slots:
            self._slots[index] = tuple(slots)
        return bool(slots)

    def slots(self, frame_index: int) -> tuple[tuple[int, int], ...]:
        """The (spec number, slot) pairs that a wanted frame fills."""
        return self._slots.get(frame_index, ())

    def wants_68_points(self, frame_index: int) -> bool:
        """Says whether a spec that takes this frame cuts it by 68 points where they are known."""
        return any(is_by_68_points(self.specs[number]) for number, _ in self.slots(frame_index))

    def forget_before(self, frame_index: int) -> None:
        """Drops what is remembered of frames before this one."""
        for index in [i for i in self._slots if i < frame_index]:
            del self._slots[index]


def _square_in_frame(
    center: npt.NDArray[np.floating], side: float, frame_size: tuple[int, int]
) -> Floats:
    """A square moved, then shrunk, until it lies in the frame: no border is ever invented."""
    width, height = frame_size
    side = min(side, float(width), float(height))
    x0 = min(max(float(center[0]) - side / 2, 0.0), width - side)
    y0 = min(max(float(center[1]) - side / 2, 0.0), height - side)
    return np.array([x0, y0, x0 + side, y0 + side], np.float32)


def region_of(
    spec: InputSpec, observation: FaceObservation, frame_size_px: tuple[int, int]
) -> Floats:
    """The (4,) box of the full frame that a spec shows of a face.

    Without alignment: a square of ``margin`` times the box's longest side around its center,
    kept in the frame. With alignment: the upright hull of the rotated square.
    """
    box, points = observation.box_px, observation.landmarks_px
    side = longest_side(box) * spec.margin
    center = (box[:2] + box[2:]) / 2
    if spec.region == "mouth":
        center = points[3:5].mean(axis=0)
    if spec.align == "none":
        return _square_in_frame(center, side, frame_size_px)
    if spec.region == "face":
        center = points.mean(axis=0)
    angle = eye_angle(points)
    half = side / 2 * (abs(math.cos(angle)) + abs(math.sin(angle)))
    return np.array(
        [center[0] - half, center[1] - half, center[0] + half, center[1] + half], np.float32
    )


def eye_angle(landmarks_px: Floats) -> float:
    """Angle of the line between the eyes against the horizontal, in radians."""
    line = landmarks_px[1] - landmarks_px[0]
    return math.atan2(float(line[1]), float(line[0]))


def needs(
    specs: Iterable[InputSpec],
) -> Callable[[FaceObservation, tuple[int, int]], tuple[int, int, int, int]]:
    """A function that says which whole pixels of a frame all these specs need together."""
    wanted = tuple(specs)

    def region(
        observation: FaceObservation, frame_size_px: tuple[int, int]
    ) -> tuple[int, int, int, int]:
        boxes = [region_of(s, observation, frame_size_px) for s in wanted]
        if observation.points68_px is not None:
            boxes += [mouth_reach(s, observation) for s in wanted if is_by_68_points(s)]
        regions = np.stack(boxes)
        width, height = frame_size_px
        x0, y0 = np.floor(regions[:, :2].min(axis=0)).astype(int)
        x1, y1 = np.ceil(regions[:, 2:].max(axis=0)).astype(int)
        x0, y0 = max(0, min(int(x0), width - 1)), max(0, min(int(y0), height - 1))
        return x0, y0, max(x0 + 1, min(int(x1), width)), max(y0 + 1, min(int(y1), height))

    return region
