from __future__ import annotations

import numpy as np
import pytest

from unmask.forgeries import Face, FaceClip, ForgedFrame, Material, forge
from unmask.forgeries.disturb import log_uniform
from unmask.types import Pixels


def clip_of(face: Face) -> FaceClip:
    return FaceClip(
        frames=[face.pixels], landmarks_px=face.landmarks_px[None], box_px=face.box_px[None]
    )


def blend(
    face: Face, seed: int, other: Face | None = None, kind: str = "self_blend"
) -> ForgedFrame:
    material = Material(moment=other and clip_of(other))
    real, fake = forge(kind, clip_of(face), np.random.default_rng(seed), material)
    return ForgedFrame(real.frames[0], fake.frames[0], fake.all_masks[0])


def other_moment(face: Face) -> Face:
    """The same person a little later: moved by 6 px, darker."""
    pixels = np.roll(face.pixels, 6, axis=1) // 2
    shift = np.array([6, 0], np.float32)
    return Face(pixels, face.landmarks_px + shift, face.box_px + np.tile(shift, 2))


@pytest.mark.parametrize("with_other", [False, True])
def test_outside_the_mask_real_and_fake_are_the_same_bits(face: Face, with_other: bool):
    backgrounds = set()
    for seed in range(40):
        pair = blend(face, seed, other_moment(face) if with_other else None)
        outside = pair.mask == 0
        assert outside.any()
        np.testing.assert_array_equal(pair.fake[outside], pair.real[outside])
        backgrounds.add(np.array_equal(pair.real, face.pixels))
    # Both choices of what is disturbed came up, but another moment is only ever pasted.
    assert backgrounds == ({True} if with_other else {True, False})


def test_inside_the_mask_they_differ(face: Face):
    for seed in range(40):
        pair = blend(face, seed)
        difference = np.abs(pair.real.astype(int) - pair.fake).max(axis=2)
        assert (difference[pair.mask > 0.4] > 0).mean() > 0.2


def test_shapes_types_and_range(face: Face):
    pair = blend(face, 0)
    assert pair.real.shape == pair.fake.shape == face.pixels.shape
    assert pair.real.dtype == pair.fake.dtype == np.uint8
    assert pair.mask.shape == face.pixels.shape[:2]
    assert pair.mask.dtype == np.float32
    assert 0 <= pair.mask.min() < pair.mask.max() <= 1


def test_a_seed_gives_the_same_pair_and_another_seed_another(face: Face):
    one, again, other = blend(face, 5), blend(face, 5), blend(face, 6)
    for a, b in zip(one, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(one.fake, other.fake)


def test_the_input_is_left_as_it_was(face: Face):
    before = face.pixels.copy()
    for seed in range(10):
        blend(face, seed)
    np.testing.assert_array_equal(face.pixels, before)


def test_another_moment_is_moved_onto_the_face_before_it_is_pasted(face: Face):
    moved = other_moment(face)
    bright = Face(moved.pixels * 2, moved.landmarks_px, moved.box_px)
    distances = []
    for seed in range(30):
        pair = blend(face, seed, bright)
        inside = pair.mask > 0.4
        distances.append(np.abs(pair.fake[inside].astype(int) - pair.real[inside]).mean())
    unaligned = np.abs(bright.pixels.astype(int) - face.pixels).mean()
    assert np.median(distances) < unaligned


def test_points_that_fit_no_similarity_are_survived(face: Face):
    lost = Face(face.pixels, np.zeros((5, 2), np.float32), face.box_px)
    pair = blend(face, 0, lost)
    assert pair.fake.shape == face.pixels.shape


def test_a_tiny_face_is_blended_too(face: Face):
    tiny = Face(np.ascontiguousarray(face.pixels[::8, ::8]), face.landmarks_px / 8, face.box_px / 8)
    for seed in range(10):
        pair = blend(tiny, seed)
        assert pair.fake.shape == (30, 30, 3)


def psnr(a: Pixels, b: Pixels) -> float:
    error = np.mean((a.astype(float) - b) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def test_log_uniform_has_its_median_at_the_geometric_mean():
    rng = np.random.default_rng(0)
    draws = [log_uniform(rng, 0.1, 10.0) for _ in range(2000)]
    assert min(draws) >= 0.1
    assert max(draws) <= 10
    assert np.median(draws) == pytest.approx(1.0, rel=0.25)


def test_a_coarse_forgery_differs_more_and_under_the_mask_alone(face: Face):
    def difference(is_coarse: bool) -> float:
        found = []
        for seed in range(20):
            pair = blend(face, seed, kind="coarse_blend" if is_coarse else "self_blend")
            outside = pair.mask == 0
            np.testing.assert_array_equal(pair.fake[outside], pair.real[outside])
            changed = np.abs(pair.real.astype(int) - pair.fake).mean(axis=2)
            found.append(changed[pair.mask > 0.4].mean())
        return float(np.mean(found))

    assert difference(True) > 1.5 * difference(False)
