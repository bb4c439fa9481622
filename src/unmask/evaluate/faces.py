"""Which faces of a video its score comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

from unmask.errors import UnknownNameError, explain_unknown
from unmask.evaluate.scores import FaceScore, VideoScore

FaceRule = Literal["all", "main"]

FACE_RULES: tuple[FaceRule, ...] = get_args(FaceRule)
"""``all``: the highest logit of all faces. ``main``: the logit of the main face."""


def face_rule_named(name: str) -> FaceRule:
    """The rule of a name.

    Raises:
        UnknownNameError: there is none.
    """
    for rule in FACE_RULES:
        if rule == name:
            return rule
    raise UnknownNameError(explain_unknown("rule of faces", name, list(FACE_RULES)))


def by_faces(videos: Sequence[VideoScore], rule: FaceRule) -> list[VideoScore]:
    """The videos with the scores that a rule gives them; those without a score stay.

    Args:
        videos: of ``read_scores``, at the granularity of videos.
        rule: which faces count.
    """
    if rule == "all":
        return list(videos)
    return [
        replace(video, score=main_face(video.faces).logit) if video.faces else video
        for video in videos
    ]


def main_face(faces: Sequence[FaceScore]) -> FaceScore:
    """The face that fills most of the video: clips times the area of the face.

    A person who is lost and found again is two faces. The longer one counts.
    """
    return max(faces, key=lambda face: (face.clips * face.face_px**2, -face.track_id))
