"""What a media file says of itself, checked against its first picture."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from statistics import median
from typing import Final

import av.error
from av.container import InputContainer
from av.video.stream import VideoStream

from unmask.media import images
from unmask.media.container import MAX_PIXELS, cannot_read, opened
from unmask.media.decode import decoded
from unmask.media.picture import orientation
from unmask.types import VideoInfo

FOLDER_FPS: Final = Fraction(25)
# Enough to see whether the rate varies, and read in a few milliseconds.
_MAX_PACKETS: Final = 2000
_MAX_PLAUSIBLE_FPS: Final = 300
_AV_TIME_BASE: Final = 1_000_000


def probe(
    path: str | Path, *, max_pixels: int = MAX_PIXELS, folder_fps: Fraction | int = FOLDER_FPS
) -> VideoInfo:
    """Reads what is known of a video, a picture or a folder of frames.

    Args:
        path: the file or folder.
        max_pixels: most pixels (width x height) a picture may have.
        folder_fps: the rate of a folder of frames, which no file says.

    Raises:
        MediaError: it cannot be read, is no media, has no video, does not decode, or has too
            many pixels.
    """
    return examine(Path(path), max_pixels, Fraction(folder_fps)).info


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A probe's result with what decoding needs besides.

    ``zero`` is the timestamp of the first frame; ``checked_duration_s`` is how long the video
    stream must last if nothing is missing, None where the container does not say so reliably.
    ``images`` are the files of a folder, or the one still.
    """

    info: VideoInfo
    zero: int | None = None
    checked_duration_s: float | None = None
    images: Sequence[Path] = ()


def examine(path: Path, max_pixels: int, folder_fps: Fraction) -> Examined:
    """``probe`` with the facts that ``open_video`` needs."""
    if path.is_dir():
        return _examine_folder(path, max_pixels, folder_fps)
    _check_file(path)
    if images.is_image(path):
        return _examine_still(path, max_pixels)
    return _examine_container(path, max_pixels)


def _check_file(path: Path) -> None:
    if not path.exists():
        raise cannot_read(path, f"there is no such file in '{path.absolute().parent}'. Check it.")
    if not path.is_file():
        raise cannot_read(path, "it is neither a file nor a folder. Give a video file.")
    try:
        with path.open("rb") as file:
            is_empty = file.read(1) == b""
    except PermissionError as error:
        raise cannot_read(
            path, "permission denied. Make the file readable for this user."
        ) from error
    if is_empty:
        raise cannot_read(path, "the file is empty (0 bytes). Get the file again.")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _examine_still(path: Path, max_pixels: int) -> Examined:
    header = images.read_header(path, max_pixels)
    info = VideoInfo(
        path=path,
        sha256=_sha256(path),
        container="image",
        codec=header.format,
        width_px=header.width_px,
        height_px=header.height_px,
        rotation_deg=header.rotation_deg,
        fps=FOLDER_FPS,
        duration_s=0.0,
        frame_count=1,
        is_variable_rate=False,
        has_audio=False,
        is_still=True,
        size_bytes=path.stat().st_size,
    )
    return Examined(info=info, images=(path,))


def _examine_folder(folder: Path, max_pixels: int, fps: Fraction) -> Examined:
    paths = images.list_images(folder)
    digest = hashlib.sha256()
    sizes: dict[tuple[int, int], Path] = {}
    for path in sorted(paths, key=lambda p: p.name):
        digest.update(f"{path.name}\0{_sha256(path)}\n".encode())
        header = images.read_header(path, max_pixels)
        sizes.setdefault((header.width_px, header.height_px), path)
    if len(sizes) > 1:
        shown = ", ".join(f"{p.name} {w}x{h}" for (w, h), p in islice(sizes.items(), 3))
        raise cannot_read(
            folder,
            f"its pictures have different sizes ({shown}). "
            "Give a folder with the frames of one video.",
        )
    (width_px, height_px) = next(iter(sizes))
    info = VideoInfo(
        path=folder,
        sha256=digest.hexdigest(),
        container="folder",
        codec="images",
        width_px=width_px,
        height_px=height_px,
        rotation_deg=0,
        fps=fps,
        duration_s=float(len(paths) / fps),
        frame_count=len(paths),
        is_variable_rate=False,
        has_audio=False,
        size_bytes=sum(p.stat().st_size for p in paths),
    )
    return Examined(info=info, images=paths)


def _examine_container(path: Path, max_pixels: int) -> Examined:
    first = _first_frame(path, max_pixels)
    with opened(path, max_pixels) as (container, stream):
        stream_s = _stream_duration_s(stream)
        duration_s = stream_s
        if duration_s is None and container.duration:
            duration_s = container.duration / _AV_TIME_BASE
        packets = _read_packets(container, stream, None if duration_s is None else _MAX_PACKETS)
        is_whole = len(packets.times) < _MAX_PACKETS or duration_s is None
        fps = _rate(stream, packets)
        if duration_s is None:
            duration_s = packets.span_s + float(1 / fps)
        time_base = stream.time_base or Fraction(1)
        info = VideoInfo(
            path=path,
            sha256=_sha256(path),
            container=container.format.name.split(",")[0],
            codec=stream.codec_context.codec.name
            if stream.codec_context.codec
            else stream.codec_context.name,
            width_px=first.width_px,
            height_px=first.height_px,
            rotation_deg=first.rotation_deg,
            fps=fps,
            duration_s=duration_s,
            frame_count=stream.frames or (len(packets.times) if is_whole else None),
            is_variable_rate=packets.is_variable,
            has_audio=len(container.streams.audio) > 0,
            bit_rate_bps=container.bit_rate or None,
            size_bytes=path.stat().st_size,
            start_s=float((first.pts or 0) * time_base),
        )
        # An MP4 says by itself where it breaks off, and edit lists make its durations differ.
        is_reliable = info.container != "mov"
        checked_s = stream_s if is_reliable else None
        return Examined(info=info, zero=first.pts, checked_duration_s=checked_s)


@dataclass(frozen=True, slots=True)
class _FirstFrame:
    width_px: int
    height_px: int
    rotation_deg: int
    pts: int | None


def _first_frame(path: Path, max_pixels: int) -> _FirstFrame:
    failures: list[None] = []
    with opened(path, max_pixels) as (container, stream):
        codec = stream.codec_context.name
        for frame in decoded(container, stream, _counting(failures)):
            turn = orientation(frame)
            width_px, height_px = turn.size(frame.width, frame.height)
            return _FirstFrame(width_px, height_px, turn.rotation_deg, frame.pts)
    raise cannot_read(
        path,
        f"it says that it holds {codec} video, but not one picture can be decoded "
        f"(tried {len(failures)} packets). The file is damaged: get it again.",
    )


def _counting(failures: list[None]) -> Callable[[], None]:
    return lambda: failures.append(None)


def _stream_duration_s(stream: VideoStream) -> float | None:
    """How long the video (not the sound) lasts, as the container says."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    # Matroska keeps it as text: 00:01:02.500000000
    match = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", stream.metadata.get("DURATION", ""))
    if match is None:
        return None
    hours, minutes, seconds = match.groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


@dataclass(frozen=True, slots=True)
class _Packets:
    """Sorted presentation times of packets in seconds, and the timestamps' resolution."""

    times: list[float]
    tick_s: float

    @property
    def span_s(self) -> float:
        return self.times[-1] - self.times[0] if self.times else 0.0

    @property
    def is_variable(self) -> bool:
        """Whether more than 1 % (and at least two) of the steps differ from the usual one.

        A step may differ by the rounding of the timestamps (1 ms in Matroska) and by a fifth.
        """
        steps = [b - a for a, b in pairwise(self.times) if b > a]
        if len(steps) < 3:
            return False
        usual = median(steps)
        allowed = max(1.5 * self.tick_s, 0.2 * usual)
        return sum(abs(step - usual) > allowed for step in steps) >= max(2, 0.01 * len(steps))


def _read_packets(container: InputContainer, stream: VideoStream, limit: int | None) -> _Packets:
    time_base = stream.time_base or Fraction(1)
    times: list[float] = []
    try:
        for packet in islice(container.demux(stream), limit):
            time = packet.pts if packet.pts is not None else packet.dts
            if time is not None and not packet.is_discard:
                times.append(float(time * time_base))
    except (av.error.FFmpegError, ValueError):
        pass  # a damaged file: what was read until here is what is known
    return _Packets(sorted(times), float(time_base))


def _rate(stream: VideoStream, packets: _Packets) -> Fraction:
    """The average rate: the container's if it is plausible, else that of the packets."""
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate and 0 < rate <= _MAX_PLAUSIBLE_FPS:
            return rate
    if packets.span_s > 0:
        rate = Fraction((len(packets.times) - 1) / packets.span_s).limit_denominator(1001)
        if rate > 0:
            return rate
    return FOLDER_FPS
