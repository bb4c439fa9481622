"""Codec round trips in memory: pictures are encoded and decoded again.

The same pictures give the same result on every machine: the number of threads is fixed, and
nothing depends on the processor.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import chain
from types import MappingProxyType
from typing import Final, NamedTuple, cast

import av
import cv2
import numpy as np
from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from unmask.errors import MissingDependencyError, UnknownNameError, UsageError, explain_unknown
from unmask.imaging.color import even, to_rgb, to_yuv
from unmask.types import Pixels

REPEATABLE_X264: Final[Mapping[str, str]] = MappingProxyType(
    {"threads": "2", "x264-params": "cpu-independent=1"}
)
"""What x264 makes depends on its number of threads and on the processor: with AVX-512 two runs
of one encode differed here. Both are fixed."""

H264_OPTIONS: Final[Mapping[str, str]] = MappingProxyType({"preset": "medium", **REPEATABLE_X264})
"""x264 at its default preset, as ``ffmpeg -crf N`` runs it."""

_FPS: Final = 25
_KEYFRAME_FRAMES: Final = 4.0
"""A key frame takes about as many bits as so many other frames: a short clip is given them."""

_PROBED_FRAMES: Final = 8
_WORST: Final = 54
_PROBES: Final = (20, 50)
"""Quality numbers of libvpx (0 to 63, more is worse) between which the right one is sought."""

_QUICK_H264: Final = {
    "preset": "superfast",
    "tune": "zerolatency",
    "x264-params": "cpu-independent=1",
}


class _Codec(NamedTuple):
    encoder: str
    decoder: str
    options: Mapping[str, str]


# Options of the encodes at a bit rate. The quantizers are capped, by our choice: without, few bits
# for a small face leave a gray picture.
_CODECS: Final[Mapping[str, _Codec]] = MappingProxyType(
    {
        "h264": _Codec(
            "libx264", "h264", {**_QUICK_H264, "x264-params": "cpu-independent=1:qpmax=38"}
        ),
        "h265": _Codec(
            "libx265",
            "hevc",
            {
                "preset": "ultrafast",
                "tune": "zerolatency",
                "x265-params": "pools=none:frame-threads=1:wpp=0:log-level=none:info=0:qpmax=40",
            },
        ),
        "vp9": _Codec(
            "libvpx-vp9",
            "vp9",
            {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "row-mt": "0"},
        ),
    }
)
CODECS: Final = tuple(_CODECS)
"""h264, h265, vp9."""


def missing_reason(codec: str) -> str | None:
    """Why a codec cannot be used here; None if it can.

    Raises:
        UnknownNameError: no such codec; the message lists the known ones.
    """
    if codec not in _CODECS:
        raise UnknownNameError(explain_unknown("codec", codec, list(CODECS)))
    needed = _CODECS[codec]
    if {needed.encoder, needed.decoder} <= av.codecs_available:
        return None
    return f"PyAV was built without {needed.encoder}"


def jpeg_round_trip(pixels: Pixels, quality: int) -> Pixels:
    """Encodes and decodes (H, W, 3) RGB as JPEG of ``quality`` 1..100, chroma subsampled."""
    _, packed = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(decoded[..., ::-1])


def h264_round_trip(frames: Sequence[Pixels], crf: int) -> list[Pixels]:
    """Encodes frames with x264 at a constant rate factor, fast, and decodes them.

    Args:
        frames: (H, W, 3) RGB uint8, all of one size.
        crf: constant rate factor, 0 to 51; more is worse.

    Returns:
        As many frames of the same shape.
    """
    return list(_round_trip(frames, "h264", {**_QUICK_H264, "crf": str(crf)}))


def h264_stream(frames: Iterable[Pixels], crf: int) -> Iterator[Pixels]:
    """Encodes a stream of frames with x264 as ``ffmpeg -crf N`` does, and decodes it.

    Colors are those of BT.709, as in the videos that ``media.write_video`` writes.

    Args:
        frames: (H, W, 3) RGB uint8, all of one size; taken as they are needed.
        crf: constant rate factor, 0 to 51; more is worse.

    Yields:
        As many frames of the same shape. About 50 are under way at a time, at 25 per second.
    """
    return _round_trip(frames, "h264", {**H264_OPTIONS, "crf": str(crf)}, is_bt709=True)


def bit_rate_round_trip(
    frames: Sequence[Pixels], codec: str, bits_per_pixel: float
) -> list[Pixels]:
    """Encodes frames at a bit rate of the web, as sharing platforms do, and decodes them.

    Platforms set a number of bits, not a quality: what is hard to code gets worse.

    Args:
        frames: (H, W, 3) RGB uint8, at least one, all of one size. An odd row or column is
            repeated for the encoder.
        codec: one of ``CODECS``.
        bits_per_pixel: of an average frame in a long video; a short clip gets more, for its key
            frame, and a small picture that this is too little for gets more. 720p at 2.5 Mbit/s
            and 30 frames per second has 0.09.

    Returns:
        As many frames of the same shape.

    Raises:
        UnknownNameError: no such codec.
        UsageError: no frame, or no bits.
        MissingDependencyError: PyAV has no encoder for it.
    """
    reason = missing_reason(codec)
    if reason:
        raise MissingDependencyError(
            f"Cannot encode {codec}: {reason}. Install PyAV from its wheels (pip install av), or "
            f"leave {codec} out of the codecs."
        )
    if not frames or not bits_per_pixel > 0:
        raise UsageError(
            f"Cannot encode {len(frames)} frames at {bits_per_pixel} bits per pixel: expected at "
            "least one frame and more than 0 bits."
        )
    options, bit_rate = _rate_control(codec, frames, bits_per_pixel)
    return list(_round_trip(frames, codec, options, bit_rate))


def _rate_control(
    codec: str, frames: Sequence[Pixels], bits_per_pixel: float
) -> tuple[dict[str, str], int]:
    """The encoder's options and bit rate (0: by quality) that give so many bits."""
    height, width = even(frames[0]).shape[:2]
    # A long video spreads its key frames over seconds; this one has one in so few frames.
    bits = max(bits_per_pixel * height * width * (len(frames) + _KEYFRAME_FRAMES), 1000.0)
    if codec == "vp9":
        return _at_quality(codec, _quality_for(codec, frames, bits)), 0
    bit_rate = round(bits / len(frames) * _FPS)
    # The buffer holds the clip: else the encoder would save the bits for what never comes.
    buffer = {"maxrate": str(bit_rate), "bufsize": str(round(bits))}
    return {**_CODECS[codec].options, **buffer}, bit_rate


def _quality_for(codec: str, frames: Sequence[Pixels], bits: float) -> int:
    """The quality at which a clip takes about so many bits.

    libvpx meets a bit rate over seconds, not over a few frames. The logarithm of the size falls
    almost linearly with its quality number, so two encodes of the beginning predict the third.
    """
    beginning = frames[:_PROBED_FRAMES]
    bits *= (len(beginning) + _KEYFRAME_FRAMES) / (len(frames) + _KEYFRAME_FRAMES)
    low, high = (
        math.log(_size_bits(codec, beginning, _at_quality(codec, quality))) for quality in _PROBES
    )
    share = (low - math.log(bits)) / max(low - high, 1e-6)
    return round(min(max(_PROBES[0] + share * (_PROBES[1] - _PROBES[0]), 4), _WORST))


def _at_quality(codec: str, quality: int) -> dict[str, str]:
    return {**_CODECS[codec].options, "crf": str(quality)}


def _size_bits(
    codec: str, frames: Sequence[Pixels], options: Mapping[str, str], bit_rate: int = 0
) -> int:
    return 8 * sum(p.size for p in _packets(frames, codec, options, bit_rate, is_bt709=False))


def _round_trip(
    frames: Iterable[Pixels],
    codec: str,
    options: Mapping[str, str],
    bit_rate: int = 0,
    *,
    is_bt709: bool = False,
) -> Iterator[Pixels]:
    """Encodes frames and decodes them; without ``is_bt709`` the colors are FFmpeg's default."""
    remaining = iter(frames)
    first = next(remaining, None)
    if first is None:
        return
    height, width = first.shape[:2]
    decoder = cast(VideoCodecContext, CodecContext.create(_CODECS[codec].decoder, "r"))
    decoder.thread_count = 1
    packets = _packets(chain([first], remaining), codec, options, bit_rate, is_bt709=is_bt709)
    for packet in chain(packets, [None]):
        for frame in decoder.decode(packet):
            pixels = to_rgb(frame) if is_bt709 else frame.to_ndarray(format="rgb24")
            yield np.ascontiguousarray(pixels[:height, :width], np.uint8)


def _packets(
    frames: Iterable[Pixels],
    codec: str,
    options: Mapping[str, str],
    bit_rate: int,
    *,
    is_bt709: bool,
) -> Iterator[av.Packet[VideoStream]]:
    encoder: VideoCodecContext | None = None
    for index, pixels in enumerate(frames):
        given = even(pixels)
        if encoder is None:
            encoder = _encoder(given, codec, options, bit_rate)
        frame = (
            to_yuv(given)
            if is_bt709
            else VideoFrame.from_ndarray(np.ascontiguousarray(given), format="rgb24")
        )
        frame.pts, frame.time_base = index, Fraction(1, _FPS)
        yield from encoder.encode(frame)
    if encoder is not None:
        yield from encoder.encode(None)


def _encoder(
    pixels: Pixels, codec: str, options: Mapping[str, str], bit_rate: int
) -> VideoCodecContext:
    encoder = cast(VideoCodecContext, CodecContext.create(_CODECS[codec].encoder, "w"))
    encoder.height, encoder.width = pixels.shape[:2]
    encoder.pix_fmt = "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, _FPS), Fraction(_FPS)
    encoder.thread_count = 1
    encoder.bit_rate = bit_rate
    encoder.options = dict(options)
    return encoder
