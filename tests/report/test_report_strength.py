"""The words for how strong the evidence is."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_builders import (
    make_calibration,
    make_gated,
    make_judgement,
    make_two_people,
    make_uncalibrated,
    make_verdict,
    make_without_probability,
    without_numbers,
)

from unmask.report import to_html
from unmask.report.strength import (
    bounds_text,
    priors_text,
    quality_text,
    ratio_text,
    support_text,
    videos_text,
    why_no_probability,
)
from unmask.types import Calibration, Verdict


def with_class_bounds() -> Calibration:
    """A calibration whose last quality class has bounds and scores of its own."""
    judge = make_calibration()
    own = replace(
        judge.classes[-1], threshold=2.5, lower=0.5, real_scores=(-1.0, 3.5), fake_scores=(0.0,)
    )
    return replace(judge, classes=(judge.classes[0], own))


def test_the_bounds_of_a_face_are_those_of_its_quality() -> None:
    judgement = make_judgement(3.0, with_class_bounds())
    of_class = judgement.of_class
    assert (of_class.threshold, of_class.lower, of_class.real_scores) == (2.5, 0.5, (-1.0, 3.5))
    assert judgement.calibration.threshold != of_class.threshold
    assert videos_text(judgement) == "validation videos of this quality"
    assert videos_text(make_judgement(3.0)) == "validation videos"


def test_a_ratio_at_the_end_of_its_range_is_called_that() -> None:
    judge = make_calibration()
    assert bounds_text(3.9, judge) == (
        "This is the end of the range that is stated, -4.20 to +3.90: the validation videos are "
        "too few to support a stronger one."
    )
    assert bounds_text(3.0, judge).startswith("Stated within -4.20 to +3.90")
    assert bounds_text(3.0, None) == ""
    assert bounds_text(3.0, replace(judge, llr_bounds=None)) == ""


@given(st.floats(-50, 50))
def test_a_ratio_and_its_inverse_read_alike(llr: float) -> None:
    swapped = {"manipulated": "real", "real": "manipulated"}
    words = [swapped.get(word, word) for word in ratio_text(llr).split()]
    if math.exp(abs(llr)) >= 1.05:
        assert " ".join(words) == ratio_text(-llr)
    else:
        assert ratio_text(llr) == ratio_text(-llr)


def test_rarer_forgeries_make_less_of_the_same_evidence() -> None:
    assert priors_text(0.0) == "If 1 in 10 such videos is manipulated: 10 %; if 1 in 100: 1 %."


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (make_uncalibrated(), "no calibration belongs to these detectors with these weights"),
        (make_gated(), "outside of what the calibration saw a number would be a guess"),
        (
            make_without_probability(),
            "the scores do not separate real from manipulated validation videos",
        ),
    ],
)
def test_a_missing_probability_has_its_reason(verdict: Verdict, words: str) -> None:
    assert words in why_no_probability(verdict, verdict.faces[0])


def test_a_face_that_only_an_uncalibrated_detector_saw_has_its_reason() -> None:
    verdict = make_two_people()
    face = without_numbers(verdict.faces[0], logits={"othernet": 0.4})
    assert why_no_probability(verdict, face) == "nothing calibrated could decide"


def test_the_quality_class_comes_with_the_size_of_its_sample() -> None:
    assert quality_text(make_judgement(3.0)) == (
        "other (76 real validation videos and 81 manipulated with a copy of this quality)"
    )
    single = replace(make_calibration(), classes=make_calibration().classes[-1:])
    assert quality_text(make_judgement(3.0, single)) == ""


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (1.9, "No support for either"),
        (2.0, "Weak support for manipulation"),
        (99.0, "Moderate support for manipulation"),
        (101.0, "Moderately strong support for manipulation"),
        (1 / 2000, "Strong support for a real video"),
        (1e7, "Extremely strong support for manipulation"),
    ],
)
def test_the_verbal_scale_follows_the_ratio(ratio: float, words: str) -> None:
    assert support_text(math.log(ratio) + 1e-9) == f"{words} (ENFSI scale)."


def test_no_verbal_scale_without_a_likelihood_ratio() -> None:
    assert "ENFSI" in to_html(make_verdict())
    assert "ENFSI" not in to_html(make_without_probability())
