"""Which clips of a video are explained: of each face the one with the highest score."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from unmask.types import Clip, ClipScore

AROUND_S: Final = 2.0
"""Seconds before and after a chosen picture that its video shows."""

_APART_S: Final = 0.2
_SLACK_S: Final = 1e-6
_NOT_YET: Final = (-math.inf, -math.inf)


class Moment(NamedTuple):
    """A clip, and the detector's score of it."""

    clip: Clip
    score: ClipScore


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chosen:
    """A face's clip to explain; of an image detector also pictures ``around`` it, by time."""

    best: Moment
    around: tuple[Moment, ...]


@dataclass(slots=True)
class _Face:
    rank: tuple[float, float] = _NOT_YET
    best: Moment | None = None
    around: list[Moment] = field(default_factory=list)
    recent: deque[Moment] = field(default_factory=deque)


class Chooser:
    """Sees all clips of a scan and keeps the few to be explained.

    Memory follows the number of faces explained and of those in the picture, not the length of
    the video.

    Args:
        at_s: the clip shown then, or nearest to it, instead of the one with the highest score.
        most_faces: number of faces, those with the highest scores.
        track_id: chooses this face alone.

    Attributes:
        tracks: the faces that had a clip, explained or not.
    """

    def __init__(
        self, at_s: float | None = None, most_faces: int = 6, track_id: int | None = None
    ) -> None:
        self._at_s, self._most, self._only = at_s, most_faces, track_id
        self._faces: dict[int, _Face] = {}
        self.tracks: set[int] = set()

    def __call__(self, clip: Clip, score: ClipScore) -> None:
        """Takes the next clip; those of one face come in the order of time."""
        self.tracks.add(clip.track_id)
        if self._only not in (None, clip.track_id):
            return
        face = self._faces.setdefault(clip.track_id, _Face())
        moment, rank = Moment(clip, score), self._rank(score)
        if rank > face.rank:
            face.rank, face.best = rank, moment
            longest_s = AROUND_S + _SLACK_S
            before = [m for m in face.recent if _is_apart(m, moment)]
            face.around = [m for m in before if _apart_s(m, moment) <= longest_s] + [moment]
            self._forget_the_lower()
        elif face.best is not None and clip.spec.frames == 1:
            is_near = _apart_s(face.best, moment) <= AROUND_S + _SLACK_S
            if is_near and _is_apart(face.around[-1], moment):
                face.around.append(moment)
        self._remember(moment)

    def chosen(self) -> list[Chosen]:
        """What is to be explained, the highest score first."""
        faces = sorted((f for f in self._faces.values() if f.best), key=lambda f: f.rank)
        return [
            Chosen(best=face.best, around=tuple(face.around))
            for face in reversed(faces)
            if face.best is not None
        ]

    def _rank(self, score: ClipScore) -> tuple[float, float]:
        """Higher is chosen: nearness to the moment asked for, then the score."""
        # What is no number comes last, and is refused when it is to be explained.
        logit = score.logit if math.isfinite(score.logit) else -1e30
        if self._at_s is None:
            return 0.0, logit
        away_s = max(score.start_s - self._at_s, self._at_s - score.end_s, 0.0)
        return -away_s, logit

    def _forget_the_lower(self) -> None:
        """Drops faces that can no longer be among the first: ranks only rise."""
        held = sorted((f for f in self._faces.values() if f.best), key=lambda f: f.rank)
        for face in held[: max(0, len(held) - self._most)]:
            face.best, face.around = None, []

    def _remember(self, moment: Moment) -> None:
        """Keeps the last pictures of everyone, which may turn out to lie around a chosen one."""
        if moment.clip.spec.frames > 1:
            return
        for face in self._faces.values():
            while face.recent and _apart_s(face.recent[0], moment) > AROUND_S + _SLACK_S:
                face.recent.popleft()
        recent = self._faces[moment.clip.track_id].recent
        if not recent or _is_apart(recent[-1], moment):
            recent.append(moment)


def _apart_s(earlier: Moment, later: Moment) -> float:
    return later.score.start_s - earlier.score.start_s


def _is_apart(earlier: Moment, later: Moment) -> bool:
    return _apart_s(earlier, later) >= _APART_S - _SLACK_S
