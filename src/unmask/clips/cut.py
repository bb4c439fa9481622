"""Cuts detector input out of native pixels, resampling each crop exactly once.

Scan, training and evaluation all use ``cut_face``: there is no second preprocessing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import cv2
import numpy as np

from unmask.clips.mouth_run import MouthCut, MouthRun, is_by_68_points
from unmask.clips.plan import Plan, eye_angle, region_of
from unmask.imaging.boxes import longest_side
from unmask.types import Clip, FacePatch, Floats, InputSpec, Pixels

_LEAST_REAL_SHARE = 0.8


def cut_face(patch: FacePatch, spec: InputSpec) -> tuple[Pixels, Floats]:
    """Cuts one picture of a face.

    Args:
        patch: native pixels around the face.
        spec: what the detector wants.

    Returns:
        Pixels (H, W, C) uint8 of ``spec.load_size`` or ``spec.size``, center-cropped to
        ``spec.size``; and the (4,) box of the full frame that they show.
    """
    region = region_of(spec, patch.observation, patch.frame_size_px)
    height, width = spec.load_size or spec.size
    if spec.align == "similarity":
        pixels = _rotate(patch, spec, (width, height))
    else:
        pixels = _whole_pixels(patch, region)
        if spec.fit == "pad":
            pixels, region = _pad(pixels, region, width / height)
        pixels = _resize(pixels, (width, height))
    if (height, width) != spec.size:
        pixels, region = _center_crop(pixels, region, spec.size)
    if spec.color == "gray":
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None]
    return np.ascontiguousarray(pixels, dtype=np.uint8), region


def _whole_pixels(patch: FacePatch, region: Floats) -> Pixels:
    x, y = patch.origin_px
    limit = np.array([patch.pixels.shape[1], patch.pixels.shape[0]] * 2)
    corner = np.rint(region - np.array([x, y, x, y])).astype(int)
    x0, y0, x1, y1 = (int(v) for v in np.clip(corner, 0, limit))
    return patch.pixels[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]


def _pad(pixels: Pixels, region: Floats, aspect: float) -> tuple[Pixels, Floats]:
    """Zeros on two sides, until width / height is ``aspect``."""
    height, width = pixels.shape[:2]
    extra_x = max(0, round(height * aspect) - width)
    extra_y = max(0, round(width / aspect) - height)
    left, top = extra_x // 2, extra_y // 2
    edges = (top, extra_y - top, left, extra_x - left)
    padded: Pixels = cv2.copyMakeBorder(pixels, *edges, cv2.BORDER_CONSTANT)
    grown = np.array([-left, -top, extra_x - left, extra_y - top], np.float32)
    return padded, region + grown


def _resize(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Area averaging to shrink, bicubic to enlarge."""
    is_smaller = size[0] < pixels.shape[1]
    how = cv2.INTER_AREA if is_smaller else cv2.INTER_CUBIC
    resized: Pixels = cv2.resize(pixels, size, interpolation=how)
    return resized


def _rotate(patch: FacePatch, spec: InputSpec, size: tuple[int, int]) -> Pixels:
    """Turns the face upright by its eye line; bilinear, replicating the frame's border."""
    observation = patch.observation
    points = observation.landmarks_px
    box = observation.box_px
    side = longest_side(box) * spec.margin
    center = points[3:5].mean(axis=0) if spec.region == "mouth" else points.mean(axis=0)
    center = center - np.asarray(patch.origin_px, np.float32)
    angle, scale = eye_angle(points), size[0] / side
    cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
    matrix = np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0]])
    # -0.5: pixel centers, so that an unrotated cut at scale 1 is the identity.
    matrix[:, 2] = np.asarray(size) / 2 - 0.5 - matrix[:, :2] @ (center - 0.5)
    turned: Pixels = cv2.warpAffine(
        patch.pixels, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return turned


def _center_crop(pixels: Pixels, region: Floats, size: tuple[int, int]) -> tuple[Pixels, Floats]:
    height, width = pixels.shape[:2]
    top, left = (height - size[0]) // 2, (width - size[1]) // 2
    scale = (region[2:] - region[:2]) / np.array([width, height], np.float32)
    start = region[:2] + scale * np.array([left, top], np.float32)
    end = start + scale * np.array([size[1], size[0]], np.float32)
    cropped = pixels[top : top + size[0], left : left + size[1]]
    return cropped, np.concatenate([start, end]).astype(np.float32)


class _Picture(NamedTuple):
    pixels: Pixels
    region: Floats
    frame_index: int
    time_s: float
    face_px: float
    is_real: bool
    by_68: MouthCut | None = None


@dataclass(slots=True)
class _Strip:
    """The pictures of one person for one spec that a coming clip may still need.

    With a ``run`` they wait until it has cut them by 68 points as well.
    """

    next_start: int
    last_slot: int
    run: MouthRun | None
    pictures: dict[int, _Picture] = field(default_factory=dict)
    yielded: int = 0

    @property
    def last_ready(self) -> int:
        """The last slot for whose picture nothing is waited for any more."""
        waiting = None if self.run is None else self.run.first_waiting
        return self.last_slot if waiting is None else waiting - 1

    def keep(self, cuts: Iterable[MouthCut]) -> None:
        for cut in cuts:
            if cut.slot in self.pictures:
                self.pictures[cut.slot] = self.pictures[cut.slot]._replace(by_68=cut)


class Cutter:
    """Turns a stream of patches into clips; a clip leaves as soon as it is full.

    A missing frame repeats the last one and is marked; a clip under 80 % real frames is dropped
    and counted in ``clips_dropped``. Where a spec asks for 68 points and all frames of a clip
    have them, its pictures are those of ``mouth_clip``, smoothed over the person's frames to
    come; any other clip is cut by five points and counted in ``clips_by_5_points``.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._strips: dict[tuple[int, int], _Strip] = {}
        self.clips_dropped = 0
        self.clips_by_5_points = 0

    def __call__(self, patches: Iterable[FacePatch]) -> Iterator[Clip]:
        """Yields the clips of all specs and persons, in the order in which they fill."""
        last_frame = -1
        for patch in patches:
            index = patch.observation.frame_index
            if index != last_frame:
                self._plan.forget_before(index)
                # Reversed: of several slots that one frame fills, the first counts.
                yield from self._end_old(dict(reversed(self._plan.slots(index))))
                last_frame = index
            cuts: dict[int, _Picture] = {}
            for number, slot in self._plan.slots(index):
                spec = self._plan.specs[number]
                if number not in cuts:
                    cuts[number] = _take(patch, spec)
                yield from self._add(patch, number, slot, cuts[number])
        for key in list(self._strips):
            yield from self._finish(key)

    def _end_old(self, now: dict[int, int]) -> Iterator[Clip]:
        """Ends the strips whose past can reach no clip any more: memory follows who is there."""
        for key in list(self._strips):
            number = key[1]
            spec = self._plan.specs[number]
            away = now.get(number, 0) - self._strips[key].last_slot
            if away > max(spec.frames, spec.hop):
                yield from self._finish(key)

    def _add(self, patch: FacePatch, number: int, slot: int, picture: _Picture) -> Iterator[Clip]:
        key = (patch.observation.track_id, number)
        if key not in self._strips:
            run = MouthRun(self._plan.specs[number])
            is_by_68 = is_by_68_points(self._plan.specs[number])
            self._strips[key] = _Strip(slot, slot, run if is_by_68 else None)
        strip = self._strips[key]
        gap = range(strip.last_slot + 1, slot)
        if gap:
            repeated = strip.pictures[strip.last_slot]._replace(is_real=False)
            strip.pictures.update(dict.fromkeys(gap, repeated))
        strip.pictures[slot] = picture
        strip.last_slot = slot
        if strip.run is not None:
            strip.keep(strip.run.add(slot, patch))
        yield from self._full_clips(key, strip)

    def _full_clips(self, key: tuple[int, int], strip: _Strip) -> Iterator[Clip]:
        spec = self._plan.specs[key[1]]
        while strip.next_start + spec.frames - 1 <= strip.last_ready:
            slots = range(strip.next_start, strip.next_start + spec.frames)
            yield from self._clip(key[0], spec, strip, slots)
            strip.next_start += spec.hop
            last = strip.last_slot
            for old in [s for s in strip.pictures if s < strip.next_start and s < last]:
                del strip.pictures[old]

    def _finish(self, key: tuple[int, int]) -> Iterator[Clip]:
        """A person seen too shortly for one full clip still gets one, padded, if real enough."""
        strip, spec = self._strips.pop(key), self._plan.specs[key[1]]
        if strip.run is not None:
            strip.keep(strip.run.end())
            yield from self._full_clips(key, strip)
        if strip.yielded or spec.frames == 1:
            return
        slots = range(strip.next_start, strip.next_start + spec.frames)
        last = strip.pictures[strip.last_slot]._replace(is_real=False)
        for slot in slots:
            strip.pictures.setdefault(slot, last)
        yield from self._clip(key[0], spec, strip, slots)

    def _clip(self, track_id: int, spec: InputSpec, strip: _Strip, slots: range) -> Iterator[Clip]:
        pictures = [strip.pictures[slot] for slot in slots]
        is_real = np.array([p.is_real for p in pictures])
        if is_real.mean() < _LEAST_REAL_SHARE:
            self.clips_dropped += 1
            return
        strip.yielded += 1
        by_68 = [p.by_68 for p in pictures if p.by_68 is not None]
        is_by_68 = len(by_68) == len(pictures)
        if is_by_68:
            pictures = [
                p._replace(pixels=cut.pixels, region=cut.region_px)
                for p, cut in zip(pictures, by_68, strict=True)
            ]
        elif strip.run is not None:
            self.clips_by_5_points += 1
        yield Clip(
            track_id=track_id,
            spec=spec,
            pixels=np.stack([p.pixels for p in pictures]),
            frame_indices=np.array([p.frame_index for p in pictures], np.int64),
            times_s=np.array([p.time_s for p in pictures], np.float64),
            is_real_frame=is_real,
            regions_px=np.stack([p.region for p in pictures]),
            face_px=float(np.median([p.face_px for p in pictures])),
            points=68 if is_by_68 else 5,
        )


def _take(patch: FacePatch, spec: InputSpec) -> _Picture:
    pixels, region = cut_face(patch, spec)
    observation = patch.observation
    box = observation.box_px
    face_px = longest_side(box)
    return _Picture(pixels, region, observation.frame_index, observation.time_s, face_px, True)
