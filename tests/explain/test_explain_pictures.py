"""What is drawn: heat where it belongs, the rest untouched, words inside the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from unmask.explain.charts import draw_order, draw_time
from unmask.explain.overlay import HeatTrack, draw_heat
from unmask.explain.pictures import (
    Legend,
    font,
    heat_over,
    in_units,
    shortened,
    strip,
    wrapped,
)
from unmask.types import Clip, InputSpec

LEGEND = Legend(title="occlusion  ·  toy", lines=("What it shows.",), low="low", high="high")


def clip_of(frames: int, channels: int = 3) -> Clip:
    return Clip(
        track_id=0,
        spec=InputSpec(size=(24, 24), frames=frames),
        pixels=np.full((frames, 24, 24, channels), 120, np.uint8),
        frame_indices=np.arange(frames),
        times_s=np.arange(frames) / 25,
        is_real_frame=np.ones(frames, np.bool_),
        regions_px=np.zeros((frames, 4), np.float32),
        face_px=90.0,
    )


def test_units_of_the_three_scales():
    heat = np.array([[[-2.0, 0.0, 1.0]]], np.float32)
    assert in_units(heat, "signed")[0, 0].tolist() == [-1.0, 0.0, 0.5]
    assert in_units(heat, "positive")[0, 0].tolist() == [0.0, 0.0, 1.0]
    assert in_units(heat, "range")[0, 0] == pytest.approx([0.0, 2 / 3, 1.0])
    for scale in ("signed", "positive", "range"):
        assert (in_units(np.zeros((1, 2, 2), np.float32), scale) == 0).all()


def test_nothing_shows_the_picture_and_the_two_signs_differ():
    gray = np.full((1, 3, 3), 120, np.uint8)
    cold, none, warm = heat_over(gray, np.array([[-1.0, 0.0, 1.0]], np.float32))[0].astype(int)
    assert none.tolist() == [120, 120, 120]
    assert warm[0] > warm[2]
    assert cold[2] > cold[0]


@pytest.mark.parametrize(("frames", "channels"), [(1, 3), (2, 1), (5, 3), (25, 1)])
def test_a_strip_shows_heat_below_the_plain_frames(frames: int, channels: int):
    heat = np.zeros((frames, 24, 24), np.float32)
    heat[:, :12] = 1.0
    page = strip(clip_of(frames, channels), heat, "positive", LEGEND)
    pixels = np.asarray(page).astype(int)
    assert page.width <= 1700
    is_plain = (pixels == 120).all(axis=2)
    is_warm = (pixels[..., 0] - pixels[..., 2]) > 100
    assert is_plain.mean() > 0.15
    assert is_warm.mean() > 0.05


def test_words_are_wrapped_and_shortened_to_their_width():
    text = "word " * 60
    lines = wrapped(text, 16, 300)
    assert " ".join(lines).split() == text.split()
    assert all(font(16).getlength(line) <= 300 for line in lines)
    cut = shortened("x" * 500, 16, 300)
    assert cut.endswith("…")
    assert font(16).getlength(cut) <= 300


def test_heat_stays_inside_its_region():
    frame = np.full((90, 120, 3), 77, np.uint8)
    region = np.array([60, 50, 100, 80], np.float32)
    drawn = draw_heat(frame, region, np.ones((4, 4), np.float32), "toy")
    assert (frame == 77).all()
    changed = (drawn != 77).any(axis=2)
    assert changed[52:78, 62:98].all()
    # Outside: only the label's plate above it.
    outside = changed.copy()
    outside[50:80, 60:100] = False
    assert outside[50:].sum() == 0


@pytest.mark.parametrize(
    "region", [(-30, -20, 20, 30), (100, 70, 160, 130), (-500, -500, -400, -400), (5, 5, 5, 5)]
)
def test_a_region_partly_or_wholly_outside(region: tuple[int, ...]):
    frame = np.full((90, 120, 3), 77, np.uint8)
    drawn = draw_heat(frame, np.array(region, np.float32), np.ones((4, 4), np.float32), "toy")
    assert drawn.shape == frame.shape


@pytest.mark.parametrize("corner", [(0, 0), (80, 60), (0, 60), (80, 0)])
def test_the_label_stays_in_the_frame(corner: tuple[int, int]):
    frame = np.full((90, 240, 3), 77, np.uint8)
    x, y = corner
    region = np.array([x, y, x + 30, y + 30], np.float32)
    drawn = draw_heat(frame, region, np.zeros((4, 4), np.float32), "score +1.23").astype(int)
    plate = (np.abs(drawn - np.array([20, 20, 24])) < 3).all(axis=2)
    rows, columns = np.nonzero(plate)
    assert np.ptp(columns) > 80
    assert np.ptp(rows) >= 14


def test_large_frames_are_reduced_with_their_heat():
    frame = np.full((1440, 2560, 3), 77, np.uint8)
    region = np.array([1280, 720, 2560, 1440], np.float32)
    drawn = draw_heat(frame, region, np.ones((4, 4), np.float32), "toy")
    assert drawn.shape == (720, 1280, 3)
    assert (drawn[400:700, 680:1240] != 77).any(axis=2).all()
    assert (drawn[400:, :600] == 77).all()


def test_heat_moves_between_two_times():
    track = HeatTrack(
        times_s=np.array([1.0, 2.0]),
        regions_px=np.array([[0, 0, 10, 10], [10, 20, 20, 30]], np.float32),
        values=np.stack([np.zeros((2, 2)), np.ones((2, 2))]).astype(np.float32),
        labels=("first", "second"),
    )
    region, values, label = track.at(1.25)
    assert region.tolist() == [2.5, 5, 12.5, 15]
    assert (values == 0.25).all()
    assert label == "first"
    for time_s, at in [(0.0, 0), (1.0, 0), (2.0, 1), (9.0, 1)]:
        region, _, label = track.at(time_s)
        assert region.tolist() == track.regions_px[at].tolist()
        assert label == track.labels[at]


@pytest.mark.parametrize(("frames", "channels"), [(5, 3), (25, 1)])
def test_charts_are_pictures(tmp_path: Path, frames: int, channels: int):
    falls = np.linspace(-1, 1, frames, dtype=np.float32)
    draw_time(tmp_path / "time.png", clip_of(frames, channels), falls, np.abs(falls), "a title")
    draw_order(tmp_path / "order.png", {"original": (1.0,), "shuffle": (0.5, 0.2)}, "a title")
    for name in ("time.png", "order.png"):
        with Image.open(tmp_path / name) as picture:
            assert picture.width > 800
            assert len(np.unique(np.asarray(picture.convert("L")))) > 20
