from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask.verdict import conformal_threshold
from unmask.verdict.conformal import conformal_lower, p_values


@given(
    logits=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200),
    rate=st.floats(0.005, 0.9),
)
def test_at_most_k_of_n_reals_are_alarms(logits: list[float], rate: float):
    k = int(np.floor(rate * (len(logits) + 1) + 1e-9))
    if k < 1:
        with pytest.raises(ValueError, match="cannot show a false-alarm rate"):
            conformal_threshold(logits, rate)
        return
    threshold = conformal_threshold(logits, rate)
    alarms = sum(v >= threshold for v in logits)
    assert alarms <= k - 1
    # And no lower threshold would do: the k-th largest lies just below it.
    assert sum(v >= np.nextafter(threshold, -np.inf) for v in logits) >= k


def test_a_new_real_video_is_an_alarm_as_rarely_as_promised():
    rng = np.random.default_rng(0)
    draws = rng.standard_normal((4000, 40))
    alarms = [row[-1] >= conformal_threshold(row[:-1].tolist(), 0.1) for row in draws]
    assert np.mean(alarms) <= 0.1 + 3 * np.sqrt(0.09 / 4000)
    assert np.mean(alarms) >= 0.06


def test_too_few_reals_are_reported_with_the_number_needed():
    with pytest.raises(
        ValueError, match=r"35 real videos .* rate of 0\.02: at least 49 are needed"
    ):
        conformal_threshold([0.0] * 35, 0.02)
    assert conformal_threshold([0.0] * 49, 0.02) > 0


@given(
    scores=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=100),
    rate=st.floats(0.01, 0.9),
)
def test_the_lower_bound_is_the_threshold_in_the_mirror(scores: list[float], rate: float):
    k = int(np.floor(rate * (len(scores) + 1) + 1e-9))
    if k < 1:
        with pytest.raises(ValueError, match="cannot show a miss rate"):
            conformal_lower(scores, rate)
        return
    assert sum(v < conformal_lower(scores, rate) for v in scores) <= k - 1
    assert sum(v <= conformal_lower(scores, rate) for v in scores) >= k


def test_too_few_forgeries_are_reported_with_the_number_needed():
    with pytest.raises(ValueError, match=r"3 forged videos .* rate of 0\.2: at least 4 are needed"):
        conformal_lower([0.0] * 3, 0.2)


def test_p_values_of_ties_count_the_tie():
    assert p_values(1.0, [0.0, 1.0, 1.0], [1.0, 2.0, 3.0]) == (0.75, 0.5)
