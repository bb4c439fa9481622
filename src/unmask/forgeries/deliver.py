"""How a video reaches its viewer: codecs, uploads and reposts, the same for real and forged.

Bits per pixel and frame are drawn log-uniformly: 0.1 to 0.5 for what a camera writes, 0.03 to
0.2 for what a sharing platform serves (720p30 at 0.8 to 5.5 Mbit/s). The ranges are our choice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np

from unmask.errors import UnknownNameError, explain_unknown
from unmask.forgeries.augment import side_by_side, taken_apart
from unmask.forgeries.disturb import log_uniform
from unmask.imaging import codecs
from unmask.imaging.codecs import CODECS, bit_rate_round_trip, jpeg_round_trip
from unmask.types import Pixels

_CAMERA_BITS: Final = (0.1, 0.5)
_PLATFORM_BITS: Final = (0.03, 0.2)
_JPEG_QUALITY: Final = (35, 95)
_PLATFORM_SHARES: Final = {"h264": 0.6, "vp9": 0.25, "h265": 0.15}
_SMALLEST_PX: Final = 96
_INTERPOLATIONS: Final = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)

Clip = list[Pixels]
Delivery = Callable[[Clip, np.random.Generator], Clip]


def deliver(frames: Sequence[Pixels], way: str, rng: np.random.Generator) -> list[Pixels]:
    """Sends a clip along one way to its viewer.

    What depends on chance is drawn before anything is encoded: two clips of one length that are
    given generators of the same seed are coded by the same settings.

    Args:
        frames: (H, W, 3) RGB uint8, all of one size.
        way: a key of ``WAYS``.
        rng: source of all randomness.

    Returns:
        As many frames of the same size.

    Raises:
        MissingDependencyError: PyAV has no encoder for the way.
    """
    return WAYS[way](list(frames), rng)


def deliver_still(pictures: Sequence[Pixels], way: str, rng: np.random.Generator) -> list[Pixels]:
    """Sends single pictures of one size along one way: side by side, with slight motion.

    The sheet is one of three frames, the others being the sheet a pixel or two aside; its pictures
    share one budget of bits.
    """
    sheet = side_by_side(pictures)
    shifts = [(int(rng.integers(-2, 3)), int(rng.integers(-2, 3))) for _ in range(2)]
    at = int(rng.integers(3))
    clip = [np.roll(sheet, shift, axis=(0, 1)) for shift in shifts]
    clip.insert(at, sheet)
    return taken_apart(deliver(clip, way, rng)[at], pictures)


def _as_it_is(clip: Clip, rng: np.random.Generator) -> Clip:
    return clip


def _jpeg(clip: Clip, rng: np.random.Generator) -> Clip:
    quality = int(rng.integers(*_JPEG_QUALITY))
    return [jpeg_round_trip(p, quality) for p in clip]


def _by(codec: str) -> Delivery:
    def once(clip: Clip, rng: np.random.Generator) -> Clip:
        return bit_rate_round_trip(
            clip, codec, log_uniform(rng, _PLATFORM_BITS[0], _CAMERA_BITS[1])
        )

    return once


def _twice(clip: Clip, rng: np.random.Generator) -> Clip:
    """A camera's H.264, decoded, and encoded again at another rate."""
    first, second = log_uniform(rng, *_CAMERA_BITS), log_uniform(rng, *_PLATFORM_BITS)
    return bit_rate_round_trip(bit_rate_round_trip(clip, "h264", first), "h264", second)


def _uploaded(clip: Clip, rng: np.random.Generator) -> Clip:
    """A camera's H.264, made smaller by a platform, encoded at its rate, shown large again."""
    first = log_uniform(rng, *_CAMERA_BITS)
    return _through_platform(bit_rate_round_trip(clip, "h264", first), rng)


def _reposted(clip: Clip, rng: np.random.Generator) -> Clip:
    """Through two platforms, one after the other."""
    return _through_platform(_through_platform(clip, rng), rng)


def _through_platform(clip: Clip, rng: np.random.Generator) -> Clip:
    height, width = clip[0].shape[:2]
    share = float(rng.choice([1.0, 0.75, 2 / 3, 0.5], p=[0.3, 0.2, 0.25, 0.25]))
    share = min(max(share, _SMALLEST_PX / min(height, width)), 1.0)
    down, up = (int(rng.choice(_INTERPOLATIONS[n : n + 3])) for n in (0, 1))
    shares = {c: share for c, share in _PLATFORM_SHARES.items() if not codecs.missing_reason(c)}
    total = sum(shares.values())
    codec = str(rng.choice(list(shares), p=[share / total for share in shares.values()]))
    bits = log_uniform(rng, *_PLATFORM_BITS)
    size = (round(width * share / 2) * 2, round(height * share / 2) * 2)
    if share < 1:
        clip = [_resized(p, size, down) for p in clip]
    clip = bit_rate_round_trip(clip, codec, bits)
    return [_resized(p, (width, height), up) for p in clip] if share < 1 else clip


def _resized(pixels: Pixels, size: tuple[int, int], how: int) -> Pixels:
    return np.asarray(cv2.resize(pixels, size, interpolation=how), np.uint8)


WAYS: Final[Mapping[str, Delivery]] = MappingProxyType(
    {
        "none": _as_it_is,
        "jpeg": _jpeg,
        **{codec: _by(codec) for codec in CODECS},
        "h264_twice": _twice,
        "uploaded": _uploaded,
        "reposted": _reposted,
    }
)
"""Name -> how a clip gets to its viewer."""


def missing_reason(way: str) -> str | None:
    """Why a way cannot be used here; None if it can.

    Platforms code by the encoders that are installed, by H.264 at least.

    Raises:
        UnknownNameError: no such way; the message lists the known ones.
    """
    if way not in WAYS:
        raise UnknownNameError(explain_unknown("codec", way, list(WAYS)))
    if way in ("none", "jpeg"):
        return None
    return codecs.missing_reason(way if way in CODECS else "h264")
