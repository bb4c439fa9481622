"""What the page is given: terms of a face, and the detectors' rows."""

from __future__ import annotations

from dataclasses import replace

from report_builders import (
    make_calibration,
    make_face,
    make_gated,
    make_judgement,
    make_panel,
    make_two_people,
    make_verdict,
    make_without_probability,
)

from unmask.report.context import FaceView, build_page
from unmask.types import Finding, Verdict


def view(verdict: Verdict, track_id: int = 0) -> FaceView:
    return next(v for v in build_page(verdict).faces if v.face.track_id == track_id)


def test_only_what_is_known_is_a_term() -> None:
    def terms(verdict: Verdict) -> list[str]:
        return [each.term for each in view(verdict).terms]

    errors = ["Real videos this high", "Manipulated videos this low"]
    everything = ["Probability of manipulation", "Log-likelihood ratio", *errors]
    assert terms(make_verdict()) == everything
    assert terms(make_without_probability()) == errors
    assert terms(make_gated()) == []
    (face,) = make_verdict().faces
    judgement = replace(make_judgement(3.21), errors=None, probability_interval=None)
    bare = view(replace(make_verdict(), faces=(replace(face, judgement=judgement),)))
    assert [each.term for each in bare.terms] == everything[:2]
    assert "interval" not in " ".join(bare.terms[0].notes)


def test_each_detector_is_listed_with_what_it_counted_for() -> None:
    rows = view(make_panel()).detectors
    assert [(row.detector, row.logit, row.clips, row.role) for row in rows] == [
        ("toydetector", "+2.10", "13", "one of the panel, weight 0.80"),
        ("othernet", "+3.40", "13", "one of the panel, weight 0.45"),
        ("thirdnet", "-0.30", "13", "shown only: no calibration"),
    ]


def test_a_detector_that_decided_nothing_has_its_reason() -> None:
    rows = view(make_two_people()).detectors
    assert [row.role for row in rows] == ["decided", "scored no clip of this face"]
    assert [row.role for row in view(make_gated()).detectors] == [
        "decided nothing: the calibration does not hold here"
    ]
    another = replace(make_calibration(), detector="another")
    other = make_face(0, Finding.INCONCLUSIVE, 0.3, calibration=another)
    overruled = replace(make_verdict(Finding.INCONCLUSIVE), faces=(other,))
    assert view(overruled).detectors[0].role.startswith("decided nothing: another answer")
