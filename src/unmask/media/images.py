"""Stills and folders of frames, as videos of one or many pictures."""

from __future__ import annotations

import re
import struct
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from unmask.errors import MediaError
from unmask.media.container import VIDEO_SUFFIXES, cannot_read, too_many_pixels
from unmask.media.decode import Notes, Picture
from unmask.types import Pixels

IMAGE_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
_MOST_NAMED: Final = 10
# Only these decoders: Pillow knows 40 more, some of which start other programs (EPS).
_FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
# What Pillow raises on broken files; UnidentifiedImageError is an OSError.
_BROKEN: Final = (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, struct.error)
_ORIENTATION_TAG: Final = 0x0112
# Exif orientation -> what makes the picture upright, and the clockwise turn in it.
_TURNS: Final = {
    2: (Image.Transpose.FLIP_LEFT_RIGHT, 0),
    3: (Image.Transpose.ROTATE_180, 180),
    4: (Image.Transpose.FLIP_TOP_BOTTOM, 180),
    5: (Image.Transpose.TRANSPOSE, 90),
    6: (Image.Transpose.ROTATE_270, 90),
    7: (Image.Transpose.TRANSVERSE, 270),
    8: (Image.Transpose.ROTATE_90, 270),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageHeader:
    """What a picture file says of itself; sizes are upright, the rotation is clockwise."""

    format: str
    width_px: int
    height_px: int
    rotation_deg: int
    pictures: int


def is_image(path: Path) -> bool:
    """Whether the name is that of a picture (animated GIFs are videos)."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def list_images(folder: Path) -> list[Path]:
    """The pictures of a folder, in natural order (2 before 10).

    Raises:
        MediaError: there is none.
    """
    images = [path for path in folder.iterdir() if is_image(path) and path.is_file()]
    if not images:
        raise cannot_read(folder, _why_no_images(folder))
    return sorted(images, key=_natural_key)


def _why_no_images(folder: Path) -> str:
    files = list(folder.iterdir())
    below = sorted(path.name for path in files if path.is_dir())
    if any(path.suffix.lower() in VIDEO_SUFFIXES for path in files):
        return "the folder holds videos. Give one of them."
    if below:
        names = ", ".join(below[:_MOST_NAMED]) + (", …" if len(below) > _MOST_NAMED else "")
        return (
            "no videos and no pictures are directly in this folder, and its subfolders are not "
            f"searched. Give one of them: {names}."
        )
    what = f"the folder holds no videos and no pictures ({', '.join(IMAGE_SUFFIXES)})"
    return f"{what if files else 'the folder is empty'}. Give one with the frames of a video."


def _natural_key(path: Path) -> tuple[list[tuple[int, str]], str]:
    parts = re.split(r"([0-9]+)", path.name.lower())
    return [(int(p), "") if p.isdecimal() else (-1, p) for p in parts], path.name


def read_header(path: Path, max_pixels: int) -> ImageHeader:
    """Format and upright size, without decoding the picture.

    Raises:
        MediaError: it is not a picture, or has too many pixels.
    """
    with _opened(path, max_pixels) as image:
        tag = _orientation(image)
        is_swapped = tag >= 5 and not _turns_itself(image)
        width_px, height_px = image.size[::-1] if is_swapped else image.size
        return ImageHeader(
            format=str(image.format).lower(),
            width_px=width_px,
            height_px=height_px,
            rotation_deg=_TURNS[tag][1] if tag in _TURNS else 0,
            pictures=_count(image),
        )


def read_pixels(path: Path, max_pixels: int) -> Pixels:
    """The upright picture (H, W, 3) RGB uint8; see-through parts lie on black.

    Raises:
        MediaError: it does not decode, or has too many pixels.
    """
    with _opened(path, max_pixels) as image:
        try:
            tag = _orientation(image)
            is_upright = tag not in _TURNS or _turns_itself(image)
            upright = image if is_upright else image.transpose(_TURNS[tag][0])
            return np.array(_to_rgb(upright), dtype=np.uint8)
        except _BROKEN as error:
            raise cannot_read(
                path, "the picture is damaged or incomplete. Get the file again."
            ) from error


def _count(image: Image.Image) -> int:
    """Pictures in the file. A phone's JPEG may hold a gain map besides, which is none."""
    if image.format not in ("PNG", "WEBP", "TIFF"):
        return 1
    try:
        return int(getattr(image, "n_frames", 1))
    except _BROKEN:
        return 1


def _orientation(image: Image.Image) -> int:
    """The Exif orientation, 1 to 8; 1 where there is none or it makes no sense."""
    if image.format == "PNG" and "exif" not in image.info:
        return 1  # getexif() would decode the whole PNG in search of one behind the picture
    try:
        tag = image.getexif().get(_ORIENTATION_TAG, 1)
    except _BROKEN:
        return 1
    return tag if isinstance(tag, int) and 1 <= tag <= 8 else 1


def _turns_itself(image: Image.Image) -> bool:
    """Pillow applies the orientation of a TIFF, and of nothing else."""
    return image.format == "TIFF"


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode == "I":
        # Pillow cuts 16-bit gray off at 255 instead of scaling it.
        gray = np.asarray(image).astype(np.int64) >> 8
        return Image.fromarray(gray.clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "black"), rgba).convert("RGB")
    return image.convert("RGB")


def _opened(path: Path, max_pixels: int) -> Image.Image:
    try:
        with warnings.catch_warnings():
            # Our own limit is checked right below, before a pixel is decoded.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            Image.init()  # some formats load late, and Image.open then fails to find them
            image = Image.open(path, formats=_FORMATS)
    except PermissionError as error:
        raise cannot_read(path, "permission denied. Make it readable for this user.") from error
    except Image.DecompressionBombError as error:
        limit = f"{2 * (Image.MAX_IMAGE_PIXELS or 0):,}"
        raise cannot_read(
            path, f"the picture has more than {limit} pixels. Scale it down."
        ) from error
    except _BROKEN as error:
        raise cannot_read(
            path,
            "its content is not a picture that can be opened (JPEG, PNG, WebP, BMP or TIFF). "
            "Give a picture or a video.",
        ) from error
    if image.width * image.height > max_pixels:
        image.close()
        raise too_many_pixels(path, image.width, image.height, max_pixels)
    return image


@dataclass(frozen=True, slots=True, eq=False)
class _Ready:
    """A picture that is RGB already."""

    pixels: Pixels

    def __call__(self) -> Pixels:
        return self.pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSource:
    """Pictures from image files: one still, or a folder of frames at a constant rate."""

    paths: Sequence[Path]
    fps: Fraction
    max_pixels: int
    is_still: bool
    remarks: tuple[str, ...] = ()

    def pictures(self, notes: Notes) -> Iterator[Picture]:
        """All pictures; one that does not decode is noted and left out."""
        notes.remarks.extend(self.remarks)
        for index, path in enumerate(self.paths):
            picture = self._picture(index)
            try:
                pixels = picture.to_rgb()
            except MediaError:
                notes.damage(picture.time_s)
                notes.remark(f"the picture {path.name} could not be decoded")
                continue
            yield Picture(time_s=picture.time_s, end_s=picture.end_s, to_rgb=_Ready(pixels))

    def pictures_at(self, times_s: list[float]) -> Iterator[Picture]:
        """The picture shown at each time."""
        for time_s in times_s:
            index = int((time_s + 1e-6) * self.fps)
            yield self._picture(min(max(index, 0), len(self.paths) - 1))

    def _picture(self, index: int) -> Picture:
        path = self.paths[index]
        time_s = float(index / self.fps)
        end_s = time_s if self.is_still else float((index + 1) / self.fps)
        return Picture(
            time_s=time_s, end_s=end_s, to_rgb=lambda: read_pixels(path, self.max_pixels)
        )
