"""Gathers faces for training, through the same decode, find and follow as ``scan``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from unmask.clips import Plan, needs
from unmask.errors import DataError, MediaError
from unmask.faces import FaceFinder, Follower
from unmask.media import open_video
from unmask.types import FacePatch, Floats, InputSpec, LabelledVideo, Pixels

CONTEXT = 1.9
"""Side of a stored picture as a multiple of the face box: room for crops that wander."""

_LARGEST_FACE_PX = 260.0
_FILE_VERSION = 4


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One stored face: native pixels around it (large faces reduced), points and box in them.

    ``group`` numbers the file, ``track`` the person in it: equal ones show the same person.
    """

    pixels: Pixels
    landmarks_px: Floats
    box_px: Floats
    label: int
    group: int
    track: int
    time_s: float


def gather(
    videos: Sequence[LabelledVideo],
    cache: Path,
    *,
    faces_per_video: int = 12,
    min_face_px: float = 48.0,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[list[Sample], list[str]]:
    """Finds faces in videos and pictures, or reads what an earlier call found.

    Args:
        videos: rows of a data set's index.
        cache: folder for the result; its file name follows from the files' names, sizes and times.
        faces_per_video: at most so many moments of each person are kept, evenly spread.
        min_face_px: smaller faces are left out.
        report: called with how many files are done, and of how many.

    Returns:
        The samples, and one line for each file that could not be used.

    Raises:
        DataError: if not one face is found.
    """
    file = cache / f"faces-{_key(videos, faces_per_video, min_face_px)}.npz"
    if file.is_file():
        report(len(videos), len(videos))
        return _read(file)
    samples: list[Sample] = []
    problems: list[str] = []
    for group, video in enumerate(videos):
        try:
            found = _faces_of(video, group, faces_per_video, min_face_px)
        except MediaError as error:
            problems.append(str(error))
            continue
        finally:
            report(group + 1, len(videos))
        if not found:
            problems.append(f"'{video.path}': no face of at least {min_face_px:g} px; left out.")
        samples += found
    if not samples:
        raise DataError(
            f"No face of at least {min_face_px:g} px in {len(videos)} files. "
            f"First problem: {problems[0] if problems else 'none'} Give files with larger faces."
        )
    _write(file, samples, problems)
    return samples, problems


def _faces_of(
    video: LabelledVideo, group: int, faces_per_video: int, min_face_px: float
) -> list[Sample]:
    with open_video(video.path) as source:
        rate = 2.0 if source.info.duration_s < 30 else 60.0 / source.info.duration_s
        spec = InputSpec(margin=CONTEXT, fps=rate)
        plan = Plan([spec], source.info.fps, source.info.is_variable_rate)
        follow = Follower(FaceFinder(), needs([spec]), min_face_px=min_face_px)
        patches = list(follow(source.frames(plan.wants)))
    if not patches:
        return []
    tracks: dict[int, list[FacePatch]] = {}
    for patch in patches:
        tracks.setdefault(patch.observation.track_id, []).append(patch)
    kept = []
    for track in tracks.values():
        chosen = np.linspace(0, len(track) - 1, min(len(track), faces_per_video)).round()
        kept += [_sample(track[int(i)], video.label, group) for i in np.unique(chosen)]
    return kept


def _sample(patch: FacePatch, label: int, group: int) -> Sample:
    """A patch with its geometry in its own pixels; faces beyond 260 px are reduced to that."""
    seen = patch.observation
    origin = np.asarray(patch.origin_px, np.float32)
    box, points = seen.box_px - np.tile(origin, 2), seen.landmarks_px - origin
    pixels = patch.pixels
    share = _LARGEST_FACE_PX / float(max(box[2] - box[0], box[3] - box[1]))
    if share < 1:
        size = (round(pixels.shape[1] * share), round(pixels.shape[0] * share))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        box, points = box * share, points * share
    return Sample(pixels, points, box, label, group, seen.track_id, seen.time_s)


def _key(videos: Sequence[LabelledVideo], *settings: float) -> str:
    state = [
        (str(v.path), v.label, v.path.stat().st_size, v.path.stat().st_mtime_ns) for v in videos
    ]
    text = json.dumps([_FILE_VERSION, settings, state])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _write(file: Path, samples: list[Sample], problems: list[str]) -> None:
    arrays: dict[str, np.ndarray] = {f"p{i}": s.pixels for i, s in enumerate(samples)}
    geometry = np.stack([np.concatenate([s.landmarks_px.ravel(), s.box_px]) for s in samples])
    numbers = np.array([[s.label, s.group, s.track, s.time_s] for s in samples])
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial.npz")
    arrays |= {"geometry": geometry, "numbers": numbers, "problems": np.array(problems)}
    np.savez(partial, **arrays)  # type: ignore[arg-type]
    partial.rename(file)


def _read(file: Path) -> tuple[list[Sample], list[str]]:
    with np.load(file) as stored:
        geometry, numbers = stored["geometry"].astype(np.float32), stored["numbers"]
        samples = [
            Sample(
                stored[f"p{i}"],
                g[:10].reshape(5, 2),
                g[10:],
                int(n[0]),
                int(n[1]),
                int(n[2]),
                float(n[3]),
            )
            for i, (g, n) in enumerate(zip(geometry, numbers, strict=True))
        ]
        return samples, [str(p) for p in stored["problems"]]
