"""Which frames of a video are looked at, and which sequences they fill."""

from __future__ import annotations

import dataclasses
import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from unmask.clips import Plan
from unmask.prepare.spec import PrepareSpec, is_same_rate
from unmask.types import VideoInfo

LEAST_SHARE = 0.8
"""Of its frames that a sequence must show the person in, as for a clip of ``scan``."""

_WATCH_FPS = 2.0
_MOST_MOMENTS = 60
_FINDS_PER_S = 6.0
_USUAL_FPS = 25.0


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


def windows_of(info: VideoInfo, spec: PrepareSpec) -> Windows:
    """Spreads a video's sequences evenly over it.

    For single moments every frame at two a second is a window of its own; of a video of more
    than half a minute every n-th of these, at most 60.
    """
    watch = dataclasses.replace(spec.input_spec, fps=_WATCH_FPS, stride=1)
    input_spec, starts, lookout = spec.input_spec, None, 0
    if spec.frames == 1:
        moments = math.ceil(info.duration_s * _WATCH_FPS / _MOST_MOMENTS)
        input_spec = dataclasses.replace(watch, stride=max(1, moments))
    else:
        own = float(info.fps) or _USUAL_FPS
        is_own = spec.fps is None or (is_same_rate(own, spec.fps) and not info.is_variable_rate)
        rate = own if is_own else spec.fps or own
        starts = _starts(info, spec, rate, is_own=is_own)
        lookout = math.ceil(rate / spec.stride / _FINDS_PER_S)
    return Windows(
        plan=Plan([input_spec], info.fps, info.is_variable_rate),
        watch=Plan([watch], info.fps, info.is_variable_rate),
        frames=max(spec.frames, spec.longest),
        starts=starts,
        lookout=lookout,
    )


def _starts(info: VideoInfo, spec: PrepareSpec, rate: float, *, is_own: bool) -> tuple[int, ...]:
    if is_own and info.frame_count:
        slots = math.ceil(info.frame_count / spec.stride)
    else:
        # A frame begins up to a thousandth of a second after the moment it is taken for.
        slots = math.ceil((info.duration_s - 1e-3) * rate / spec.stride)
    last = max(slots - spec.frames, 0)
    if spec.is_stretch:
        return tuple(range(0, last + 1, spec.longest - spec.frames + 1))
    if spec.sequences is None:
        return tuple(range(0, last + 1, spec.frames))
    count = min(spec.sequences, max(slots // spec.frames, 1))
    return tuple(number * last // max(count - 1, 1) for number in range(count))
