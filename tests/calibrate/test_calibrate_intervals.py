"""Metrics as functions of weights, worked by hand or against plain numpy."""

from __future__ import annotations

import numpy as np
import pytest

from scored_copies import drawn, videos
from unmask.calibrate import intervals

# Source A: AUC 1. Source B: forged 3, 5 against real 4: 1/2. Source C: no real video.
HAND = videos(
    ("A", "", 0.0),
    ("A", "X", 1.0),
    ("B", "", 4.0),
    ("B", "X", 3.0),
    ("B", "Y", 5.0),
    ("C", "X", 9.0),
    ("D", "", -1.0),
    ("D", "", None),
)


def value(statistic):
    return float(statistic.measure(np.ones((1, len(statistic.source))))[0])


def test_within_sources_is_the_mean_over_sources_of_both_classes():
    statistic = intervals.auc_within(HAND, HAND.source, "sources")
    assert value(statistic) == pytest.approx((1 + 0.5) / 2)
    assert statistic.items == "2 sources with both classes"
    # A drawn twice, B once; then neither of them.
    weights = np.array([[2, 2, 1, 1, 1, 0, 1, 1], [0, 0, 0, 0, 0, 4, 0, 0]], float)
    first, second = statistic.measure(weights)
    assert first == pytest.approx((2 * 1 + 0.5) / 3)
    assert np.isnan(second)


def test_within_tools_takes_each_tool_of_each_source():
    # X in A: 1; X in B: 0; Y in B: 1.
    statistic = intervals.auc_within(HAND, HAND.tool, "tools")
    assert value(statistic) == pytest.approx(2 / 3)
    assert statistic.items == "3 tools with both classes"


def test_an_undecided_video_ranks_lowest():
    # Reals 0, 4, -1 and undecided; forged 1, 3, 5, 9: of 16 pairs 3 + 3 + 4 + 4 are in order.
    assert value(intervals.pooled_auc(HAND)) == pytest.approx(14 / 16)
    assert intervals.pooled_auc(HAND).items == "4 real, 4 forged, 1 undecided"


def test_calibration_weighs_both_classes_alike():
    # Three forged and one real, all said to be 0.5: at equal priors that is true.
    some = videos(("A", "X", 0.0), ("B", "X", 0.0), ("C", "X", 0.0), ("D", "", 0.0))
    found = intervals.likelihood_metrics(some.logit, some)
    assert value(found["ECE"]) == pytest.approx(0)
    assert value(found["Brier"]) == pytest.approx(0.25)
    assert value(found["Cllr"]) == pytest.approx(1)


def test_calibration_leaves_out_the_undecided():
    logits = np.array([-2.0, 2.0, np.nan, 1.0, 3.0, 2.0, -1.0, np.nan])
    found = intervals.likelihood_metrics(logits, HAND)
    assert found["ECE"].items == "2 real, 4 forged"
    assert 0 < value(found["ECE"]) < 0.5


def test_ece_of_true_probabilities_falls_with_more_items():
    random = np.random.default_rng(0)
    few, many = random.normal(size=40), random.normal(size=4000)
    assert intervals.least_ece(few, draws=50) > 3 * intervals.least_ece(many, draws=50) > 0


def test_a_metric_less_itself_is_nothing_and_less_a_worse_one_is_not():
    good, bad = (intervals.pooled_auc(drawn(shift)) for shift in (3.0, 0.0))
    same = intervals.difference(good, good, 200)
    assert (same.value, same.low, same.high) == (0, 0, 0)
    more = intervals.difference(good, bad, 200)
    assert more.value == pytest.approx(value(good) - value(bad))
    assert 0 < more.low < more.value < more.high


def test_what_has_no_interval_says_why():
    one = videos(("A", "", 0.0), ("A", "X", 1.0))
    found = intervals.estimate(intervals.pooled_auc(one), 100)
    assert found.value == 1.0
    assert found.low is None
    assert "at least 2 sources" in found.plain()["note"]
