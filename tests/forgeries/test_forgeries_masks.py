from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthetic_faces import Spot, points_of
from unmask.forgeries import REGIONS, draw_mask

SIZE = (240, 320)
SPOT = Spot(160, 120, 120)


def mask_of(
    region: str, *, seed: int = 0, angle: float = 0.0, feather: float | None = 0.01
) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return draw_mask(points_of(SPOT, angle), SIZE, region, rng, feather=feather)


def centroid(mask: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
    return np.array([(x * mask).sum(), (y * mask).sum()]) / mask.sum()


@settings(max_examples=60, deadline=None)
@given(
    region=st.sampled_from(sorted(REGIONS)),
    seed=st.integers(0, 2**32),
    spot=st.builds(Spot, x=st.floats(-50, 370), y=st.floats(-50, 290), side=st.floats(4, 500)),
    angle=st.floats(-3.1, 3.1),
)
def test_a_mask_has_the_frames_size_and_lies_between_zero_and_one(
    region: str, seed: int, spot: Spot, angle: float
):
    mask = draw_mask(points_of(spot, angle), SIZE, region, np.random.default_rng(seed))
    assert mask.shape == SIZE
    assert mask.dtype == np.float32
    assert 0 <= mask.min() <= mask.max() <= 1


@pytest.mark.parametrize("region", sorted(REGIONS))
def test_a_seed_gives_the_same_mask_and_another_seed_another(region: str):
    np.testing.assert_array_equal(mask_of(region, seed=3), mask_of(region, seed=3))
    assert not np.array_equal(mask_of(region, seed=3), mask_of(region, seed=4))


@pytest.mark.parametrize("angle", [0.0, 0.7, -2.0, np.pi])
def test_regions_lie_where_they_should_however_the_face_is_turned(angle: float):
    points = points_of(SPOT, angle)
    mouth, eyes, whole = points[3:5].mean(axis=0), points[:2].mean(axis=0), points.mean(axis=0)
    places = {"mouth": mouth, "eyes": eyes, "whole": whole, "inner": whole}
    for region, place in places.items():
        middles = [centroid(mask_of(region, seed=s, angle=angle)) for s in range(12)]
        assert np.linalg.norm(np.mean(middles, axis=0) - place) < 0.06 * SPOT.side, region


def value_at(mask: np.ndarray, point: np.ndarray) -> float:
    return float(mask[round(float(point[1])), round(float(point[0]))])


@pytest.mark.parametrize("angle", [0.0, 1.0])
def test_regions_hold_what_they_are_named_after_and_not_the_rest(angle: float):
    points = points_of(SPOT, angle)
    for seed in range(12):
        whole = mask_of("whole", seed=seed, angle=angle)
        assert all(value_at(whole, p) > 0.9 for p in points)
        mouth = mask_of("mouth", seed=seed, angle=angle)
        assert value_at(mouth, points[3:5].mean(axis=0)) > 0.9
        assert max(value_at(mouth, p) for p in points[:2]) < 0.1
        eyes = mask_of("eyes", seed=seed, angle=angle)
        assert min(value_at(eyes, p) for p in points[:2]) > 0.9
        assert max(value_at(eyes, p) for p in points[3:5]) < 0.1
        lower = mask_of("lower", seed=seed, angle=angle)
        assert value_at(lower, points[3:5].mean(axis=0)) > 0.9
        assert max(value_at(lower, p) for p in points[:2]) < 0.1


def test_a_mask_turns_with_the_points():
    upright, turned = mask_of("eyes"), mask_of("eyes", angle=np.pi / 2)

    def spread(mask: np.ndarray) -> np.ndarray:
        y, x = np.nonzero(mask > 0.5)
        return np.array([np.ptp(x), np.ptp(y)])

    assert spread(upright)[0] > 1.5 * spread(upright)[1]
    np.testing.assert_allclose(spread(turned), spread(upright)[::-1], atol=2)


def test_regions_nest_by_size():
    area = {region: mask_of(region).sum() for region in REGIONS}
    assert area["whole"] > area["inner"] > area["mouth"]
    assert area["whole"] > area["lower"] > area["mouth"]


def test_a_wider_feather_softens_the_edge():
    soft = [
        ((m > 0.02) & (m < 0.98)).sum()
        for m in (mask_of("inner", feather=f) for f in (0.0, 0.02, 0.08))
    ]
    assert soft[0] < soft[1] < soft[2]


def test_without_wobble_or_feather_the_outline_is_a_plain_oval():
    masks = [
        draw_mask(points_of(SPOT), SIZE, "whole", np.random.default_rng(s), wobble=0.0, feather=0.0)
        for s in (0, 1)
    ]
    for mask in masks:
        row = np.flatnonzero(mask[round(centroid(mask)[1])] > 0.5)
        assert np.ptp(row) == len(row) - 1  # one piece


def test_a_profile_still_has_a_face_with_some_width():
    points = points_of(SPOT)
    points[:2, 0] = 160  # both eyes at one place
    mask = draw_mask(points, SIZE, "whole", np.random.default_rng(0), feather=0.0)
    y, x = np.nonzero(mask > 0.5)
    assert np.ptp(x) > 0.4 * np.ptp(y)
    assert np.linalg.norm(centroid(mask) - [160, 125]) < 25
