"""A contact sheet of what training sees: real, forged and mask, before and after augmentation."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from unmask.errors import DataError, UsageError
from unmask.forgeries import (
    KINDS,
    Augmentation,
    FaceClip,
    ForgedFrame,
    Material,
    augment_pair,
    forge,
    get_kind,
)
from unmask.imaging.boxes import longest_side
from unmask.media import probe
from unmask.prepare import FaceSequence, PrepareSpec, prepare
from unmask.train.clip import read_clip, rolled, scaled
from unmask.types import Floats, LabelledVideo, Pixels

ALL = "all"
MIN_FACE_PX = 40.0
MAX_COUNT = 100
_LARGEST_FACE_PX = 260.0
_CLIP_FRAMES = 24
"""Of the clip that clip kinds are shown on: one second at most rates."""

_MOMENTS_KIND = "self_blend"
"""Shown at moments of the whole video, where no kind is chosen."""

_TITLES = ("real", "forged", "mask", "real, augmented", "forged, augmented", "mask, augmented")
_CELL_PX = 180
_CAPTION_PX = 16
_GAP_PX = 4


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One line of a sheet: its caption, and the forgery before and after augmentation."""

    caption: str
    plain: ForgedFrame
    augmented: ForgedFrame


def moment_sheet(path: str | Path, count: int = 12, seed: int = 0) -> Image.Image:
    """Self-blends the largest face of a file at moments of it, and lays the results out.

    Args:
        path: a video, a picture or a folder of frames.
        count: rows: moments of a video, or draws on the one face of a picture.
        seed: of everything random; the same seed gives the same sheet.

    Returns:
        An RGB picture with six columns.

    Raises:
        MediaError: the file cannot be read.
        DataError: there is no face in it.
        UsageError: ``count`` is below 1 or above 100.
    """
    _check_count(count)
    with tempfile.TemporaryDirectory() as folder:
        moments = largest_person(Path(path), count, Path(folder) / "faces")
        faces = [(m.times_s[0], read_clip(m, 1, np.random.default_rng(0))) for m in moments]
    rows = []
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        time_s, face = faces[number % len(faces)]
        others = [moment for moment in faces if moment[1] is not face]
        other, caption = None, f"{number + 1}   {time_s:.2f} s"
        if others and rng.random() < KINDS[_MOMENTS_KIND].moment_share:
            other_s, moment = others[int(rng.integers(len(others)))]
            other = scaled(moment, face.side_px / moment.side_px)
            caption += f"   pasted from {other_s:.2f} s"
        rows.append(_row(caption, _MOMENTS_KIND, face, 0, rng, other))
    return _lay_out(rows)


def kind_sheet(
    path: str | Path, kinds: Sequence[str], count: int | None = None, seed: int = 0
) -> Image.Image:
    """Forges the largest face of a file by chosen kinds, and lays the results out.

    The first row shows the first kind, the next row the next, and then from the first again, with
    another draw of a picture kind, at a later frame of a clip kind.

    Args:
        path: a video, a picture or a folder of frames.
        kinds: keys of ``KINDS``, or ``all`` for all that can be made of the file alone.
        count: rows; None gives one for each kind.
        seed: of everything random.

    Returns:
        An RGB picture with six columns.

    Raises:
        UnknownNameError: an unknown kind; the message lists the known ones.
        UsageError: a kind pastes another person, or there is no such number of rows.
        DataError: the file shows no face, or is too short for a kind.
        MediaError: the file cannot be read.
    """
    names = list(KINDS) if ALL in kinds else list(kinds)
    for name in names:
        if get_kind(name).needs_person and ALL not in kinds:
            # No command puts the face of one chosen person on another: see docs/decisions.md.
            raise UsageError(
                f"Cannot show {name}: it pastes another person, which no command does; training "
                "alone makes such pairs, of faces it draws itself. Name another kind, or all."
            )
    if count is not None:
        _check_count(count)
    with tempfile.TemporaryDirectory() as folder:
        face = _longest(Path(path), Path(folder) / "faces")
        clip = read_clip(face, len(face), np.random.default_rng(0))
    if ALL in kinds:
        names = [name for name in names if _can_make(name, clip)]
    _check_length(path, names, clip)
    rows = [
        _kind_row(names[n % len(names)], n // len(names), seed, clip)
        for n in range(count or len(names))
    ]
    return _lay_out(rows)


def _check_count(count: int) -> None:
    if not 1 <= count <= MAX_COUNT:
        raise UsageError(f"Cannot lay out {count} rows: expected 1 to {MAX_COUNT}.")


def _can_make(name: str, clip: FaceClip) -> bool:
    return len(clip) >= KINDS[name].least_frames and not KINDS[name].needs_person


def _check_length(path: str | Path, names: Sequence[str], clip: FaceClip) -> None:
    for name in names:
        least = KINDS[name].least_frames
        if len(clip) < least:
            raise DataError(
                f"Cannot show {name} on '{path}': it needs {least} frames of one face in a row, "
                f"found {len(clip)}. Give a longer video."
            )


def _longest(path: Path, folder: Path) -> FaceSequence:
    """Of the largest person the longest stretch; of a picture the one frame."""
    frames = 1 if probe(path).is_still else _CLIP_FRAMES
    return max(largest_person(path, 4, folder, frames), key=len)


def largest_person(path: Path, count: int, folder: Path, frames: int = 1) -> list[FaceSequence]:
    """Moments of the person whose face is the largest, in order of time.

    Args:
        path: a video, a picture or a folder of frames.
        count: of moments, at most.
        folder: that they are stored in.
        frames: of each moment.

    Raises:
        MediaError: the file cannot be read.
        DataError: there is no face in it.
    """
    probe(path)  # raises what is wrong with a file that cannot be read
    video = LabelledVideo(path=path, label=0, dataset="", split="")
    spec = PrepareSpec(
        sequences=count,
        frames=frames,
        min_face_px=MIN_FACE_PX,
        largest_face_px=_LARGEST_FACE_PX,
    )
    try:
        found = prepare([video], folder, spec).sequences
    except DataError as error:
        raise DataError(
            f"Cannot blend '{path}': it shows no face of at least {MIN_FACE_PX:g} px. "
            "Give a picture or a video with a larger face."
        ) from error
    track = max(found, key=lambda sequence: longest_side(sequence.box_px[0])).track
    return [sequence for sequence in found if sequence.track == track]


def _kind_row(name: str, turn: int, seed: int, clip: FaceClip) -> Row:
    """A draw of a kind for pictures; of a kind for clips another frame of the one draw."""
    kind = KINDS[name]
    is_still = kind.least_frames == 1
    # Not by the kind's number: another kind more or less changes no other's row.
    rng = np.random.default_rng([seed, zlib.crc32(name.encode()), turn if is_still else 0])
    at = (len(clip) // 2 + turn * 7) % len(clip)
    moment = None
    if len(clip) > 1 and rng.random() < kind.moment_share:
        moment = rolled(clip, rng)
    caption = f"{name}: {kind.summary}" if is_still else f"{name}, frame {at + 1}: {kind.summary}"
    if is_still:
        clip, at = clip.frame(at), 0
        moment = moment and moment.frame(len(moment) // 2)
    return _row(caption, name, clip, at, rng, moment)


def _row(
    caption: str,
    kind: str,
    clip: FaceClip,
    at: int,
    rng: np.random.Generator,
    moment: FaceClip | None,
) -> Row:
    """A frame of a clip that is forged, and the same augmented."""
    real, fake = forge(kind, clip, rng, Material(moment=moment))
    plain = ForgedFrame(real.frames[at], fake.frames[at], fake.all_masks[at])
    return Row(caption, plain, augment_pair(plain, rng, Augmentation()))


def _lay_out(rows: list[Row]) -> Image.Image:
    """The rows below each other, six pictures in each."""
    step_x, step_y = _CELL_PX + _GAP_PX, _CELL_PX + _CAPTION_PX + _GAP_PX
    size = (len(_TITLES) * step_x + _GAP_PX, len(rows) * step_y + _CAPTION_PX + _GAP_PX)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    for column, title in enumerate(_TITLES):
        draw.text((_GAP_PX + column * step_x, _GAP_PX), title, fill="black")
    for number, row in enumerate(rows):
        top = _CAPTION_PX + _GAP_PX + number * step_y
        draw.text((_GAP_PX, top + 2), row.caption, fill="dimgray")
        for column, pixels in enumerate([*_pictures(row.plain), *_pictures(row.augmented)]):
            sheet.paste(fit_into(pixels, _CELL_PX), (_GAP_PX + column * step_x, top + _CAPTION_PX))
    return sheet


def _pictures(frame: ForgedFrame) -> list[Pixels]:
    return [frame.real, frame.fake, _gray(frame.mask)]


def _gray(mask: Floats) -> Pixels:
    gray = np.rint(np.clip(mask, 0, 1) * 255).astype(np.uint8)
    return np.repeat(gray[..., None], 3, axis=2)


def fit_into(pixels: Pixels, edge_px: int) -> Image.Image:
    """A picture (H, W, 3) as large as fits into a square of that edge, on light gray."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    share = edge_px / max(image.size)
    image = image.resize((max(1, round(image.width * share)), max(1, round(image.height * share))))
    square = Image.new("RGB", (edge_px, edge_px), "gainsboro")
    square.paste(image, ((edge_px - image.width) // 2, (edge_px - image.height) // 2))
    return square
