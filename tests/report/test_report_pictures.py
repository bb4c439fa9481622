"""Key frames: the heat lies on the mask and nowhere else."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from report_builders import make_key_frame

from unmask.report.pictures import draw, inferno
from unmask.types import Pixels


def decode(uri: str) -> Pixels:
    head, _, body = uri.partition(",")
    assert head == "data:image/jpeg;base64"
    with Image.open(io.BytesIO(base64.b64decode(body, validate=True))) as picture:
        assert picture.format == "JPEG"
        return np.asarray(picture.convert("RGB"))


def color_of(picture: Pixels) -> np.ndarray:
    """How far each pixel is from grey; the frame of the tests is grey."""
    levels = picture.astype(int)
    return levels.max(axis=-1) - levels.min(axis=-1)


def test_the_heat_lies_on_the_mask_only() -> None:
    key_frame = make_key_frame()
    colored = color_of(decode(draw(key_frame).frame))
    scale = 800 / 1280
    x0, y0, x1, y1 = (key_frame.region_px * scale).round().astype(int)
    assert colored[y0:y1, x0:x1].max() > 100
    outside = colored.copy()
    outside[y0 - 4 : y1 + 4, x0 - 4 : x1 + 4] = 0
    assert outside.max() < 12
    down, across = np.unravel_index(colored.argmax(), colored.shape)
    assert (across - x0) / (x1 - x0) == pytest.approx(0.5, abs=0.15)
    assert (down - y0) / (y1 - y0) == pytest.approx(0.68, abs=0.15)


def test_the_plain_face_has_the_size_of_the_heated_one_and_no_heat() -> None:
    evidence = draw(make_key_frame())
    plain, heated = decode(evidence.face), decode(evidence.heat or "")
    assert plain.shape == heated.shape
    assert max(plain.shape) <= 360
    assert color_of(plain).max() < 12
    assert color_of(heated).max() > 100


def test_the_box_is_drawn_around_the_face() -> None:
    key_frame = make_key_frame(with_mask=False)
    frame = decode(draw(key_frame).frame).astype(int)
    left, top = (key_frame.box_px[:2] * 800 / 1280).round().astype(int)
    row = frame[top + 60, left - 12 : left + 12].mean(axis=-1)
    assert row.max() - row.min() > 120


def test_without_a_mask_there_is_no_heat() -> None:
    evidence = draw(make_key_frame(with_mask=False))
    assert evidence.heat is None
    assert color_of(decode(evidence.frame)).max() < 12


def test_a_frame_stored_at_half_size_shows_the_same_place() -> None:
    whole, half = (decode(draw(make_key_frame(scale=scale)).frame) for scale in (1.0, 0.5))
    assert whole.shape == (450, 800, 3)
    assert half.shape == (360, 640, 3)
    places = [
        np.argwhere(color_of(picture) > 60).mean(axis=0) / picture.shape[:2]
        for picture in (whole, half)
    ]
    assert places[0] == pytest.approx(places[1], abs=0.01)


@pytest.mark.parametrize(
    "region",
    [(-200, -150, 300, 350), (1100, 600, 1500, 1000), (0, 0, 1280, 720), (3000, 3000, 3200, 3200)],
)
def test_a_region_over_the_edge_is_no_trouble(region: tuple[float, ...]) -> None:
    corners = np.array(region, np.float32)
    evidence = draw(replace(make_key_frame(), region_px=corners, box_px=corners))
    assert decode(evidence.frame).shape == (450, 800, 3)
    assert min(decode(evidence.face).shape[:2]) >= 1
    assert evidence.heat is not None


def test_a_mask_with_gaps_is_drawn_without_them() -> None:
    key_frame = make_key_frame()
    mask = np.full((4, 4), np.nan, np.float32)
    assert color_of(decode(draw(replace(key_frame, mask=mask)).frame)).max() < 12


def test_the_caller_s_pixels_are_left_alone() -> None:
    key_frame = make_key_frame()
    before = key_frame.pixels.copy()
    draw(key_frame)
    assert np.array_equal(before, key_frame.pixels)


def test_heat_grows_lighter_with_the_value() -> None:
    ramp = inferno(np.linspace(0, 1, 9, dtype=np.float32)[None])
    lightness = ramp[0].astype(int) @ np.array([299, 587, 114])
    assert (np.diff(lightness) > 0).all()
