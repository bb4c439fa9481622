"""Each kind does what its parameter says, against cases worked by hand."""

from pathlib import Path

import corruption_table
import cv2
import numpy as np
import pytest

from unmask.corruptions import CORRUPTIONS, corrupt, corrupt_frame
from unmask.corruptions.kinds.noise import noise_matrix

# evaluation.md, section 3, and perturbation/add_distortion_to_video.py of DeeperForensics-1.0.
TABLE = {
    "saturation": (0.4, 0.3, 0.2, 0.1, 0.0),
    "contrast": (0.85, 0.725, 0.6, 0.475, 0.35),
    "block": (16, 32, 48, 64, 80),
    "noise": (0.001, 0.002, 0.005, 0.01, 0.05),
    "blur": (7, 9, 13, 17, 21),
    "pixelation": (2, 3, 4, 5, 6),
    "compression": (30, 32, 35, 38, 40),
}


def one(color, height=64, width=64):
    return np.full((1, height, width, 3), color, np.uint8)


def test_the_seven_have_the_published_parameters():
    assert {name: CORRUPTIONS[name].values for name in TABLE} == TABLE
    assert all(kind.name == name for name, kind in CORRUPTIONS.items())


def test_the_page_holds_the_table_of_the_registry():
    page = Path(__file__).parents[2] / "docs" / "corruptions.md"
    assert corruption_table.rows() in page.read_text(encoding="utf-8")
    assert corruption_table.rows().count("\n") == 2 + len(CORRUPTIONS)
    assert "| `blur` | edge of the Gaussian kernel, px | 7 | 9 | 13 | 17 | 21 |" in page.read_text()


def test_saturation_multiplies_the_chroma_and_keeps_the_luma():
    # Luma of (200, 100, 50): 0.299 * 200 + 0.587 * 100 + 0.114 * 50 = 124.2.
    for severity, factor in enumerate(TABLE["saturation"], 1):
        expected = [round(124.2 + factor * (value - 124.2)) for value in (200, 100, 50)]
        assert corrupt(one((200, 100, 50)), "saturation", severity)[0, 5, 5].tolist() == expected
    assert corrupt(one((200, 100, 50)), "saturation", 5)[0, 5, 5].tolist() == [124] * 3


def test_contrast_multiplies_every_value():
    found = [corrupt(one((200, 100, 40)), "contrast", s)[0, 0, 0].tolist() for s in range(1, 6)]
    assert found == [[170, 85, 34], [145, 72, 29], [120, 60, 24], [95, 48, 19], [70, 35, 14]]


@pytest.mark.parametrize(("side", "blocks"), [(128, 16), (256, 16), (511, 16), (512, 32)])
def test_blocks_are_gray_squares_of_8_px_as_many_as_the_shorter_side_has_256(side, blocks):
    covered = (corrupt(one(255, side, side + 40), "block", 1, seed=3)[0] == 128).all(-1)
    count, _, boxes, _ = cv2.connectedComponentsWithStats(covered.astype(np.uint8))
    assert (8, 8) in [tuple(box[2:4]) for box in boxes[1:] if box[4] == 64]
    assert blocks / 2 <= count - 1 <= blocks  # some touch
    assert 0.7 * blocks * 64 <= covered.sum() <= blocks * 64


@pytest.mark.parametrize(
    ("height", "width", "severity", "share"),
    # Share of the picture in percent, as measured on block_wise of DeeperForensics-1.0.
    [(480, 854, 1, 0.25), (480, 854, 5, 1.24), (720, 1280, 1, 0.22), (1080, 1920, 5, 0.98)],
)
def test_blocks_cover_what_the_published_ones_do(height, width, severity, share):
    covered = (corrupt(one(255, height, width), "block", severity, seed=3)[0] == 128).all(-1)
    assert 100 * covered.mean() == pytest.approx(share, rel=0.1)


def test_the_number_of_blocks_is_that_of_the_severity():
    # Expected share that n squares leave free, if they may overlap, is (1 - p) ** n.
    for severity, number in enumerate(TABLE["block"], 1):
        shares = [
            (corrupt(one(255, 256, 256), "block", severity, seed=seed)[0] == 128).mean()
            for seed in range(40)
        ]
        assert np.mean(shares) == pytest.approx(1 - (1 - (8 / 256) ** 2) ** number, rel=0.02)


def test_blocks_reach_every_edge_and_never_leave_the_frame():
    covered = np.zeros((64, 96), bool)
    for seed in range(60):
        covered |= (corrupt(one(255, 64, 96), "block", 5, seed=seed)[0] == 128).all(-1)
    assert covered[0].any() and covered[-1].any()
    assert covered[:, 0].any() and covered[:, -1].any()


def test_a_higher_severity_keeps_the_blocks_of_the_lower():
    masks = [(corrupt(one(255, 256, 256), "block", s, seed=1)[0] == 128).all(-1) for s in (1, 3, 5)]
    assert (masks[0] <= masks[1]).all()
    assert (masks[1] <= masks[2]).all()
    assert masks[0].sum() < masks[1].sum() < masks[2].sum()


@pytest.mark.parametrize("severity", [1, 2, 3])
def test_noise_has_its_variance_in_luma_and_chroma(severity):
    noisy = corrupt(one(128, 300, 300), "noise", severity)[0].reshape(-1, 3) / 255.0
    red, green, blue = (noisy - 128 / 255).T
    # Back to where the original adds it: BT.601, luma 16..235, chroma 16..240 of 255.
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    parts = [luma * 219 / 255, (blue - luma) / 1.773 * 224 / 255, (red - luma) / 1.403 * 224 / 255]
    variance = TABLE["noise"][severity - 1]
    assert [part.var() for part in parts] == pytest.approx([variance] * 3, rel=0.03)
    assert np.corrcoef(parts) == pytest.approx(np.eye(3), abs=0.02)
    means = [part.mean() for part in parts]
    assert means == pytest.approx([0] * 3, abs=5 * (variance / 9e4) ** 0.5)


def test_the_noise_of_one_channel_by_hand():
    # Red is Y + 1.403 Cr: 255 * sqrt(0.01 * ((255/219)^2 + (1.403 * 255/224)^2)) = 50.40.
    assert np.linalg.norm(noise_matrix(0.01)[0]) == pytest.approx(50.40, abs=0.01)


def test_noise_is_normal_and_white():
    noise = corrupt(one(128, 400, 400), "noise", 1)[0, :, :, 1].astype(float) - 128
    values = noise / noise.std()
    assert (values**3).mean() == pytest.approx(0, abs=0.03)
    assert (values**4).mean() == pytest.approx(3, abs=0.1)
    for shifted in (np.roll(values, 1, 0), np.roll(values, 1, 1)):
        assert (values * shifted).mean() == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(("severity", "kernel"), list(enumerate(TABLE["blur"], 1)))
def test_blur_is_a_gaussian_of_its_kernel_with_a_sigma_of_a_sixth(severity, kernel):
    point = one(0)
    point[0, 32, 32] = 255
    spread = corrupt(point, "blur", severity)[0, :, :, 0].astype(float)
    offsets = np.arange(64) - 32
    assert np.flatnonzero(spread.any(0)).max() <= 32 + kernel // 2
    profile = np.exp(-(offsets**2) / (2 * (kernel / 6) ** 2)) * (np.abs(offsets) <= kernel // 2)
    profile /= profile.sum()
    assert spread == pytest.approx(255 * np.outer(profile, profile), abs=1)


def test_a_step_blurs_to_the_normal_distribution():
    step = one(0)
    step[0, :, 32:] = 200
    row = corrupt(step, "blur", 5)[0, 32, :, 0].astype(float)
    # Sigma 3.5 px: one sigma right of the border 84 % of the step are reached.
    assert row[31] + row[32] == pytest.approx(200, abs=1)
    assert row[35] == pytest.approx(200 * 0.8413, abs=3)


@pytest.mark.parametrize(("severity", "factor"), list(enumerate(TABLE["pixelation"], 1)))
def test_pixelation_leaves_one_value_in_factor_squared(severity, factor, face_image):
    side = 60  # a multiple of 2 to 6
    clip = face_image[None, 90 : 90 + side, 190 : 190 + side]
    small = cv2.resize(clip[0], (side // factor, side // factor))
    found = corrupt(clip, "pixelation", severity)[0]
    again = cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR)
    assert np.array_equal(found, again)


def test_pixelation_by_two_is_the_mean_of_four():
    checks = one(0)
    checks[0, ::2, ::2], checks[0, 1::2, 1::2] = 200, 200
    assert (corrupt(checks, "pixelation", 1) == 100).all()


def test_within_one_of_the_original_formulas(face_image):
    """DeeperForensics-1.0 goes through BT.601 with luma 16..235 and cuts off the fraction."""
    frame = face_image.astype(np.float64) / 255
    weights = np.array([0.299, 0.587, 0.114])
    luma = frame @ weights
    for severity, factor in enumerate(TABLE["saturation"], 1):
        blue = factor * (frame[..., 2] - luma) * 0.564
        red = factor * (frame[..., 0] - luma) * 0.713
        rgb = np.stack([luma + 1.403 * red, luma - 0.714 * red - 0.344 * blue, luma + 1.773 * blue])
        theirs = np.floor(255 * np.moveaxis(rgb, 0, -1).clip(0, 1))
        ours = corrupt_frame(face_image, "saturation", severity, 0, 0)
        assert np.abs(ours - theirs).max() <= 1.01
    for severity, factor in enumerate(TABLE["contrast"], 1):
        ours = corrupt_frame(face_image, "contrast", severity, 0, 0)
        assert np.abs(ours - np.floor(255 * frame * factor)).max() <= 1.01
