"""Finds the sequences of one video, with its mask and its twin beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from unmask.clips import needs
from unmask.errors import DataError
from unmask.faces import FaceFinder, Follower
from unmask.media import open_video
from unmask.prepared.keep import LEAST_SHARE, Keep, Windows, windows_of
from unmask.types import FacePatch, Floats, LabelledVideo, Pixels

GEOMETRY_WIDTH = 14
"""Numbers stored for each frame."""

Rectangle = tuple[int, int, int, int]


@dataclass(slots=True, kw_only=True, eq=False)
class Found:
    """One person over consecutive frames, on a canvas that holds all their patches.

    Pictures are PNG files in memory, one a frame; geometry is in the canvas's pixels.
    ``canvas`` is its place in the full frame, ``size`` the (width, height) it is stored in.
    """

    track: int
    frame_indices: tuple[int, ...]
    times_s: tuple[float, ...]
    is_real: tuple[bool, ...]
    landmarks_px: Floats
    box_px: Floats
    canvas: Rectangle
    size: tuple[int, int]
    pictures: list[bytes]
    masks: list[bytes] | None = None
    twins: list[bytes] | None = None

    @property
    def geometry(self) -> Floats:
        """(T, 14) float32: the five points, then the box."""
        points = self.landmarks_px.reshape(len(self.landmarks_px), 10)
        return np.concatenate([points, self.box_px], axis=1)


Run = list[FacePatch | None]
"""A person's patches in one window, None where there is none."""


def look(video: LabelledVideo, keep: Keep, twin: Path | None = None) -> list[Found]:
    """Finds faces in one video, picture or folder of frames.

    Args:
        video: with ``mask_path``, the masks of the same pixels are kept too.
        keep: what to keep.
        twin: the same video at the other compression level; the same pixels are kept of it.

    Returns:
        The sequences, ordered by person, then by time; none if no face is large enough.

    Raises:
        MediaError: a file cannot be read.
        DataError: mask or twin have fewer frames than the video, or another size.
    """
    with open_video(video.path) as source:
        size = (source.info.width_px, source.info.height_px)
        windows = windows_of(source.info, keep)
        follow = Follower(FaceFinder(), needs([keep.spec]), min_face_px=keep.min_face_px)
        patches = follow(source.frames(windows.wants))
        runs = _moments(patches, keep) if keep.frames == 1 else _runs(patches, windows)
        found = [_found(track, run, keep) for track, run in runs]
    found.sort(key=lambda f: (f.track, f.times_s[0]))
    for path, what in ((video.mask_path, "mask"), (twin, "twin")):
        if path is not None and found:
            _add(found, path, size, what)
    return found


def _moments(patches: Iterator[FacePatch], keep: Keep) -> Iterator[tuple[int, Run]]:
    """Single patches, at most so many of each person, spread evenly."""
    tracks: dict[int, list[FacePatch]] = {}
    for patch in patches:
        tracks.setdefault(patch.observation.track_id, []).append(patch)
    for track, seen in tracks.items():
        count = min(len(seen), keep.sequences or len(seen))
        for at in np.unique(np.linspace(0, len(seen) - 1, count).round()):
            yield track, [seen[int(at)]]


def _runs(patches: Iterator[FacePatch], windows: Windows) -> Iterator[tuple[int, Run]]:
    """The windows of every person that are full enough, as soon as they are past."""
    frames = windows.keep.frames
    open_runs: dict[tuple[int, int], dict[int, FacePatch]] = {}
    last_frame = -1
    for patch in patches:
        seen = patch.observation
        places = windows.places(seen.frame_index)
        if seen.frame_index != last_frame:
            last_frame = seen.frame_index
            now = {window for window, _ in places}
            for key in [key for key in open_runs if now and key[1] < min(now)]:
                yield from _full_enough(key[0], open_runs.pop(key), frames)
        for window, place in places:
            open_runs.setdefault((seen.track_id, window), {})[place] = patch
    for (track, _), run in open_runs.items():
        yield from _full_enough(track, run, frames)


def _full_enough(track: int, run: dict[int, FacePatch], frames: int) -> Iterator[tuple[int, Run]]:
    if len(run) >= LEAST_SHARE * frames:
        yield track, [run.get(place) for place in range(frames)]


def _found(track: int, run: Run, keep: Keep) -> Found:
    patches = _without_gaps(run)
    corners = np.array([_rectangle(patch) for patch in patches])
    x0, y0 = (int(v) for v in corners[:, :2].min(axis=0))
    x1, y1 = (int(v) for v in corners[:, 2:].max(axis=0))
    seen = [patch.observation for patch in patches]
    boxes = np.stack([s.box_px for s in seen]) - np.array([x0, y0, x0, y0], np.float32)
    points = np.stack([s.landmarks_px for s in seen]) - np.array([x0, y0], np.float32)
    side = float((boxes[:, 2:] - boxes[:, :2]).max(axis=1).mean())
    size, share = (x1 - x0, y1 - y0), 1.0
    if keep.largest_face_px is not None and side > keep.largest_face_px:
        share = keep.largest_face_px / side
        size = (round(size[0] * share), round(size[1] * share))
    return Found(
        track=track,
        frame_indices=tuple(s.frame_index for s in seen),
        times_s=tuple(s.time_s for s in seen),
        is_real=tuple(patch is not None for patch in run),
        landmarks_px=(points * share).astype(np.float32),
        box_px=(boxes * share).astype(np.float32),
        canvas=(x0, y0, x1, y1),
        size=size,
        pictures=[_png(_on_canvas(patch, (x0, y0, x1, y1)), size) for patch in patches],
    )


def _add(found: list[Found], path: Path, size: tuple[int, int], what: str) -> None:
    """Packs the same pixels of a mask or a twin, while it is decoded once."""
    users: dict[int, list[tuple[int, int]]] = {}
    for number, one in enumerate(found):
        for place, index in enumerate(one.frame_indices):
            users.setdefault(index, []).append((number, place))
    packed: list[dict[int, bytes]] = [{} for _ in found]
    with open_video(path) as source:
        here = (source.info.width_px, source.info.height_px)
        if here != size:
            raise DataError(
                f"Cannot use the {what} '{path}': its pictures are {here[0]}x{here[1]}, those of "
                f"the video {size[0]}x{size[1]}. Get the {what} made of this video."
            )
        for frame in source.frames(lambda index, _time, _next: index in users):
            pixels = frame.pixels.max(axis=2) if what == "mask" else frame.pixels
            for number, place in users.pop(frame.index):
                x0, y0, x1, y1 = found[number].canvas
                packed[number][place] = _png(pixels[y0:y1, x0:x1], found[number].size)
    if users:
        raise DataError(
            f"Cannot use the {what} '{path}': it lacks {len(users)} of the video's frames, the "
            f"first of them number {min(users)}. Get the {what} made of this video."
        )
    for one, pictures in zip(found, packed, strict=True):
        in_order = [pictures[place] for place in range(len(one.frame_indices))]
        if what == "mask":
            one.masks = in_order
        else:
            one.twins = in_order


def _rectangle(patch: FacePatch) -> Rectangle:
    (x, y), (height, width) = patch.origin_px, patch.pixels.shape[:2]
    return x, y, x + width, y + height


def _without_gaps(run: Run) -> list[FacePatch]:
    """A missing frame repeats the one before it (the first ones: the first there is)."""
    last = next(patch for patch in run if patch is not None)
    filled = []
    for patch in run:
        last = patch or last
        filled.append(last)
    return filled


def _on_canvas(patch: FacePatch, canvas: Rectangle) -> Pixels:
    """A patch where it belongs; what it does not show of the canvas repeats its border."""
    x0, y0, x1, y1 = _rectangle(patch)
    left, top, right, bottom = canvas
    pixels: Pixels = cv2.copyMakeBorder(
        patch.pixels, y0 - top, bottom - y1, x0 - left, right - x1, cv2.BORDER_REPLICATE
    )
    return pixels


def _png(pixels: Pixels, size: tuple[int, int]) -> bytes:
    """Lossless, packed fast rather than small; reduced by area if ``size`` says so."""
    if size != (pixels.shape[1], pixels.shape[0]):
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    in_order = pixels[..., ::-1] if pixels.ndim == 3 else pixels
    _, packed = cv2.imencode(
        ".png", np.ascontiguousarray(in_order), [cv2.IMWRITE_PNG_COMPRESSION, 1]
    )
    return packed.tobytes()
