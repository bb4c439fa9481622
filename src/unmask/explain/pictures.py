"""Frames of a clip with heat over them, as one picture with a heading and a scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from unmask.report.pictures import inferno
from unmask.report.wording import clock
from unmask.types import Clip, Floats, Pixels

Scale = Literal["signed", "positive", "range"]
"""How heat is shown: around 0 in two colors; from 0; from its lowest to its highest value."""

_TILE_PX: Final = {1: 426, 2: 426, 3: 281, 4: 209}
_SMALL_TILE_PX: Final = 190
_MOST_TILES: Final = 8
_EDGE_PX: Final = 20
_GAP_PX: Final = 8
_TEXT_PX: Final = 16
_HEAD_PX: Final = 20
_LEAST_WIDTH_PX: Final = 860
_OPACITY: Final = 0.8
_FAINT: Final = 0.12

_INK: Final = (24, 24, 28)
_SOFT_INK: Final = (84, 84, 92)
_PAPER: Final = (255, 255, 255)
_COLD: Final = np.array([(10, 50, 110), (40, 115, 180), (120, 180, 220)], np.float32)
"""Dark to light blue; the report's maps go from purple to yellow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Legend:
    """Words of a picture: ``title``, ``lines`` below it, and the two ends of the color scale."""

    title: str
    lines: tuple[str, ...]
    low: str
    high: str


def strip(clip: Clip, heat: Floats, scale: Scale, legend: Legend) -> Image.Image:
    """Frames of a clip, plain above, with heat below; a single picture side by side.

    Args:
        clip: what the detector saw.
        heat: (T, H, W).
        scale: how its values become colors.
        legend: what stands around the frames.
    """
    shown = np.unique(np.linspace(0, len(clip.pixels) - 1, _MOST_TILES).round().astype(int))
    side = _TILE_PX.get(len(shown), _SMALL_TILE_PX)
    height, width = clip.pixels.shape[1:3]
    size = (side, max(1, round(side * height / width)))
    values = in_units(heat, scale)
    rows: list[list[Image.Image]] = [[], []]
    for t in shown:
        plain = _resized(_rgb(clip.pixels[t]), size)
        rows[0].append(Image.fromarray(plain))
        stretched = cv2.resize(values[t], size, interpolation=cv2.INTER_LINEAR)
        rows[1].append(Image.fromarray(heat_over(plain, np.asarray(stretched, np.float32))))
    tiles = [[*rows[0], *rows[1]]] if len(shown) == 1 else rows
    times = [clock(float(clip.times_s[t]), decimals=2) for t in shown]
    return _page(tiles, [] if len(shown) == 1 else times, scale, legend)


def in_units(heat: Floats, scale: Scale) -> Floats:
    """Heat in -1..1 for its colors: 0 shows nothing, 1 is the warmest, -1 the coldest."""
    heat = np.asarray(heat, np.float32)
    if scale == "range":
        low, high = float(heat.min()), float(heat.max())
        return np.asarray((heat - low) / max(high - low, 1e-12), np.float32)
    values = np.maximum(heat, 0) if scale == "positive" else heat
    return np.asarray(values / max(float(np.abs(values).max()), 1e-12), np.float32)


def heat_over(pixels: Pixels, values: Floats) -> Pixels:
    """A picture (h, w, 3) with transparent colors over it for values (h, w) in -1..1."""
    strength = np.abs(values)
    alpha = np.clip((strength - _FAINT) / (1 - _FAINT), 0, 1)[..., None] ** 0.7 * _OPACITY
    mixed = pixels.astype(np.float32) * (1 - alpha) + _colors(values) * alpha
    return np.asarray(mixed.round().clip(0, 255), np.uint8)


def font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font that Pillow brings along."""
    return ImageFont.load_default(size_px)


def wrapped(text: str, size_px: int, width_px: int) -> list[str]:
    """The text in lines of at most that width; a longer word stands alone and is cut short."""
    face = font(size_px)
    lines: list[str] = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if face.getlength(longer) <= width_px or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return [shortened(line, size_px, width_px) for line in lines]


def shortened(text: str, size_px: int, width_px: int) -> str:
    """The text, its end replaced by … where it would be wider.

    >>> shortened("abc", 16, 400)
    'abc'
    """
    face = font(size_px)
    if face.getlength(text) <= width_px:
        return text
    while text and face.getlength(f"{text}…") > width_px:
        text = text[:-1]
    return f"{text}…"


def _colors(values: Floats) -> Floats:
    warm = inferno(np.clip(values, 0, 1)).astype(np.float32)
    places = np.linspace(0, 1, len(_COLD))
    cold = np.stack([np.interp(-values, places, _COLD[:, c]) for c in range(3)], axis=-1)
    return np.where(values[..., None] < 0, cold, warm).astype(np.float32)


def _rgb(pixels: Pixels) -> Pixels:
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def _resized(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    how = cv2.INTER_AREA if size[0] < pixels.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, size, interpolation=how), np.uint8)


def _page(
    tiles: list[list[Image.Image]], times: list[str], scale: Scale, legend: Legend
) -> Image.Image:
    """Heading, rows of tiles, times below the last row, color scale."""
    side, height = tiles[0][0].size
    columns = len(tiles[0])
    inner = max(columns * (side + _GAP_PX) - _GAP_PX, _LEAST_WIDTH_PX)
    head = [(line, _HEAD_PX, _INK) for line in wrapped(legend.title, _HEAD_PX, inner)]
    for text in legend.lines:
        head += [(line, _TEXT_PX, _SOFT_INK) for line in wrapped(text, _TEXT_PX, inner)]
    line_px = _HEAD_PX + 8
    top = _EDGE_PX + len(head) * line_px + _GAP_PX
    below = (line_px if times else 0) + _GAP_PX + 3 * line_px
    total = (inner + 2 * _EDGE_PX, top + len(tiles) * (height + _GAP_PX) + below)
    page = Image.new("RGB", total, _PAPER)
    pen = ImageDraw.Draw(page)
    for number, (line, size, ink) in enumerate(head):
        pen.text((_EDGE_PX, _EDGE_PX + number * line_px), line, fill=ink, font=font(size))
    for row, pictures in enumerate(tiles):
        for column, picture in enumerate(pictures):
            x, y = _EDGE_PX + column * (side + _GAP_PX), top + row * (height + _GAP_PX)
            page.paste(picture, (x, y))
    y = top + len(tiles) * (height + _GAP_PX)
    for column, text in enumerate(times):
        x = _EDGE_PX + column * (side + _GAP_PX) + side // 2
        pen.text((x, y), text, fill=_SOFT_INK, font=font(_TEXT_PX), anchor="ma")
    _draw_scale(page, pen, y + (line_px if times else 0) + _GAP_PX, inner, scale, legend)
    return page


def _draw_scale(
    page: Image.Image, pen: ImageDraw.ImageDraw, y: int, width: int, scale: Scale, legend: Legend
) -> None:
    """A bar of the colors over gray, as they look over a picture, and what its ends mean."""
    ramp = np.linspace(-1 if scale == "signed" else 0, 1, width, dtype=np.float32)
    bar = heat_over(np.full((14, width, 3), 150, np.uint8), np.repeat(ramp[None], 14, axis=0))
    page.paste(Image.fromarray(bar), (_EDGE_PX, y))
    half = (width - 2 * _GAP_PX) // 2
    low = shortened(legend.low, _TEXT_PX, half)
    high = shortened(legend.high, _TEXT_PX, half)
    pen.text((_EDGE_PX, y + 22), low, fill=_SOFT_INK, font=font(_TEXT_PX))
    pen.text((_EDGE_PX + width, y + 22), high, fill=_SOFT_INK, font=font(_TEXT_PX), anchor="ra")
