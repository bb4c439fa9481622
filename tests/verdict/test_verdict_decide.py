from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmask.types import Domain, Finding
from verdict_builders import COVERAGE, VIDEO, calibration, line, scores, track, use, verdict

MANIPULATED, INCONCLUSIVE = Finding.MANIPULATED, Finding.INCONCLUSIVE
NOTHING_FOUND, NO_FACE = Finding.NO_MANIPULATION_FOUND, Finding.NO_FACE


@pytest.mark.parametrize(
    ("logit", "finding", "reason"),
    [
        (
            2.0,
            MANIPULATED,
            "Face 1: d scores 2.00, at or above the threshold 2.00.",
        ),
        (
            0.0,
            INCONCLUSIVE,
            "Face 1: d scores 0.00, below the threshold 2.00 and not below 0.00: both real and "
            "manipulated videos score like this.",
        ),
        (-0.5, NOTHING_FOUND, "Face 1: d scores -0.50, below 0.00."),
    ],
)
def test_the_three_answers_and_their_reasons(logit: float, finding: Finding, reason: str):
    result = verdict(scores(logit))
    assert result.finding == result.faces[0].finding == finding
    assert result.reasons == (reason,)
    assert result.threshold == 2.0
    assert result.calibration == calibration()


def test_a_video_of_the_validation_set_is_recognized_by_its_hash():
    known = calibration(validation_sha256=(VIDEO.sha256,))
    first, *others = verdict(scores(2.0), calibrations=[known]).reasons
    assert first.startswith("This is one of the validation videos of the calibration 'c': ")
    assert tuple(others) == verdict(scores(2.0)).reasons
    other = calibration(validation_sha256=("ab" * 32,))
    assert "validation videos of the" not in verdict(scores(2.0), calibrations=[other]).reasons[0]


def test_a_part_that_stays_over_the_threshold_is_pointed_out():
    # 10 s, of which 3 s score high: the mean is that of a real video.
    parts = [*scores(-3.0, 25), *scores(4.0, 15), *scores(-3.0, 10)]
    moments = [
        dataclasses.replace(s, start_s=0.2 * i, end_s=0.2 * i + 0.2) for i, s in enumerate(parts)
    ]
    result = verdict(moments)
    assert result.finding is INCONCLUSIVE
    assert "from 5.0 s to 8.0 s every score of d reaches its threshold" in result.reasons[0]


def test_a_short_flare_changes_nothing():
    parts = [*scores(-3.0, 25), *scores(4.0, 5), *scores(-3.0, 20)]
    moments = [
        dataclasses.replace(s, start_s=0.2 * i, end_s=0.2 * i + 0.2) for i, s in enumerate(parts)
    ]
    assert verdict(moments).finding is NOTHING_FOUND


def test_the_probability_is_that_of_the_calibration():
    expected = 1 / (1 + math.exp(-(1.5 * 3.0 - 1.0)))
    result = verdict(scores(3.0), calibrations=[calibration(classes=line(1.5, -1.0))])
    assert result.probability == pytest.approx(expected)
    assert result.faces[0].probability == pytest.approx(expected)


@settings(deadline=None)
@given(logit=st.floats(-1e6, 1e6), slope=st.floats(0, 1e3))
def test_a_probability_lies_between_zero_and_one(logit: float, slope: float):
    result = verdict(scores(logit), calibrations=[calibration(classes=line(slope))])
    assert result.probability is not None
    assert 0 <= result.probability <= 1


@given(logit=st.floats(-100, 100))
def test_without_a_calibration_there_is_neither_probability_nor_answer(logit: float):
    result = verdict(scores(logit), calibrations=[])
    assert result.finding is INCONCLUSIVE
    assert result.probability is None
    assert result.threshold is None
    assert result.calibration is None
    assert result.faces[0].probability is None
    assert result.faces[0].logits == {"d": pytest.approx(logit)}
    assert "no calibrated detector looked at this face" in result.faces[0].reasons[0]
    assert result.reasons == (
        "d has no calibration for these weights (w): its scores are shown but decide nothing.",
    )


def test_a_calibration_without_a_slope_decides_but_gives_no_probability():
    result = verdict(scores(5.0), calibrations=[calibration(scale="logit")])
    assert result.finding is MANIPULATED
    assert result.probability is None


def test_no_face_is_its_own_answer():
    result = verdict([], tracks=[])
    assert result.finding is NO_FACE
    assert result.probability is None
    assert result.reasons[0] == (
        "No face was found. The smallest face that can be found here is about 14 px."
    )


UNDECIDED = "No face could be decided on."


def assert_undecided(result, why: str):  # type: ignore[no-untyped-def]
    assert result.finding is INCONCLUSIVE
    assert result.probability is None
    assert result.faces[0].finding is INCONCLUSIVE
    assert result.faces[0].reasons == (why,)
    assert result.reasons[:2] == (UNDECIDED, f"Face 1: {why}.")


def test_a_face_that_was_not_scored():
    assert_undecided(verdict([]), "not scored: the face is too small or was seen too briefly")


@pytest.mark.parametrize(("count", "noun"), [(1, "moment"), (2, "moments")])
def test_too_few_clips(count: int, noun: str):
    assert_undecided(
        verdict(scores(9.0, count)), f"only {count} {noun} could be scored; at least 3 are needed"
    )


def test_too_small_a_face():
    assert_undecided(
        verdict(
            scores(9.0, face_px=40), calibrations=[calibration(domain=Domain(min_face_px=64.0))]
        ),
        "the face is 40 px large; the calibration holds from 64 px",
    )


def test_too_short_a_time():
    assert_undecided(
        verdict(scores(9.0, 5), calibrations=[calibration(domain=Domain(min_scored_s=2.0))]),
        "only 1.0 s could be scored; the calibration holds from 2.0 s",
    )


def test_exactly_the_least_time_is_enough():
    result = verdict(scores(9.0, 5), calibrations=[calibration(domain=Domain(min_scored_s=1.0))])
    assert result.finding is MANIPULATED


@pytest.mark.parametrize("logit", [math.nan, math.inf, -math.inf])
def test_a_detector_that_gives_no_number_finds_nothing_out(logit: float):
    assert_undecided(verdict(scores(logit)), "d gave no number for this face")


def test_of_two_faces_the_worst_decides():
    result = verdict([*scores(-3.0), *scores(4.0, track_id=1)], tracks=[track(0), track(1)])
    assert result.finding is MANIPULATED
    assert [f.finding for f in result.faces] == [NOTHING_FOUND, MANIPULATED]
    assert result.probability == result.faces[1].probability
    assert result.reasons[0].startswith("Face 2: d scores 4.00")
    assert len(result.reasons) == 1


def test_a_face_that_cannot_decide_does_not_hide_one_that_can():
    result = verdict([*scores(-3.0), *scores(9.0, 1, track_id=1)], tracks=[track(0), track(1)])
    assert result.finding is NOTHING_FOUND
    assert result.reasons[1] == "1 of 2 faces could not be decided on; see each for the reason."


def test_of_many_faces_three_are_reported_and_the_rest_counted():
    tracks = [track(i) for i in range(5)]
    result = verdict([s for i in range(5) for s in scores(3.0, track_id=i)], tracks=tracks)
    assert sum(r.startswith("Face ") for r in result.reasons) == 3
    assert result.reasons[-1] == "The same holds for 2 more faces."


TWO = [use("d"), use("e", "bb")]
OTHER = calibration(
    detector="e", weights_sha256="bb", threshold=5.0, lower=4.0, domain=Domain(min_face_px=80.0)
)


def test_the_most_suspicious_calibrated_detector_speaks():
    result = verdict(
        [*scores(-3.0), *scores(6.0, detector="e")],
        detectors=TWO,
        calibrations=[calibration(), OTHER],
    )
    assert result.finding is MANIPULATED
    assert result.faces[0].reasons[0].startswith("e scores 6.00")
    assert result.faces[0].logits == {"d": -3.0, "e": 6.0}


def test_an_uncalibrated_detector_decides_nothing():
    result = verdict([*scores(-3.0), *scores(60.0, detector="e")], detectors=TWO)
    assert result.finding is NOTHING_FOUND
    assert any(r.startswith("e has no calibration for these weights") for r in result.reasons)


def test_a_detector_that_saw_too_few_clips_stays_silent_beside_one_that_saw_enough():
    result = verdict(
        [*scores(-3.0), *scores(60.0, 1, detector="e")],
        detectors=TWO,
        calibrations=[calibration(), OTHER],
    )
    assert result.finding is NOTHING_FOUND


def test_a_face_too_small_for_one_detector_is_still_judged_by_the_other():
    result = verdict(
        [*scores(3.0, face_px=60), *scores(60.0, detector="e", face_px=60)],
        detectors=TWO,
        calibrations=[calibration(), OTHER],
    )
    assert result.finding is MANIPULATED
    assert result.faces[0].reasons[0].startswith("d scores 3.00")


def test_coverage_and_notes_are_reasons():
    coverage = dataclasses.replace(COVERAGE, scored_s=2.0, clips_dropped=4, audio="not analyzed")
    result = verdict(scores(3.0), coverage=coverage, notes=["the file is damaged after 3.0 s"])
    assert result.reasons[1:] == (
        "A face was scored in 2.0 of 10.0 seconds: the rest of the video was not judged.",
        "4 clips were left out because the face was missing in more than a fifth of the frames.",
        "the file is damaged after 3.0 s",
    )


def test_one_dropped_clip_is_in_the_singular():
    coverage = dataclasses.replace(COVERAGE, clips_dropped=1)
    assert verdict(scores(3.0), coverage=coverage).reasons[-1].startswith("1 clip was left out")


@settings(deadline=None)
@given(
    logits=st.lists(st.floats(-20, 20), min_size=1, max_size=5),
    more=st.floats(0, 10),
    which=st.integers(0, 4),
)
def test_a_more_suspicious_face_never_gives_a_milder_finding(
    logits: list[float], more: float, which: int
):
    order = [NOTHING_FOUND, INCONCLUSIVE, MANIPULATED]
    tracks = [track(i) for i in range(len(logits))]

    def finding(values: list[float]) -> int:
        result = verdict(
            [s for i, v in enumerate(values) for s in scores(v, track_id=i)], tracks=tracks
        )
        return order.index(result.finding)

    raised = [v + more * (i == which % len(logits)) for i, v in enumerate(logits)]
    assert finding(raised) >= finding(logits)


def test_faces_say_when_and_how_large():
    result = verdict(scores(3.0), tracks=[track(0, side=80.0, seconds=7.0)])
    face = result.faces[0]
    assert (face.start_s, face.end_s, face.face_px, face.clips) == (0.0, 7.0, 80.0, 5)
