"""RGB frames -> a video file that appears complete or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Final, cast

import av
import av.error
from av.codec.codec import Codec, UnknownCodecError
from av.container import OutputContainer
from av.video.reformatter import ColorPrimaries, ColorRange, ColorTrc
from av.video.stream import VideoStream

from unmask.errors import OutputError
from unmask.imaging.codecs import REPEATABLE_X264
from unmask.imaging.color import to_yuv
from unmask.types import Frame, Pixels

_MIN_TICKS_PER_S: Final = 90_000


def write_video(
    path: str | Path,
    frames: Iterable[Pixels | Frame],
    fps: Fraction | int,
    *,
    crf: int = 18,
    codec: str = "libx264",
    options: Mapping[str, str] | None = None,
    overwrite: bool = False,
) -> None:
    """Writes frames as 8-bit 4:2:0 BT.709 video; the container follows the file's suffix.

    An odd width or height grows by one repeated column or row, which 4:2:0 needs. The file is
    written beside its final place and moved there at the end, so that an interruption leaves
    nothing behind.

    Args:
        path: where to; the folder must exist.
        frames: (H, W, 3) RGB uint8, all of one size; taken one at a time. Pixels stand 1 / fps
            apart; a ``Frame`` stands at its own time, so that a variable rate is kept.
        fps: frames per second.
        crf: quality of x264, x265 and VP9; lower is better.
        codec: FFmpeg's name of the encoder.
        options: further options of this encoder, such as its preset.
        overwrite: whether a file that is there already may be replaced.

    Raises:
        OutputError: the file exists, the folder is not there or not writable, the suffix or
            codec is unknown, or there is no frame.
    """
    path = Path(path)
    remaining = iter(frames)
    first = next(remaining, None)
    if first is None:
        raise OutputError(f"Cannot write '{path}': there is no frame. Give at least one.")
    with _in_place(path, overwrite) as partial, _opened(partial, path) as container:
        shape, clock = _pixels(first).shape, _Clock(Fraction(fps), first)
        stream = _add_stream(container, path, codec, Fraction(fps), shape)
        repeatable = REPEATABLE_X264 if codec == "libx264" else {}
        every = {**repeatable, **(options or {}), "crf": str(crf)}
        stream.codec_context.options = every
        stream.codec_context.time_base = clock.tick_s
        for index, given in enumerate(chain([first], remaining)):
            pixels = _pixels(given)
            if pixels.shape != shape:
                raise OutputError(
                    f"Cannot write '{path}': frame {index} has shape {pixels.shape}, the first "
                    f"has {shape}. Give frames of one size."
                )
            frame = to_yuv(pixels)
            frame.pts = clock.ticks(given, index)
            frame.time_base = clock.tick_s
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


class _Clock:
    """Presentation time of each frame, in ticks that start at 0 and only rise."""

    def __init__(self, fps: Fraction, first: Pixels | Frame) -> None:
        self.tick_s = 1 / fps
        if isinstance(first, Frame):
            # Fine enough for any time, and such that a constant rate falls on whole ticks.
            self.tick_s /= fps.denominator * -(-_MIN_TICKS_PER_S // fps.numerator)
        self._last = -1

    def ticks(self, given: Pixels | Frame, index: int) -> int:
        ticks = round(given.time_s / self.tick_s) if isinstance(given, Frame) else index
        self._last = max(self._last + 1, ticks)
        return self._last


def _pixels(given: Pixels | Frame) -> Pixels:
    return given.pixels if isinstance(given, Frame) else given


@contextmanager
def _in_place(path: Path, overwrite: bool) -> Iterator[Path]:
    """A name to write to, moved to ``path`` on success and removed on anything else."""
    if path.exists() and not overwrite:
        raise OutputError(f"Cannot write '{path}': it exists. Give another name, or overwrite.")
    if path.is_dir():
        raise OutputError(f"Cannot write '{path}': it is a folder. Give a file name.")
    if not path.parent.is_dir():
        raise OutputError(f"Cannot write '{path}': its folder does not exist. Create it first.")
    if not os.access(path.parent, os.W_OK):
        raise OutputError(f"Cannot write '{path}': its folder is not writable. Choose another.")
    partial = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def _opened(partial: Path, path: Path) -> Iterator[OutputContainer]:
    # The index goes to the front, so that a browser can start before the end has come.
    options = {"movflags": "+faststart"} if path.suffix.lower() in (".mp4", ".mov") else {}
    try:
        container = av.open(str(partial.absolute()), mode="w", options=options)
    except ValueError as error:
        raise OutputError(
            f"Cannot write '{path}': '{path.suffix}' is not the suffix of a video file. "
            "Use .mp4, .mkv, .mov or .webm."
        ) from error
    try:
        with container:
            yield container
    except av.error.FFmpegError as error:
        raise OutputError(
            f"Cannot write '{path}': {error.strerror}. "
            "Check the free space, and that the encoder takes this size, rate and crf."
        ) from error


def _add_stream(
    container: OutputContainer, path: Path, codec: str, fps: Fraction, shape: tuple[int, ...]
) -> VideoStream:
    try:
        if Codec(codec, "w").type != "video":
            raise UnknownCodecError(codec)
    except UnknownCodecError as error:
        raise OutputError(
            f"Cannot write '{path}': there is no video encoder '{codec}'. Use libx264."
        ) from error
    try:
        stream = cast(VideoStream, container.add_stream(codec, rate=fps))
    except ValueError as error:
        raise OutputError(
            f"Cannot write '{path}': '{codec}' does not fit into a '{path.suffix}' file. "
            "Use libx264 with .mp4, libvpx-vp9 with .webm."
        ) from error
    height_px, width_px = shape[:2]
    stream.width, stream.height = width_px + width_px % 2, height_px + height_px % 2
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.colorspace = 1  # AVCOL_SPC_BT709
    context.color_range = ColorRange.MPEG
    context.color_primaries = ColorPrimaries.BT709
    context.color_trc = ColorTrc.BT709
    return stream
