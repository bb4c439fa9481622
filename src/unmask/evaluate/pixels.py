"""Figures of masks: out of the histograms that a results folder keeps of every video.

Pixels of all videos are pooled, as the papers do; the intervals draw whole sources. Real videos
belong to a test set of PBCA and of the pixel AUC: EMD speaks of test images, forged and pristine
(section IV-D, figures 4 to 7), and Anti-Compression (section 4.1) takes PBCA from Dang et al.
2020, who set nothing apart. They have no forged pixels and flatter PBCA, so there is one
without them too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unmask.detectors import get_card
from unmask.errors import NotMeasurableError, UnknownNameError
from unmask.evaluate.scores import VideoScore
from unmask.metrics.pixels import (
    f1_score,
    intersection_over_union,
    pixel_accuracy,
    pixel_auc,
    pixel_auc_error,
)

Values = NDArray[np.float64]

PIXELS: Final = ("PBCA", "PBCA (forged)", "IoU", "F1 (pixels)", "pixel AUC")
"""Names of the figures; all are shares, 0..1, at a probability of 0.5 but for the AUC.

PBCA is the pixel-wise accuracy. ``IoU`` and ``F1 (pixels)`` are of forged videos alone, too.
"""

_WITH_REALS = ("PBCA", "pixel AUC")
_VISIBLE = 0.0005  # half of the last digit of a table in percent


class PixelFigure(NamedTuple):
    """What a figure is made of.

    Attributes:
        measure: weights (R, S) of the sources to (R,) figures.
        sources: (S,), by name, each once.
        note: what of the videos is not in it, or how far it may be off; empty: nothing.
    """

    measure: Callable[[Values], Values]
    sources: tuple[str, ...]
    note: str


def needs_reals(name: str) -> bool:
    """Whether a figure is of real and forged videos together."""
    return name in _WITH_REALS


def pixel_figure(
    name: str,
    videos: Sequence[VideoScore],
    source_of: Callable[[VideoScore], str],
    *,
    place: str,
) -> PixelFigure:
    """Pools the pixels of one detector's videos by source.

    Args:
        name: out of ``PIXELS``.
        videos: real and forged, with a score; real ones are left out where the figure is of
            forged ones alone.
        source_of: what a video shares with those that are drawn together with it.
        place: where they come from, for the reasons.

    Raises:
        NotMeasurableError: no masks were compared, or one class lacks where both are needed.
    """
    wanted = [row for row in videos if row.label or needs_reals(name)]
    seen = [row for row in wanted if row.pixels is not None]
    lacking = [
        kind
        for kind, label in (("real", 0), ("fake", 1))
        if (label or needs_reals(name)) and all(row.label != label for row in seen)
    ]
    if lacking:
        raise NotMeasurableError(_why(videos, wanted, lacking[0], place))
    sources, counts = _by_source(seen, source_of)
    note = _note(wanted, seen)
    if name == "pixel AUC":
        if (error := pixel_auc_error(counts)) >= _VISIBLE:
            off = f"pixel AUC off by at most {100 * error:.2f} points: values in a bin are ties"
            note = "; ".join(part for part in (note, off) if part)
        return PixelFigure(lambda w: pixel_auc(counts, weights=w), sources, note)
    # At 0.5 two bins say all.
    halves = counts.reshape(len(sources), 2, 2, -1).sum(axis=3)
    at_half = {"IoU": intersection_over_union, "F1 (pixels)": f1_score}.get(name, pixel_accuracy)
    return PixelFigure(lambda w: at_half(halves, weights=w), sources, note)


def _by_source(
    videos: Sequence[VideoScore], source_of: Callable[[VideoScore], str]
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Sources (S,) and their histograms (S, 2, BINS), row 0 of genuine pixels.

    A source is drawn as a whole, so the sum of its videos is all that a resample needs.
    """
    names, number = np.unique([source_of(row) for row in videos], return_inverse=True)
    first = videos[0].pixels
    assert first is not None  # The caller keeps those that have them.
    counts = np.zeros((len(names), 2, len(first.forged)), np.int64)
    for at, row in zip(number, videos, strict=True):
        if row.pixels is not None:
            counts[at, 0] += row.pixels.unchanged
            counts[at, 1] += row.pixels.forged
    return tuple(names.tolist()), counts


def _why(
    videos: Sequence[VideoScore], wanted: Sequence[VideoScore], lacking: str, place: str
) -> str:
    """Why there is nothing to measure, in words."""
    for name in sorted({row.key.detector for row in videos}):
        if not _gives_masks(name):
            return f"not measurable: {name} gives no masks"
    if all(row.label != (lacking == "fake") for row in wanted):
        return f"not measurable: no {lacking} videos in {place}"
    reason = next((row.reason for row in wanted if row.label and row.reason), "")
    told = f" ({reason})" if lacking == "fake" and reason else ""
    return f"not measurable: no masks of {lacking} videos were compared in {place}{told}"


def _gives_masks(name: str) -> bool:
    try:
        return "mask" in get_card(name).outputs
    except UnknownNameError:  # of an earlier version
        return True


def _note(wanted: Sequence[VideoScore], seen: Sequence[VideoScore]) -> str:
    """How many videos are not in a figure, or in part, with the first reason."""
    partial = [row for row in seen if row.reason]
    if len(seen) == len(wanted) and not partial:
        return ""
    told = f"masks of {len(seen)} of {len(wanted)} videos"
    if partial:
        told += f", {len(partial)} of them in part"
    reason = next((row.reason for row in wanted if row.reason), "")
    return f"{told} ({reason})" if reason else told
