"""The picture of the validation scores: every video in it, the face where its score is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_builders import LOWER, THRESHOLD, make_calibration, make_face, without_numbers

from unmask.report.spread import spread
from unmask.types import Finding

FACE = make_face(0, Finding.MANIPULATED, 3.21)
scores = st.lists(st.floats(-30, 30), min_size=1, max_size=40)


def test_every_validation_video_is_in_its_row() -> None:
    chart = spread(FACE)
    assert chart is not None
    real, fake = chart.rows
    assert (real.name, fake.name) == (
        "76 real validation videos",
        "81 manipulated validation videos",
    )
    counts = [
        sum(int(block.title.rpartition(": ")[2].split()[0]) for block in row.blocks)
        for row in chart.rows
    ]
    assert counts == [76, 81]


def test_the_face_and_the_bounds_stand_in_order_of_their_scores() -> None:
    chart = spread(FACE)
    assert chart is not None
    assert chart.lower.left < chart.threshold.left < chart.face.left
    across = (chart.face.left - chart.lower.left) / (chart.threshold.left - chart.lower.left)
    assert across == pytest.approx((3.21 - LOWER) / (THRESHOLD - LOWER), abs=0.01)
    assert chart.face.text == "Face 1: +3.21"
    assert [line.text for line in (chart.lower, chart.threshold)] == [
        "lower bound -0.42",
        "threshold +1.37",
    ]


def test_the_words_say_what_the_picture_shows() -> None:
    chart = spread(FACE)
    assert chart is not None
    assert chart.text == (
        "Face 1 scores +3.21. As high or higher: 0 of 76 real validation videos. As low or lower: "
        "61 of 81 manipulated ones. The lower bound is -0.42, the threshold +1.37; both were set "
        "on these videos."
    )


@settings(deadline=None)
@given(scores, scores, st.floats(-30, 30), st.floats(-3, 3), st.floats(0, 6))
def test_whatever_the_scores_all_lies_inside_and_the_names_have_room(
    real: list[float], fake: list[float], score: float, lower: float, width: float
) -> None:
    judge = replace(
        make_calibration(),
        real_scores=tuple(sorted(real)),
        fake_scores=tuple(sorted(fake)),
        lower=lower,
        threshold=lower + width,
    )
    chart = spread(make_face(0, Finding.MANIPULATED, score, calibration=judge))
    assert chart is not None
    assert 0 <= chart.face.left <= 100
    assert chart.lower.left >= 24
    assert chart.threshold.left <= 76
    for row in chart.rows:
        for block in row.blocks:
            assert 0 <= block.left <= 100 - block.width + 0.01
            assert 0 < block.height <= 36
    assert 1 <= len(chart.marks) <= 7
    assert len({mark.text for mark in chart.marks}) == len(chart.marks)


def test_there_is_no_picture_without_a_judge_or_without_scores() -> None:
    assert spread(without_numbers(FACE)) is None
    bare = replace(make_calibration(), real_scores=())
    assert spread(make_face(0, Finding.MANIPULATED, 3.21, calibration=bare)) is None
