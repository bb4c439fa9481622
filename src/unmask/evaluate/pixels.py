"""Metrics of masks: out of the histograms that a results folder keeps of every video.

Pixels of all videos are pooled, as the papers do; the intervals draw whole sources.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unmask.detectors import get_card
from unmask.errors import NotMeasurableError, UnknownNameError
from unmask.evaluate.scores import VideoScore
from unmask.metrics.registry import BOTH, Items, Metric

Values = NDArray[np.float64]


class Measured(NamedTuple):
    """What a value is made of.

    Attributes:
        measure: weights (R, N) of N items to (R,) values.
        sources: (N,), the source of each item. Of masks an item is a source with all its videos.
        note: what of the videos is not in it, or how far it may be off; "": nothing.
    """

    measure: Callable[[Values], Values]
    sources: tuple[str, ...]
    note: str = ""


def measure_masks(
    metric: Metric,
    videos: Sequence[VideoScore],
    source_of: Callable[[VideoScore], str],
    *,
    place: str,
) -> Measured:
    """Pools the pixels of one detector's videos by source.

    Args:
        metric: one that needs masks.
        videos: real and forged, with a score; those of a class that the metric does not need are
            left out.
        source_of: what a video shares with those that are drawn together with it.
        place: where they come from, for the reasons.

    Raises:
        NotMeasurableError: no masks were compared, or a class that is needed has none.
    """
    wanted = [row for row in videos if BOTH[row.label] in metric.classes]
    seen = [row for row in wanted if row.pixels is not None]
    present = {BOTH[row.label] for row in seen}
    if absent := [kind for kind in metric.classes if kind not in present]:
        raise NotMeasurableError(_missing_reason(videos, wanted, absent[0], place))
    sources, counts = _by_source(seen, source_of)
    items = Items(pixels=counts)
    note = "; ".join(part for part in (_note(wanted, seen), metric.note(items)) if part)
    return Measured(lambda w: metric.compute(items, w), sources, note)


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


def _missing_reason(
    videos: Sequence[VideoScore], wanted: Sequence[VideoScore], absent: str, place: str
) -> str:
    """Why there is nothing to measure, in words."""
    for name in sorted({row.key.detector for row in videos}):
        if not _gives_masks(name):
            return f"not measurable: {name} gives no masks"
    if all(row.label != (absent == "fake") for row in wanted):
        return f"not measurable: no {absent} videos in {place}"
    reason = next((row.reason for row in wanted if row.label and row.reason), "")
    detail = f" ({reason})" if absent == "fake" and reason else ""
    return f"not measurable: no masks of {absent} videos were compared in {place}{detail}"


def _gives_masks(name: str) -> bool:
    try:
        return "mask" in get_card(name).outputs
    except UnknownNameError:  # of an earlier version
        return True


def _note(wanted: Sequence[VideoScore], seen: Sequence[VideoScore]) -> str:
    """How many videos are not in a value, or in part, with the first reason."""
    partial = [row for row in seen if row.reason]
    if len(seen) == len(wanted) and not partial:
        return ""
    text = f"masks of {len(seen)} of {len(wanted)} videos"
    if partial:
        text += f", {len(partial)} of them in part"
    reason = next((row.reason for row in wanted if row.reason), "")
    return f"{text} ({reason})" if reason else text
