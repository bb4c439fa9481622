"""Scores of videos that were never scanned, for the tests of ``evaluate``."""

from __future__ import annotations

import numpy as np

from unmask.evaluate.scores import FaceScore, ScoreKey, VideoScore
from unmask.types import ClipScore

HASH = "ab" * 32


def video(
    path: str,
    score: float | None,
    *,
    label: int | None = None,
    method: str = "",
    split: str = "test",
    detector: str = "bright",
    sha256: str = HASH,
    dataset: str = "d",
    compression: str = "c23",
    source: str = "",
    reason: str = "",
    condition: str = "",
) -> VideoScore:
    """One row; a method makes it a forgery unless ``label`` says otherwise."""
    return VideoScore(
        key=ScoreKey(dataset, method, compression, split, path, detector, sha256, condition),
        label=int(bool(method)) if label is None else label,
        source_id=source or path,
        score=score,
        reason=reason,
        faces=() if score is None else (FaceScore(1, score, 2, 60.0),),
    )


def clips(score: float, detector: str = "bright") -> list[ClipScore]:
    """Two clips of one face whose mean is ``score``."""
    return [
        ClipScore(
            detector=detector,
            track_id=1,
            start_s=float(number),
            end_s=number + 1.0,
            logit=score + shift,
            face_px=60.0,
        )
        for number, shift in enumerate((-0.5, 0.5))
    ]


def drawn(seed: int = 0, sources: int = 30, **named: str) -> list[VideoScore]:
    """For each source a real video and a forgery by A and by B; B is hard to find."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(sources):
        place = random.normal(0, 0.5)
        for method, shift in (("", 0.0), ("A", 2.0), ("B", 0.5)):
            score = place + shift + random.normal()
            path = f"{method or 'real'}/{number:03d}.mp4"
            rows.append(video(path, score, method=method, source=f"{number:03d}", **named))
    return rows
