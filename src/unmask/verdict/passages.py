"""Where in a video a face looks forged: sliding windows, and the passages they make up.

A video that is forged in part hides it from a mean over all of it. The highest window does not:
what it reaches in real videos is a threshold of its own, since a video has many windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from unmask.types import ClipScore
from unmask.verdict.aggregate import LEAST_CLIPS

WINDOW_S: Final = 2.0
_LEAST_SHARE: Final = 0.75
"""Of a window that clips must cover, from the first one's start to the last one's end."""

_ROUNDING_S: Final = 1e-6


class Passage(NamedTuple):
    """A stretch of one face's time and the detector's score there, a mean of logits."""

    track_id: int
    start_s: float
    end_s: float
    score: float


def windows(scores: Iterable[ClipScore], window_s: float = WINDOW_S) -> list[Passage]:
    """The mean logit of every face in every window that begins with one of its clips.

    A window counts if ``LEAST_CLIPS`` clips or more lie in it and reach over three quarters of it.

    Args:
        scores: clip scores of one detector on one video.
        window_s: length of a window, in seconds.

    Returns:
        Faces one after the other, each face's windows in order of time; none of a face that is
        shorter than three quarters of a window.
    """
    faces: dict[int, list[ClipScore]] = {}
    for score in scores:
        faces.setdefault(score.track_id, []).append(score)
    found = []
    for track_id in sorted(faces):
        clips = sorted(faces[track_id], key=lambda clip: (clip.start_s, clip.end_s))
        for number, first in enumerate(clips):
            limit = first.start_s + window_s + _ROUNDING_S
            inside = [clip for clip in clips[number:] if clip.end_s <= limit]
            reach = max((clip.end_s for clip in inside), default=first.start_s) - first.start_s
            if len(inside) >= LEAST_CLIPS and reach >= _LEAST_SHARE * window_s:
                mean = sum(clip.logit for clip in inside) / len(inside)
                found.append(Passage(track_id, first.start_s, first.start_s + reach, mean))
    return found


def passages(found: Sequence[Passage], threshold: float) -> list[Passage]:
    """Windows that reach a threshold, joined where they overlap; each has its highest score.

    Args:
        found: of ``windows``.
        threshold: that a window must reach.

    Returns:
        Faces one after the other, each face's passages in order of time.
    """
    joined: list[Passage] = []
    for window in sorted(found):
        if window.score < threshold:
            continue
        last = joined[-1] if joined else None
        if last is None or last.track_id != window.track_id or window.start_s > last.end_s:
            joined.append(window)
            continue
        end_s, score = max(last.end_s, window.end_s), max(last.score, window.score)
        joined[-1] = Passage(last.track_id, last.start_s, end_s, score)
    return joined


def temporal_iou(found: Sequence[Passage], truth: Sequence[tuple[float, float]]) -> float:
    """Time that passages and the true stretches share, over the time that either covers.

    Overlaps within one side count once. 0 where both are empty.

    >>> temporal_iou([Passage(0, 1.0, 3.0, 5.0)], [(2.0, 4.0)])
    0.3333333333333333
    """
    ours = _union([(passage.start_s, passage.end_s) for passage in found])
    theirs = _union(truth)
    shared = sum(max(0.0, min(a[1], b[1]) - max(a[0], b[0])) for a in ours for b in theirs)
    either = _length(ours) + _length(theirs) - shared
    return shared / either if either > 0 else 0.0


def _union(stretches: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    joined: list[tuple[float, float]] = []
    for start, end in sorted(stretches):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _length(stretches: Iterable[tuple[float, float]]) -> float:
    return sum(end - start for start, end in stretches)
