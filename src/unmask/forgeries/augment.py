"""The augmentation that real and forged pictures share, so that no global trace separates them.

Both pictures of a pair pass through the same steps with the same parameters: light, resize
chain, blur, noise, and one codec (none, JPEG, or H.264 by a real encode and decode).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from unmask.forgeries.clip import ForgedFrame
from unmask.forgeries.disturb import log_uniform
from unmask.imaging.codecs import h264_round_trip, jpeg_round_trip
from unmask.imaging.color import even
from unmask.types import Floats, Pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """Chances of each step, and the ranges its strength is drawn from.

    ``codec_shares`` are those of none, JPEG and H.264. Pairs of numbers are low and high.
    ``light_gain`` and ``light_offset`` are standard deviations, of a factor and of values in
    0..255; ``color`` is the chance that every channel is shifted by itself; ``blur_sigma`` is in
    pixels.
    """

    light: float = 0.5
    light_gain: float = 0.12
    light_offset: float = 10.0
    resize: float = 0.5
    resize_share: tuple[float, float] = (0.4, 1.6)
    blur: float = 0.15
    blur_sigma: tuple[float, float] = (0.3, 1.5)
    noise: float = 0.15
    codec_shares: tuple[float, float, float] = (0.25, 0.35, 0.4)
    jpeg_quality: tuple[int, int] = (35, 95)
    h264_crf: tuple[int, int] = (18, 40)
    color: float = 0.0


def augment_pair(
    pair: ForgedFrame, rng: np.random.Generator, settings: Augmentation
) -> ForgedFrame:
    """Applies one draw of the augmentation to both pictures of a pair.

    The pictures keep their size, unless the resize chain ends in another one: then the mask
    follows. Flips are left to who cuts: they would move the landmarks.
    """
    both = _lit([pair.real, pair.fake], rng, settings)
    mask = pair.mask
    if rng.random() < settings.resize:
        both, mask = _resize(both, mask, rng, settings)
    both = _blurred(both, rng, settings)
    if rng.random() < settings.noise:
        grain = rng.standard_normal(both[0].shape, np.float32) * rng.uniform(1, 8)
        both = [_in_bytes(np.clip(p + grain, 0, 255)) for p in both]
    both = _coded(both, rng, settings, lambda pictures, crf: _h264_pair(pictures, rng, crf))
    return ForgedFrame(np.ascontiguousarray(both[0]), np.ascontiguousarray(both[1]), mask)


def augment_clip(
    frames: Sequence[Pixels],
    masks: Sequence[Floats],
    rng: np.random.Generator,
    settings: Augmentation,
) -> tuple[list[Pixels], list[Floats]]:
    """Applies one draw of the augmentation to a whole clip: its frames are changed alike.

    Grain alone is drawn for every frame, as a camera does. Clips that shall change alike are
    given generators of the same seed.

    Args:
        frames: (H, W, 3) RGB uint8, all of one size.
        masks: (H, W) float32 in 0..1, as many.
        rng: source of all randomness.
        settings: chances and ranges.

    Returns:
        Frames and masks; in another size if the resize chain ends in one.
    """
    clip, sheets = _lit(list(frames), rng, settings), list(masks)
    if rng.random() < settings.resize:
        seed = int(rng.integers(2**32))
        pairs = zip(clip, sheets, strict=True)
        resized = [_resize([p], m, np.random.default_rng(seed), settings) for p, m in pairs]
        clip, sheets = [r[0][0] for r in resized], [r[1] for r in resized]
    clip = _blurred(clip, rng, settings)
    if rng.random() < settings.noise:
        strength = rng.uniform(1, 8)
        clip = [
            _in_bytes(np.clip(p + rng.standard_normal(p.shape, np.float32) * strength, 0, 255))
            for p in clip
        ]
    clip = _coded(clip, rng, settings, h264_round_trip)
    return [np.ascontiguousarray(p) for p in clip], sheets


def _lit(pictures: list[Pixels], rng: np.random.Generator, settings: Augmentation) -> list[Pixels]:
    """Another contrast and brightness, and another value in each channel, the same for all."""
    if rng.random() < settings.light:
        gain = max(1 + rng.normal(0, settings.light_gain), 0.3)
        offset = rng.normal(0, settings.light_offset)
        # Not convertScaleAbs: it turns what falls below 0 into light again.
        pictures = [_in_bytes(cv2.addWeighted(p, gain, p, 0, offset)) for p in pictures]
    if settings.color and rng.random() < settings.color:
        shift = rng.normal(0, 12, 3)
        pictures = [_in_bytes(np.clip(p + shift, 0, 255)) for p in pictures]
    return pictures


def _blurred(
    pictures: list[Pixels], rng: np.random.Generator, settings: Augmentation
) -> list[Pixels]:
    if rng.random() >= settings.blur:
        return pictures
    sigma = rng.uniform(*settings.blur_sigma)
    return [_in_bytes(cv2.GaussianBlur(p, (0, 0), sigma)) for p in pictures]


def _coded(
    pictures: list[Pixels],
    rng: np.random.Generator,
    settings: Augmentation,
    h264: Callable[[list[Pixels], int], list[Pixels]],
) -> list[Pixels]:
    """Through no codec, JPEG, or H.264 as ``h264`` does it with a constant rate factor."""
    codec = rng.choice(3, p=settings.codec_shares)
    if codec == 1:
        quality = int(rng.integers(*settings.jpeg_quality))
        return [jpeg_round_trip(p, quality) for p in pictures]
    if codec == 2:
        return h264(pictures, int(rng.integers(*settings.h264_crf)))
    return pictures


def _in_bytes(values: np.ndarray) -> Pixels:
    return np.asarray(values, np.uint8)


def _resize(
    both: list[Pixels], mask: np.ndarray, rng: np.random.Generator, settings: Augmentation
) -> tuple[list[Pixels], np.ndarray]:
    """To another size, and half of the time back, as sharing platforms do."""
    height, width = mask.shape
    share = log_uniform(rng, *settings.resize_share)
    size = (max(48, round(width * share)), max(48, round(height * share)))
    down = cv2.INTER_AREA if share < 1 else cv2.INTER_LINEAR
    how = int(rng.choice([down, cv2.INTER_LINEAR, cv2.INTER_CUBIC]))
    both = [cv2.resize(p, size, interpolation=how) for p in both]
    if share > 1 or rng.random() < 0.5:
        back = int(rng.choice([cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC]))
        return [cv2.resize(p, (width, height), interpolation=back) for p in both], mask
    return both, cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR)


def _h264_pair(both: list[Pixels], rng: np.random.Generator, crf: int) -> list[Pixels]:
    """Encodes the pair side by side as a short clip with slight motion; returns one frame."""
    sheet = side_by_side(both)
    shifts = [(int(rng.integers(-2, 3)), int(rng.integers(-2, 3))) for _ in range(2)]
    clip = [np.roll(sheet, shift, axis=(0, 1)) for shift in shifts] + [sheet]
    order = rng.permutation(3)
    decoded = h264_round_trip([clip[i] for i in order], crf)
    return taken_apart(decoded[int(np.flatnonzero(order == 2)[0])], both)


def side_by_side(pictures: Sequence[Pixels]) -> Pixels:
    """Pictures of one size in a row, each of even size."""
    return np.concatenate([even(p) for p in pictures], axis=1)


def taken_apart(sheet: Pixels, pictures: Sequence[Pixels]) -> list[Pixels]:
    """The pictures of a sheet that ``side_by_side`` made, each in its own size again."""
    height, width = pictures[0].shape[:2]
    step = width + width % 2
    starts = range(0, step * len(pictures), step)
    return [np.ascontiguousarray(sheet[:height, x : x + width]) for x in starts]
