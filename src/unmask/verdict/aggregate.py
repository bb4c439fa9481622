"""From clip logits to a face's logit, and from faces to the video's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from unmask.types import ClipScore

LEAST_CLIPS = 3
"""Clips of one face below which its logit is reported but decides nothing."""

LONG_RUN_S = 2.0
"""Seconds over the threshold without a break that keep a face from being found unmanipulated."""

_SHARE_LIMIT = 6.0


def aggregate(logits: Sequence[float], how: str) -> float:
    """Joins the clip logits of one face.

    Args:
        logits: at least one.
        how: ``mean``; ``top_quarter_mean`` (mean of the highest quarter, rounded up: a forgery
            may show in a part of the clips only); ``share_over_half`` (log-odds of the share
            of clips above 0, bounded by one clip more and one less).

    Raises:
        ValueError: no logits, or another name.

    >>> aggregate([0.0, 1.0, 2.0, 5.0], "mean")
    2.0
    >>> aggregate([0.0, 1.0, 2.0, 5.0], "top_quarter_mean")
    5.0
    """
    if not logits:
        raise ValueError("no logits to aggregate")
    values = np.asarray(logits, np.float64)
    if how == "mean":
        return float(values.mean())
    if how == "top_quarter_mean":
        return float(np.sort(values)[-math.ceil(len(values) / 4) :].mean())
    if how == "share_over_half":
        over = float((values > 0).sum())
        odds = math.log((over + 0.5) / (len(values) - over + 0.5))
        return max(-_SHARE_LIMIT, min(_SHARE_LIMIT, odds))
    raise ValueError(f"unknown aggregate {how!r}: mean, top_quarter_mean or share_over_half")


def longest_run_s(scores: Iterable[ClipScore], threshold: float) -> tuple[float, float]:
    """The longest stretch of time in which every clip of one face reaches a threshold.

    Returns:
        Its start and end in seconds; two zeros if no clip reaches it. Clips more than half a
        second apart do not belong to one stretch.
    """
    best, start, end = (0.0, 0.0), 0.0, -math.inf
    for score in sorted(scores, key=lambda s: s.start_s):
        if score.logit < threshold:
            end = -math.inf
            continue
        if score.start_s - end > 0.5:
            start = score.start_s
        end = max(end, score.end_s)
        if end - start > best[1] - best[0]:
            best = (start, end)
    return best


def face_logits(scores: Iterable[ClipScore], how: Mapping[str, str]) -> dict[int, dict[str, float]]:
    """One logit for each face and detector.

    Args:
        scores: clip scores of one video.
        how: from a detector's name to its aggregate.

    Returns:
        ``{track_id: {detector: logit}}``.
    """
    clips: dict[int, dict[str, list[float]]] = {}
    for score in scores:
        of_face = clips.setdefault(score.track_id, {})
        of_face.setdefault(score.detector, []).append(score.logit)
    return {
        track: {name: aggregate(logits, how[name]) for name, logits in by_detector.items()}
        for track, by_detector in clips.items()
    }


def scored_s(scores: Iterable[ClipScore]) -> float:
    """Seconds that the clips cover together; what several cover counts once."""
    total, reach = 0.0, -math.inf
    for start, end in sorted((score.start_s, score.end_s) for score in scores):
        total += max(0.0, end - max(start, reach))
        reach = max(reach, end)
    return total


def video_logit(
    scores: Sequence[ClipScore], detector: str, how: str, min_face_px: float = 0.0
) -> float | None:
    """The highest logit among the faces that can decide: a video is as forged as its most
    forged face.

    A face can decide with at least ``LEAST_CLIPS`` clips and a median size of at least
    ``min_face_px``. None if no face can.
    """
    mine = [s for s in scores if s.detector == detector]
    logits = []
    for track in {s.track_id for s in mine}:
        of_face = [s for s in mine if s.track_id == track]
        size = float(np.median([s.face_px for s in of_face]))
        if len(of_face) >= LEAST_CLIPS and size >= min_face_px:
            logits.append(aggregate([s.logit for s in of_face], how))
    return max(logits) if logits else None
