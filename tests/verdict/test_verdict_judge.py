"""Quality classes and panels: what a face is judged by."""

from __future__ import annotations

import dataclasses
import math

import pytest

from unmask.types import (
    Calibration,
    ClipScore,
    Domain,
    Finding,
    LeftOutRates,
    PanelMember,
    QualityClass,
    Rate,
    Verdict,
)
from unmask.verdict import Observations, decide
from verdict_builders import COVERAGE, VIDEO, calibration, line, scores, track, use

SMALL = QualityClass(
    name="small",
    slope=0.5,
    intercept=1.0,
    max_face_px=120.0,
    threshold=3.0,
    lower=2.0,
    real_scores=(0.0, 2.5),
    fake_scores=(1.0, 4.0),
)
CLASSED = calibration(
    classes=(SMALL, *line(2.0)), real_scores=(-1.0, 1.0, 1.5), fake_scores=(0.5, 3.0)
)
OTHER = calibration(name="e's", detector="e", weights_sha256="bb", threshold=5.0, lower=4.0)
PANEL = calibration(
    name="panel",
    threshold=1.5,
    lower=-0.5,
    panel=(
        PanelMember(detector="d", weights_sha256="aa", weight=0.5),
        PanelMember(detector="e", weights_sha256="bb", weight=0.25),
    ),
)
TWO = (use("d"), use("e", "bb"))


def judged(
    given: list[ClipScore], *calibrations: Calibration, panel: Calibration | None = None
) -> Verdict:
    seen = Observations(
        video=VIDEO,
        tracks=(track(),),
        scores=given,
        coverage=COVERAGE,
        detectors=TWO,
        aggregates={"d": "mean", "e": "mean"},
    )
    return decide(seen, {one.detector: one for one in calibrations}, panel)


def test_a_face_is_judged_by_the_line_and_bounds_of_its_class():
    result = judged(scores(3.0), CLASSED)  # 100 px
    (face,) = result.faces
    assert face.quality == "small"
    assert face.score == pytest.approx(2.5)
    assert (face.threshold, face.lower) == (3.0, 2.0)
    assert face.finding is Finding.INCONCLUSIVE
    assert face.thresholds == {"d": pytest.approx(4.0)}
    assert face.errors is not None
    assert (face.errors.real_at_or_above, face.errors.real_videos) == (1, 2)
    assert result.threshold == 3.0
    assert result.calibration is not None
    assert result.calibration.real_scores == SMALL.real_scores


def test_a_class_without_bounds_has_the_calibrations():
    result = judged(scores(3.0, face_px=300.0), CLASSED)
    (face,) = result.faces
    assert (face.quality, face.score) == ("all", 6.0)
    assert face.finding is Finding.MANIPULATED
    assert face.errors is not None
    assert face.errors.real_videos == 3


RATES = LeftOutRates(
    false_alarms=Rate(hits=1, videos=35, interval=(0.0, 0.145)),
    cleared=Rate(hits=10, videos=35, interval=(0.12, 0.46)),
    found=Rate(hits=3, videos=42, interval=(0.0, 0.19)),
    missed=Rate(hits=6, videos=42, interval=(0.04, 0.32)),
)


@pytest.mark.parametrize(
    ("logit", "reason"),
    [
        (
            4.0,
            "d scores 3.00, at or above the threshold 3.00, as 1 of 35 real validation videos do, "
            "each judged by a calibration made without its source",
        ),
        (
            1.0,
            "d scores 1.50, below 2.00, as 6 of 42 manipulated validation videos do, each judged "
            "by a calibration made without its source",
        ),
    ],
)
def test_the_reason_has_the_rates_of_sources_left_out(logit: float, reason: str):
    """Those of the bounds' own videos are 0 by construction."""
    known = dataclasses.replace(CLASSED, left_out=RATES)
    assert judged(scores(logit), known).faces[0].reasons == (reason,)


def test_scores_that_nearly_reach_a_bound_are_printed_apart_from_it():
    (face,) = judged(scores(1.99971), calibration()).faces
    assert face.reasons[0].startswith("d scores 1.9997, below the threshold 2.0000 ")


def test_a_panel_judges_by_the_weighted_sum():
    given = [*scores(4.0), *scores(-2.0, detector="e")]
    result = judged(given, calibration(), OTHER, panel=PANEL)
    (face,) = result.faces
    assert face.score == pytest.approx(0.5 * 4.0 - 0.25 * 2.0)
    assert face.judgement.calibration.name == "panel"
    assert result.calibration == PANEL
    assert result.finding is Finding.MANIPULATED
    assert face.reasons[0].startswith("d with e score 1.50, at or above the threshold 1.50")
    assert result.calibrations == (PANEL, calibration(), OTHER)


@pytest.mark.parametrize(
    "missing", [[], scores(9.0, 2, detector="e"), scores(math.nan, detector="e")]
)
def test_where_a_member_is_missing_the_rest_is_judged_by_its_own_calibration(
    missing: list[ClipScore],
):
    result = judged([*scores(1.0), *missing], calibration(), panel=PANEL)
    (face,) = result.faces
    assert face.judgement.calibration == calibration()
    assert face.score == 1.0
    assert face.finding is Finding.INCONCLUSIVE


def test_a_part_over_a_members_own_threshold_is_pointed_out():
    parts = [*scores(-6.0, 25), *scores(4.0, 15), *scores(-6.0, 10)]
    moments = [
        dataclasses.replace(s, start_s=0.2 * i, end_s=0.2 * i + 0.2) for i, s in enumerate(parts)
    ]
    result = judged([*moments, *scores(-9.0, detector="e")], calibration(), OTHER, panel=PANEL)
    assert result.finding is Finding.INCONCLUSIVE
    assert "from 5.0 s to 8.0 s every score of d reaches its threshold" in result.reasons[0]


def test_a_panels_own_gates_count():
    closed = dataclasses.replace(PANEL, domain=Domain(min_face_px=500.0))
    given = [*scores(4.0), *scores(4.0, detector="e")]
    result = judged(given, calibration(), OTHER, panel=closed)
    assert result.finding is Finding.INCONCLUSIVE
    assert result.faces[0].gates == ("the face is 100 px large; the calibration holds from 500 px",)


def test_members_of_a_panel_are_not_called_uncalibrated():
    given = [*scores(4.0), *scores(4.0, detector="e")]
    assert not any("has no calibration" in r for r in judged(given, panel=PANEL).reasons)
    assert any("d has no calibration" in r for r in judged(given).reasons)
