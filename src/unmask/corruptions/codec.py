"""Compression: a real H.264 encode and decode of a clip, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Final

import av
import numpy as np
from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace

from unmask.types import Pixels

H264_OPTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {"preset": "medium", "threads": "2", "x264-params": "cpu-independent=1"}
)
"""How x264 is run: its default preset, as ``ffmpeg -crf N`` of the original runs it.

What x264 makes depends on its number of threads and on the processor: with AVX-512 two runs of
one encode differed here. Both are fixed, so that every run and machine gives the same.
"""

_CLIP_FPS: Final = 25


def recode(frames: Iterable[Pixels], crf: int) -> Iterator[Pixels]:
    """Encodes frames with x264 and decodes them; one encode over all of them.

    Args:
        frames: (H, W, 3) RGB uint8, all of one size; an odd width or height grows by a repeated
            column or row for the encoder and is cut again.
        crf: constant rate factor, 0 to 51; more is worse.

    Yields:
        As many frames of the same shape. About 50 are under way at a time, at 25 per second.
    """
    encoder: VideoCodecContext | None = None
    decoder = CodecContext.create("h264", "r")
    height = width = 0
    for index, pixels in enumerate(frames):
        if encoder is None:
            height, width = pixels.shape[:2]
            encoder = _encoder(width + width % 2, height + height % 2, crf)
        for packet in encoder.encode(_to_yuv(pixels, index)):
            for frame in decoder.decode(packet):
                yield _to_rgb(frame)[:height, :width]
    if encoder is None:
        return
    for packet in encoder.encode(None):
        for frame in decoder.decode(packet):
            yield _to_rgb(frame)[:height, :width]
    for frame in decoder.decode(None):
        yield _to_rgb(frame)[:height, :width]


def _encoder(width_px: int, height_px: int, crf: int) -> VideoCodecContext:
    encoder = CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width_px, height_px, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, _CLIP_FPS), Fraction(_CLIP_FPS)
    encoder.options = {**H264_OPTIONS, "crf": str(crf)}
    return encoder


def _to_yuv(pixels: Pixels, index: int) -> VideoFrame:
    height, width = pixels.shape[:2]
    if height % 2 or width % 2:
        pixels = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24").reformat(
        format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
    )
    frame.pts, frame.time_base = index, Fraction(1, _CLIP_FPS)
    return frame


def _to_rgb(frame: av.VideoFrame) -> Pixels:
    rgb = frame.reformat(
        format="rgb24", src_colorspace=Colorspace.ITU709, src_color_range=ColorRange.MPEG
    )
    return np.asarray(rgb.to_ndarray(), np.uint8)
