"""Finds the sequences of one video, with its mask and its twin beside it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from unmask.clips import needs
from unmask.errors import DataError
from unmask.faces import FaceFinder, Follower
from unmask.imaging.boxes import longest_sides
from unmask.media import Video, open_video
from unmask.prepare.landmarks import load_landmarks
from unmask.prepare.shard import Records, Stored, to_records
from unmask.prepare.spec import PrepareSpec
from unmask.prepare.windows import LEAST_SHARE, Windows, windows_of
from unmask.types import FaceObservation, FacePatch, Floats, LabelledVideo, Pixels

Store = Callable[[str, bytes], Stored]
"""Stores a picture under a name and returns where."""

Rectangle = tuple[int, int, int, int]

Run = list[FacePatch | None]
"""A person's patches in one window, None where there is none."""


@dataclass(slots=True, kw_only=True, eq=False)
class FoundSequence:
    """One person over consecutive frames, on a canvas that holds all their patches.

    Geometry is in the stored pixels. ``canvas`` is its place in the full frame, ``patches`` the
    part of it that each frame's patch covers, ``size`` the (width, height) it is stored in.
    ``stored`` gives, by ending (see ``ENDINGS``), where each frame's picture stands; a frame that
    is repeated is stored once.
    """

    name: str
    track: int
    frames: list[tuple[int, float, bool]]
    points_px: Floats
    points68_px: Floats | None
    box_px: Floats
    canvas: Rectangle
    patches: list[Rectangle]
    size: tuple[int, int]
    stored: dict[str, list[Stored]] = field(default_factory=dict)

    @property
    def records(self) -> Records:
        """As they stand in a shard."""
        return to_records(self.frames, self.points_px, self.points68_px, self.box_px, self.stored)


class _Companion(NamedTuple):
    """A video that shows the same frames: ``mask`` or ``twin``."""

    what: str
    video: Video


def find_sequences(
    video: LabelledVideo, spec: PrepareSpec, store: Store, twin: Path | None = None
) -> list[FoundSequence]:
    """Finds faces in one video, picture or folder of frames, and stores them as it goes.

    Memory does not grow with the length of the video, but for the numbers.

    Args:
        video: with ``mask_path``, the masks of the same pixels are kept too.
        spec: what to keep.
        store: takes the pictures, under the names ``00000/000.png``, ``00000/000.mask.png`` …
        twin: the same video at the other compression level; the same pixels are kept of it.

    Returns:
        The sequences, ordered by person, then by time; none if no face is large enough.

    Raises:
        MediaError: a file cannot be read.
        DataError: mask or twin do not fit the video.
    """
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(open_video(video.path))
        companions = [
            _Companion(what, stack.enter_context(open_video(path)))
            for what, path in (("mask", video.mask_path), ("twin", twin))
            if path is not None
        ]
        for companion in companions:
            _check_fits(companion, source)
        windows = windows_of(source.info, spec)
        follow = Follower(
            FaceFinder(threads=1),  # the same bits on any machine, by any number of processes
            needs(spec.input_specs),
            min_face_px=spec.min_face_px,
            find_points=load_landmarks() if spec.landmarks == 68 else None,
            wants_points=lambda frame_index: bool(windows.places(frame_index)),
        )
        patches = follow(source.frames(windows.wants))
        pick = _moments if spec.frames == 1 else _sequences
        found = list(pick(patches, windows, spec, store))
        for companion in companions if found else ():
            _check_whole(source, companion.what)
            _add(found, companion, store)
    return sorted(found, key=lambda sequence: (sequence.track, sequence.frames[0]))


def _moments(
    patches: Iterator[FacePatch], windows: Windows, spec: PrepareSpec, store: Store
) -> Iterator[FoundSequence]:
    """Single patches, at most so many of each person, spread evenly; packed while they wait."""
    people: dict[int, list[tuple[FoundSequence, bytes]]] = {}
    for patch in patches:
        if windows.places(patch.observation.frame_index):
            found = _found("", [patch], spec)
            seen = people.setdefault(found.track, [])
            seen.append((found, _png(patch.pixels, found.size)))
    number = 0
    for seen in people.values():
        count = min(len(seen), spec.sequences or len(seen))
        for at in np.unique(np.linspace(0, len(seen) - 1, count).round()):
            found, packed = seen[int(at)]
            found.name = f"{number:05d}"
            found.stored["png"] = [store(f"{found.name}/000.png", packed)]
            number += 1
            yield found


def _sequences(
    patches: Iterator[FacePatch], windows: Windows, spec: PrepareSpec, store: Store
) -> Iterator[FoundSequence]:
    for number, run in enumerate(_runs(patches, windows, spec)):
        found = _found(f"{number:05d}", run, spec)
        stored: list[Stored] = []
        last: FacePatch | None = None
        for place, patch in enumerate(_without_gaps(run)):
            if patch is last:
                stored.append(stored[-1])
                continue
            last = patch
            pixels = _on_canvas(patch.pixels, found.patches[place], found.canvas)
            stored.append(store(f"{found.name}/{place:03d}.png", _png(pixels, found.size)))
        found.stored["png"] = stored
        yield found


def _runs(patches: Iterator[FacePatch], windows: Windows, spec: PrepareSpec) -> Iterator[Run]:
    """The windows of every person that are full enough, as soon as they are past."""
    open_runs: dict[tuple[int, int], dict[int, FacePatch]] = {}
    last_frame = -1
    for patch in patches:
        index = patch.observation.frame_index
        if index != last_frame:
            last_frame = index
            windows.forget_before(index)
            ended = windows.last_ended(index)
            for key in [key for key in open_runs if key[1] <= ended]:
                yield from _full_enough(open_runs.pop(key), spec)
        for window, place in windows.places(index):
            open_runs.setdefault((patch.observation.track_id, window), {})[place] = patch
    for run in open_runs.values():
        yield from _full_enough(run, spec)


def _full_enough(run: dict[int, FacePatch], spec: PrepareSpec) -> Iterator[Run]:
    """The parts of a window that show the person often enough; all of it or nothing, unless
    sequences are as long as the person stays.
    """
    for places in _stays(sorted(run), spec) if spec.is_stretch else [range(spec.frames)]:
        patches = [run.get(place) for place in places]
        if sum(patch is not None for patch in patches) >= LEAST_SHARE * len(patches):
            yield patches


def _stays(seen: list[int], spec: PrepareSpec) -> Iterator[range]:
    """Where a person stays, by the places of the patches; a stay ends in a long gap.

    A stay of less than ``spec.frames`` is made that long. Its last frame is then repeated.
    """
    longest_gap = round((1 - LEAST_SHARE) * spec.frames)
    first = 0
    for at, place in enumerate(seen):
        if at + 1 == len(seen) or seen[at + 1] - place - 1 > longest_gap:
            length = max(place - seen[first] + 1, spec.frames)
            yield range(seen[first], seen[first] + length)
            first = at + 1


def _found(name: str, run: Run, spec: PrepareSpec) -> FoundSequence:
    patches = _without_gaps(run)
    rectangles = [_rectangle(patch) for patch in patches]
    corners = np.array(rectangles)
    x0, y0 = (int(v) for v in corners[:, :2].min(axis=0))
    x1, y1 = (int(v) for v in corners[:, 2:].max(axis=0))
    seen = [patch.observation for patch in patches]
    boxes = np.stack([s.box_px for s in seen])
    side = float(longest_sides(boxes).mean())
    size = (x1 - x0, y1 - y0)
    if spec.largest_face_px is not None and side > spec.largest_face_px:
        share = spec.largest_face_px / side
        size = (max(1, round(size[0] * share)), max(1, round(size[1] * share)))
    # Width and height are rounded apart, so their shares differ a little.
    share_xy = np.array([size[0] / (x1 - x0), size[1] / (y1 - y0)])

    def stored(points: Floats) -> Floats:
        pairs = points.reshape(len(seen), -1, 2)
        return np.asarray((pairs - np.array([x0, y0])) * share_xy, np.float32)

    return FoundSequence(
        name=name,
        track=seen[0].track_id,
        frames=[
            (s.frame_index, s.time_s, patch is not None) for s, patch in zip(seen, run, strict=True)
        ],
        points_px=stored(np.stack([s.landmarks_px for s in seen])),
        points68_px=_all_68(seen, stored),
        box_px=stored(boxes).reshape(-1, 4),
        canvas=(x0, y0, x1, y1),
        patches=rectangles,
        size=size,
    )


def _all_68(seen: list[FaceObservation], stored: Callable[[Floats], Floats]) -> Floats | None:
    points = [s.points68_px for s in seen if s.points68_px is not None]
    return stored(np.stack(points)) if len(points) == len(seen) else None


def _check_fits(companion: _Companion, source: Video) -> None:
    """Refuses a mask or a twin that was made of another video."""
    here, there = companion.video.info, source.info
    size, expected = (f"{i.width_px}x{i.height_px}" for i in (here, there))
    if size != expected:
        raise DataError(
            f"Cannot use the {companion.what} '{here.path}': its pictures are {size}, those of "
            f"the video {expected}. Get the {companion.what} made of this video."
        )
    # Only a twin's: published masks may go on behind the last frame, or end before it.
    counts = (here.frame_count, there.frame_count)
    if companion.what == "twin" and None not in counts and counts[0] != counts[1]:
        raise DataError(
            f"Cannot use the twin '{here.path}': it has {counts[0]} frames, the video "
            f"{counts[1]}. Get the twin made of this video."
        )


def _check_whole(source: Video, what: str) -> None:
    """Refuses to count along in a video of which frames may be lost."""
    if source.is_damaged:
        raise DataError(
            f"Cannot tell which frames of '{source.info.path}' belong to those of its {what}: "
            f"{source.problems[0]}. Get the file again."
        )


def _add(found: list[FoundSequence], companion: _Companion, store: Store) -> None:
    """Stores the same pixels of a mask or a twin, while it is decoded once."""
    what, source = companion
    users: dict[int, list[tuple[FoundSequence, list[int]]]] = {}
    for sequence in found:
        places: dict[int, list[int]] = {}
        for place, (index, _, _) in enumerate(sequence.frames):
            places.setdefault(index, []).append(place)
        for index, here in places.items():
            users.setdefault(index, []).append((sequence, here))
        sequence.stored[f"{what}.png"] = [Stored(0, 0, 0)] * len(sequence.frames)
    for frame in source.frames(lambda index, _time, _next: index in users):
        pixels = frame.pixels.max(axis=2) if what == "mask" else frame.pixels
        for sequence, here in users.pop(frame.index):
            x0, y0, x1, y1 = sequence.patches[here[0]]
            whole = _on_canvas(pixels[y0:y1, x0:x1], sequence.patches[here[0]], sequence.canvas)
            stored = store(f"{sequence.name}/{here[0]:03d}.{what}.png", _png(whole, sequence.size))
            for place in here:
                sequence.stored[f"{what}.png"][place] = stored
    _check_whole(source, "video")
    if users:
        raise DataError(
            f"Cannot use the {what} '{source.info.path}': it lacks {len(users)} of the video's "
            f"frames, the first of them number {min(users)}. Get the {what} made of this video."
        )


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


def _on_canvas(pixels: Pixels, patch: Rectangle, canvas: Rectangle) -> Pixels:
    """A patch where it belongs; what it does not show of the canvas repeats its border."""
    (x0, y0, x1, y1), (left, top, right, bottom) = patch, canvas
    edges = (y0 - top, bottom - y1, x0 - left, right - x1)
    whole: Pixels = cv2.copyMakeBorder(pixels, *edges, cv2.BORDER_REPLICATE)
    return whole


def _png(pixels: Pixels, size: tuple[int, int]) -> bytes:
    """Lossless, packed fast rather than small; reduced by area if ``size`` says so."""
    if size != (pixels.shape[1], pixels.shape[0]):
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    in_order = pixels[..., ::-1] if pixels.ndim == 3 else pixels
    _, packed = cv2.imencode(
        ".png", np.ascontiguousarray(in_order), [cv2.IMWRITE_PNG_COMPRESSION, 1]
    )
    return packed.tobytes()
