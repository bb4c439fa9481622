"""Follows people through a video and cuts native pixels around their faces.

Faces are searched at a limited rate; between two detections the geometry is interpolated, over time
it is smoothed, short gaps are filled and marked, and nothing is followed across a shot cut.
Frames wait ``max_gap_s`` before they leave, so that the future can fill the past: memory does
not grow with the length of the video.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from unmask.faces.find import FoundFaces
from unmask.imaging.boxes import longest_side
from unmask.types import FaceObservation, FacePatch, FaceTrack, Floats, Frame, Pixels

Needs = Callable[[FaceObservation, tuple[int, int]], tuple[int, int, int, int]]
"""From an observation and the frame's (width, height): the x0, y0, x1, y1 to cut."""

FindPoints = Callable[[Pixels, Floats], Floats]
"""From a picture and face boxes (N, 4) in it: 68 points of each, (N, 68, 2)."""

_CUT_DIFFERENCE = 32.0
_CUT_JUMP = 2.5

_LONGEST_STEP_S = 2.0
"""Longest gap in seconds over which a person is recognized again in a video of few frames."""


@dataclass(slots=True)
class _Sight:
    """One detection of one person, and whether it was smoothed."""

    time_s: float
    geometry: Floats
    confidence: float


@dataclass(slots=True)
class _Track:
    track_id: int
    sights: list[_Sight] = field(default_factory=list)
    observations: list[FaceObservation] = field(default_factory=list)
    is_closed: bool = False

    def is_confirmed(self, only_picture: bool) -> bool:
        """True for a person seen surely once, or less surely several times."""
        best = max(s.confidence for s in self.sights)
        return best >= 0.7 or len(self.sights) >= 3 or (only_picture and best >= 0.5)


def _geometry(box: Floats, landmarks: Floats) -> Floats:
    return np.concatenate([box.reshape(2, 2), landmarks]).astype(np.float32)


def _side(geometry: Floats) -> float:
    return float(max(geometry[1] - geometry[0]))


def _overlap(a: Floats, b: Floats) -> float:
    """How well two geometries match, above 0: IoU of the boxes plus nearness of the points."""
    inner = np.minimum(a[1], b[1]) - np.maximum(a[0], b[0])
    intersection = float(np.prod(np.maximum(inner, 0)))
    union = float(np.prod(a[1] - a[0]) + np.prod(b[1] - b[0])) - intersection
    distance = float(np.linalg.norm(a[2:] - b[2:], axis=1).mean()) / max(_side(a), _side(b))
    ratio = _side(a) / max(_side(b), 1e-3)
    if distance > 0.6 or not 0.5 < ratio < 2:
        return 0.0
    return intersection / max(union, 1e-6) + (0.6 - distance)


def _is_jump(a: Floats, b: Floats) -> bool:
    """Whether a face may have moved from ``a`` to ``b`` at once: near, and of the same size."""
    distance = float(np.linalg.norm(a[2:].mean(axis=0) - b[2:].mean(axis=0)))
    return distance < 1.2 * max(_side(a), _side(b)) and 0.75 < _side(a) / _side(b) < 1.33


class ShotCuts:
    """Notices a cut between two pictures by what changes on a 32 x 18 thumbnail."""

    def __init__(self) -> None:
        self._last: Floats | None = None
        self._usual = 4.0

    def __call__(self, pixels: Pixels) -> bool:
        """True when ``pixels`` is the first of a new shot."""
        small = cv2.resize(pixels, (32, 18), interpolation=cv2.INTER_AREA).astype(np.float32)
        if self._last is None:
            self._last = small
            return False
        difference = float(np.abs(small - self._last).mean())
        self._last = small
        # A cut is a jump in absolute terms and against what this video usually does.
        is_cut = difference > _CUT_DIFFERENCE and difference > _CUT_JUMP * self._usual
        if not is_cut:
            self._usual = 0.8 * self._usual + 0.2 * difference
        return is_cut


class Follower:
    """Turns a stream of frames into a stream of face patches.

    Args:
        find: gives the faces of one picture.
        needs: says which region of the frame to cut for an observation.
        finds_per_s: faces are searched at most this often.
        max_gap_s: a person looked for and not found for longer than this becomes another track.
        min_face_px: smaller faces are followed (and reported) but not cut.
        max_faces: most faces cut in one frame, the largest first.
        find_points: gives 68 points of the faces that are cut; None: patches carry five.
        wants_points: by frame number, in which frames ``find_points`` is asked.
    """

    def __init__(
        self,
        find: Callable[[Pixels], FoundFaces],
        needs: Needs,
        *,
        finds_per_s: float = 6.0,
        max_gap_s: float = 0.5,
        min_face_px: float = 40.0,
        max_faces: int = 32,
        find_points: FindPoints | None = None,
        wants_points: Callable[[int], bool] = lambda frame_index: True,
    ) -> None:
        self._find = find
        self._needs = needs
        self._interval_s = 1 / finds_per_s
        self._max_gap_s = max_gap_s
        self._min_face_px = min_face_px
        self._max_faces = max_faces
        self._find_points = find_points
        self._wants_points = wants_points
        self._tracks: list[_Track] = []
        self._live: list[_Track] = []  # may be found again
        self._pending: list[_Track] = []  # may still be seen in a waiting frame
        self._last_look_s = -np.inf
        self._is_cut = ShotCuts()
        self.frames_examined = 0
        self.shot_cuts_s: list[float] = []

    def __call__(self, frames: Iterable[Frame]) -> Iterator[FacePatch]:
        """Yields the patches of every frame in order of time."""
        waiting: deque[Frame] = deque()
        for frame in frames:
            self.frames_examined += 1
            is_new_shot = self._is_cut(frame.pixels)
            if is_new_shot:
                self.shot_cuts_s.append(frame.time_s)
                self._look_at_last(waiting)
                self._close(self._live)
            waiting.append(frame)
            if is_new_shot or frame.time_s - self._last_look_s >= self._interval_s - 1e-3:
                self._look(frame)
            while waiting and waiting[0].time_s < frame.time_s - self._max_gap_s:
                yield from self._patches(waiting.popleft(), only_picture=False)
        self._look_at_last(waiting)
        only_picture = self.frames_examined == 1
        while waiting:
            yield from self._patches(waiting.popleft(), only_picture=only_picture)

    def tracks(self) -> tuple[FaceTrack, ...]:
        """Everybody seen so far, with the geometry of every frame examined."""
        return tuple(
            FaceTrack(track_id=t.track_id, observations=tuple(t.observations))
            for t in self._tracks
            if t.observations
        )

    def _close(self, tracks: list[_Track]) -> None:
        for track in tracks:
            track.is_closed = True
        self._live = [t for t in self._live if not t.is_closed]

    def _look_at_last(self, waiting: deque[Frame]) -> None:
        """Searches the last frame of a shot, so that the frames before it can be interpolated."""
        if waiting and waiting[-1].time_s > self._last_look_s:
            self._look(waiting[-1])

    def _is_lost(self, track: _Track, time_s: float) -> bool:
        away_s = time_s - track.sights[-1].time_s
        # Who was there when we last looked is not lost only because frames are far apart.
        was_missed = track.sights[-1].time_s < self._last_look_s
        return away_s > (self._max_gap_s + 1e-6 if was_missed else _LONGEST_STEP_S)

    def _look(self, frame: Frame) -> None:
        """Searches one frame and assigns each detection to its best track, greedily."""
        found = self._find(frame.pixels)
        self._close([t for t in self._live if self._is_lost(t, frame.time_s)])
        self._last_look_s = frame.time_s
        faces = [
            _geometry(box, points)
            for box, points in zip(found.boxes_px, found.landmarks_px, strict=True)
        ]
        taken = self._match(faces, frame.time_s)
        for number, face in enumerate(faces):
            track = taken.get(number) or self._new_track()
            sight = _Sight(frame.time_s, face, float(found.confidence[number]))
            track.sights.append(sight)

    def _match(self, faces: list[Floats], time_s: float) -> dict[int, _Track]:
        """Gives faces, by number, the tracks they continue."""
        matches = sorted(
            (
                (_overlap(track.sights[-1].geometry, face), track_number, face_number)
                for track_number, track in enumerate(self._live)
                for face_number, face in enumerate(faces)
            ),
            reverse=True,
        )
        taken: dict[int, _Track] = {}
        used: set[int] = set()
        for match, track_number, face_number in matches:
            if match > 0.15 and face_number not in taken and track_number not in used:
                taken[face_number] = self._live[track_number]
                used.add(track_number)
        # One person and one face are left, close in time: a fast head, not somebody else.
        free_faces = [n for n in range(len(faces)) if n not in taken]
        free_tracks = [t for n, t in enumerate(self._live) if n not in used]
        if len(free_faces) == len(free_tracks) == 1:
            last = free_tracks[0].sights[-1]
            is_soon = time_s - last.time_s <= self._max_gap_s / 2 + 1e-6
            if is_soon and _is_jump(last.geometry, faces[free_faces[0]]):
                taken[free_faces[0]] = free_tracks[0]
        return taken

    def _new_track(self) -> _Track:
        track = _Track(track_id=len(self._tracks))
        self._tracks.append(track)
        self._live.append(track)
        self._pending.append(track)
        return track

    def _patches(self, frame: Frame, *, only_picture: bool) -> Iterator[FacePatch]:
        """Cuts every person out of a frame whose past and future are known."""
        seen: list[FaceObservation] = []
        self._pending = [
            t for t in self._pending if not t.is_closed or t.sights[-1].time_s >= frame.time_s
        ]
        for track in self._pending:
            if track.is_confirmed(only_picture):
                observation = self._observe(track, frame)
                if observation is not None:
                    track.observations.append(observation)
                    seen.append(observation)
            self._forget(track, frame.time_s)
        seen = [o for o in seen if _box_side(o) >= self._min_face_px]
        seen.sort(key=_box_side, reverse=True)
        height, width = frame.pixels.shape[:2]
        for observation in self._with_points(frame, seen[: self._max_faces]):
            x0, y0, x1, y1 = self._needs(observation, (width, height))
            yield FacePatch(
                observation=observation,
                pixels=np.ascontiguousarray(frame.pixels[y0:y1, x0:x1]),
                origin_px=(x0, y0),
                frame_size_px=(width, height),
            )

    def _with_points(self, frame: Frame, seen: list[FaceObservation]) -> list[FaceObservation]:
        """The same faces with 68 points, where they are wanted; tracks keep five."""
        if self._find_points is None or not seen or not self._wants_points(frame.index):
            return seen
        points = self._find_points(frame.pixels, np.stack([o.box_px for o in seen]))
        return [replace(o, points68_px=p) for o, p in zip(seen, points, strict=True)]

    def _forget(self, track: _Track, time_s: float) -> None:
        """Drops detections that no later frame can need; the last three are kept for smoothing."""
        while len(track.sights) > 3 and track.sights[2].time_s < time_s:
            if track.sights[0].confidence > track.sights[1].confidence:
                track.sights[1].confidence = track.sights[0].confidence
            del track.sights[0]

    def _observe(self, track: _Track, frame: Frame) -> FaceObservation | None:
        """Where the person is in this frame: seen, or interpolated between two detections."""
        times = [s.time_s for s in track.sights]
        after = int(np.searchsorted(times, frame.time_s - 1e-6))
        if after == len(times):
            return None
        sight = track.sights[after]
        confidence = sight.confidence
        geometry = _smooth(track.sights, after)
        is_interpolated = sight.time_s > frame.time_s + 1e-6
        if is_interpolated:
            if after == 0 or sight.time_s - times[after - 1] > self._max_gap_s + 1e-6:
                return None
            share = (frame.time_s - times[after - 1]) / (sight.time_s - times[after - 1])
            before = _smooth(track.sights, after - 1)
            geometry = ((1 - share) * before + share * geometry).astype(np.float32)
            confidence = min(confidence, track.sights[after - 1].confidence)
        return FaceObservation(
            track_id=track.track_id,
            frame_index=frame.index,
            time_s=frame.time_s,
            box_px=geometry[:2].reshape(4),
            landmarks_px=geometry[2:],
            confidence=confidence,
            is_interpolated=is_interpolated,
        )


def _box_side(observation: FaceObservation) -> float:
    return longest_side(observation.box_px)


def _smooth(sights: list[_Sight], at: int) -> Floats:
    """Mean of a detection and of its neighbors' interpolation, unless the face moves fast."""
    here = sights[at].geometry
    if not 0 < at < len(sights) - 1:
        return here
    before, after = sights[at - 1], sights[at + 1]
    step = max(np.abs(here - s.geometry).max() for s in (before, after))
    if step > 0.12 * _side(here):
        return here
    # By time, not 1/4, 1/2, 1/4: at uneven times that would pull an even motion off its path.
    share = (sights[at].time_s - before.time_s) / (after.time_s - before.time_s)
    between = (1 - share) * before.geometry + share * after.geometry
    return np.asarray(0.5 * here + 0.5 * between, np.float32)
