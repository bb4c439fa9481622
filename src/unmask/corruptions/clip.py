"""A clip in, the same clip corrupted out."""

from __future__ import annotations

import numpy as np

from unmask.corruptions.kinds import get_corruption
from unmask.corruptions.registry import Corruption
from unmask.errors import UsageError
from unmask.types import Pixels


def corrupt(
    frames: Pixels, kind: str, severity: int, seed: int = 0, *, jumping: bool = False
) -> Pixels:
    """Corrupts a clip; the same arguments give the same pixels on every machine.

    Args:
        frames: (T, H, W, 3) RGB uint8; left as it is.
        kind: a name of ``CORRUPTIONS``.
        severity: 1 (mild) to 5 (strong).
        seed: of everything random; 0 or more. Noise is drawn anew for every frame; the blocks
            stay where they are through the whole clip.
        jumping: draws the blocks anew for every frame, as DeeperForensics-1.0 does.

    Returns:
        (T, H, W, 3) RGB uint8, a new array.

    Raises:
        UnknownNameError: there is no such kind.
        UsageError: severity, seed, shape or type do not fit.
    """
    found = get_corruption(kind)
    value = found.value(severity)
    _check_seed(seed)
    _check(frames, 4, "(T, H, W, 3)")
    if found.act is None:
        from unmask.imaging.codecs import h264_stream

        corrupted = h264_stream(frames, int(value))
    else:
        corrupted = (
            corrupt_frame(frame, kind, severity, seed, index, jumping=jumping)
            for index, frame in enumerate(frames)
        )
    result = np.empty(frames.shape, np.uint8)
    for place, pixels in zip(result, corrupted, strict=True):
        place[...] = pixels
    return result


def corrupt_frame(
    frame: Pixels, kind: str, severity: int, seed: int, index: int, *, jumping: bool = False
) -> Pixels:
    """Corrupts one frame of a stream as ``corrupt`` would in its clip.

    Args:
        frame: (H, W, 3) RGB uint8; left as it is.
        kind: a name of ``CORRUPTIONS``, but none that encodes.
        severity: 1 (mild) to 5 (strong).
        seed: that of the clip or video.
        index: the frame's number in it, from 0.
        jumping: see ``corrupt``.

    Raises:
        UnknownNameError: there is no such kind.
        UsageError: severity, seed, shape or type do not fit, or the kind encodes.
    """
    found = get_corruption(kind)
    value = found.value(severity)
    _check_seed(seed)
    _check(frame, 3, "(H, W, 3)")
    if found.act is None:
        raise UsageError(
            f"Cannot corrupt a single frame with '{kind}': it encodes a whole clip. "
            "Give the clip to corrupt()."
        )
    return found.act(frame, value, _source(found, seed, index, jumping=jumping))


def _source(kind: Corruption, seed: int, index: int, *, jumping: bool) -> np.random.Generator:
    key = [seed, kind.stream]
    if kind.draws == "frame" or (kind.draws == "clip" and jumping):
        key.append(index)
    return np.random.Generator(np.random.PCG64(key))


def _check_seed(seed: int) -> None:
    if seed < 0:
        raise UsageError(f"Cannot corrupt with seed {seed}: expected 0 or more.")


def _check(pixels: Pixels, dimensions: int, shape: str) -> None:
    if pixels.ndim != dimensions or pixels.shape[-1] != 3 or pixels.dtype != np.uint8:
        raise UsageError(
            f"Cannot corrupt an array {pixels.shape} of {pixels.dtype}: expected {shape} RGB "
            "of uint8. Convert it first."
        )
    if not pixels.size:
        raise UsageError(
            f"Cannot corrupt an array {pixels.shape}: it holds no pixel. Give at least one frame."
        )
