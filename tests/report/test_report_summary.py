"""The lines for the terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_builders import (
    all_verdicts,
    make_crowd,
    make_damaged,
    make_face,
    make_gated,
    make_still,
    make_two_people,
    make_uncalibrated,
    make_verdict,
    make_without_probability,
    without_numbers,
)

from unmask.report import summary
from unmask.report.wording import by_suspicion, explain
from unmask.types import Finding, Verdict

VERDICTS = all_verdicts()


@pytest.mark.parametrize("name", VERDICTS)
def test_it_is_short_and_plain(name: str) -> None:
    text = summary(VERDICTS[name])
    assert 2 <= len(text.splitlines()) <= 12
    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize("people", [4, 5, 6, 20])
def test_a_crowd_still_fits(people: int) -> None:
    assert len(summary(make_crowd(people)).splitlines()) <= 12


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        (Finding.MANIPULATED, "Signs of manipulation found"),
        (Finding.INCONCLUSIVE, "Inconclusive"),
        (Finding.NO_MANIPULATION_FOUND, "No signs found by this detector"),
        (Finding.NO_FACE, "No face"),
    ],
)
def test_the_first_line_gives_name_and_finding(finding: Finding, words: str) -> None:
    first = summary(make_verdict(finding)).splitlines()[0]
    assert first == f"interview_2026-11-03.mp4: {words}"


def test_two_people_stand_in_order_of_suspicion() -> None:
    lines = summary(make_two_people()).splitlines()
    assert lines[1] == (
        "  Probability of manipulation: 96 % (95 % interval 91 to 98 %), "
        "if equally likely beforehand"
    )
    assert lines[2] == (
        "  Log-likelihood ratio +3.21; 0 of 76 real validation videos score this high or higher, "
        "61 of 81 manipulated ones this low or lower"
    )
    assert lines[3] == "  Face 2 0:03.0-0:08.0: Signs of manipulation found (score +3.21, 96 %)"
    assert lines[4] == "  Face 1 0:00.0-0:12.4: No signs found by this detector (score -2.40, 8 %)"
    assert lines[-1] == (
        "  Looked at: 12.5 s of 12.5 s decoded, a face in 12.1 s, scored 11.8 s; "
        "2 of 2 faces scored; audio not analyzed"
    )


def test_the_rest_of_a_crowd_is_counted() -> None:
    text = summary(make_crowd())
    assert "... and 17 faces more: 17 no signs found by this detector" in text
    assert "... and 6 reasons more in the report" in text


def test_damage_and_missing_calibration_are_reported() -> None:
    assert summary(make_damaged()).endswith("the file is damaged")
    lines = summary(make_uncalibrated()).splitlines()
    assert lines[1] == (
        "  No probability: no calibration belongs to these detectors with these weights"
    )
    assert lines[2] == "  Face 1 0:00.0-0:12.4: Inconclusive (score +0.55, decides nothing)"


def test_bounds_alone_give_no_probability_and_no_ratio_but_the_errors() -> None:
    text = summary(make_without_probability())
    assert (
        "No probability: the scores do not separate real from manipulated validation videos" in text
    )
    assert "ratio" not in text
    assert (
        "  1 of 76 real validation videos score this high or higher, 17 of 81 manipulated" in text
    )


def test_a_closed_gate_is_the_reason_given() -> None:
    text = summary(make_gated())
    assert "No probability: outside of what the calibration saw a number would be a guess" in text
    assert "the face is 31 px large; the calibration holds from 48 px" in text
    assert "validation videos score" not in text


def test_a_still_has_no_times() -> None:
    assert "Looked at: one still picture; 1 of 1 face scored" in summary(make_still())
    assert "0:00" not in summary(make_still())


def test_a_face_without_a_score_is_called_that() -> None:
    face = without_numbers(make_face(0, Finding.INCONCLUSIVE, 0.0), logits={})
    text = summary(replace(make_verdict(Finding.INCONCLUSIVE), faces=(face,)))
    assert "Face 1 0:00.0-0:12.4: Inconclusive (not scored)" in text


def test_the_explanation_never_contradicts_the_numbers() -> None:
    """A finding that does not follow from the score alone is explained as such."""

    def scoring(finding: Finding, score: float) -> Verdict:
        face = make_face(0, finding, score)
        return replace(make_verdict(finding), faces=(face,))

    other = "The highest face score is +0.10. Alone it would give another answer"
    assert explain(scoring(Finding.MANIPULATED, 0.1)).startswith(other)
    assert explain(make_verdict(Finding.MANIPULATED)) == (
        "The highest face score is +3.21. From +1.37 on, a score counts as a sign of manipulation."
    )
    assert explain(scoring(Finding.INCONCLUSIVE, 0.1)) == (
        "The highest face score is +0.10. From +1.37 on, a score counts as a sign of manipulation; "
        "below -0.42 the detector reports no signs. This one is in between."
    )
    assert "another answer" in explain(scoring(Finding.INCONCLUSIVE, 3.0))
    assert explain(make_verdict(Finding.NO_MANIPULATION_FOUND)) == (
        "The highest face score is -2.36. Below -0.42 the detector reports no signs."
    )
    assert explain(make_gated()).startswith("No face lies within what the calibration saw")


def test_the_finding_ranks_before_the_score() -> None:
    """A face too small for a finding may score higher than one that is called manipulated."""
    verdict = replace(
        make_verdict(),
        faces=(
            make_face(0, Finding.INCONCLUSIVE, 5.0),
            make_face(1, Finding.MANIPULATED, 2.0),
            make_face(2, Finding.MANIPULATED, 3.0),
        ),
    )
    assert [face.track_id for face in by_suspicion(verdict)] == [2, 1, 0]


def test_a_face_that_could_decide_ranks_before_one_that_could_not() -> None:
    verdict = replace(
        make_verdict(Finding.INCONCLUSIVE),
        faces=(
            without_numbers(make_face(0, Finding.INCONCLUSIVE, 5.0)),
            make_face(1, Finding.INCONCLUSIVE, 0.5),
        ),
    )
    assert [face.track_id for face in by_suspicion(verdict)] == [1, 0]


def test_weights_that_are_not_for_commercial_use_are_named_last() -> None:
    verdict = make_verdict()
    assert "commercial" not in summary(verdict)
    license = "CC BY-NC 4.0 (non-commercial)"
    uses = (replace(verdict.detectors[0], license=license, is_non_commercial=True),)
    last = summary(replace(verdict, detectors=uses)).splitlines()[-1]
    assert last == f"  Weights of {uses[0].name} are not for commercial use: {license}"
