"""What ``decide`` makes of a calibration with quality classes, as the reports tell it."""

from __future__ import annotations

import json
from dataclasses import replace

from jsonschema import Draft202012Validator
from report_builders import (
    DETECTOR,
    make_calibration,
    make_coverage,
    make_info,
    make_scores,
    make_track,
    make_verdict,
)

from unmask.report import schema, summary, table_row, to_html, to_json
from unmask.report.table import COLUMNS
from unmask.types import Calibration, Finding, Verdict
from unmask.verdict import Observations, decide


def with_own_bounds() -> Calibration:
    """The class that the face of these tests falls into has bounds and scores of its own."""
    judge = make_calibration()
    own = replace(
        judge.classes[-1],
        slope=0.5,
        threshold=1.5,
        lower=0.5,
        real_scores=(-2.0, -1.0, 0.0, 1.2),
        fake_scores=(0.4, 1.0, 2.0, 3.0),
    )
    return replace(judge, classes=(judge.classes[0], own))


def decided(logit: float, face_px: float = 235.5) -> Verdict:
    scores = make_scores(0, 0.2, 10.6, lambda _: logit)
    seen = Observations(
        video=make_info(),
        tracks=[make_track(0, 0.0, 12.4)],
        scores=[replace(s, face_px=face_px, end_s=s.start_s + 0.2) for s in scores],
        coverage=make_coverage(),
        detectors=make_verdict().detectors,
        aggregates={DETECTOR: "mean"},
        unmask_version="0.1.0",
    )
    return decide(seen, {DETECTOR: with_own_bounds()})


def test_the_reports_tell_the_score_and_the_bounds_of_the_quality_class() -> None:
    verdict = decided(4.0)
    assert verdict.finding is Finding.MANIPULATED
    document = json.loads(to_json(verdict))
    assert [e.message for e in Draft202012Validator(schema()).iter_errors(document)] == []
    (face,) = document["faces"]
    assert (face["score"], face["threshold"], face["lower"]) == (2.0, 1.5, 0.5)
    assert face["errors"]["real_at_or_above"] == 0
    assert face["errors"]["fake_at_or_below"] == 3
    page = to_html(verdict)
    assert (
        "The highest face score is +2.00. From +1.50 on, a score counts as a sign of manipulation."
        in page
    )
    assert "Real validation videos of this quality that score as high or higher." in page
    assert "4 real validation videos" in page
    assert "threshold +1.50, lower bound +0.50" in page
    lines = summary(verdict).splitlines()
    assert lines[2] == (
        "  Log-likelihood ratio +2.00; 0 of 4 real validation videos score this high or higher, "
        "3 of 4 manipulated ones this low or lower"
    )
    row = dict(zip(COLUMNS, table_row(verdict), strict=True))
    assert (row["score"], row["threshold"], row["lower"]) == ("2", "1.5", "0.5")


def test_the_heat_bar_marks_clips_over_the_bound_of_the_quality_class() -> None:
    """At a slope of one half a score of 1.5 is a logit of 3."""
    assert "52 of them at or over the threshold (+3.00)" in to_html(decided(4.0))
    assert "0 of them at or over the threshold (+3.00)" in to_html(decided(2.9))


def test_a_face_outside_of_the_calibration_has_no_numbers_but_reasons() -> None:
    verdict = decided(4.0, face_px=31.0)
    assert verdict.finding is Finding.INCONCLUSIVE
    (face,) = json.loads(to_json(verdict))["faces"]
    assert face["gates"] == ["the face is 31 px large; the calibration holds from 48 px"]
    assert (face["score"], face["llr"], face["probability"]) == (None, None, None)
    page = to_html(verdict)
    assert "Outside of what was calibrated, so no answer:" in page
    assert "Probability of manipulation" not in page
