"""How good a face's pixels are: bits per pixel, codec family, and the class of a calibration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from unmask.types import QualityClass, VideoInfo

_FAMILIES: Final = {
    "h264": "h264",
    "hevc": "hevc",
    "vp8": "vp8, vp9, av1",
    "vp9": "vp8, vp9, av1",
    "av1": "vp8, vp9, av1",
    "mpeg4": "mpeg",
    "msmpeg4v3": "mpeg",
    "mpeg2video": "mpeg",
    "mpeg1video": "mpeg",
    "h263": "mpeg",
}


def codec_family(codec: str) -> str:
    """The family of a codec: what leaves like traces; ``other`` for those not named here.

    >>> codec_family("vp9"), codec_family("prores")
    ('vp8, vp9, av1', 'other')
    """
    return _FAMILIES.get(codec, "other")


def bits_per_pixel(info: VideoInfo) -> float | None:
    """Bits that the file spends on one pixel of one frame; None if its bit rate is unknown.

    Of a picture or a folder of pictures: of the files. Where a container does not tell the
    pictures' own rate (Matroska, WebM), that of the whole file is taken, with its sound.
    """
    pixels = info.width_px * info.height_px
    if pixels <= 0:
        return None
    if info.is_still or info.container == "folder":
        count = pixels * (info.frame_count or 1)
        return 8 * info.size_bytes / count if info.size_bytes else None
    rate = info.video_bit_rate_bps or info.bit_rate_bps
    return rate / (pixels * float(info.fps)) if rate and info.fps else None


def quality_class(
    classes: Sequence[QualityClass], face_px: float, bits: float | None, codec: str
) -> QualityClass:
    """The first class that a face belongs to; the last one must hold for all.

    Args:
        classes: of a calibration.
        face_px: median longest side of the face's box.
        bits: per pixel and frame; unknown, no class that asks for them holds.
        codec: as ``VideoInfo`` names it.
    """
    family = codec_family(codec)
    return next(one for one in classes if _holds(one, face_px, bits, family))


def _holds(one: QualityClass, face_px: float, bits: float | None, family: str) -> bool:
    asks_bits = one.min_bits_per_pixel is not None or one.max_bits_per_pixel is not None
    if one.codecs and family not in one.codecs:
        return False
    if asks_bits and bits is None:
        return False
    return _within(face_px, one.min_face_px, one.max_face_px) and (
        bits is None or _within(bits, one.min_bits_per_pixel, one.max_bits_per_pixel)
    )


def _within(value: float, least: float | None, end: float | None) -> bool:
    """Half-open, so that neighbouring classes share no face."""
    return (least is None or value >= least) and (end is None or value < end)
