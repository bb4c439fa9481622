"""One threshold for a face, rates of other sources, numbers that stay apart, no all-clear."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from report_builders import make_calibration, make_face, make_judgement, make_verdict

from unmask.report import summary, to_html
from unmask.report.spread import spread
from unmask.report.timeline import Scale
from unmask.report.wording import error_rates, score_label
from unmask.types import Calibration, Finding, Verdict


def with_own_bounds(threshold: float = 2.49, lower: float = -1.86) -> Calibration:
    """A calibration whose last quality class has other bounds than the whole."""
    judge = make_calibration()
    own = replace(judge.classes[-1], threshold=threshold, lower=lower, real_scores=(0.0,))
    own = replace(own, fake_scores=(3.0,))
    return replace(judge, threshold=3.33, lower=-1.31, classes=(judge.classes[0], own))


def decided(finding: Finding, score: float, calibration: Calibration) -> Verdict:
    face = make_face(0, finding, score, calibration=calibration)
    return replace(make_verdict(finding), faces=(face,), calibrations=(calibration,), decided_by=0)


def words(verdict: Verdict) -> str:
    text = re.sub(r"<style>.*?</style>", "", to_html(verdict), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", text).replace("\N{NO-BREAK SPACE}", " ").split())


def test_the_bounds_that_decided_are_the_only_ones_called_the_rule() -> None:
    text = words(decided(Finding.MANIPULATED, 2.77, with_own_bounds()))
    assert "The highest face score is +2.77. From +2.49 on" in text
    assert "Threshold and lower bound +2.49 and -1.86 (other). From the threshold on" in text
    assert "+3.33" not in text
    assert "-1.31" not in text


def test_every_quality_class_of_the_faces_has_its_bounds() -> None:
    judge = with_own_bounds()
    faces = (
        make_face(0, Finding.MANIPULATED, 2.77, calibration=judge),
        replace(
            make_face(1, Finding.INCONCLUSIVE, 0.0),
            judgement=replace(
                make_judgement(0.0, judge), quality=judge.classes[0], threshold=3.33, lower=-1.31
            ),
        ),
    )
    text = words(replace(make_verdict(), faces=faces, calibrations=(judge,)))
    assert "+2.49 and -1.86 (other); +3.33 and -1.31 (all qualities)." in text


def test_error_rates_are_those_of_sources_left_out() -> None:
    assert error_rates(make_calibration()) == [
        "Real videos: signs of manipulation found in 4 of 76 (1.2 to 13 %), no signs in 50 of 76 "
        "(51 to 78 %).",
        "Manipulated videos: signs of manipulation found in 52 of 81 (49 to 76 %), no signs in 14 "
        "of 81 (8 to 31 %).",
        "Each video was judged by a calibration made without its source; intervals are 95 %, over "
        "sources.",
    ]
    assert error_rates(replace(make_calibration(), left_out=None)) == [
        "How often it is wrong on videos of other sources was not measured."
    ]
    text = words(make_verdict())
    assert "false alarm" not in text
    assert "small sample" not in text


@pytest.mark.parametrize(
    ("finding", "rate"),
    [
        (Finding.MANIPULATED, "On validation 4 of 76 (1.2 to 13 %) real videos got this finding"),
        (Finding.NO_MANIPULATION_FOUND, "On validation 14 of 81 (8 to 31 %) manipulated videos"),
        (Finding.INCONCLUSIVE, ""),
    ],
)
def test_a_rate_of_errors_stands_only_where_something_is_claimed(
    finding: Finding, rate: str
) -> None:
    head = words(make_verdict(finding)).partition("The face")[0]
    assert rate in head
    assert ("On validation 4 of 76" in head) == (finding is Finding.MANIPULATED)
    assert ("On validation 14 of 81" in head) == (finding is Finding.NO_MANIPULATION_FOUND)


def test_numbers_that_differ_are_never_printed_alike() -> None:
    verdict = decided(Finding.INCONCLUSIVE, 2.49371, with_own_bounds(2.494))
    text = words(verdict)
    assert "The highest face score is +2.4937. From +2.4940 on" in text
    assert score_label(verdict.faces[0]) == "+2.4937"
    chart = spread(verdict.faces[0])
    assert chart is not None
    assert (chart.face.text, chart.threshold.text) == ("Face 1: +2.4937", "threshold +2.4940")


def test_what_a_detector_does_not_find_stands_first_where_it_found_nothing() -> None:
    blind = (
        "This detector does not find fully AI-generated video. On validation it found 52 of 81 "
        "manipulated videos. This finding does not prove authenticity."
    )
    for finding in Finding:
        head = to_html(make_verdict(finding)).partition("</header>")[0]
        is_clear = finding is Finding.NO_MANIPULATION_FOUND
        assert (blind in head) == is_clear
        assert (blind in summary(make_verdict(finding))) == is_clear
    bare = replace(make_calibration(), left_out=None, blind_spots="")
    head = to_html(decided(Finding.NO_MANIPULATION_FOUND, -2.0, bare)).partition("</header>")[0]
    assert "This finding does not prove authenticity." in head


def test_nothing_is_green() -> None:
    scale = Scale(low=-1.0, high=1.0, is_calibrated=True)
    css = to_html(make_verdict()).partition("<style>")[2].partition("</style>")[0]
    colors = [scale.color(place / 4) for place in range(-16, 17)]
    colors += re.findall(r"--\w+: (#[0-9a-f]{6});", css)
    assert len(colors) > 40
    for color in colors:
        red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
        assert green <= max(red, blue) + 4, color  # grays may lean a little


def test_words_of_law_and_of_programs_do_not_stand_in_a_report() -> None:
    for finding in Finding:
        text = words(make_verdict(finding))
        for word in ("beyond doubt", "unmanipulated", "likely fake", "Track 0", "suspected"):
            assert word not in text
