"""The mouth-crop chain against the authors' code (fixture), and its rules."""

from __future__ import annotations

import json
import math
import zlib
from pathlib import Path

import numpy as np
import pytest

from unmask.clips.mouth import (
    STEADY_POINTS,
    align_to_mean_face,
    cut_mouth,
    mouth_clip,
    mouth_corner,
    smooth_ahead,
    to_gray,
)

FIXTURE = json.loads(
    (Path(__file__).parents[1] / "fixtures" / "lipforensics_alignment.json").read_text()
)
FRAMES = FIXTURE["frames"]


def landmarks_of(frame: int) -> np.ndarray:
    """The fixture's ``landmark_formula``."""
    base = np.full((68, 2), 128.0)
    base[list(STEADY_POINTS)] = list(FIXTURE["constants"]["mean_face_at_stable_points"].values())
    turn = 2 * np.pi * np.arange(20) / 20
    base[48:] = np.stack([129 + 22 * np.cos(turn), 158 + 9 * np.sin(turn)], axis=1)
    angle = math.radians(8 + 0.5 * frame)
    rotation = 1.15 * np.array(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    seed = zlib.crc32(f"input:landmarks:{frame}".encode())
    noise = np.random.Generator(np.random.PCG64(seed)).standard_normal((68, 2))
    return base @ rotation.T + (20 + frame, -10 + 0.5 * frame) + 0.8 * noise


def picture_of(frame: int) -> np.ndarray:
    """The fixture's ``frame_formula``; 320 x 320 RGB."""
    y, x, c = np.mgrid[0:320, 0:320, 0:3]
    wave = np.sin(x * (0.05 + 0.01 * c) + y * (0.03 + 0.005 * c) + 0.3 * frame)
    return np.clip(np.rint(128 + 100 * wave), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def landmarks() -> np.ndarray:
    return np.stack([landmarks_of(frame) for frame in range(FRAMES)])


def test_the_formulas_give_the_fixture_its_input(landmarks: np.ndarray):
    np.testing.assert_allclose(landmarks[0, 0], FIXTURE["first_landmark_frame0"], rtol=1e-6)
    checksums = [int(picture_of(frame).sum()) for frame in (0, FRAMES - 1)]
    assert checksums == FIXTURE["frame_checksum"]


def test_transforms_and_corners_agree_with_the_authors_code(landmarks: np.ndarray):
    matrices = align_to_mean_face(landmarks)
    for expected in FIXTURE["expected"]:
        frame = expected["frame"]
        wanted = np.reshape(expected["matrix_rows01"], (2, 3))
        np.testing.assert_allclose(matrices[frame], wanted, rtol=1e-6)
        center, corner = mouth_corner(landmarks[frame], matrices[frame])
        np.testing.assert_allclose(center, expected["mouth_centre"], rtol=1e-6)
        assert corner.tolist() == expected["crop_origin_xy"]


def test_pictures_agree_with_the_authors_code(landmarks: np.ndarray):
    matrices = align_to_mean_face(landmarks)
    for expected in FIXTURE["expected"]:
        frame = expected["frame"]
        cut = cut_mouth(picture_of(frame), landmarks[frame], matrices[frame])
        rgb, gray = expected["rgb_crop"], expected["gray88"]
        assert cut.shape == (96, 96, 3)
        assert cut[48, 40:48].tolist() == rgb["row48_cols40to47"]
        assert cut.mean() == pytest.approx(rgb["mean"], rel=1e-6)
        assert cut.std() == pytest.approx(rgb["std"], rel=1e-6)
        small = to_gray(cut, 88)
        assert small.shape == (88, 88)
        assert small[44, 36:52].tolist() == gray["row44_cols36to51"]
        assert small.mean() == pytest.approx(gray["mean"], rel=1e-6)
        assert small.std() == pytest.approx(gray["std"], rel=1e-6)


def test_the_whole_chain_is_the_sum_of_its_steps(landmarks: np.ndarray):
    frames = np.stack([picture_of(frame) for frame in range(13)])
    clip = mouth_clip(frames, landmarks[:13], side_px=88)
    assert clip.shape == (13, 88, 88, 1)
    matrices = align_to_mean_face(landmarks[:13])
    last = to_gray(cut_mouth(frames[12], landmarks[12], matrices[12]), 88)
    assert np.array_equal(clip[12, :, :, 0], last)
    assert np.array_equal(matrices[1], matrices[12])


@pytest.mark.parametrize("count", [1, 11, 12])
def test_short_clips_work(count: int, landmarks: np.ndarray):
    smooth = smooth_ahead(landmarks[:count])
    assert smooth.shape == (count, 68, 2)
    np.testing.assert_allclose(smooth, np.broadcast_to(landmarks[:count].mean(0), smooth.shape))
    frames = np.stack([picture_of(frame) for frame in range(count)])
    assert mouth_clip(frames, landmarks[:count]).shape == (count, 96, 96, 1)


def test_smoothing_looks_ahead_and_repeats_the_last_full_window():
    points = np.arange(14.0).reshape(14, 1, 1)
    assert smooth_ahead(points).ravel().tolist() == [5.5, 6.5, *[7.5] * 12]


def test_the_square_stays_in_the_aligned_frame_and_is_black_outside_the_picture():
    landmarks = np.zeros((68, 2))
    landmarks[48:] = (400.0, -60.0)
    straight = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    assert mouth_corner(landmarks, straight)[1].tolist() == [256 - 96, 0]
    cut = cut_mouth(np.full((50, 200, 3), 200, np.uint8), landmarks, straight)
    assert (cut[:50, :40] == 200).all()
    assert not cut[51:].any()
    assert not cut[:, 41:].any()
