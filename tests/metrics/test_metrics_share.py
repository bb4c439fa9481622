from __future__ import annotations

import pytest
from scipy.stats import binomtest

from unmask.metrics.share import wilson_interval


@pytest.mark.parametrize(("hits", "trials"), [(0, 7), (3, 35), (35, 35)])
def test_the_interval_is_scipys(hits: int, trials: int):
    theirs = binomtest(hits, trials).proportion_ci(method="wilson")
    assert wilson_interval(hits, trials) == pytest.approx((theirs.low, theirs.high))


def test_no_trial_leaves_everything_open():
    assert wilson_interval(0, 0) == (0.0, 1.0)
