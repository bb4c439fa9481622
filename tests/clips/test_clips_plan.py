from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthetic_faces import Spot, observation
from unmask.clips import Plan, needs, region_of
from unmask.types import InputSpec

NATIVE = InputSpec(frames=8)


def fill(plan: Plan, times_s: list[float]) -> list[tuple[tuple[int, int], ...]]:
    """The slots of every frame, () for those that are not wanted."""
    following: list[float | None] = [*times_s[1:], None]
    slots = []
    for index, (time_s, next_s) in enumerate(zip(times_s, following, strict=True)):
        is_wanted = plan.wants(index, time_s, next_s)
        assert is_wanted == bool(plan.slots(index))
        slots.append(plan.slots(index))
    return slots


def even(count: int, fps: float) -> list[float]:
    return [i / fps for i in range(count)]


def test_without_a_rate_every_frame_has_its_slot():
    slots = fill(Plan([NATIVE], Fraction(25)), even(10, 25))
    assert slots == [((0, i),) for i in range(10)]


def test_a_slower_rate_takes_the_frame_shown_at_each_step():
    slots = fill(Plan([InputSpec(fps=5.0)], Fraction(25)), even(25, 25))
    assert {i: s for i, s in enumerate(slots) if s} == {
        0: ((0, 0),),
        5: ((0, 1),),
        10: ((0, 2),),
        15: ((0, 3),),
        20: ((0, 4),),
    }


def test_a_faster_rate_repeats_frames():
    slots = fill(Plan([InputSpec(fps=10.0)], Fraction(5)), even(3, 5))
    assert slots == [((0, 0), (0, 1)), ((0, 2), (0, 3)), ((0, 4), (0, 5))]


@pytest.mark.parametrize(("fps", "own"), [("24000/1001", True), ("24.6", False), ("25.4", True)])
def test_up_to_two_percent_the_own_rate_is_the_one_asked_for(fps: str, own: bool):
    rate = Fraction(fps)
    spec = InputSpec(fps=24.0 if rate < 24 else 25.0 if rate > 25 else 24.0)
    slots = fill(Plan([spec], rate), even(400, float(rate)))
    assert (slots == [((0, i),) for i in range(400)]) == own


def test_a_variable_rate_is_never_taken_for_the_own_one():
    times = [0.0, 0.04, 0.08, 0.5, 0.54]
    slots = fill(Plan([InputSpec(fps=25.0)], Fraction(25), is_variable_rate=True), times)
    assert [len(s) for s in slots] == [1, 1, 11, 1, 1]


def test_stride_takes_every_nth_slot_and_numbers_them_without_gaps():
    slots = fill(Plan([InputSpec(stride=3)], Fraction(25)), even(10, 25))
    assert {i: s for i, s in enumerate(slots) if s} == {
        0: ((0, 0),),
        3: ((0, 1),),
        6: ((0, 2),),
        9: ((0, 3),),
    }


def test_specs_are_united_and_equal_ones_are_one():
    slow, slower = InputSpec(fps=5.0), InputSpec(fps=2.5, size=(64, 64))
    plan = Plan([slow, slower, InputSpec(fps=5.0)], Fraction(25))
    assert plan.specs == (slow, slower)
    slots = fill(plan, even(21, 25))
    assert {i: s for i, s in enumerate(slots) if s} == {
        0: ((0, 0), (1, 0)),
        5: ((0, 1),),
        10: ((0, 2), (1, 1)),
        15: ((0, 3),),
        20: ((0, 4), (1, 2)),
    }


def test_what_was_forgotten_fills_no_slot_any_more():
    plan = Plan([NATIVE], Fraction(25))
    fill(plan, even(10, 25))
    plan.forget_before(7)
    assert plan.slots(6) == ()
    assert plan.slots(7) == ((0, 7),)


@pytest.mark.parametrize("next_s", [1e9, 11.0])
def test_a_frame_that_stands_for_long_fills_ten_seconds_of_slots(next_s: float):
    plan = Plan([InputSpec(fps=5.0)], Fraction(25))
    plan.wants(0, 0.0, next_s)
    assert plan.slots(0) == tuple((0, k) for k in range(50))


def test_a_rate_of_zero_is_survived():
    assert Plan([InputSpec(fps=5.0)], Fraction(0)).wants(0, 0.0, None)


@settings(max_examples=100, deadline=None)
@given(
    steps=st.lists(st.floats(0.005, 1.5), min_size=1, max_size=40),
    rate=st.sampled_from([1.0, 3.0, 5.0, 12.5, 25.0, 30.0]),
)
def test_every_step_of_the_rate_is_filled_by_the_frame_shown_then(steps: list[float], rate: float):
    times = [0.0, *np.cumsum(steps).tolist()]
    slots = fill(Plan([InputSpec(fps=rate)], Fraction(25), is_variable_rate=True), times)
    filled = {slot: index for index, taken in enumerate(slots) for _, slot in taken}
    numbers = sorted(filled)
    assert numbers == list(range(len(numbers)))
    assert sum(len(s) for s in slots) == len(filled)  # no slot twice
    assert len(numbers) / rate >= times[-1] - 2e-3
    for slot, index in filled.items():
        assert times[index] - 1.001e-3 <= slot / rate
        if index + 1 < len(times):
            assert slot / rate < times[index + 1]
    assert all(a <= b for a, b in pairwise(filled[n] for n in numbers))


REGIONS = st.builds(
    InputSpec,
    region=st.sampled_from(["face", "mouth"]),
    margin=st.floats(0.5, 3),
)
SPOTS = st.builds(Spot, x=st.floats(-40, 360), y=st.floats(-40, 280), side=st.floats(2, 600))


@given(spec=REGIONS, spot=SPOTS)
def test_a_region_is_a_square_inside_the_frame(spec: InputSpec, spot: Spot):
    x0, y0, x1, y1 = region_of(spec, observation(spot), (320, 240)).astype(float)
    assert x1 - x0 == pytest.approx(y1 - y0, abs=1e-3)
    assert min(x0, y0) >= 0
    assert x1 <= 320 + 1e-3
    assert y1 <= 240 + 1e-3
    assert x1 - x0 == pytest.approx(min(spot.side * spec.margin, 240), rel=1e-3)


def test_a_mouth_region_is_around_the_mouth():
    seen = observation(Spot(160, 120, 80))
    x0, y0, x1, y1 = region_of(InputSpec(region="mouth", margin=0.5), seen, (320, 240))
    assert ((x0 + x1) / 2, (y0 + y1) / 2) == pytest.approx((160, 140))


@given(specs=st.lists(REGIONS, min_size=1, max_size=4), spot=SPOTS, is_turned=st.booleans())
def test_the_needed_pixels_hold_every_region(specs: list[InputSpec], spot: Spot, is_turned: bool):
    seen = observation(spot, angle=0.4 * is_turned)
    x0, y0, x1, y1 = needs(specs)(seen, (320, 240))
    assert 0 <= x0 < x1 <= 320
    assert 0 <= y0 < y1 <= 240
    for spec in specs:
        region = region_of(spec, seen, (320, 240))
        assert x0 <= region[0] + 1e-3
        assert y0 <= region[1] + 1e-3
        assert x1 >= region[2] - 1e-3
        assert y1 >= region[3] - 1e-3


@given(spot=SPOTS, angle=st.floats(-3, 3))
def test_needed_pixels_of_a_turned_face_lie_in_the_frame(spot: Spot, angle: float):
    box = needs([InputSpec(align="similarity")])(observation(spot, angle=angle), (320, 240))
    assert 0 <= box[0] < box[2] <= 320
    assert 0 <= box[1] < box[3] <= 240
