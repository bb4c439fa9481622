"""Which frames of a video are kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from unmask.clips import Plan
from unmask.errors import UsageError
from unmask.types import InputSpec, VideoInfo

LEAST_SHARE = 0.8
"""Of its frames that a sequence must show the person in, as for a clip of ``scan``."""

_WATCH_FPS = 2.0


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
    """

    sequences: int | None = 12
    frames: int = 1
    fps: float | None = None
    stride: int = 1
    context: float = 1.9
    min_face_px: float = 48.0
    largest_face_px: float | None = None
    twins: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        for name in ("sequences", "frames", "stride"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"Cannot keep {name}={value}: expected at least 1.")
        if self.context < 1:
            raise UsageError(f"Cannot keep context={self.context}: expected at least 1.")
        if self.sequences is None and self.frames == 1:
            raise UsageError(
                "Cannot keep every single frame as a moment of its own: give a number of "
                "sequences, or sequences of several frames."
            )

    @property
    def spec(self) -> InputSpec:
        """The region that is kept, at the rate of the sequences."""
        return InputSpec(margin=self.context, fps=self.fps, stride=self.stride)

    def serves(self, spec: InputSpec) -> bool:
        """Whether clips of ``spec`` can be cut from what is kept."""
        is_long_enough = self.frames >= spec.frames
        same_rate = spec.frames == 1 or (self.fps, self.stride) == (spec.fps, spec.stride)
        return is_long_enough and same_rate and self.context >= spec.margin

    def plain(self) -> dict[str, object]:
        """As JSON takes it."""
        plain = dataclasses.asdict(self)
        plain["twins"] = list(self.twins) if self.twins else None
        return plain


@dataclass(frozen=True, slots=True)
class Windows:
    """When a video's sequences begin, and which frames are looked at.

    Between the sequences the video is watched at two frames a second, so that a person keeps
    the same track; these frames are not kept.
    """

    plan: Plan
    keep: Keep
    starts: tuple[int, ...]
    wants: Callable[[int, float, float | None], bool]

    def places(self, frame_index: int) -> list[tuple[int, int]]:
        """The (window, position) pairs that a frame fills."""
        found = []
        for number, slot in self.plan.slots(frame_index):
            if number != len(self.plan.specs) - 1:
                continue
            found += [(at, slot - s) for at, s in enumerate(self.starts) if _is_in(slot, s, self)]
        return found


def _is_in(slot: int, start: int, windows: Windows) -> bool:
    return start <= slot < start + windows.keep.frames


def windows_of(info: VideoInfo, keep: Keep) -> Windows:
    """Spreads a video's sequences evenly over it.

    For single moments every frame at two a second (at most 60) is a window of its own.
    """
    if keep.frames == 1:
        rate = 2.0 if info.duration_s < 30 else 60.0 / info.duration_s
        spec = dataclasses.replace(keep.spec, fps=rate, stride=1)
        plan = Plan([spec], info.fps, info.is_variable_rate)
        return Windows(plan, keep, (), plan.wants)
    watch = dataclasses.replace(keep.spec, fps=_WATCH_FPS, stride=1)
    plan = Plan([watch, keep.spec], info.fps, info.is_variable_rate)
    own_rate = float(info.fps) if info.fps else 25.0
    total = int(info.duration_s * (keep.fps or own_rate) / keep.stride)
    last = max(total - keep.frames, 0)
    fitting = max(total // keep.frames, 1)
    count = fitting if keep.sequences is None else min(keep.sequences, fitting)
    step = last / (count - 1) if count > 1 else 0.0
    if keep.sequences is None:
        step = float(keep.frames)
    starts = tuple(dict.fromkeys(round(number * step) for number in range(count)))
    kept = len(plan.specs) - 1

    def wants(index: int, time_s: float, next_time_s: float | None) -> bool:
        if not plan.wants(index, time_s, next_time_s):
            return False
        return any(
            number != kept or any(start <= slot < start + keep.frames for start in starts)
            for number, slot in plan.slots(index)
        )

    return Windows(plan, keep, starts, wants)
