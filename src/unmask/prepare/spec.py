"""What is kept of each video."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal

from unmask.errors import UsageError
from unmask.types import InputSpec

_SAME_RATE = 0.02
"""Relative difference up to which rates count as equal, as in ``clips``."""

_MOUTH = InputSpec(region="mouth", margin=1.0, size=(96, 96), landmarks=68)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareSpec:
    """What is kept of each video.

    Attributes:
        sequences: of each person at most so many, spread evenly over the video; None: all that
            fit without overlap.
        frames: in a sequence; 1 keeps single moments.
        longest: where it is more than ``frames``, all that a person is seen in is kept, in
            sequences of ``frames`` to ``longest``. Every run of ``frames`` lies in one of them, so
            that training can draw it from anywhere.
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
    longest: int = 1
    fps: float | None = None
    stride: int = 1
    context: float = 1.9
    min_face_px: float = 48.0
    largest_face_px: float | None = None
    twins: tuple[str, str] | None = None
    landmarks: Literal[5, 68] = 5

    def __post_init__(self) -> None:
        for name in ("sequences", "frames", "longest", "stride", "context", "min_face_px"):
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
        if self.is_stretch and (self.frames == 1 or self.sequences is not None):
            raise UsageError(
                f"Cannot keep sequences of {self.frames} to {self.longest} frames: expected "
                "sequences of several frames, and all there are (sequences=None)."
            )
        if self.frames == 1 and (self.sequences is None or self.fps or self.stride > 1):
            raise UsageError(
                "Cannot keep single moments (frames=1) at a rate, with a stride, or all there "
                "are: give a number of sequences alone, or sequences of several frames."
            )

    @property
    def is_stretch(self) -> bool:
        """Whether sequences are as long as a person stays."""
        return self.longest > self.frames

    @property
    def input_spec(self) -> InputSpec:
        """The region that is kept, at the rate of the sequences."""
        return InputSpec(margin=self.context, fps=self.fps, stride=self.stride)

    @property
    def input_specs(self) -> tuple[InputSpec, ...]:
        """All that a patch must hold: with 68 points also what a mouth's picture may read."""
        return (self.input_spec, _MOUTH) if self.landmarks == 68 else (self.input_spec,)

    def serves(self, input_spec: InputSpec) -> bool:
        """Whether clips of ``input_spec`` can be cut from what is kept.

        Without 68 points, a spec that asks for them is cut by five, as in ``scan``.
        """
        is_long_enough = self.frames >= input_spec.frames
        same_rate = input_spec.frames == 1 or (
            self.stride == input_spec.stride and is_same_rate(self.fps, input_spec.fps)
        )
        return is_long_enough and same_rate and self.context >= input_spec.margin

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
    ) -> PrepareSpec:
        """A copy with other values; an argument of None changes nothing.

        Args:
            sequences: a number, or ``all``.
            frames: 1 keeps single moments, and with it neither rate nor stride.
            fps: 0 keeps the video's own rate.
            stride: see ``PrepareSpec``.
            min_face_px: see ``PrepareSpec``.
            largest_face_px: see ``PrepareSpec``.
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
        if self.is_stretch and frames == 1:
            changes |= {"sequences": PrepareSpec().sequences, "longest": 1}
        changes |= values
        if fps == 0:
            changes["fps"] = None
        if is_native:
            changes["largest_face_px"] = None
        if sequences is not None:
            changes |= {"sequences": None if sequences == "all" else int(sequences), "longest": 1}
        return dataclasses.replace(self, **changes)

    def plain(self) -> dict[str, object]:
        """As JSON takes it."""
        plain = dataclasses.asdict(self)
        plain["twins"] = list(self.twins) if self.twins else None
        return plain


def is_same_rate(rate: float | None, other: float | None) -> bool:
    """Whether two rates differ by less than 2 %; None, the video's own, equals itself alone."""
    if rate is None or other is None:
        return rate is other
    return abs(rate / other - 1) < _SAME_RATE
