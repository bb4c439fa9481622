"""What happens to a score when a clip's frames no longer follow each other.

The alterations of Ganiyusufoglu et al. (Spatio-temporal Features for Generalized Detection of
Deepfake Videos, 2020; table 4, figure 5): some frames are mirrored left to right, which breaks
their alignment, or all are shuffled, which breaks their order.
"""

from __future__ import annotations

import dataclasses
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from unmask.errors import UnknownNameError, UsageError
from unmask.types import Clip

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHUFFLE: Final = "shuffle"
_EVERY_SECOND: Final = "flip_every_second"
_FLIPPED: Final[Mapping[str, int]] = MappingProxyType({"flip_1": 1, "flip_3": 3, "flip_5": 5})

ORDERS: Final = (*_FLIPPED, _EVERY_SECOND, _SHUFFLE)
"""The columns of table 4, besides the original."""


def reorder(clip: Clip, order: str, seed: int = 0) -> Clip:
    """The clip with some frames mirrored, or with its frames shuffled.

    ``flip_1``, ``flip_3`` and ``flip_5`` mirror one, three or five random frames left to right.
    With equal seeds the larger choice holds the smaller. ``flip_every_second`` mirrors the second,
    fourth, … frame. ``shuffle`` draws another order, never the original one: pictures move together
    with their ``frame_indices``, ``regions_px`` and ``is_real_frame``, while ``times_s`` stays.

    The draw depends on the seed, the person and the clip's first frame, so the clips of a video
    differ. Features remembered by frame number (``unmask.pipeline.shared_features.SharedFeatures``)
    must not be used across altered clips: ask the network itself.

    Args:
        clip: has at least two frames, and as many as are mirrored.
        order: one of ``ORDERS``.
        seed: seed of everything random, 0 or more.

    Raises:
        UnknownNameError: there is no such order.
        UsageError: the clip has too few frames, or the seed is negative.
    """
    if order not in ORDERS:
        raise UnknownNameError(f"Unknown order {order!r}. Known: {', '.join(ORDERS)}.")
    frames = len(clip.pixels)
    needed = max(2, _FLIPPED.get(order, 0))
    if frames < needed:
        raise UsageError(
            f"Cannot apply {order}: expected a clip of at least {needed} frames, got {frames}. "
            "Take a detector of longer clips, or another order."
        )
    if seed < 0:
        raise UsageError(f"Cannot apply {order} with seed {seed}: expected 0 or more.")
    rng = np.random.default_rng([seed, clip.track_id, int(clip.frame_indices[0])])
    drawn = rng.permutation(frames)
    if order == _SHUFFLE:
        while (drawn == np.arange(frames)).all():
            drawn = rng.permutation(frames)
        return dataclasses.replace(
            clip,
            pixels=clip.pixels[drawn],
            frame_indices=clip.frame_indices[drawn],
            regions_px=clip.regions_px[drawn],
            is_real_frame=clip.is_real_frame[drawn],
        )
    flipped = np.arange(1, frames, 2) if order == _EVERY_SECOND else drawn[: _FLIPPED[order]]
    pixels = clip.pixels.copy()
    pixels[flipped] = pixels[flipped, :, ::-1]
    return dataclasses.replace(clip, pixels=pixels)
