"""Which frames of a video are kept."""

from __future__ import annotations

import dataclasses
import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Any, Literal

from unmask.clips import Plan
from unmask.errors import UsageError
from unmask.types import InputSpec, VideoInfo

LEAST_SHARE = 0.8
"""Of its frames that a sequence must show the person in, as for a clip of ``scan``."""

_WATCH_FPS = 2.0
_MOST_MOMENTS = 60
_FINDS_PER_S = 6.0
_USUAL_FPS = 25.0

_SAME_RATE = 0.02
"""Relative difference up to which rates count as equal, as in ``clips``."""

_MOUTH = InputSpec(region="mouth", margin=1.0, size=(96, 96), landmarks=68)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """What is kept of each video.

    Attributes:
        sequences: of each person at most so many, spread evenly over the video; None: all that
            fit without overlap.
        frames: in a sequence; 1 keeps single moments.
        fps: rate of a sequence's frames; None keeps the video's own.
        stride: every n-th of these.
        context: side of what is kept, as a multiple of the face box's longest side.
        min_face_px: smaller faces are left out.
        largest_face_px: larger faces are reduced to this when stored; None keeps native pixels.
        twins: better and worse of two compression levels: faces are found in the better video
            and the same pixels kept from both.
        landmarks: 68 stores these points too; their source must be installed.
    """

    sequences: int | None = 12
    frames: int = 1
    fps: float | None = None
    stride: int = 1
    context: float = 1.9
    min_face_px: float = 48.0
    largest_face_px: float | None = None
    twins: tuple[str, str] | None = None
    landmarks: Literal[5, 68] = 5

    def __post_init__(self) -> None:
        for name in ("sequences", "frames", "stride", "context", "min_face_px"):
            value = getattr(self, name)
            if value is not None and not 1 <= value < math.inf:
                raise UsageError(f"Cannot keep {name}={value}: expected at least 1.")
        if self.fps is not None and not 0 < self.fps < math.inf:
            raise UsageError(f"Cannot keep fps={self.fps}: expected frames a second, above 0.")
        if self.largest_face_px is not None and not self.largest_face_px >= self.min_face_px:
            raise UsageError(
                f"Cannot keep largest_face_px={self.largest_face_px:g}: expected at least "
                f"min_face_px={self.min_face_px:g}."
            )
        if self.frames == 1 and (self.sequences is None or self.fps or self.stride > 1):
            raise UsageError(
                "Cannot keep single moments (frames=1) at a rate, with a stride, or all there "
                "are: give a number of sequences alone, or sequences of several frames."
            )

    @property
    def spec(self) -> InputSpec:
        """The region that is kept, at the rate of the sequences."""
        return InputSpec(margin=self.context, fps=self.fps, stride=self.stride)

    @property
    def specs(self) -> tuple[InputSpec, ...]:
        """All that a patch must hold: with 68 points also what a mouth's picture may read."""
        return (self.spec, _MOUTH) if self.landmarks == 68 else (self.spec,)

    def serves(self, spec: InputSpec) -> bool:
        """Whether clips of ``spec`` can be cut from what is kept.

        Without 68 points, a spec that asks for them is cut by five, as in ``scan``.
        """
        is_long_enough = self.frames >= spec.frames
        same_rate = spec.frames == 1 or (
            self.stride == spec.stride and _is_same_rate(self.fps, spec.fps)
        )
        return is_long_enough and same_rate and self.context >= spec.margin

    def changed(
        self,
        *,
        sequences: str | None = None,
        frames: int | None = None,
        fps: float | None = None,
        stride: int | None = None,
        min_face_px: float | None = None,
        largest_face_px: float | None = None,
        is_native: bool = False,
    ) -> Keep:
        """A copy with other values; an argument of None changes nothing.

        Args:
            sequences: a number, or ``all``.
            frames: 1 keeps single moments, and with it neither rate nor stride.
            fps: 0 keeps the video's own rate.
            stride: see ``Keep``.
            min_face_px: see ``Keep``.
            largest_face_px: see ``Keep``.
            is_native: no face is reduced.

        Raises:
            UsageError: the values contradict each other or are out of range.
        """
        if is_native and largest_face_px is not None:
            raise UsageError("Cannot reduce faces and keep them native: leave one of them out.")
        if sequences is not None and sequences != "all" and not sequences.isdecimal():
            raise UsageError(f"Cannot keep {sequences!r} sequences: expected a number, or all.")
        given = {"frames": frames, "fps": fps, "stride": stride, "min_face_px": min_face_px}
        given["largest_face_px"] = largest_face_px
        values = {name: value for name, value in given.items() if value is not None}
        changes: dict[str, Any] = {"fps": None, "stride": 1} if frames == 1 else {}
        changes |= values
        if fps == 0:
            changes["fps"] = None
        if is_native:
            changes["largest_face_px"] = None
        if sequences is not None:
            changes["sequences"] = None if sequences == "all" else int(sequences)
        return dataclasses.replace(self, **changes)

    def plain(self) -> dict[str, object]:
        """As JSON takes it."""
        plain = dataclasses.asdict(self)
        plain["twins"] = list(self.twins) if self.twins else None
        return plain


def _is_same_rate(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one / other - 1) < _SAME_RATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """When a video's sequences begin, and which frames are looked at.

    Between the sequences the video is watched at two frames a second, so that a person keeps
    the same track; these frames are not kept.

    Attributes:
        plan: gives frames their slots; of one spec.
        watch: the frames between.
        frames: slots in a window.
        starts: first slot of every window, ascending; they may overlap. None: every slot is a
            window of its own.
        lookout: so many slots after a window's last one, a frame is looked at, or the last ones
            would lie between two finds too far apart.
    """

    plan: Plan
    watch: Plan
    frames: int
    starts: tuple[int, ...] | None
    lookout: int

    def wants(self, index: int, time_s: float, next_time_s: float | None) -> bool:
        """Whether a frame is looked at; remembers its slots."""
        is_watched = self.watch.wants(index, time_s, next_time_s)
        self.plan.wants(index, time_s, next_time_s)
        slots = [slot for _, slot in self.plan.slots(index)]
        return is_watched or any(self._is_near(slot) for slot in slots)

    def places(self, frame_index: int) -> list[tuple[int, int]]:
        """The (window, position) pairs that a frame fills."""
        slots = [slot for _, slot in self.plan.slots(frame_index)]
        if self.starts is None:
            return [(slot, 0) for slot in slots]
        return [
            (window, slot - self.starts[window])
            for slot in slots
            for window in self._windows_at(slot)
        ]

    def last_ended(self, frame_index: int) -> int:
        """Number of the last window that lies before this frame; -1 if none does."""
        slots = [slot for _, slot in self.plan.slots(frame_index)]
        if self.starts is None or not slots:
            return -1
        return self._windows_at(min(slots)).start - 1

    def forget_before(self, frame_index: int) -> None:
        """Drops what is remembered of frames before this one."""
        self.plan.forget_before(frame_index)
        self.watch.forget_before(frame_index)

    def _windows_at(self, slot: int) -> range:
        starts = self.starts or ()
        return range(bisect_right(starts, slot - self.frames), bisect_right(starts, slot))

    def _is_near(self, slot: int) -> bool:
        if self.starts is None or self._windows_at(slot):
            return True
        begun = slot - self.frames + 1 - self.lookout
        at = bisect_left(self.starts, begun)
        return at < len(self.starts) and self.starts[at] == begun


def windows_of(info: VideoInfo, keep: Keep) -> Windows:
    """Spreads a video's sequences evenly over it.

    For single moments every frame at two a second is a window of its own; of a video of more
    than half a minute every n-th of these, at most 60.
    """
    watch = dataclasses.replace(keep.spec, fps=_WATCH_FPS, stride=1)
    spec, starts, lookout = keep.spec, None, 0
    if keep.frames == 1:
        moments = math.ceil(info.duration_s * _WATCH_FPS / _MOST_MOMENTS)
        spec = dataclasses.replace(watch, stride=max(1, moments))
    else:
        own = float(info.fps) or _USUAL_FPS
        is_own = keep.fps is None or (_is_same_rate(own, keep.fps) and not info.is_variable_rate)
        rate = own if is_own else keep.fps or own
        starts = _starts(info, keep, rate, is_own=is_own)
        lookout = math.ceil(rate / keep.stride / _FINDS_PER_S)
    return Windows(
        plan=Plan([spec], info.fps, info.is_variable_rate),
        watch=Plan([watch], info.fps, info.is_variable_rate),
        frames=keep.frames,
        starts=starts,
        lookout=lookout,
    )


def _starts(info: VideoInfo, keep: Keep, rate: float, *, is_own: bool) -> tuple[int, ...]:
    if is_own and info.frame_count:
        slots = math.ceil(info.frame_count / keep.stride)
    else:
        # A frame begins up to a thousandth of a second after the moment it is taken for.
        slots = math.ceil((info.duration_s - 1e-3) * rate / keep.stride)
    last = max(slots - keep.frames, 0)
    if keep.sequences is None:
        return tuple(range(0, last + 1, keep.frames))
    count = min(keep.sequences, max(slots // keep.frames, 1))
    return tuple(number * last // max(count - 1, 1) for number in range(count))
