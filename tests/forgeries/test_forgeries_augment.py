from __future__ import annotations

import numpy as np
import pytest

from unmask.forgeries import Augmentation, Face, ForgedFrame, augment_pair
from unmask.types import Pixels

OFF = {"light": 0.0, "resize": 0.0, "blur": 0.0, "noise": 0.0, "codec_shares": (1.0, 0.0, 0.0)}
STEPS = {
    "light": {"light": 1.0},
    "resize": {"resize": 1.0},
    "blur": {"blur": 1.0},
    "noise": {"noise": 1.0},
    "jpeg": {"codec_shares": (0.0, 1.0, 0.0)},
    "h264": {"codec_shares": (0.0, 0.0, 1.0)},
}


def only(step: str) -> Augmentation:
    return Augmentation(**{**OFF, **STEPS[step]})  # type: ignore[arg-type]


def same(face: Face) -> ForgedFrame:
    mask = np.zeros(face.pixels.shape[:2], np.float32)
    mask[60:120, 60:180] = 1
    return ForgedFrame(face.pixels, face.pixels.copy(), mask)


def augment(pair: ForgedFrame, seed: int, settings: Augmentation) -> ForgedFrame:
    return augment_pair(pair, np.random.default_rng(seed), settings)


@pytest.mark.parametrize("step", ["light", "resize", "blur", "noise", "jpeg"])
def test_equal_pictures_stay_equal_and_are_changed(face: Face, step: str):
    for seed in range(8):
        result = augment(same(face), seed, only(step))
        np.testing.assert_array_equal(result.real, result.fake)
        assert result.real.dtype == np.uint8
        assert not np.array_equal(result.real, face.pixels)


def psnr(a: Pixels, b: Pixels) -> float:
    error = np.mean((a.astype(float) - b) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def test_h264_codes_both_alike(face: Face):
    for seed in range(4):
        result = augment(same(face), seed, only("h264"))
        real, fake = psnr(result.real, face.pixels), psnr(result.fake, face.pixels)
        assert real == pytest.approx(fake, abs=1.5)
        assert real < 50  # it was really coded


def test_with_every_step_off_nothing_changes(face: Face):
    pair = same(face)
    result = augment(pair, 0, Augmentation(**OFF))  # type: ignore[arg-type]
    for before, after in zip(pair, result, strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_seed_gives_the_same_pair_and_another_seed_another(face: Face):
    settings = Augmentation()
    drawn = [augment(same(face), s, settings) for s in (3, 3, 4)]
    for a, b in zip(drawn[0], drawn[1], strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(drawn[0].real, drawn[2].real)


def test_the_mask_follows_a_new_size(face: Face):
    sizes = set()
    for seed in range(30):
        result = augment(same(face), seed, only("resize"))
        assert result.real.shape[:2] == result.fake.shape[:2] == result.mask.shape
        assert 0 <= result.mask.min() <= result.mask.max() <= 1
        height, width = result.mask.shape
        y, x = np.nonzero(result.mask > 0.5)
        assert x.mean() / width == pytest.approx(119.5 / 240, abs=0.02)
        assert y.mean() / height == pytest.approx(89.5 / 240, abs=0.02)
        sizes.add(height)
    assert 240 in sizes
    assert len(sizes) > 3


def test_darkening_never_turns_black_into_light():
    steps = np.repeat(np.arange(0, 60, dtype=np.uint8)[None, :, None], 3, axis=2)
    ramp = np.repeat(steps, 60, axis=0)
    pair = ForgedFrame(ramp, ramp, np.zeros(ramp.shape[:2], np.float32))
    for seed in range(40):
        result = augment(pair, seed, only("light")).real[0, :, 0].astype(int)
        assert (np.diff(result) >= 0).all()


def test_odd_sizes_are_coded_too(face: Face):
    pixels = np.ascontiguousarray(face.pixels[:101, :75])
    pair = ForgedFrame(pixels, pixels, np.zeros((101, 75), np.float32))
    result = augment(pair, 0, only("h264"))
    assert result.real.shape == pixels.shape
    assert not np.array_equal(result.real, pixels)
