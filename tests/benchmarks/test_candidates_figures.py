"""Figures of candidates as functions of weights, worked by hand or against plain numpy."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from benchmarks.candidates import _figures

from candidate_scores import drawn, pairs, videos

ONES = np.ones((1, 8))
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


def value(figure):
    return float(figure.measure(np.ones((1, len(figure.source))))[0])


def test_within_sources_is_the_mean_over_sources_of_both_classes():
    figure = _figures.auc_within(HAND, HAND.source, "sources")
    assert value(figure) == pytest.approx((1 + 0.5) / 2)
    assert figure.items == "2 sources with both classes"
    # A drawn twice, B once; then neither of them.
    weights = np.array([[2, 2, 1, 1, 1, 0, 1, 1], [0, 0, 0, 0, 0, 4, 0, 0]], float)
    first, second = figure.measure(weights)
    assert first == pytest.approx((2 * 1 + 0.5) / 3)
    assert np.isnan(second)


def test_within_tools_takes_each_tool_of_each_source():
    # X in A: 1; X in B: 0; Y in B: 1.
    figure = _figures.auc_within(HAND, HAND.tool, "tools")
    assert value(figure) == pytest.approx(2 / 3)
    assert figure.items == "3 tools with both classes"


def test_an_undecided_video_ranks_lowest():
    # Reals 0, 4, -1 and undecided; forged 1, 3, 5, 9: of 16 pairs 3 + 3 + 4 + 4 are in order.
    assert value(_figures.pooled_auc(HAND)) == pytest.approx(14 / 16)
    assert _figures.pooled_auc(HAND).items == "4 real, 4 forged, 1 undecided"


def test_shares_and_their_intervals():
    over = (np.nan_to_num(HAND.logit, nan=-np.inf) >= 3.0).astype(float)
    found = _figures.share_of(over, HAND.label == 1, HAND.source)
    alarms = _figures.share_of(over, HAND.label == 0, HAND.source)
    assert (found.items, alarms.items) == ("3 of 4", "1 of 4")
    assert value(_figures.balanced_accuracy(over, HAND)) == pytest.approx((3 / 4 + 3 / 4) / 2)
    none = _figures.share_of(np.zeros(8), HAND.label == 0, HAND.source)
    # A bootstrap of no alarms has no width: Wilson's bound for 0 of 4 stands in.
    told = _figures.estimate(none, 200)
    assert (told.value, told.low, told.high) == (0.0, 0.0, pytest.approx(0.49, abs=0.005))


def test_calibration_weighs_both_classes_alike():
    # Three forged and one real, all said to be 0.5: at equal priors that is true.
    some = videos(("A", "X", 0.0), ("B", "X", 0.0), ("C", "X", 0.0), ("D", "", 0.0))
    found = _figures.likelihood_metrics(some.logit, some)
    assert value(found["ECE"]) == pytest.approx(0)
    assert value(found["Brier"]) == pytest.approx(0.25)
    assert value(found["Cllr"]) == pytest.approx(1)


def test_calibration_leaves_out_the_undecided():
    logits = np.array([-2.0, 2.0, np.nan, 1.0, 3.0, 2.0, -1.0, np.nan])
    found = _figures.likelihood_metrics(logits, HAND)
    assert found["ECE"].items == "2 real, 4 forged"
    assert 0 < value(found["ECE"]) < 0.5


def test_ece_of_true_probabilities_falls_with_more_items():
    random = np.random.default_rng(0)
    few, many = random.normal(size=40), random.normal(size=4000)
    assert _figures.least_ece(few, draws=50) > 3 * _figures.least_ece(many, draws=50) > 0


def test_figures_of_pairs():
    some = dataclasses.replace(
        pairs(0, count=4),
        real=np.array([0.0, 1.0, 2.0, 3.0]),
        forged=np.array([1.0, 1.0, 1.0, 9.0]),
        iou=np.array([0.5, 0.0, 0.0, 1.0]),
    )
    found = _figures.pair_figures(some)
    assert value(found["pairs in order"]) == pytest.approx((1 + 0.5 + 0 + 1) / 4)
    # Forged 1 beats one real and ties with one, three times; 9 beats all: 8.5 of 16.
    assert value(found["AUC"]) == pytest.approx(8.5 / 16)
    assert value(found["mask IoU"]) == pytest.approx(0.375)
    assert found["AUC"].items == "4 pairs of 4 sources"
    assert "mask IoU" not in _figures.pair_figures(pairs(0, has_masks=False))


def test_a_figure_less_itself_is_nothing_and_less_a_worse_one_is_not():
    good, bad = (_figures.pooled_auc(drawn(shift)) for shift in (3.0, 0.0))
    same = _figures.difference(good, good, 200)
    assert (same.value, same.low, same.high) == (0, 0, 0)
    more = _figures.difference(good, bad, 200)
    assert more.value == pytest.approx(value(good) - value(bad))
    assert 0 < more.low < more.value < more.high


def test_both_candidates_see_the_same_sources_though_their_pairs_differ():
    # Masks as good in each source alike: whichever sources are drawn, the difference is 0.2.
    one, other = pairs(0, count=48), pairs(0, seed=1, count=24)
    worth = {f"s{number}": number / 10 for number in range(4)}
    figures = [
        _figures.pair_figures(
            dataclasses.replace(some, iou=np.array([worth[s] + more for s in some.source]))
        )["mask IoU"]
        for some, more in ((one, 0.2), (other, 0.0))
    ]
    found = _figures.difference(*figures, 100)
    assert [found.value, found.low, found.high] == pytest.approx([0.2] * 3)
    alone = _figures.estimate(figures[0], 100)
    assert alone.high - alone.low > 0.05


def test_what_has_no_interval_says_why():
    one = videos(("A", "", 0.0), ("A", "X", 1.0))
    told = _figures.estimate(_figures.pooled_auc(one), 100)
    assert told.value == 1.0
    assert told.low is None
    assert "at least 2 sources" in told.plain()["note"]
