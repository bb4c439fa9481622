from __future__ import annotations

import dataclasses

import pytest

from unmask.types import Domain, FaceLook, Finding
from unmask.verdict import Observations, decide
from unmask.verdict.gate import closed_gates
from verdict_builders import VIDEO, calibration, scores, verdict

PHOTO = FaceLook(flat_share=0.1, change=3.0, moments=10)
EVERYTHING = Domain(
    min_face_px=64.0,
    min_scored_s=2.0,
    min_bits_per_pixel=0.01,
    max_flat_share=0.5,
    min_change=1.0,
)
GOOD = dataclasses.replace(VIDEO, video_bit_rate_bps=768_000)


def test_inside_of_the_domain_all_gates_are_open():
    assert closed_gates(EVERYTHING, GOOD, 64.0, 2.0, PHOTO) == []


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"face_px": 40.0}, "the face is 40 px large; the calibration holds from 64 px"),
        ({"seconds": 1.0}, "only 1.0 s could be scored; the calibration holds from 2.0 s"),
        (
            {"video": dataclasses.replace(VIDEO, bit_rate_bps=38_400)},
            "the video has 0.0050 bits for each pixel of a frame; the strongest compression that "
            "the calibration saw left 0.0100",
        ),
        (
            {"look": FaceLook(flat_share=0.62, change=3.0, moments=4)},
            "62% of the face's pixels equal their neighbors, as in drawings and animation; of the "
            "real videos nearly all have at most 50%",
        ),
        (
            {"look": FaceLook(flat_share=0.1, change=0.2, moments=4)},
            "the face hardly changes between moments (0.20 gray levels, real videos at least "
            "1.00): it may be a still picture shown as a video",
        ),
        (
            {"video": dataclasses.replace(GOOD, is_still=True)},
            "this is a single picture; the calibration is of videos",
        ),
    ],
)
def test_each_gate_says_why_it_is_closed(changes: dict[str, object], why: str):
    given = {"video": GOOD, "face_px": 100.0, "seconds": 5.0, "look": PHOTO} | changes
    assert closed_gates(EVERYTHING, **given) == [why]  # type: ignore[arg-type]


def test_what_is_not_known_closes_no_gate():
    unknown = dataclasses.replace(VIDEO, bit_rate_bps=None)
    one = FaceLook(flat_share=0.1, change=None, moments=1)
    assert closed_gates(EVERYTHING, unknown, 100.0, 5.0, one) == []
    assert closed_gates(EVERYTHING, unknown, 100.0, 5.0, None) == []
    assert (
        closed_gates(Domain(), GOOD, 1.0, 0.0, FaceLook(flat_share=1.0, change=0.0, moments=3))
        == []
    )


def test_a_closed_gate_gives_no_number_and_no_answer():
    known = calibration(domain=Domain(min_face_px=200.0, min_scored_s=5.0))
    result = verdict(scores(9.0), calibrations=[known])
    (face,) = result.faces
    assert result.finding is face.finding is Finding.INCONCLUSIVE
    assert (face.score, face.llr, face.probability, face.errors) == (None, None, None, None)
    assert len(face.gates) == 2
    assert face.reasons == ("; ".join(face.gates),)
    assert result.decided_by is None
    assert result.reasons[0] == "No face could be decided on."


def test_looks_reach_the_gate_and_the_verdict():
    still = FaceLook(flat_share=0.1, change=0.0, moments=9)
    built = verdict(scores(9.0))
    seen = Observations(
        video=VIDEO,
        tracks=built.tracks,
        scores=built.clip_scores,
        coverage=built.coverage,
        detectors=built.detectors,
        aggregates={"d": "mean"},
        looks={0: still},
    )
    result = decide(seen, {"d": calibration(domain=Domain(min_change=1.0))})
    assert result.finding is Finding.INCONCLUSIVE
    assert result.faces[0].look == still
    assert "hardly changes" in result.faces[0].gates[0]


def test_an_unknown_bit_rate_is_a_reason_where_it_would_matter():
    unasked = verdict(scores(9.0))
    asked = verdict(scores(9.0), calibrations=[calibration(domain=Domain(min_bits_per_pixel=0.01))])
    assert asked.finding is Finding.MANIPULATED
    assert any("does not tell its bit rate" in reason for reason in asked.reasons)
    assert not any("bit rate" in reason for reason in unasked.reasons)
