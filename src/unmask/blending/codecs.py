"""Video codecs at the bit rates of the web: a real encode and decode, in memory.

Pictures are encoded at a number of bits per pixel and frame, as sharing platforms set their
encoders, not at a constant quality: what is hard to code gets worse.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import Final, NamedTuple, cast

import av
import numpy as np
from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from unmask.errors import MissingDependencyError, UnknownNameError, UsageError, explain_unknown
from unmask.types import Pixels

_FPS: Final = 25
_KEYFRAME_FRAMES: Final = 4.0
"""A key frame takes about as many bits as so many other frames: a short clip is given them."""

_PROBED_FRAMES: Final = 8
_WORST: Final = 54
_PROBES: Final = (20, 50)
"""Quality numbers of libvpx (0 to 63, more is worse) between which the right one is sought."""


class _Encoder(NamedTuple):
    name: str
    decoder: str
    options: Mapping[str, str]


# One thread each, and nothing that depends on the processor: two runs make the same. The
# quantizers are capped, by our choice: without, few bits for a small face leave a gray picture.
_ENCODERS: Final[Mapping[str, _Encoder]] = MappingProxyType(
    {
        "h264": _Encoder(
            "libx264",
            "h264",
            {
                "preset": "superfast",
                "tune": "zerolatency",
                "x264-params": "cpu-independent=1:qpmax=38",
            },
        ),
        "h265": _Encoder(
            "libx265",
            "hevc",
            {
                "preset": "ultrafast",
                "tune": "zerolatency",
                "x265-params": "pools=none:frame-threads=1:wpp=0:log-level=none:info=0:qpmax=40",
            },
        ),
        "vp9": _Encoder(
            "libvpx-vp9",
            "vp9",
            {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "row-mt": "0"},
        ),
    }
)
CODECS: Final = tuple(_ENCODERS)
"""h264, h265, vp9."""


def lacking_encoder(codec: str) -> str:
    """Why a codec cannot be used here; empty if it can.

    Raises:
        UnknownNameError: no such codec; the message lists the known ones.
    """
    if codec not in _ENCODERS:
        raise UnknownNameError(explain_unknown("codec", codec, list(CODECS)))
    needed = _ENCODERS[codec]
    if {needed.name, needed.decoder} <= av.codecs_available:
        return ""
    return f"PyAV was built without {needed.name}"


def code_clip(frames: Sequence[Pixels], codec: str, bits_per_pixel: float) -> list[Pixels]:
    """Encodes frames at a bit rate and decodes them.

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
    lacking = lacking_encoder(codec)
    if lacking:
        raise MissingDependencyError(
            f"Cannot encode {codec}: {lacking}. Install PyAV from its wheels (pip install av), or "
            f"leave {codec} out of the codecs."
        )
    if not frames or not bits_per_pixel > 0:
        raise UsageError(
            f"Cannot encode {len(frames)} frames at {bits_per_pixel} bits per pixel: expected at "
            "least one frame and more than 0 bits."
        )
    height, width = frames[0].shape[:2]
    decoder = cast(VideoCodecContext, CodecContext.create(_ENCODERS[codec].decoder, "r"))
    decoder.thread_count = 1
    decoded: list[Pixels] = []
    for packet in _coded(codec, frames, bits_per_pixel):
        decoded += [_to_rgb(frame) for frame in decoder.decode(packet)]
    decoded += [_to_rgb(frame) for frame in decoder.decode(None)]
    return [np.ascontiguousarray(pixels[:height, :width]) for pixels in decoded]


def _coded(
    codec: str, frames: Sequence[Pixels], bits_per_pixel: float
) -> list[av.Packet[VideoStream]]:
    height, width = frames[0].shape[:2]
    # A long video spreads its key frames over seconds; this one has one in so few frames.
    pixels = (height + height % 2) * (width + width % 2)
    bits = max(bits_per_pixel * pixels * (len(frames) + _KEYFRAME_FRAMES), 1000.0)
    if codec == "vp9":
        return _at_quality(codec, frames, _quality_for(codec, frames, bits))
    encoder = _encoder_for(codec, frames[0])
    encoder.bit_rate = round(bits / len(frames) * _FPS)
    # The buffer holds the clip: else the encoder would save the bits for what never comes.
    buffer = {"maxrate": str(encoder.bit_rate), "bufsize": str(round(bits))}
    encoder.options = {**_ENCODERS[codec].options, **buffer}
    return _packets(encoder, frames)


def _quality_for(codec: str, frames: Sequence[Pixels], bits: float) -> int:
    """The quality at which a clip takes about so many bits.

    libvpx meets a bit rate over seconds, not over a few frames. The logarithm of the size falls
    almost linearly with its quality number, so two encodes of the beginning tell the third.
    """
    beginning = frames[:_PROBED_FRAMES]
    bits *= (len(beginning) + _KEYFRAME_FRAMES) / (len(frames) + _KEYFRAME_FRAMES)
    low, high = (
        math.log(8 * sum(p.size for p in _at_quality(codec, beginning, quality)))
        for quality in _PROBES
    )
    share = (low - math.log(bits)) / max(low - high, 1e-6)
    return round(min(max(_PROBES[0] + share * (_PROBES[1] - _PROBES[0]), 4), _WORST))


def _at_quality(codec: str, frames: Sequence[Pixels], quality: int) -> list[av.Packet[VideoStream]]:
    encoder = _encoder_for(codec, frames[0])
    encoder.bit_rate = 0
    encoder.options = {**_ENCODERS[codec].options, "crf": str(quality)}
    return _packets(encoder, frames)


def _encoder_for(codec: str, pixels: Pixels) -> VideoCodecContext:
    height, width = pixels.shape[:2]
    encoder = cast(VideoCodecContext, CodecContext.create(_ENCODERS[codec].name, "w"))
    encoder.width, encoder.height = width + width % 2, height + height % 2
    encoder.pix_fmt = "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, _FPS), Fraction(_FPS)
    encoder.thread_count = 1
    return encoder


def _packets(encoder: VideoCodecContext, frames: Sequence[Pixels]) -> list[av.Packet[VideoStream]]:
    packets: list[av.Packet[VideoStream]] = []
    for index, pixels in enumerate(frames):
        height, width = pixels.shape[:2]
        even = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24")
        frame.pts, frame.time_base = index, Fraction(1, _FPS)
        packets += encoder.encode(frame)
    return packets + encoder.encode(None)


def _to_rgb(frame: VideoFrame) -> Pixels:
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
