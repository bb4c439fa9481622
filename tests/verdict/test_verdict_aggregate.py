from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask.types import ClipScore
from unmask.verdict import aggregate, face_logits, scored_s, video_logit

LOGITS = st.lists(st.floats(-50, 50), min_size=1, max_size=40)
HOWS = st.sampled_from(["mean", "top_quarter_mean", "share_over_half"])


def score(
    logit: float,
    *,
    track: int = 0,
    detector: str = "d",
    start: float = 0.0,
    end: float = 0.2,
    face_px: float = 100.0,
) -> ClipScore:
    return ClipScore(
        detector=detector, track_id=track, start_s=start, end_s=end, logit=logit, face_px=face_px
    )


@pytest.mark.parametrize(
    ("logits", "how", "expected"),
    [
        ([1.0, 2.0, 6.0], "mean", 3.0),
        ([1.0, 2.0, 3.0, 4.0, 5.0], "top_quarter_mean", 4.5),
        ([7.0], "top_quarter_mean", 7.0),
        ([1.0, 1.0, -1.0], "share_over_half", math.log(2.5 / 1.5)),
        ([0.0, 0.0], "share_over_half", math.log(0.5 / 2.5)),
    ],
)
def test_aggregate_by_hand(logits: list[float], how: str, expected: float):
    assert aggregate(logits, how) == pytest.approx(expected)


@given(logits=LOGITS, how=HOWS, seed=st.randoms())
def test_the_order_of_clips_does_not_matter(logits: list[float], how: str, seed):
    shuffled = list(logits)
    seed.shuffle(shuffled)
    assert aggregate(shuffled, how) == pytest.approx(aggregate(logits, how))


@given(logits=LOGITS, how=HOWS, more=st.floats(0, 20))
def test_higher_clips_never_give_a_lower_face(logits: list[float], how: str, more: float):
    assert aggregate([v + more for v in logits], how) >= aggregate(logits, how) - 1e-9


@given(logits=LOGITS)
def test_the_top_quarter_is_never_below_the_mean(logits: list[float]):
    assert aggregate(logits, "top_quarter_mean") >= aggregate(logits, "mean") - 1e-9


@given(count=st.integers(1, 10_000), sign=st.sampled_from([-1.0, 1.0]))
def test_a_share_of_all_is_bounded(count: int, sign: float):
    value = aggregate([sign] * count, "share_over_half")
    assert 0 < sign * value <= 6


def test_no_logits_is_an_error():
    with pytest.raises(ValueError, match="no logits to aggregate"):
        aggregate([], "mean")


def test_an_unknown_way_is_an_error():
    with pytest.raises(ValueError, match=r"unknown aggregate 'median': mean, top_quarter_mean or"):
        aggregate([1.0], "median")


def test_face_logits_keep_faces_and_detectors_apart():
    scores = [
        score(1.0),
        score(3.0),
        score(-4.0, track=2),
        score(10.0, detector="e"),
        score(0.0, detector="e"),
    ]
    assert face_logits(scores, {"d": "mean", "e": "top_quarter_mean"}) == {
        0: {"d": 2.0, "e": 10.0},
        2: {"d": -4.0},
    }


def test_the_video_is_as_forged_as_its_most_forged_face_that_can_decide():
    calm, forged = [score(-1.0)] * 3, [score(2.0, track=1)] * 3
    assert video_logit([*calm, *forged], "d", "mean") == 2.0
    brief = [score(9.0, track=2)] * 2
    small = [score(9.0, track=3, face_px=30.0)] * 3
    other = [score(9.0, detector="e")] * 3
    everything = [*calm, *forged, *brief, *small, *other]
    assert video_logit(everything, "d", "mean", min_face_px=48.0) == 2.0


def test_without_a_face_that_can_decide_there_is_no_video_logit():
    assert video_logit([], "d", "mean") is None
    assert video_logit([score(9.0)] * 2, "d", "mean") is None


def test_overlapping_clips_count_once():
    spans = [(0.0, 1.0), (0.5, 1.5), (3.0, 4.0), (3.2, 3.4)]
    assert scored_s([score(0, start=a, end=b) for a, b in spans]) == pytest.approx(2.5)
    assert scored_s([]) == 0


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), max_size=20))
def test_scored_seconds_are_the_length_of_the_union(spans: list[tuple[int, int]]):
    scores = [score(0, start=a, end=a + length) for a, length in spans]
    union = {second for a, length in spans for second in range(a, a + length)}
    assert scored_s(scores) == pytest.approx(len(union))
