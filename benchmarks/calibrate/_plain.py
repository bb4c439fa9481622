"""Figures of one detector's raw scores of videos as they are, for the model card."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks._shares import figures, other_ways
from benchmarks.field import deciding
from unmask.calibrate.copies import MIN_FACE_PX
from unmask.evaluate.scores import ClipRow, VideoScore, read_clips


def plain_figures(
    scores: Iterable[VideoScore], member: tuple[str, str], folder: Path
) -> dict[str, Any]:
    """Areas, shares by tool, other ways to join clips, and every video's score.

    Args:
        scores: of any detectors and conditions.
        member: name and hash of the weights of the one that is meant.
        folder: where the scores' clips lie.
    """
    clips: dict[str, list[ClipRow]] = defaultdict(list)
    for clip in read_clips(folder):
        if (clip.key.detector, clip.key.weights_sha256) == member and not clip.key.condition:
            clips[clip.key.path].append(clip)
    rows = [
        {
            "path": Path(one.key.path).name,
            "label": one.label,
            "method": one.key.method,
            "source": one.source_id,
            "logit": deciding(one, MIN_FACE_PX),
            "face_px": max((face.face_px for face in one.faces), default=0.0),
            "clips": sum(face.clips for face in one.faces),
            "clip_logits": _by_face(clips[one.key.path]),
            "scores": clips[one.key.path],
        }
        for one in scores
        if (one.key.detector, one.key.weights_sha256) == member and not one.key.condition
    ]
    result = figures(rows)
    able = [row for row in rows if row["logit"] is not None]
    listed = [{key: value for key, value in row.items() if key != "scores"} for row in rows]
    return {
        **result,
        "other_ways": other_ways(able, result["threshold"]),
        "scores": listed,
    }


def _by_face(clips: Iterable[ClipRow]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    for clip in sorted(clips, key=lambda one: one.start_s):
        found[str(clip.track_id)].append(round(clip.logit, 2))
    return dict(found)
