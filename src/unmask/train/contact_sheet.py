"""A contact sheet of what training sees: real, forged and mask, before and after augmentation."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from unmask.errors import DataError, UsageError
from unmask.forgeries import Augmentation, Pair, augment_pair, self_blend
from unmask.imaging.boxes import longest_side
from unmask.media import probe
from unmask.prepare import FaceSequence, Keep, prepare
from unmask.train.clip import read_clip, scaled
from unmask.types import Floats, LabelledVideo, Pixels

MIN_FACE_PX = 40.0
MAX_COUNT = 100
_LARGEST_FACE_PX = 260.0

_TITLES = ("real", "forged", "mask", "real, augmented", "forged, augmented", "mask, augmented")
_CELL_PX = 180
_CAPTION_PX = 16
_GAP_PX = 4
_OTHER_MOMENT_SHARE = 0.3  # as in training


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One line of a sheet: what it says, and the pair before and after augmentation."""

    caption: str
    pair: Pair
    augmented: Pair


def contact_sheet(path: str | Path, count: int = 12, seed: int = 0) -> Image.Image:
    """Forges the largest face of a file as training would, and lays the results out.

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
    check_count(count)
    with tempfile.TemporaryDirectory() as folder:
        moments = largest_person(Path(path), count, Path(folder) / "faces")
        faces = [(m.times_s[0], read_clip(m, 1, np.random.default_rng(0))) for m in moments]
    rows = []
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        time_s, face = faces[number % len(faces)]
        others = [moment for moment in faces if moment[1] is not face]
        other, caption = None, f"{number + 1}   {time_s:.2f} s"
        if others and rng.random() < _OTHER_MOMENT_SHARE:
            other_s, moment = others[int(rng.integers(len(others)))]
            (other,) = scaled(moment, face.side_px / moment.side_px).faces()
            caption += f"   pasted from {other_s:.2f} s"
        pair = self_blend(face.faces()[0], rng, other=other)
        rows.append(Row(caption, pair, augment_pair(pair, rng, Augmentation())))
    return lay_out(rows)


def check_count(count: int) -> None:
    """Refuses a number of rows that no sheet has.

    Raises:
        UsageError: it is below 1 or above 100.
    """
    if not 1 <= count <= MAX_COUNT:
        raise UsageError(f"Cannot lay out {count} rows: expected 1 to {MAX_COUNT}.")


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
    probe(path)  # says what is wrong with a file that cannot be read
    video = LabelledVideo(path=path, label=0, dataset="", split="")
    keep = Keep(
        sequences=count,
        frames=frames,
        min_face_px=MIN_FACE_PX,
        largest_face_px=_LARGEST_FACE_PX,
    )
    try:
        found = prepare([video], folder, keep).sequences
    except DataError as error:
        raise DataError(
            f"Cannot blend '{path}': it shows no face of at least {MIN_FACE_PX:g} px. "
            "Give a picture or a video with a larger face."
        ) from error
    track = max(found, key=_side).track
    return [sequence for sequence in found if sequence.track == track]


def _side(sequence: FaceSequence) -> float:
    return longest_side(sequence.box_px[0])


def lay_out(rows: list[Row]) -> Image.Image:
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
        for column, pixels in enumerate([*_pictures(row.pair), *_pictures(row.augmented)]):
            sheet.paste(fit_into(pixels, _CELL_PX), (_GAP_PX + column * step_x, top + _CAPTION_PX))
    return sheet


def _pictures(pair: Pair) -> list[Pixels]:
    return [pair.real, pair.fake, _gray(pair.mask)]


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
