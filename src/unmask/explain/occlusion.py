"""Occlusion: what a detector no longer sees when a part of its input is covered with gray.

A square (of a picture) or a cuboid (of a clip) of middle gray slides over the input, as in
LipForensics (Haliassos et al., CVPR 2021, section 4.5 and figure 6), after Zeiler & Fergus
(ECCV 2014). Heat is the fall of the logit: above 0 where covering makes the input look less
forged (what lies there speaks for a forgery), below 0 where it makes it look more forged.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from unmask.detectors import Detector
from unmask.errors import UsageError
from unmask.explain.ask import BATCH_FRAMES, check_mode, gray_of, logits_of

if TYPE_CHECKING:
    from torch import Tensor


class Cover(NamedTuple):
    """The cuboid: ``size`` (frames, height, width) in frames and px, and its ``stride``."""

    size: tuple[int, int, int]
    stride: tuple[int, int, int]


def cover_for(
    shape: tuple[int, int, int],
    size_px: int | None = None,
    stride_px: int | None = None,
    depth: int | None = None,
) -> Cover:
    """The cuboid for an input of ``shape`` (T, H, W).

    Args:
        shape: frames, height and width of the input.
        size_px: edge of the square; None: a sixth of the shorter side of a picture, a quarter of
            a clip's, whose passes cost more.
        stride_px: from one place to the next; None: half the edge.
        depth: frames that are covered at once, half of it from one place to the next; None: all,
            so that the heat is the same in every frame.

    Raises:
        UsageError: one is below 1 or larger than the input.
    """
    frames, height, width = shape
    edge = max(1, min(height, width) // (6 if frames == 1 else 4)) if size_px is None else size_px
    step = max(1, edge // 2) if stride_px is None else stride_px
    deep = frames if depth is None else depth
    limits = {"size": (edge, min(height, width)), "stride": (step, edge), "depth": (deep, frames)}
    for name, (value, most) in limits.items():
        if not 1 <= value <= most:
            raise UsageError(
                f"Cannot cover the input: expected a {name} of 1 to {most}, got {value}."
            )
    return Cover((deep, edge, edge), (max(1, deep // 2), step, step))


def places(shape: tuple[int, int, int], cover: Cover) -> list[tuple[int, int, int]]:
    """First frame, row and column of every place; the last of each axis touches the edge.

    >>> places((1, 5, 4), Cover((1, 2, 4), (1, 2, 4)))
    [(0, 0, 0), (0, 2, 0), (0, 3, 0)]
    """
    starts = []
    for length, size, stride in zip(shape, cover.size, cover.stride, strict=True):
        last = length - size
        starts.append(sorted({*range(0, last + 1, stride), last}))
    return list(product(*starts))


def occlusion(
    detector: Detector,
    clips: Tensor,
    *,
    size_px: int | None = None,
    stride_px: int | None = None,
    depth: int | None = None,
    batch_frames: int = BATCH_FRAMES,
) -> Tensor:
    """How far the logit falls where the input is covered.

    Costs one pass for each clip and place (with the defaults 49 places), and one uncovered.

    Args:
        detector: in eval mode.
        clips: (B, C, T, H, W), normalized by its spec.
        size_px: see ``cover_for``.
        stride_px: see ``cover_for``.
        depth: see ``cover_for``.
        batch_frames: most frames that go through the network at once.

    Returns:
        (B, T, H, W) float32 on the CPU: the mean fall over the places that cover a pixel.

    Raises:
        UsageError: the cuboid does not fit, or the network is in train mode.
        WeightsError: a logit is not finite.
    """
    import torch

    check_mode(detector)
    gray = gray_of(detector.card, clips)
    shape = (clips.shape[2], clips.shape[3], clips.shape[4])
    cover = cover_for(shape, size_px, stride_px, depth)
    corners = places(shape, cover)
    windows = [tuple(slice(a, a + n) for a, n in zip(c, cover.size, strict=True)) for c in corners]

    def covered() -> Iterator[Tensor]:
        for clip in clips:
            for window in windows:
                copy = clip.clone()
                copy[:, *window] = gray
                yield copy

    before = logits_of(detector, clips, batch_frames)
    after = logits_of(detector, covered(), batch_frames).view(len(clips), len(windows))
    falls = before[:, None] - after
    heat, times = torch.zeros(len(clips), *shape), torch.zeros(shape)
    for number, window in enumerate(windows):
        heat[:, *window] += falls[:, number, None, None, None]
        times[window] += 1
    # With a stride up to the edge's length every pixel is covered at least once.
    return heat / times
