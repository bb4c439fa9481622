"""Which stretch of a video serves: so many seconds of one face without a cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from unmask.errors import DataError
from unmask.faces import FaceFinder, Follower
from unmask.forgeries import FaceClip
from unmask.imaging.boxes import longest_side
from unmask.media import open_video
from unmask.types import FaceObservation, FaceTrack, Floats, Frame, Pixels

_SEARCHED_S: Final = 20.0
_LOOKS_PER_S: Final = 6.0
_EVERY_FRAME: Final = 1e6
_CROP_SIDES: Final = 2.3
"""Side of the cut, as a multiple of the face box's longer side."""

_UNION_SIDES: Final = 1.25
_LEAST_FACE_PX: Final = 48.0
_LEAST_SHARE: Final = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """So many frames of a video, and the part of the picture around the face.

    ``crop_px`` is x0, y0, x1, y1 in the upright full frame; ``face_px`` is the median longer side
    of the face box there.
    """

    sha256: str
    first_frame: int
    frames: int
    fps: str
    crop_px: tuple[int, int, int, int]
    face_px: float


@dataclass(frozen=True, slots=True, eq=False)
class RealClip:
    """The frames of a stretch, cut and scaled, with their times from 0 in seconds."""

    face: FaceClip
    times_s: tuple[float, ...]
    fps: Fraction


def find_stretch(path: Path, seconds: float, longest_px: int) -> Stretch:
    """The first stretch of the largest face in the video's first 20 s.

    Raises:
        MediaError: the file cannot be read.
        DataError: there is no such stretch; the message says why.
    """
    with open_video(path) as video:
        info = video.info
        if info.is_still:
            raise DataError("it is a still picture")
        fps = info.fps
        count = max(1, round(seconds * fps))
        step = max(1, round(fps / _LOOKS_PER_S))
        follow = _follower(_LOOKS_PER_S * 2, min_face_px=0)
        for _ in follow(_looked_at(video.frames(_every(step)))):
            pass
        if video.is_damaged:
            raise DataError(video.problems[0])
        tracks = sorted(follow.tracks(), key=_face_px, reverse=True)
        if not tracks:
            raise DataError("no face was found")
        run = next((run for t in tracks if (run := _run(t, count, 2 * step))), None)
        if run is None:
            raise DataError(f"no face stays for {seconds:g} s")
    width, height = info.width_px, info.height_px
    stretch = Stretch(
        sha256=info.sha256,
        first_frame=run[0].frame_index,
        frames=count,
        fps=str(fps),
        crop_px=_crop(run, width, height),
        face_px=round(float(np.median([_side(o) for o in run])), 1),
    )
    read_clip(path, stretch, longest_px, longest_px)  # raises what a closer look finds
    return stretch


def read_clip(path: Path, stretch: Stretch, longest_px: int, points_px: int) -> RealClip:
    """Decodes a stretch, cuts and scales it, and finds the face in every frame.

    Args:
        path: the video.
        stretch: the part of it.
        longest_px: longest side of the result; a smaller cut keeps its size.
        points_px: longest side at which the face is looked for.

    Raises:
        MediaError: the file cannot be read.
        DataError: the video has changed, or the face is lost, too small or cut away.
    """
    kept: list[Pixels] = []
    times_s: list[float] = []
    shown: list[Frame] = []
    x0, y0, x1, y1 = stretch.crop_px
    end = stretch.first_frame + stretch.frames
    with open_video(path) as video:
        if video.info.sha256 != stretch.sha256:
            raise DataError(
                f"Cannot go on with '{path}': it has changed since the build began. "
                "Build into another folder."
            )
        fps = video.info.fps
        for frame in video.frames(lambda index, *_: stretch.first_frame <= index < end):
            cut = frame.pixels[y0:y1, x0:x1]
            kept.append(_scaled(cut, longest_px))
            times_s.append(frame.time_s)
            shown.append(
                Frame(index=len(shown), time_s=frame.time_s, pixels=_scaled(cut, points_px))
            )
            if len(kept) == stretch.frames:
                break
    if len(kept) < stretch.frames:
        raise DataError(f"it has {len(kept)} of {stretch.frames} frames from there on")
    places = _places(shown) * (kept[0].shape[1] / shown[0].pixels.shape[1])
    start_s = times_s[0]
    face = FaceClip(
        frames=kept,
        landmarks_px=places[:, :10].reshape(-1, 5, 2).astype(np.float32),
        box_px=places[:, 10:].astype(np.float32),
    )
    return RealClip(face, tuple(t - start_s for t in times_s), fps)


def _places(frames: Sequence[Frame]) -> Floats:
    """Five points and box (T, 10 + 4) of the largest face, looked for in every frame."""
    follow = _follower(_EVERY_FRAME, min_face_px=0)
    for _ in follow(frames):
        pass
    tracks = follow.tracks()
    if follow.shot_cuts_s:
        raise DataError("there is a cut in it")
    if not tracks:
        raise DataError("no face was found at the size of the benchmark")
    track = max(
        tracks, key=lambda t: (len(t.observations) >= _LEAST_SHARE * len(frames), _face_px(t))
    )
    if len(track.observations) < _LEAST_SHARE * len(frames):
        raise DataError("the face is lost in between")
    if _face_px(track) < _LEAST_FACE_PX:
        raise DataError(f"the face has {_face_px(track):.0f} px, fewer than {_LEAST_FACE_PX:.0f}")
    there = [o.frame_index for o in track.observations]
    values = np.stack([np.append(o.landmarks_px, o.box_px) for o in track.observations])
    every = np.arange(len(frames))
    columns = [np.interp(every, there, column) for column in values.T]
    return np.stack(columns, axis=1).astype(np.float32)


def _follower(looks_per_s: float, min_face_px: float) -> Follower:
    """One that is asked for geometry alone: it cuts a single pixel."""
    finder = FaceFinder(threads=1)  # the same bits on any machine, by any number of processes
    return Follower(
        finder, lambda *_: (0, 0, 1, 1), finds_per_s=looks_per_s, min_face_px=min_face_px
    )


def _every(step: int) -> Callable[[int, float, float | None], bool]:
    return lambda index, time_s, next_s: index % step == 0 or next_s is None


def _looked_at(frames: Iterator[Frame]) -> Iterator[Frame]:
    for frame in frames:
        if frame.time_s > _SEARCHED_S:
            return
        yield frame


def _run(track: FaceTrack, count: int, most_apart: int) -> list[FaceObservation]:
    """The first observations of a track that span so many frames without a gap; or none."""
    run: list[FaceObservation] = []
    for seen in track.observations:
        if run and seen.frame_index - run[-1].frame_index > most_apart:
            run = []
        run.append(seen)
        if run[-1].frame_index - run[0].frame_index + 1 >= count:
            return run
    return []


def _crop(run: Sequence[FaceObservation], width: int, height: int) -> tuple[int, int, int, int]:
    """A square around where the face is all the time; less where the frame ends."""
    boxes = np.stack([o.box_px for o in run])
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    face = float(np.median([_side(o) for o in run]))
    side = max(_CROP_SIDES * face, _UNION_SIDES * float((high - low).max()))
    center = (low + high) / 2
    edges = []
    for middle, limit in zip(center, (width, height), strict=True):
        length = min(round(side), limit)
        length -= length % 2 if length > 1 else 0
        start = int(np.clip(round(float(middle) - length / 2), 0, limit - length))
        edges.append((start, start + length))
    (x0, x1), (y0, y1) = edges
    return x0, y0, x1, y1


def _scaled(pixels: Pixels, longest_px: int) -> Pixels:
    """Reduced by area to even sides of at most ``longest_px``; never enlarged."""
    height, width = pixels.shape[:2]
    share = min(1.0, longest_px / max(height, width))
    size = (_even(width * share), _even(height * share))
    if size == (width, height):
        return np.ascontiguousarray(pixels)
    scaled: Pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return scaled


def _even(length_px: float) -> int:
    return max(2, 2 * int(length_px / 2 + 1e-6))


def _side(seen: FaceObservation) -> float:
    return longest_side(seen.box_px)


def _face_px(track: FaceTrack) -> float:
    return float(np.median([_side(o) for o in track.observations]))
