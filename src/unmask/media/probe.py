"""What a media file says of itself, checked against its first picture."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from statistics import median
from typing import Final

import av.error
from av.container import InputContainer
from av.video.stream import VideoStream

from unmask.errors import MediaError
from unmask.media import images
from unmask.media.container import MAX_PIXELS, cannot_read, opened
from unmask.media.decode import decoded, timestamp
from unmask.media.picture import orientation
from unmask.types import VideoInfo

FOLDER_FPS: Final = Fraction(25)
# Enough to see whether the rate varies, and read in a few milliseconds.
_MAX_PACKETS: Final = 2000
_MAX_PLAUSIBLE_FPS: Final = 300
_AV_TIME_BASE: Final = 1_000_000
_URL: Final = re.compile(r"^([a-z][a-z0-9+.-]+):/+", re.IGNORECASE)
_WITHOUT_PTS: Final = ("avi",)


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

    ``images`` are the files of a folder, or the single still; ``remarks`` belong to them;
    for the rest see ``decode.ContainerSource``.
    """

    info: VideoInfo
    images: Sequence[Path] = ()
    remarks: tuple[str, ...] = ()
    zero: int | None = None
    uses_dts: bool = False
    video_s: float | None = None
    is_exact: bool = False


def examine(path: Path, max_pixels: int, folder_fps: Fraction) -> Examined:
    """``probe`` with the facts that ``open_video`` needs."""
    try:
        if path.is_dir():
            return _examine_folder(path, max_pixels, folder_fps)
        _check_file(path)
        if images.is_image(path):
            return _examine_still(path, max_pixels)
        return _examine_container(path, max_pixels)
    except PermissionError as error:
        raise cannot_read(path, "permission denied. Make it readable for this user.") from error
    except OSError as error:
        raise cannot_read(path, f"{error.strerror}. Check the name and the disk.") from error


def _check_file(path: Path) -> None:
    if not path.exists():
        if _URL.match(str(path)):
            url = _URL.sub(r"\1://", str(path))  # a Path keeps one slash of two
            raise MediaError(
                f"Cannot read '{url}': unmask reads local files only. Download it first: "
                f"yt-dlp -o clip.mp4 '{url}'"
            )
        raise cannot_read(
            path, f"there is no such file in '{path.absolute().parent}'. Check the name."
        )
    if not path.is_file():
        raise cannot_read(path, "it is neither a file nor a folder. Give a video file.")
    with path.open("rb") as file:
        if not file.read(1):
            raise cannot_read(path, "the file is empty (0 bytes). Get the file again.")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _examine_still(path: Path, max_pixels: int) -> Examined:
    header = images.read_header(path, max_pixels)
    images.read_pixels(path, max_pixels)  # raises if the picture behind the header is broken
    several = f"the file holds {header.pictures} pictures; only the first was looked at"
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
    remarks = (several,) if header.pictures > 1 else ()
    return Examined(info=info, images=(path,), remarks=remarks)


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
        name = container.format.name.split(",")[0]
        has_audio = len(container.streams.audio) > 0
        start_s = float((first.ticks or 0) * (stream.time_base or 0))
        # Matroska counts durations from 0, not from the first picture.
        before_s = start_s if name == "matroska" else 0.0
        video_s, whole_s = _durations_s(container, stream, before_s)
        # Without a duration (browsers record such files) the packets are counted to the end.
        packets = _read_packets(container, stream, _MAX_PACKETS if whole_s else None)
        fps = _rate(stream, packets)
        info = VideoInfo(
            path=path,
            sha256=_sha256(path),
            container=name,
            codec=stream.codec_context.codec.canonical_name,
            width_px=first.width_px,
            height_px=first.height_px,
            rotation_deg=first.rotation_deg,
            fps=fps,
            duration_s=video_s or whole_s or packets.duration_s(fps),
            frame_count=stream.frames or (packets.count if packets.are_all else None),
            is_variable_rate=packets.is_variable,
            has_audio=has_audio,
            bit_rate_bps=container.bit_rate or None,
            video_bit_rate_bps=stream.bit_rate or None,
            size_bytes=path.stat().st_size,
            start_s=start_s,
        )
    return Examined(
        info=info,
        zero=first.ticks,
        uses_dts=name in _WITHOUT_PTS,
        video_s=video_s if has_audio else video_s or whole_s,
        # Edit lists make the durations in an MP4 differ from what is shown; one that is cut off
        # makes itself heard by errors.
        is_exact=name != "mov",
    )


def _durations_s(
    container: InputContainer, stream: VideoStream, before_s: float
) -> tuple[float | None, float | None]:
    """How long the video stream and the whole file last, each None if it is not said."""
    video_s = _stream_duration_s(stream)
    whole_s = container.duration / _AV_TIME_BASE if container.duration else None
    return (
        None if video_s is None else max(video_s - before_s, 0.0),
        None if whole_s is None else max(whole_s - before_s, 0.0),
    )


@dataclass(frozen=True, slots=True)
class _FirstFrame:
    width_px: int
    height_px: int
    rotation_deg: int
    ticks: int | None


def _first_frame(path: Path, max_pixels: int) -> _FirstFrame:
    with opened(path, max_pixels) as (container, stream):
        codec = stream.codec_context.name
        uses_dts = container.format.name in _WITHOUT_PTS
        for frame in decoded(container, stream, lambda packet: None):
            turn = orientation(frame)
            width_px, height_px = turn.size(frame.width, frame.height)
            ticks = timestamp(frame, uses_dts)
            return _FirstFrame(width_px, height_px, turn.rotation_deg, ticks)
    raise cannot_read(
        path,
        f"it says that it holds {codec} video, but not one picture of it can be decoded. "
        "The file is damaged or cut off: get it again.",
    )


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
    """How many packets there are, and the sorted times of those that have one, in seconds.

    ``tick_s`` is the resolution of the times; ``are_all`` says that the file was read to its end.
    """

    count: int
    times: list[float]
    tick_s: float
    are_all: bool

    def duration_s(self, fps: Fraction) -> float:
        if len(self.times) < 2:
            return float(self.count / fps)  # a bare H.264 stream has no times
        return self.times[-1] - self.times[0] + float(1 / fps)

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
    count, are_all = 0, False
    try:
        for packet in container.demux(stream):
            if count == limit:
                break
            time = packet.pts if packet.pts is not None else packet.dts
            if time is not None and not packet.is_discard:
                times.append(float(time * time_base))
            count += packet.size > 0 and not packet.is_discard
        else:
            are_all = True
    except (av.error.FFmpegError, ValueError):
        pass  # a damaged file: what was read until here is what is known
    return _Packets(count, sorted(times), float(time_base), are_all)


def _rate(stream: VideoStream, packets: _Packets) -> Fraction:
    """The average rate: the container's if it is plausible, else that of the packets."""
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate and 0 < rate <= _MAX_PLAUSIBLE_FPS:
            return rate
    if len(packets.times) > 1 and packets.times[-1] > packets.times[0]:
        span_s = packets.times[-1] - packets.times[0]
        rate = Fraction((len(packets.times) - 1) / span_s).limit_denominator(1001)
        if rate > 0:
            return rate
    return FOLDER_FPS
