from __future__ import annotations

import math

import numpy as np
import pytest

from unmask.metrics.share import wilson_interval
from unmask.types import QualityClass
from unmask.verdict.likelihood import (
    error_rates,
    llr_bounds,
    probability,
    probability_interval,
    stated_llr,
)
from verdict_builders import calibration, line

INTERVAL = QualityClass(
    name="all",
    slope=1.0,
    intercept=0.0,
    interval=((-2.0, -3.0, -1.5), (0.0, -0.5, 0.25), (2.0, 1.0, 4.0)),
)


def test_a_ratio_is_cut_to_its_bounds():
    known = calibration(llr_bounds=(-1.5, 2.5))
    assert [stated_llr(score, known) for score in (-9.0, 0.3, 9.0)] == [-1.5, 0.3, 2.5]
    assert stated_llr(9.0, calibration()) == 9.0
    assert stated_llr(1.0, calibration(scale="logit")) is None


def test_the_interval_is_read_between_its_rows_and_kept_outside():
    known = calibration(classes=(INTERVAL,))
    low, high = probability_interval(1.0, INTERVAL, known) or (0.0, 0.0)
    assert low == pytest.approx(probability(0.25))
    assert high == pytest.approx(probability(2.125))
    low, high = probability_interval(5.0, INTERVAL, known) or (0.0, 0.0)
    assert (low, high) == pytest.approx((probability(4.0), probability(7.0)))


def test_the_interval_stays_within_the_bounds():
    known = calibration(classes=(INTERVAL,), llr_bounds=(-1.0, 1.2))
    assert probability_interval(2.0, INTERVAL, known) == pytest.approx(
        (probability(1.0), probability(1.2))
    )


def test_without_probability_or_rows_there_is_no_interval():
    assert probability_interval(1.0, INTERVAL, calibration(scale="logit")) is None
    assert probability_interval(1.0, line(1.0)[0], calibration()) is None


def test_extreme_scores_have_probabilities():
    assert probability(1e9) == 1.0
    assert 0 <= probability(-1e9) < 1e-300


def test_error_rates_count_the_misleading_videos():
    known = calibration(real_scores=(-2.0, -1.0, 1.0, 3.0), fake_scores=(0.0, 1.0, 2.0))
    rates = error_rates(1.0, known)
    assert rates is not None
    assert (rates.real_at_or_above, rates.real_videos) == (2, 4)
    assert (rates.fake_at_or_below, rates.fake_videos) == (2, 3)
    assert rates.false_alarm_interval == wilson_interval(2, 4)
    assert error_rates(1.0, calibration()) is None


def test_a_validation_video_counts_itself_though_its_score_was_stored_rounded():
    known = calibration(real_scores=(0.5, 2.4937), fake_scores=(-1.0001, 3.0))
    high, low = error_rates(2.49371, known), error_rates(-1.00012, known)
    assert high is not None
    assert high.real_at_or_above == 1
    assert low is not None
    assert low.fake_at_or_below == 1


def test_bounds_of_a_perfect_system_grow_with_the_videos_and_stay_under_n_plus_1():
    few = llr_bounds([-9.0] * 9, [9.0] * 9)
    many = llr_bounds([-9.0] * 99, [9.0] * 99)
    for n, (low, high) in ((9, few), (99, many)):
        # missed = 1 / (n + 1), alarms = 1 / (n + 1): exp(step) <= n.
        assert high == pytest.approx(math.log(n), abs=0.011)
        assert low == pytest.approx(-math.log(n), abs=0.011)


def test_each_bound_depends_on_the_class_that_it_claims_to_be_rare():
    low, high = llr_bounds([-9.0] * 999, [9.0] * 9)
    assert high > 5
    assert low > -math.log(10)


def test_a_system_that_knows_nothing_may_claim_nothing():
    rng = np.random.default_rng(0)
    low, high = llr_bounds(rng.normal(0, 2, 200), rng.normal(0, 2, 200))
    assert -0.3 < low <= 0 <= high < 0.3


def test_a_misleading_video_lowers_the_bound_beyond_it():
    clean = llr_bounds(np.full(50, -2.0), np.full(50, 2.0))
    spoiled = llr_bounds([*np.full(40, -2.0), *np.full(10, 4.0)], np.full(50, 2.0))
    assert spoiled[1] < clean[1]
