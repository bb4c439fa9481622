"""A clip on its way to a network: read, forged, augmented and cut, its frames always alike."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from unmask.clips import MouthRun, cut_face, is_by_68_points
from unmask.errors import UsageError
from unmask.forgeries import (
    Augmentation,
    FaceClip,
    ForgedFrame,
    Forgery,
    augment_clip,
    augment_pair,
)
from unmask.forgeries.clip import forgery_of
from unmask.forgeries.deliver import deliver, deliver_still
from unmask.imaging.boxes import longest_side
from unmask.imaging.codecs import h264_round_trip
from unmask.prepare import FaceSequence
from unmask.train.augment import Change
from unmask.types import FaceObservation, FacePatch, Floats, InputSpec, Pixels

_REDUCED_FROM_PX = 110
_LEAST_ROLL = 3
_WORST_CRF = 51


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """What the network gets: ``pixels`` (T, H, W, C) uint8, ``mask`` (T, H, W), ``twin``."""

    pixels: Pixels
    mask: Floats
    twin: Pixels | None


def read_clip(
    sequence: FaceSequence, frames: int, rng: np.random.Generator, *, has_twins: bool = False
) -> FaceClip:
    """Reads ``frames`` consecutive frames from anywhere in a sequence; a short one repeats
    its last frame.

    Without stored masks a forgery's mask is 1 and a real face's 0 everywhere. With twins the clip
    is of the worse compression level: what is stored is of the better one, where faces are found.
    """
    spare = len(sequence) - frames
    first = int(rng.integers(spare + 1)) if spare > 0 else 0
    places = [min(first + place, len(sequence) - 1) for place in range(frames)]
    pixels, twins = sequence.pixels(places), None
    if has_twins:
        pixels, twins = sequence.twins(places), pixels
    has_masks = sequence.has_masks and sequence.label
    points68 = sequence.points68_px
    return FaceClip(
        frames=pixels,
        masks=sequence.masks(places) if has_masks else None,
        landmarks_px=sequence.landmarks_px[places],
        box_px=sequence.box_px[places],
        label=sequence.label,
        twins=twins,
        points68_px=None if points68 is None else points68[places],
    )


def scaled(clip: FaceClip, share: float) -> FaceClip:
    """The same clip in another size; nothing happens within 2 %."""
    if abs(share - 1) < 0.02:
        return clip
    height, width = clip.frames[0].shape[:2]
    size = (max(16, round(width * share)), max(16, round(height * share)))
    how = cv2.INTER_AREA if share < 1 else cv2.INTER_CUBIC
    twins = clip.twins
    smaller = dataclasses.replace(
        clip,
        frames=[np.asarray(cv2.resize(p, size, interpolation=how), np.uint8) for p in clip.frames],
        masks=clip.masks
        and [cv2.resize(m, size, interpolation=cv2.INTER_LINEAR) for m in clip.masks],
        twins=twins
        and [np.asarray(cv2.resize(p, size, interpolation=how), np.uint8) for p in twins],
    )
    return _resized(smaller, share)


def working_size(clip: FaceClip, rng: np.random.Generator) -> FaceClip:
    """Half of the large faces are reduced before they are forged: forgeries come in all sizes."""
    side = clip.side_px
    if side < _REDUCED_FROM_PX or rng.random() < 0.5:
        return clip
    return scaled(clip, float(rng.uniform(90, side)) / side)


def rolled(clip: FaceClip, rng: np.random.Generator) -> FaceClip:
    """The same person a little earlier or later: frames that do not fit the ones they meet."""
    count = len(clip.frames)
    least = min(_LEAST_ROLL, count - 1)
    by = int(rng.integers(least, max(count - least, least) + 1))
    order = np.roll(np.arange(count), by)
    return dataclasses.replace(
        clip,
        frames=[clip.frames[i] for i in order],
        landmarks_px=clip.landmarks_px[order],
        box_px=clip.box_px[order],
        points68_px=None if clip.points68_px is None else clip.points68_px[order],
    )


def deliver_alike(
    clips: Sequence[FaceClip], way: str, rng: np.random.Generator
) -> Sequence[FaceClip]:
    """Codes several clips by one draw of a way of ``forgeries.deliver``; a picture and its
    forgery as a pair.
    """
    if isinstance(clips, Forgery) and len(clips.real) == 1:
        pictures = deliver_still([clip.frames[0] for clip in clips], way, rng)
        return Forgery(
            *(
                dataclasses.replace(clip, frames=[picture])
                for clip, picture in zip(clips, pictures, strict=True)
            )
        )
    seed, coded = int(rng.integers(2**32)), []
    for clip in clips:
        own, send = np.random.default_rng(seed), deliver if len(clip) > 1 else deliver_still
        coded.append(dataclasses.replace(clip, frames=send(clip.frames, way, own)))
    return coded


def augment_alike(
    clips: Sequence[FaceClip], rng: np.random.Generator, settings: Augmentation
) -> Sequence[FaceClip]:
    """Changes several clips by one draw; a single picture and its forgery as a pair."""
    if isinstance(clips, Forgery) and len(clips.real) == 1:
        real, fake = clips
        mask = fake.all_masks[0]
        pair = augment_pair(ForgedFrame(real.frames[0], fake.frames[0], mask), rng, settings)
        share = pair.mask.shape[1] / mask.shape[1]
        return Forgery(*(_resized(clip, share) for clip in forgery_of(real, [pair])))
    seed = int(rng.integers(2**32))
    return [_augmented(clip, seed, settings) for clip in clips]


def _augmented(clip: FaceClip, seed: int, settings: Augmentation) -> FaceClip:
    rng = np.random.default_rng(seed)
    masks = clip.all_masks
    frames, sheets = augment_clip(clip.frames, masks, rng, settings)
    twins = clip.twins
    if twins is not None:
        twins, _ = augment_clip(twins, masks, np.random.default_rng(seed), settings)
    share = frames[0].shape[1] / clip.frames[0].shape[1]
    return _resized(dataclasses.replace(clip, frames=frames, masks=sheets, twins=twins), share)


def compressed_twice(clip: FaceClip, levels: tuple[str, str]) -> FaceClip:
    """A clip at the worse of two H.264 rates, with the better one as its twin.

    Args:
        clip: of one frame (coded by itself) or of several.
        levels: better and worse, like ``("c23", "c40")``: the number is the rate factor.

    Raises:
        UsageError: a level that is not written so.
    """
    rates = [level.removeprefix("c") for level in levels]
    if not all(rate.isdecimal() and int(rate) <= _WORST_CRF for rate in rates):
        raise UsageError(
            f"Cannot compress to {levels[0]!r} and {levels[1]!r}: expected c and a rate factor of "
            "0 to 51, like 'c23'."
        )
    twins, frames = (h264_round_trip(clip.frames, int(rate)) for rate in rates)
    return dataclasses.replace(clip, frames=frames, twins=twins)


def _resized(clip: FaceClip, share: float) -> FaceClip:
    if share == 1:
        return clip
    points68 = clip.points68_px
    return dataclasses.replace(
        clip,
        landmarks_px=clip.landmarks_px * np.float32(share),
        box_px=clip.box_px * np.float32(share),
        points68_px=None if points68 is None else points68 * np.float32(share),
    )


def cut_clip(
    clip: FaceClip, spec: InputSpec, change: Change, rng: np.random.Generator, *, is_flipped: bool
) -> Cut:
    """Cuts frames, masks and twins as ``scan`` cuts its clips, from a box that wanders.

    The box is moved once for the whole clip, so that it does not shake. A mouth is cut by 68
    points where they are known, as in ``scan``; no box wanders then.
    """
    shift, grow = rng.normal(0, change.shift, 2), np.exp(rng.normal(0, change.scale))
    corner = None
    if change.is_crop_random and spec.load_size is not None:
        room = [load - size for load, size in zip(spec.load_size, spec.size, strict=True)]
        corner = (int(rng.integers(room[0] + 1)), int(rng.integers(room[1] + 1)))
        spec = dataclasses.replace(spec, size=spec.load_size, load_size=None)
        crop = (
            slice(corner[0], corner[0] + spec.size[0] - room[0]),
            slice(corner[1], corner[1] + spec.size[1] - room[1]),
        )
    boxes = [_wander(box, shift, float(grow)) for box in clip.box_px]

    def cut(pictures: Sequence[Pixels]) -> npt.NDArray[np.uint8]:
        rows = _cut_by_68_points(clip, pictures, spec)
        if rows is None:
            rows = np.stack([cut_face(p, spec)[0] for p in _patches(clip, pictures, boxes)])
        rows = rows if corner is None else rows[:, crop[0], crop[1]]
        return np.ascontiguousarray(rows[:, :, ::-1]) if is_flipped else np.ascontiguousarray(rows)

    sheets = [np.rint(np.clip(mask, 0, 1) * 255).astype(np.uint8) for mask in clip.all_masks]
    masks = cut([np.repeat(sheet[..., None], 3, axis=2) for sheet in sheets])
    pixels = cut(clip.frames)
    if change.time_mask:
        pixels = _with_time_mask(pixels, change.time_mask, rng)
    return Cut(
        pixels=pixels,
        mask=masks[..., 0].astype(np.float32) / np.float32(255),
        twin=None if clip.twins is None else cut(clip.twins),
    )


def _wander(box: Floats, shift: npt.NDArray[np.float64], grow: float) -> Floats:
    side = longest_side(box)
    middle = (box[:2] + box[2:]) / 2 + shift * side
    half = (box[2:] - box[:2]) / 2 * grow
    return np.concatenate([middle - half, middle + half]).astype(np.float32)


def _patches(
    clip: FaceClip, pictures: Sequence[Pixels], boxes: Sequence[Floats] | Floats
) -> Iterator[FacePatch]:
    """The pictures as ``clips`` takes them, each the whole of its frame."""
    for at, (pixels, box) in enumerate(zip(pictures, boxes, strict=True)):
        yield FacePatch(
            observation=FaceObservation(
                track_id=0,
                frame_index=at,
                time_s=0.0,
                confidence=1.0,
                box_px=box,
                landmarks_px=clip.landmarks_px[at],
                points68_px=None if clip.points68_px is None else clip.points68_px[at],
            ),
            pixels=pixels,
            origin_px=(0, 0),
            frame_size_px=(pixels.shape[1], pixels.shape[0]),
        )


def _cut_by_68_points(
    clip: FaceClip, pictures: Sequence[Pixels], spec: InputSpec
) -> npt.NDArray[np.uint8] | None:
    """The mouth's pictures; None where the spec or the points do not allow it in every frame.

    Smoothing reaches to the clip's last frame, in ``scan`` to the person's.
    """
    if clip.points68_px is None or not is_by_68_points(spec):
        return None
    run = MouthRun(spec)
    cuts = [
        cut
        for at, patch in enumerate(_patches(clip, pictures, clip.box_px))
        for cut in run.add(at, patch)
    ]
    cuts += run.end()
    return np.stack([cut.pixels for cut in cuts]) if len(cuts) == len(pictures) else None


def _with_time_mask(
    pixels: npt.NDArray[np.uint8], longest: int, rng: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Replaces one stretch of frames by the clip's mean picture."""
    length = int(rng.integers(min(longest, len(pixels)) + 1))
    first = int(rng.integers(len(pixels) - length + 1))
    masked = pixels.copy()
    masked[first : first + length] = np.rint(pixels.mean(axis=0)).astype(np.uint8)
    return masked
