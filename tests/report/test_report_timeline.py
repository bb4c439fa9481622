"""The heat bars: every score shows, at its time, in the colour that the bounds ask for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_builders import (
    LOWER,
    THRESHOLD,
    all_verdicts,
    make_calibration,
    make_long,
    make_panel,
    make_scores,
    make_still,
    make_two_people,
    make_uncalibrated,
    make_verdict,
)

from unmask.report.timeline import Scale, bars, length_s, scale_for, ticks

VERDICTS = all_verdicts()


def channels(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


@pytest.mark.parametrize("name", VERDICTS)
def test_cells_lie_inside_the_bar_in_order(name: str) -> None:
    verdict = VERDICTS[name]
    for face in verdict.faces:
        for bar in bars(face.track_id, verdict):
            edges = [edge for cell in bar.cells for edge in (cell.left, cell.left + cell.width)]
            assert edges == pytest.approx(sorted(edges), abs=0.01)
            assert all(-0.01 <= edge <= 100.01 for edge in edges)
            assert bar.text


def test_the_forged_passage_is_marked_where_it_is() -> None:
    (bar,) = bars(0, make_verdict())
    over = [cell for cell in bar.cells if cell.is_over]
    start = min(cell.left for cell in over)
    stop = max(cell.left + cell.width for cell in over)
    assert start == pytest.approx(100 * 4.0 / 12.48, abs=1.5)
    assert stop == pytest.approx(100 * 9.0 / 12.48, abs=1.5)


def test_single_pictures_leave_no_gaps_between_them() -> None:
    (bar,) = bars(0, make_verdict())
    covered = sum(cell.width for cell in bar.cells)
    assert covered == pytest.approx(100 * (10.4 - 0.2) / 12.48, abs=1.5)


def test_a_stretch_without_scores_stays_empty() -> None:
    bar = bars(1, make_two_people())[0]
    middle = 100 * 5.5 / 12.48
    assert not any(cell.left <= middle <= cell.left + cell.width for cell in bar.cells)
    assert bar.seen[0][0] == pytest.approx(100 * 3 / 12.48, abs=0.1)


def test_twenty_seconds_of_an_hour_still_show() -> None:
    (bar,) = bars(0, make_long())
    over = [cell for cell in bar.cells if cell.is_over]
    assert over
    assert over[0].left == pytest.approx(100 * 1860 / 3600, abs=0.5)
    assert "20 of them at or over the threshold" in bar.text
    assert len(bar.cells) <= 240


def test_the_calibrated_detector_comes_first_and_only_it_has_a_threshold() -> None:
    first, second = bars(1, make_two_people())
    assert (first.detector, first.is_calibrated) == ("toydetector", True)
    assert (second.detector, second.is_calibrated) == ("othernet", False)
    assert not any(cell.is_over for cell in second.cells)
    assert second.text.endswith("no threshold known for this detector.")


def test_colors_run_from_green_to_red_at_the_bounds() -> None:
    verdict = make_verdict()
    scale = scale_for("toydetector", verdict.faces[0], verdict)
    assert scale.place(LOWER) == pytest.approx(-1)
    assert scale.place(THRESHOLD) == pytest.approx(1)
    low, high = channels(scale.color(LOWER - 3)), channels(scale.color(THRESHOLD + 3))
    assert low[1] > low[0]
    assert high[0] > high[1]
    assert sum(high) < sum(low)


def test_the_bounds_are_those_of_the_face_s_own_quality() -> None:
    """A steeper line puts the same scores at smaller logits."""
    verdict = make_verdict()
    judge = make_calibration()
    steep = replace(judge, classes=tuple(replace(one, slope=2.0) for one in judge.classes))
    face = replace(verdict.faces[0], thresholds={"toydetector": THRESHOLD / 2})
    scale = scale_for("toydetector", face, replace(verdict, calibrations=(steep,)))
    assert scale.high == pytest.approx(THRESHOLD / 2)
    assert scale.low == pytest.approx(LOWER / 2)
    assert not scale_for("thirdnet", face, verdict).is_calibrated
    assert not scale_for("toydetector", None, verdict).is_calibrated


def test_a_member_of_a_panel_without_bounds_of_its_own_still_has_a_threshold() -> None:
    verdict = make_panel()
    scale = scale_for("othernet", verdict.faces[0], verdict)
    assert (scale.low, scale.high) == pytest.approx((0.2, 2.2))


@given(st.floats(-1e6, 1e6), st.floats(-5, 5), st.floats(0, 5))
def test_any_logit_has_a_color_and_a_place(logit: float, low: float, width: float) -> None:
    scale = Scale(low=low, high=low + width, is_calibrated=True)
    assert len(scale.color(logit)) == 7
    assert 0 <= scale.percent(logit) <= 100


def test_a_score_that_is_not_a_number_leaves_a_gap() -> None:
    scores = make_scores(0, 0.0, 12.4, lambda t: float("nan") if t > 6 else 0.0)
    (bar,) = bars(0, replace(make_verdict(), clip_scores=scores))
    assert max(cell.left + cell.width for cell in bar.cells) < 100 * 6.5 / 12.48
    broken = make_scores(0, 0.0, 1.0, lambda _: float("nan"))
    (bar,) = bars(0, replace(make_verdict(), clip_scores=broken))
    assert bar.cells == ()
    assert bar.text == "No clip of this face could be scored."


def test_a_still_has_no_time_axis() -> None:
    verdict = make_still()
    assert length_s(verdict) == 0
    assert ticks(0) == []
    (bar,) = bars(0, verdict)
    assert bar.cells == ()
    assert (
        bar.text
        == "Highest clip score +2.20; 1 clip scored, 1 of them at or over the threshold (+1.37)."
    )


def test_without_calibration_nothing_is_over() -> None:
    (bar,) = bars(0, make_uncalibrated())
    assert bar.cells
    assert not any(cell.is_over for cell in bar.cells)


@pytest.mark.parametrize("total_s", [0.04, 0.7, 4.2, 12.48, 61.0, 599.0, 3600.0, 86400.0 * 3])
def test_the_axis_has_a_few_labels_in_order(total_s: float) -> None:
    marks = ticks(total_s)
    assert 1 <= len(marks) <= 7
    lefts = [mark.left for mark in marks]
    assert lefts == sorted(lefts)
    assert lefts[0] == 0
    assert lefts[-1] <= 100.01
    assert len({mark.text for mark in marks}) == len(marks)


def test_scores_after_the_claimed_end_still_show() -> None:
    """A container may claim less than it holds."""
    verdict = make_verdict()
    short = replace(verdict, video=replace(verdict.video, duration_s=1.0))
    assert length_s(short) == pytest.approx(12.48)
    assert np.isfinite(length_s(short))


def test_a_cell_shows_the_highest_of_its_clips() -> None:
    """A calm clip after a suspicious one in the same cell must not hide it."""
    scores = make_scores(
        0, 0.0, 3600.0, lambda t: 3.0 if round(t) % 15 == 7 else -3.0, step_s=1.0, with_mask=False
    )
    (bar,) = bars(0, replace(make_long(), clip_scores=scores))
    assert sum(cell.width for cell in bar.cells if cell.is_over) == pytest.approx(100, abs=0.5)
