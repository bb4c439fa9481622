from __future__ import annotations

import numpy as np
import pytest

from synthetic_faces import Spot, observation
from unmask.types import FacePatch, Pixels
from unmask.verdict import FaceLooks
from unmask.verdict.look import flat_share

SPOT = Spot(100, 100, 80.0)


def patch(pixels: Pixels, time_s: float, track: int = 0) -> FacePatch:
    """A whole frame as a patch."""
    seen = observation(SPOT, track=track, index=round(time_s * 25), time_s=time_s)
    size = (pixels.shape[1], pixels.shape[0])
    return FacePatch(observation=seen, pixels=pixels, origin_px=(0, 0), frame_size_px=size)


def grain(seed: int, base: int = 120) -> Pixels:
    """Shades from dark to light with grain."""
    rng = np.random.default_rng(seed)
    shade = np.linspace(-60, 60, 200)[:, None, None] + np.linspace(-40, 40, 200)[None, :, None]
    return np.clip(base + shade + rng.normal(0, 6, (200, 200, 3)), 0, 255).astype(np.uint8)


def looks(pixels: list[Pixels], step_s: float = 0.4) -> FaceLooks:
    watching = FaceLooks()
    passed = list(watching.watch(patch(p, step_s * i) for i, p in enumerate(pixels)))
    assert len(passed) == len(pixels)
    return watching


def test_a_drawing_is_flat_and_a_photograph_is_not():
    drawing = np.full((200, 200, 3), 200, np.uint8)
    drawing[90:110] = 20
    assert looks([drawing] * 3).found()[0].flat_share > 0.9
    assert looks([grain(i) for i in range(3)]).found()[0].flat_share < 0.2


def test_a_still_does_not_change_and_a_film_does():
    assert looks([grain(0)] * 4).found()[0].change == 0.0
    moving = [np.roll(grain(0), 12 * i, axis=0) for i in range(4)]
    assert (looks(moving).found()[0].change or 0) > 1


def test_light_that_comes_and_goes_is_no_movement():
    (found,) = looks([grain(0, 110), grain(0, 130), grain(0, 110)]).found().values()
    assert found.change == pytest.approx(0, abs=1.0)


def test_moments_are_apart_and_one_alone_says_nothing_of_change():
    assert looks([grain(0)] * 10, step_s=0.04).found()[0].moments == 2
    (one,) = looks([grain(0)]).found().values()
    assert (one.moments, one.change) == (1, None)


def test_faces_are_distinguished():
    watching = FaceLooks()
    for i in range(3):
        list(watching.watch([patch(grain(i), 0.4 * i, 0), patch(grain(9), 0.4 * i, 7)]))
    found = watching.found()
    assert set(found) == {0, 7}
    assert found[7].change == 0.0


def test_a_face_outside_of_its_patch_is_passed_over():
    watching = FaceLooks()
    list(watching.watch([patch(np.zeros((30, 30, 3), np.uint8), 0.0)]))
    assert watching.found() == {}


def test_flat_share_of_known_pictures():
    assert flat_share(np.full((64, 64), 7, np.uint8)) == 1.0
    steps = np.tile(np.arange(0, 128, 2, np.uint8), (64, 1))
    assert flat_share(steps) == 0.0
