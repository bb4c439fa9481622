"""What forgeries are made of: named ways to forge a stored face, and mixes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np

from benchmarks.compare_recipes._hulls import drawn_mask, elastic, hull_mask, slip, softened
from unmask.forgeries import Face, FaceClip, ForgedFrame, Material, forge
from unmask.forgeries.disturb import displace, disturb, sharpen_or_smooth
from unmask.forgeries.kinds.cross_blend import transfer_color
from unmask.forgeries.kinds.smooth_skin import smooth_skin
from unmask.forgeries.kinds.super_resolution import super_resolution
from unmask.forgeries.paste import aligned, moved
from unmask.imaging.geometry import similarity
from unmask.types import Floats, Pixels

_REGIONS: Final = {
    "whole": 0.22,
    "no_forehead": 0.15,
    "inner": 0.2,
    "lower": 0.18,
    "mouth": 0.17,
    "eyes": 0.08,
}
_LARGE: Final = ("whole", "no_forehead", "inner")


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A face and its 468 points (468, 2), in the pixels of its picture."""

    face: Face
    mesh: Floats

    def clip(self) -> FaceClip:
        """The face as a clip of one frame."""
        face = self.face
        return FaceClip(
            frames=[face.pixels], landmarks_px=face.landmarks_px[None], box_px=face.box_px[None]
        )


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """A face and what it may be forged with: another moment of the person, another person of
    like landmarks, and any face at all, for its color and grain.
    """

    subject: Subject
    moment: Subject | None = None
    person: Subject | None = None
    anyone: Subject | None = None


Way = Callable[[Given, np.random.Generator], ForgedFrame]


def of_kind(name: str) -> Way:
    """A kind of the product."""

    def way(given: Given, rng: np.random.Generator) -> ForgedFrame:
        material = Material(
            moment=given.moment and given.moment.clip(), person=given.person and given.person.clip()
        )
        real, fake = forge(name, given.subject.clip(), rng, material)
        return ForgedFrame(real.frames[0], fake.frames[0], fake.all_masks[0])

    return way


def hull_blended(given: Given, rng: np.random.Generator) -> ForgedFrame:
    """The product's disturbances under hulls of dense points."""
    return _over_hull(given, disturb(_paste(given), rng), rng)


def borrowed(given: Given, rng: np.random.Generator) -> ForgedFrame:
    """Under hulls, with the color and grain of another picture."""
    assert given.anyone is not None
    changed = _borrow(_paste(given), given.anyone.face.pixels, rng)
    if rng.random() < 0.5:
        changed = disturb(changed, rng)
    return _over_hull(given, changed, rng)


def published(given: Given, rng: np.random.Generator) -> ForgedFrame:
    """Self-blended images as in their authors' code; hulls of dense points for those of 81."""
    pixels = given.subject.face.pixels
    size = (pixels.shape[0], pixels.shape[1])
    region = "no_forehead" if rng.random() < 0.25 else "whole"
    mask = hull_mask(given.subject.mesh, size, region)
    source, target = pixels, pixels
    if rng.random() < 0.5:
        source = _published_change(source, rng)
    else:
        target = _published_change(target, rng)
    matrix = slip(size, rng)
    flat = (size[1], size[0])
    source = np.asarray(
        cv2.warpAffine(source, matrix, flat, borderMode=cv2.BORDER_REFLECT), np.uint8
    )
    mask = softened(elastic(np.asarray(cv2.warpAffine(mask, matrix, flat), np.float32), rng), rng)
    mask *= np.float32(rng.choice([0.25, 0.5, 0.75, 1, 1, 1]))
    return ForgedFrame(target, _blend(target, source, mask), mask)


def other_person(given: Given, rng: np.random.Generator) -> ForgedFrame:
    """Another person under a hull, aligned by all points, color matched in four of five."""
    assert given.person is not None
    face, donor = given.subject.face, given.person
    size = (face.pixels.shape[0], face.pixels.shape[1])
    mask = drawn_mask(given.subject.mesh, size, str(rng.choice(_LARGE)), rng)
    matrix = similarity(donor.mesh, given.subject.mesh)
    pasted = moved(donor.face.pixels, np.asarray(matrix, np.float32), (size[1], size[0]))
    if rng.random() < 0.5:
        pasted = disturb(pasted, rng)
    if rng.random() < 0.8:
        pasted = transfer_color(pasted, face.pixels, mask)
    return ForgedFrame(face.pixels, _blend(face.pixels, pasted, mask), mask)


def _paste(given: Given) -> Pixels:
    """The face, or another moment of it laid over it."""
    face = given.subject.face
    if given.moment is None:
        return face.pixels
    return aligned(given.moment.face, face)


def _over_hull(given: Given, changed: Pixels, rng: np.random.Generator) -> ForgedFrame:
    """The changed face under a hull; without another moment, in two of five about it."""
    background = given.subject.face.pixels
    size = (background.shape[0], background.shape[1])
    region = str(rng.choice(list(_REGIONS), p=list(_REGIONS.values())))
    mask = drawn_mask(given.subject.mesh, size, region, rng)
    mask *= np.float32(rng.choice([1.0, 0.75, 0.5], p=[0.7, 0.2, 0.1]))
    changed = displace(changed, rng)
    if given.moment is None and rng.random() < 0.4:
        background, changed = changed, background
    return ForgedFrame(background, _blend(background, changed, mask), mask)


def _blend(below: Pixels, above: Pixels, mask: Floats) -> Pixels:
    weight = mask[..., None]
    values = weight * above.astype(np.float32) + (1 - weight) * below.astype(np.float32)
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


def _published_change(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """RGB shift, brightness and contrast, hue and saturation; then coarser or sharper."""
    values = pixels.astype(np.float32)
    if rng.random() < 0.3:
        values = values + rng.uniform(-20, 20, 3).astype(np.float32)
    gain, offset = 1 + rng.uniform(-0.1, 0.1), rng.uniform(-0.1, 0.1) * 255
    bytes_ = np.asarray(np.clip(np.clip(values, 0, 255) * gain + offset, 0, 255), np.uint8)
    hsv = cv2.cvtColor(bytes_, cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv += rng.uniform(-0.3, 0.3, 3).astype(np.float32)
    hsv = np.clip(hsv, 0, (179, 255, 255)).astype(np.uint8)
    colored = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    if rng.random() < 0.5:
        height, width = colored.shape[:2]
        share = int(rng.choice([2, 4]))
        flat = (width // share, height // share)
        small = cv2.resize(colored, flat, interpolation=cv2.INTER_NEAREST)
        back = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(back, np.uint8)
    alpha, light = rng.uniform(0.2, 0.5), rng.uniform(0.5, 1.0)
    kernel = np.array([[-1, -1, -1], [-1, 8 + light, -1], [-1, -1, -1]], np.float32) * alpha
    kernel[1, 1] += 1 - alpha
    return np.asarray(cv2.filter2D(colored, -1, kernel), np.uint8)


def _borrow(pixels: Pixels, donor: Pixels, rng: np.random.Generator) -> Pixels:
    """Another picture's color in part, and its grain in place of one's own."""
    values = pixels.astype(np.float32)
    if rng.random() < 0.8:
        share = rng.uniform(0.1, 0.5)
        lab, other = (
            cv2.cvtColor(p, cv2.COLOR_RGB2LAB).astype(np.float32) for p in (pixels, donor)
        )
        mean, spread = lab.mean(axis=(0, 1)), lab.std(axis=(0, 1))
        gain = np.clip(other.std(axis=(0, 1)) / np.maximum(spread, 1), 0.6, 1.6)
        toward = np.clip(other.mean(axis=(0, 1)) - mean, -25, 25)
        lab = (lab - mean) * (1 + share * (gain - 1)) + mean + share * toward
        in_bytes = np.asarray(np.clip(lab, 0, 255), np.uint8)
        values = cv2.cvtColor(in_bytes, cv2.COLOR_LAB2RGB).astype(np.float32)
    if rng.random() < 0.7:
        sigma = float(rng.uniform(0.8, 1.6))
        own = values - cv2.GaussianBlur(values, (0, 0), sigma)
        is_flat = np.abs(own).mean(axis=2, keepdims=True) < 6  # Edges keep what is theirs.
        tile = _tiled(donor, values.shape[0], values.shape[1])
        grain = np.clip(tile - cv2.GaussianBlur(tile, (0, 0), sigma), -12, 12)
        values = values - own * is_flat * rng.uniform(0.3, 1)
        values = values + grain * is_flat * rng.uniform(0.4, 1.2)
    return np.asarray(np.clip(values, 0, 255), np.uint8)


def retouched(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """A whole picture through a filter that a user may have chosen: nothing is forged by it."""
    return (smooth_skin, super_resolution, sharpen_or_smooth)[int(rng.integers(3))](pixels, rng)


def _tiled(pixels: Pixels, height: int, width: int) -> Floats:
    """The picture's corner, mirrored as often as is needed, (height, width, 3)."""
    while pixels.shape[0] < height or pixels.shape[1] < width:
        pixels = np.concatenate([pixels, pixels[::-1]], axis=0)
        pixels = np.concatenate([pixels, pixels[:, ::-1]], axis=1)
    return pixels[:height, :width].astype(np.float32)


_EVERYWHERE: Final = (
    *("decoded_everywhere", "re_rendered_everywhere", "resampling_grid_everywhere"),
    *("smooth_skin_everywhere", "super_resolution_everywhere"),
)
"""Ways that redraw the whole picture: the material for generated frames."""

WAYS: Final[Mapping[str, Way]] = MappingProxyType(
    {
        "self_blended": of_kind("self_blend"),
        "hull_blended": hull_blended,
        "published": published,
        "borrowed": borrowed,
        "other_person": other_person,
        **{
            name: of_kind(name)
            for name in (
                *("cross_blend", "lower_face", "warped_face", "re_rendered", "smooth_skin"),
                *("super_resolution", "resampling_grid", *_EVERYWHERE),
            )
        },
    }
)
NEEDS_PERSON: Final = ("other_person", "cross_blend")
NEEDS_ANYONE: Final = ("borrowed",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """Shares of ways, how often another moment is offered, and how both classes are changed.

    ``augment`` names an augmentation of training; ``codecs`` take the place of its own. In the
    share ``retouched`` both classes are then filtered alike over the whole picture, as by a
    beauty filter or an enlarger: real pictures that look drawn. With ``twins`` every second pair
    is the one before it, cut alike but changed and coded by another draw.
    """

    ways: Mapping[str, float]
    moment: float = 0.3
    augment: str = "strong"
    codecs: Mapping[str, float] = field(default_factory=dict)
    retouched: float = 0.0
    twins: bool = False


_UPLOADS: Final = {
    "none": 0.15,
    "jpeg": 0.2,
    "h264": 0.25,
    "uploaded": 0.2,
    "h264_twice": 0.1,
    "vp9": 0.05,
    "h265": 0.05,
}
_TRACES: Final = {
    "self_blended": 0.6,
    "re_rendered": 0.1,
    "super_resolution": 0.1,
    "resampling_grid": 0.1,
    "smooth_skin": 0.1,
}
_ALL: Final = {
    "self_blended": 0.2,
    "hull_blended": 0.2,
    "published": 0.15,
    "borrowed": 0.2,
    "other_person": 0.15,
    "lower_face": 0.1,
}
MATERIALS: Final[Mapping[str, Mix]] = MappingProxyType(
    {
        "base": Mix(ways={"self_blended": 1}),
        "mesh": Mix(ways={"hull_blended": 1}),
        "published": Mix(ways={"published": 1}),
        "published50": Mix(ways={"self_blended": 0.5, "published": 0.5}),
        "borrowed": Mix(ways={"borrowed": 1}),
        "moment80": Mix(ways={"self_blended": 1}, moment=0.8),
        "person": Mix(ways={"self_blended": 0.5, "other_person": 0.5}),
        "cross": Mix(ways={"self_blended": 0.6, "cross_blend": 0.4}),
        "lower": Mix(ways={"self_blended": 0.6, "lower_face": 0.4}, moment=0.5),
        "drawn": Mix(ways=_TRACES),
        "fwa": Mix(ways={"self_blended": 0.6, "warped_face": 0.4}),
        "mixed": Mix(ways=_ALL, moment=0.4),
        "uploaded": Mix(ways={"self_blended": 1}, codecs=_UPLOADS),
        "hard": Mix(ways={"self_blended": 1}, retouched=0.4),
        "twins": Mix(ways={"self_blended": 1}, twins=True),
        "frames": Mix(ways=dict.fromkeys(_EVERYWHERE, 0.2)),
        "shared": Mix(ways={"self_blended": 1}, augment="shared"),
    }
)
"""Name -> mix. None holds a way that the judge forges by alone: ``mesh_swap``, ``decoded``."""
