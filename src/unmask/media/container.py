"""Opening a media file so that only that file is read, and never more pixels than allowed.

FFmpeg by itself follows playlists (ffconcat, HLS, DASH), opens devices and URLs, and allocates
whatever picture size a header claims. The lists and the limit here take all of that away: what
is analyzed is the file whose hash the report shows.

One gap is left: FLV and MPEG program streams name their streams only after opening, where PyAV
can pass no limit to the decoder that FFmpeg starts to look at them. One oversized frame (FFmpeg's
own bound is 268 million pixels) may be decoded there before the size is refused.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import av
import av.error
import av.stream
from av.codec.context import ThreadType
from av.container import InputContainer
from av.video.stream import VideoStream

from unmask.errors import MediaError

MAX_PIXELS: Final = 8192 * 4320
"""Most pixels a picture may have: 8K, in both its television and its cinema width."""

VIDEO_SUFFIXES: Final = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts"}
    | {".wmv", ".flv", ".3gp", ".ogv", ".mxf", ".gif"}
)
"""Names by which the videos of a folder are found; a file that is named itself may have any."""

# Demuxers that read one file and nothing else. No playlist (concat, hls, dash, imf), no list of
# files (image2), no device (lavfi, v4l2), no headerless data (rawvideo). The sound formats are
# here so that the message can say "it has no video stream".
_DEMUXERS: Final = (
    "mov,matroska,avi,mpeg,mpegts,mpegtsraw,flv,asf,asf_o,gif,ogg,mpegvideo,m4v,h261,h263,h264,"
    "hevc,vvc,obu,av1,ivf,mjpeg,dv,mxf,nut,rm,wtv,vc1,apng,cavsvideo,dirac,"
    "aac,ac3,aiff,amr,eac3,flac,mp3,wav,w64,ape,wv,tta,au,caf"
)

# Above this a frame-threaded decoder holds too many frames at once (an 8K frame is 50 MB).
_MAX_FRAME_THREADED_PIXELS: Final = 2600 * 1500
_MAX_THREADS: Final = 4


def shorten(path: Path) -> str:
    """The name of a file or folder as error messages show it."""
    return f"'{path.name or path}'"


def cannot_read(path: Path, reason: str) -> MediaError:
    """The error for an input that cannot be used; ``reason`` ends with what to do."""
    return MediaError(f"Cannot read {shorten(path)}: {reason}")


def too_many_pixels(path: Path, width_px: int, height_px: int, max_pixels: int) -> MediaError:
    """The error for a picture above the limit."""
    return cannot_read(
        path,
        f"its picture has {width_px}x{height_px} pixels, at most {max_pixels:,} are allowed. "
        "Scale it down, or raise max_pixels.",
    )


@contextmanager
def opened(path: Path, max_pixels: int) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Opens a media file for reading and chooses its video stream.

    Raises:
        MediaError: not media, a playlist, no video stream, no decoder, or too many pixels.
    """
    with _open_container(path, max_pixels) as container:
        yield container, _video_stream(container, path, max_pixels)


def _open_container(path: Path, max_pixels: int) -> InputContainer:
    options = {
        "format_whitelist": _DEMUXERS,
        "protocol_whitelist": "file",
        # Reaches the decoders that FFmpeg opens by itself to find out what the streams are.
        "max_pixels": str(_decoder_limit(max_pixels)),
    }
    try:
        # An absolute path cannot be taken for a URL ("http:…", "concat:a|b").
        return av.open(str(path.absolute()), mode="r", options=options, metadata_errors="replace")
    except (av.error.FFmpegError, ValueError) as error:
        raise _explain(path, error) from error


def _explain(path: Path, error: Exception) -> MediaError:
    if isinstance(error, PermissionError):
        return cannot_read(path, "permission denied. Make it readable for this user.")
    with path.open("rb") as file:
        head = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"ffconcat", b"#extm3u", b"<?xml", b"<mpd")):
        return cannot_read(
            path, "it is a list that points at other files, not media. Give the video itself."
        )
    return cannot_read(
        path,
        "its content is not a media file that can be opened. Give a video, a picture or a folder "
        "of pictures; if it plays elsewhere, the copy may be incomplete: get it again.",
    )


def _video_stream(container: InputContainer, path: Path, max_pixels: int) -> VideoStream:
    not_video = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
    streams = [s for s in container.streams.video if not s.disposition & not_video]
    if not streams:
        found = sorted({_describe(s) for s in container.streams}) or ["nothing"]
        raise cannot_read(
            path,
            f"it has no video stream (found: {', '.join(found)}). Give a file with a picture.",
        )
    best = container.streams.best("video")
    stream = best if isinstance(best, VideoStream) and best in streams else streams[0]
    if stream.codec_context is None:
        raise cannot_read(
            path, "there is no decoder for its video. Convert it to H.264 in an .mp4 file."
        )
    width_px, height_px = stream.codec_context.width, stream.codec_context.height
    if width_px * height_px > max_pixels:
        raise too_many_pixels(path, width_px, height_px, max_pixels)
    _prepare_decoder(stream, max_pixels)
    return stream


def _cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _decoder_limit(max_pixels: int) -> int:
    """Room for the edge that codecs add: 1080 lines are coded as 1088, a few more at 64x64."""
    return max_pixels * 21 // 20 + 128 * 128


def _describe(stream: av.stream.Stream) -> str:
    codec = stream.codec_context.name if stream.codec_context is not None else "unknown"
    if stream.disposition & av.stream.Disposition.attached_pic:
        return f"cover picture/{codec}"
    return f"{stream.type}/{codec}"


def _prepare_decoder(stream: VideoStream, max_pixels: int) -> None:
    """Limits and threads, before the decoder opens.

    The header may lie about the size, so the decoder gets the limit too.
    """
    context = stream.codec_context
    context.options = {**context.options, "max_pixels": str(_decoder_limit(max_pixels))}
    context.thread_count = min(_cores(), _MAX_THREADS)
    small = context.width * context.height <= _MAX_FRAME_THREADED_PIXELS
    context.thread_type = ThreadType.AUTO if small else ThreadType.SLICE
