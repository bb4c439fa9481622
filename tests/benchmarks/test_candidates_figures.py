"""Figures of candidates as functions of weights, worked by hand or against plain numpy."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from benchmarks.candidates import _figures

from candidate_scores import pairs
from scored_copies import videos
from unmask.calibrate import intervals

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


def test_shares_and_their_intervals():
    over = (np.nan_to_num(HAND.logit, nan=-np.inf) >= 3.0).astype(float)
    found = intervals.share_of(over, HAND.label == 1, HAND.source)
    alarms = intervals.share_of(over, HAND.label == 0, HAND.source)
    assert (found.items, alarms.items) == ("3 of 4", "1 of 4")
    assert value(_figures.balanced_accuracy(over, HAND)) == pytest.approx((3 / 4 + 3 / 4) / 2)
    none = intervals.share_of(np.zeros(8), HAND.label == 0, HAND.source)
    # A bootstrap of no alarms has no width: Wilson's bound for 0 of 4 stands in.
    shown = intervals.estimate(none, 200)
    assert (shown.value, shown.low, shown.high) == (0.0, 0.0, pytest.approx(0.49, abs=0.005))


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
    found = intervals.difference(*figures, 100)
    assert [found.value, found.low, found.high] == pytest.approx([0.2] * 3)
    alone = intervals.estimate(figures[0], 100)
    assert alone.high - alone.low > 0.05
