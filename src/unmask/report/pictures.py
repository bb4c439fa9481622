"""Key frames as JPEG data URIs: the frame with box and heat, and the face with and without."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from unmask.types import Floats, KeyFrame, Pixels

_FRAME_PX = 800
_FACE_PX = 360
_OPACITY = 0.8
# Faint values are noise; below this the picture shows through untouched.
_FAINT = 0.2

# Nine samples of matplotlib's inferno (CC0), its lower end left out: black heat reads as shadow.
_INFERNO = np.array(
    [
        (87, 16, 110),
        (120, 28, 109),
        (152, 39, 102),
        (183, 52, 86),
        (212, 72, 66),
        (235, 98, 42),
        (249, 132, 13),
        (251, 173, 25),
        (246, 215, 70),
    ],
    dtype=np.float32,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The pictures of one key frame as data URIs; ``heat`` is None where there is no mask."""

    frame: str
    face: str
    heat: str | None


def draw(key_frame: KeyFrame) -> Evidence:
    """The whole frame with box and heat, and the face alone without and with heat."""
    plain = Image.fromarray(np.ascontiguousarray(key_frame.pixels))
    frame, scale = _fit(plain, key_frame.scale, _FRAME_PX)
    frame = _heat_over(frame, key_frame, scale, origin_px=(0.0, 0.0))
    _draw_box(frame, key_frame.box_px * scale)
    left, top, right, bottom = _face_area(key_frame, plain.size)
    crop, crop_scale = _fit(plain.crop((left, top, right, bottom)), key_frame.scale, _FACE_PX)
    origin = (left / key_frame.scale, top / key_frame.scale)
    heat = None
    if _has_mask(key_frame):
        heat = data_uri(_heat_over(crop, key_frame, crop_scale, origin_px=origin))
    return Evidence(frame=data_uri(frame), face=data_uri(crop), heat=heat)


def data_uri(picture: Image.Image) -> str:
    """The picture as ``data:image/jpeg;base64,…``."""
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=86, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def inferno(values: Floats) -> Pixels:
    """Values (h, w) in 0..1 as RGB uint8 (h, w, 3), from purple to yellow."""
    places = np.linspace(0, 1, len(_INFERNO))
    channels = [np.interp(values, places, _INFERNO[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.uint8)


def _has_mask(key_frame: KeyFrame) -> bool:
    return key_frame.mask is not None and key_frame.region_px is not None


def _fit(picture: Image.Image, scale: float, side_px: int) -> tuple[Image.Image, float]:
    """The picture made to fit a square, never enlarged, and its size relative to the video."""
    shrink = min(1.0, side_px / max(picture.size))
    if shrink == 1.0:
        return picture, scale
    width, height = (max(1, round(length * shrink)) for length in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS), scale * shrink


def _face_area(key_frame: KeyFrame, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The part of the picture to show close up: box and region with a little air, in its pixels."""
    boxes = [key_frame.box_px]
    if _has_mask(key_frame) and key_frame.region_px is not None:
        boxes.append(key_frame.region_px)
    corners = np.stack(boxes).astype(np.float64) * key_frame.scale
    x0, y0 = corners[:, :2].min(axis=0)
    x1, y1 = corners[:, 2:].max(axis=0)
    half = 0.55 * max(x1 - x0, y1 - y0, 2.0)
    middle_x, middle_y = (x0 + x1) / 2, (y0 + y1) / 2
    left = int(np.clip(middle_x - half, 0, size[0] - 1))
    top = int(np.clip(middle_y - half, 0, size[1] - 1))
    right = int(np.clip(np.ceil(middle_x + half), left + 1, size[0]))
    bottom = int(np.clip(np.ceil(middle_y + half), top + 1, size[1]))
    return left, top, right, bottom


def _heat_over(
    picture: Image.Image, key_frame: KeyFrame, scale: float, *, origin_px: tuple[float, float]
) -> Image.Image:
    """The picture with the mask as transparent heat, and a thin line around values over 0.5."""
    if key_frame.mask is None or key_frame.region_px is None or key_frame.mask.size == 0:
        return picture.copy()
    values = _spread(key_frame.mask, key_frame.region_px, picture.size, scale, origin_px)
    return with_heat(picture, values)


def with_heat(picture: Image.Image, values: Floats) -> Image.Image:
    """A picture under transparent heat (h, w) in 0..1 of its own size, a thin line around 0.5."""
    alpha = np.clip((values - _FAINT) / (1 - _FAINT), 0, 1)[..., None] ** 0.7 * _OPACITY
    below = np.asarray(picture.convert("RGB"), dtype=np.float32)
    mixed = below * (1 - alpha) + inferno(values) * alpha
    mixed[_edge(values > 0.5)] = 255
    return Image.fromarray(mixed.round().astype(np.uint8))


def _spread(
    mask: Floats,
    region_px: Floats,
    size: tuple[int, int],
    scale: float,
    origin_px: tuple[float, float],
) -> Floats:
    """The mask laid over a picture of ``size`` (width, height): (h, w), 0 outside its region."""
    x0, y0 = ((float(region_px[axis]) - origin_px[axis]) * scale for axis in (0, 1))
    x1, y1 = ((float(region_px[2 + axis]) - origin_px[axis]) * scale for axis in (0, 1))
    left, top = round(x0), round(y0)
    width, height = max(1, round(x1) - left), max(1, round(y1) - top)
    known = np.nan_to_num(np.asarray(mask, dtype=np.float32), nan=0.0).clip(0, 1)
    stretched = Image.fromarray(known).resize((width, height), Image.Resampling.BILINEAR)
    canvas = Image.new("F", size, 0.0)
    canvas.paste(stretched, (left, top))
    return np.asarray(canvas, dtype=np.float32)


def _edge(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    edge = np.zeros_like(inside)
    edge[1:] |= inside[1:] != inside[:-1]
    edge[:, 1:] |= inside[:, 1:] != inside[:, :-1]
    return edge


def _draw_box(picture: Image.Image, box_px: Floats) -> None:
    """A light line on a dark one, so that it shows on any picture."""
    x0, y0, x1, y1 = (round(float(value)) for value in box_px)
    if x1 <= x0 or y1 <= y0:
        return
    line = max(2, round(max(picture.size) / 300))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((x0 - 1, y0 - 1, x1, y1), outline=(20, 20, 20), width=line + 2)
    pen.rectangle((x0, y0, x1 - 1, y1 - 1), outline=(255, 255, 255), width=line)
