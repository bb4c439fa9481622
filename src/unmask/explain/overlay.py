"""Heat over the face at its place in the full frame, as a video."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from unmask.explain.pictures import font, heat_over, shortened
from unmask.media import open_video, write_video
from unmask.types import Floats, Frame, Pixels

_SLACK_S: Final = 1e-6
_LONGEST_PX: Final = 1280


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeatTrack:
    """Heat over time: ``times_s`` (N,) ascending, ``regions_px`` (N, 4) of the full frame,
    ``values`` (N, h, w) in -1..1, and a ``label`` for each.
    """

    times_s: NDArray[np.float64]
    regions_px: Floats
    values: Floats
    labels: tuple[str, ...]

    def at(self, time_s: float) -> tuple[Floats, Floats, str]:
        """Region and values between the two nearest times, and the latest label."""
        after = int(np.searchsorted(self.times_s, time_s + _SLACK_S))
        before, after = max(after - 1, 0), min(after, len(self.times_s) - 1)
        span_s = float(self.times_s[after] - self.times_s[before])
        share = 0.0 if span_s <= 0 else (time_s - float(self.times_s[before])) / span_s
        share = min(max(share, 0.0), 1.0)
        region, values = (
            ((1 - share) * some[before] + share * some[after]).astype(np.float32)
            for some in (self.regions_px, self.values)
        )
        return region, values, self.labels[before]


def write_overlay(
    path: str | Path, out: Path, track: HeatTrack, start_s: float, end_s: float
) -> int:
    """Writes the frames from ``start_s`` to ``end_s`` with heat and label as H.264.

    The video is only read. Larger frames are reduced to 1280 px.

    Args:
        path: the video.
        out: the file to write; its suffix says the container.
        track: heat over the time that is shown.
        start_s: time of the first frame.
        end_s: frames from then on are left out, but for the first.

    Returns:
        The number of frames; 0 where none could be read, and then there is no file.

    Raises:
        MediaError: the video cannot be read.
        OutputError: the file cannot be written.
    """
    count = 0

    def drawn() -> Iterator[Frame]:
        nonlocal count
        first_s: float | None = None
        for frame in video.frames(lambda _i, t, _n: t >= start_s - _SLACK_S):
            if first_s is not None and frame.time_s >= end_s - _SLACK_S:
                return
            first_s = frame.time_s if first_s is None else first_s
            pixels = draw_heat(frame.pixels, *track.at(frame.time_s))
            yield replace(frame, time_s=frame.time_s - first_s, pixels=pixels)
            count += 1

    with open_video(path) as video:
        frames = drawn()
        first = next(frames, None)
        if first is None:
            return 0
        write_video(out, _with(first, frames), video.info.fps or 25)
    return count


def _with(first: Frame, others: Iterator[Frame]) -> Iterator[Frame]:
    yield first
    yield from others


def draw_heat(pixels: Pixels, region_px: Floats, values: Floats, label: str) -> Pixels:
    """A frame (H, W, 3) with heat (h, w) over a region (4,), its outline and a label inside."""
    scale = min(1.0, _LONGEST_PX / max(pixels.shape[:2]))
    if scale < 1:
        size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    height, width = pixels.shape[:2]
    x0, y0, x1, y1 = (round(float(v) * scale) for v in region_px)
    x1, y1 = max(x1, x0 + 1), max(y1, y0 + 1)
    over = np.asarray(cv2.resize(values, (x1 - x0, y1 - y0)), np.float32)
    # The region may lie partly outside of the frame.
    left, top, right, bottom = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    done = pixels.copy()
    if right > left and bottom > top:
        part = over[top - y0 : bottom - y0, left - x0 : right - x0]
        done[top:bottom, left:right] = heat_over(done[top:bottom, left:right], part)
    picture = Image.fromarray(done)
    _outline(picture, (left, top, right, bottom))
    _write_label(picture, label, left, top)
    return np.asarray(picture, np.uint8)


def _outline(picture: Image.Image, box: tuple[int, int, int, int]) -> None:
    """A light line on a dark one, so that it shows on any picture."""
    x0, y0, x1, y1 = box
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    line = max(1, round(max(picture.size) / 500))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((x0, y0, x1 - 1, y1 - 1), outline=(20, 20, 20), width=line + 2)
    pen.rectangle((x0 + 1, y0 + 1, x1 - 2, y1 - 2), outline=(255, 255, 255), width=line)


def _write_label(picture: Image.Image, label: str, x: int, y: int) -> None:
    """Light on a dark plate above the region, moved where it would leave the frame."""
    size = max(14, round(max(picture.size) / 40))
    pad = max(3, size // 4)
    text = shortened(label, size, picture.width - 2 * pad)
    pen = ImageDraw.Draw(picture)
    text_px = pen.textbbox((0, 0), text, font=font(size))
    width, height = int(text_px[2]) + 2 * pad, int(text_px[3]) + 2 * pad
    left = min(max(x, 0), max(picture.width - width, 0))
    top = y - height if y >= height else max(min(y, picture.height - height), 0)
    pen.rectangle((left, top, left + width, top + height), fill=(20, 20, 24))
    pen.text((left + pad, top + pad), text, fill=(255, 255, 255), font=font(size))
