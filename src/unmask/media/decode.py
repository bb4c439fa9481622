"""Container packets -> pictures in display order, past whatever is damaged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Final, Protocol, TypeAlias

import av
import av.error
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from unmask.media.container import opened
from unmask.media.picture import Converter, hdr_curve
from unmask.types import Pixels

# A demuxer that fails this often in a row without giving a packet has reached the end.
_MAX_READ_ERRORS: Final = 100
_MAX_REMARKS: Final = 10
# How far ahead decoding on is cheaper than seeking; and how far before the time wanted a seek
# goes when one straight to it lands too late (MPEG-TS and some AVI files seek loosely).
_DECODE_ON_S: Final = 2.0
_SEEK_MARGINS_S: Final = (0.0, 3.0, 15.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A decoded picture that is not yet RGB: ``to_rgb`` makes the (H, W, 3) uint8 array."""

    time_s: float
    end_s: float
    to_rgb: Callable[[], Pixels]


@dataclass(slots=True)
class Notes:
    """What went wrong, or is worth saying, while pictures were made."""

    bad_packets: int = 0
    first_bad_s: float | None = None
    is_cut_off: bool = False
    jumps: int = 0
    remarks: list[str] = field(default_factory=list)

    def damage(self, time_s: float) -> None:
        """Counts one packet that gave no picture."""
        if self.first_bad_s is None:
            self.first_bad_s = time_s
        self.bad_packets += 1

    def remark(self, text: str) -> None:
        """Keeps a sentence, once."""
        if text not in self.remarks:
            self.remarks.append(text)


OnDamage: TypeAlias = "Callable[[Packet[VideoStream] | None], None]"


class Source(Protocol):
    """Where pictures come from: a container, a still, a folder."""

    def pictures(self, notes: Notes) -> Iterator[Picture]:
        """All pictures from the first on."""
        ...

    def pictures_at(self, times_s: list[float]) -> Iterator[Picture]:
        """The picture shown at each time."""
        ...


def timestamp(frame: VideoFrame | Packet[VideoStream], uses_dts: bool) -> int | None:
    """When a frame is shown, in ticks of its time base.

    AVI stores no presentation time. The one that FFmpeg derives is wrong where frames are stored
    out of order; the decoding time is right up to a constant shift.
    """
    if uses_dts:
        return frame.dts
    return frame.pts


class _Clock:
    """Timestamps -> seconds from the first frame, never running backwards."""

    def __init__(self, source: ContainerSource, stream: VideoStream, notes: Notes) -> None:
        self._zero = source.zero
        self._uses_dts = source.uses_dts
        self._time_base = stream.time_base or Fraction(1, 90_000)
        self._step_s = float(1 / source.fps)
        self._notes = notes
        self._shift_s = 0.0
        self._last_s: float | None = None

    def due(self, packet: Packet[VideoStream] | None) -> float:
        """About when a packet's picture would be shown, for messages."""
        ticks = None if packet is None else timestamp(packet, self._uses_dts)
        if ticks is None or self._zero is None:
            return self._last_s or 0.0
        return max(float((ticks - self._zero) * self._time_base) + self._shift_s, 0.0)

    def read(self, frame: VideoFrame) -> tuple[float, float]:
        """Start and end of a frame."""
        due_s = 0.0 if self._last_s is None else self._last_s + self._step_s
        time_s = due_s
        ticks = timestamp(frame, self._uses_dts)
        if ticks is not None:
            if self._zero is None:
                self._zero = ticks
            time_s = float((ticks - self._zero) * self._time_base) + self._shift_s
            if self._last_s is not None and time_s <= self._last_s:
                # Two recordings joined without new timestamps: go on where the first ended.
                self._shift_s += due_s - time_s
                time_s = due_s
                self._notes.jumps += 1
                if self._notes.jumps == 1:
                    self._notes.remark(f"the timestamps jump back at {due_s:.1f} s")
        self._last_s = time_s
        length_s = float(frame.duration * self._time_base) if frame.duration else self._step_s
        return time_s, time_s + length_s


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSource:
    """The pictures of a media file. Every call opens the file anew, so calls do not interfere.

    ``zero`` is the timestamp of the first frame. ``duration_s`` is how long the video (not the
    sound) lasts by the container's word; if that is not ``is_exact`` a shorter video counts as
    cut off only when something was damaged too.
    """

    path: Path
    max_pixels: int
    zero: int | None
    fps: Fraction
    uses_dts: bool
    duration_s: float | None
    is_exact: bool

    def pictures(self, notes: Notes) -> Iterator[Picture]:
        """All pictures from the first on; damage goes to ``notes`` and is stepped over."""
        with opened(self.path, self.max_pixels) as (container, stream):
            end_s, size = 0.0, None
            for frame, picture in self._timed(container, stream, notes):
                end_s, size = picture.end_s, _remark_on(frame, picture, size, notes)
                yield picture
            self._remark_on_end(end_s, notes)

    def pictures_at(self, times_s: list[float]) -> Iterator[Picture]:
        """The picture shown at each time, found by seeking."""
        finder = _Finder(self)
        for time_s in times_s:
            picture = finder.at(time_s)
            if picture is not None:
                yield picture

    def pictures_from(self, seek_s: float | None) -> Iterator[Picture]:
        """Pictures from the keyframe before ``seek_s`` on; None: from the start."""
        with opened(self.path, self.max_pixels) as (container, stream):
            if seek_s is not None and self.zero is not None and stream.time_base:
                offset = self.zero + int(max(seek_s, 0.0) / stream.time_base)
                container.seek(offset, stream=stream, backward=True)
            for _, picture in self._timed(container, stream, Notes()):
                yield picture

    def _timed(
        self, container: InputContainer, stream: VideoStream, notes: Notes
    ) -> Iterator[tuple[VideoFrame, Picture]]:
        converter, clock = Converter(), _Clock(self, stream, notes)
        for frame in decoded(container, stream, lambda packet: notes.damage(clock.due(packet))):
            time_s, end_s = clock.read(frame)
            yield (
                frame,
                Picture(time_s=time_s, end_s=end_s, to_rgb=_Deferred(converter, frame)),
            )

    def _remark_on_end(self, end_s: float, notes: Notes) -> None:
        if self.duration_s is None or not (self.is_exact or notes.bad_packets):
            return
        if self.duration_s - end_s > max(0.25, 3 / float(self.fps)):
            notes.is_cut_off = True
            notes.remark(
                f"the pictures end at {end_s:.1f} s of {self.duration_s:.1f} s: "
                "the rest is missing or damaged"
            )


@dataclass(frozen=True, slots=True)
class _Deferred:
    """The conversion of one frame, done when (and if) it is called."""

    converter: Converter
    frame: VideoFrame

    def __call__(self) -> Pixels:
        return self.converter.to_rgb(self.frame)


class _Finder:
    """Finds the picture shown at a time; keeps decoding where that is cheaper than seeking."""

    def __init__(self, source: ContainerSource) -> None:
        self._source = source
        self._pictures: Iterator[Picture] = iter(())
        self._current: Picture | None = None

    def at(self, time_s: float) -> Picture | None:
        """The last picture that starts at or before ``time_s``, or the first there is."""
        current = self._current
        if current is not None and 0 <= time_s - current.time_s <= _DECODE_ON_S:
            return self._advance(time_s)
        for margin_s in _SEEK_MARGINS_S:
            try:
                self._start(time_s - margin_s)
            except av.error.FFmpegError:
                continue
            if self._current is not None and self._current.time_s <= time_s:
                return self._advance(time_s)
        self._start(None)
        return self._advance(time_s)

    def _start(self, seek_s: float | None) -> None:
        self._pictures = self._source.pictures_from(seek_s)
        self._current = next(self._pictures, None)

    def _advance(self, time_s: float) -> Picture | None:
        for following in self._pictures:
            if following.time_s > time_s + 1e-6:
                # Not yet shown: put it back for the next time asked for.
                self._pictures = chain([following], self._pictures)
                break
            self._current = following
        return self._current


def decoded(
    container: InputContainer, stream: VideoStream, on_damage: OnDamage
) -> Iterator[VideoFrame]:
    """Every frame that can be decoded, in display order.

    ``on_damage`` is called for every packet that cannot be read or decoded and for every
    frame that the decoder itself marks as corrupt (those are left out).
    """
    for packet in _packets(container, stream, on_damage):
        try:
            frames = packet.decode() if packet is not None else stream.decode(None)
        except av.error.EOFError:
            return
        except (av.error.FFmpegError, ValueError):
            on_damage(packet)
            continue
        for frame in frames:
            if frame.is_corrupt:
                on_damage(packet)
            else:
                yield frame


def _packets(
    container: InputContainer, stream: VideoStream, on_damage: OnDamage
) -> Iterator[Packet[VideoStream] | None]:
    """Packets of the stream, then None to flush the decoder. Read errors are stepped over."""
    errors = 0
    while errors < _MAX_READ_ERRORS:
        try:
            for packet in container.demux(stream):
                if packet.size == 0 and packet.dts is None:
                    continue  # demux ends with an empty packet; we flush ourselves, once
                errors = 0
                yield packet
        except (av.error.FFmpegError, ValueError):
            # demux() is a generator and dead after an error; a new one reads on behind it.
            errors += 1
            on_damage(None)
        else:
            break
    yield None


def _remark_on(
    frame: VideoFrame, picture: Picture, last_size: tuple[int, int] | None, notes: Notes
) -> tuple[int, int]:
    """Notes HDR and a change of size; returns the size."""
    curve = hdr_curve(frame)
    if curve is not None:
        notes.remark(f"the video is HDR ({curve}); it was looked at without tone mapping")
    size = (frame.width, frame.height)
    if last_size is not None and size != last_size and len(notes.remarks) < _MAX_REMARKS:
        notes.remark(f"the picture size changes to {size[0]}x{size[1]} at {picture.time_s:.1f} s")
    return size
