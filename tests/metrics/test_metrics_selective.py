from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from metric_samples import samples, unhurried

from unmask.metrics.selective import aurc, risk_coverage
from unmask.metrics.threshold import accuracy


def test_by_hand_with_ties():
    # Sureness 4 right; 3 right and wrong; 1 wrong.
    labels, scores = [1, 0, 1, 0], [4.0, -3.0, -3.0, 1.0]
    curve = risk_coverage(labels, scores, threshold=0.0)
    assert curve.coverage.tolist() == [0.25, 0.75, 1.0]
    assert curve.risk == pytest.approx([0, 1 / 3, 1 / 2])
    assert curve.margin.tolist() == [4, 3, 1]
    assert aurc(labels, scores, 0.0) == pytest.approx((0 + 1 / 3 + 1 / 3 + 1 / 2) / 4)


def test_a_score_on_the_threshold_is_called_fake():
    assert risk_coverage([0, 1, 1], [1.0, 2.0, 2.0], threshold=2.0).risk.tolist() == [0, 0]


@given(samples())
@unhurried
def test_counted_item_by_item(sample: Any):
    labels, scores = sample
    sure, wrong = np.abs(scores - 2.5), (scores >= 2.5) != labels
    expected = np.mean([wrong[sure >= s].mean() for s in sure])
    assert aurc(labels, scores, 2.5) == pytest.approx(expected)


@given(samples())
@unhurried
def test_with_all_answers_given_the_risk_is_what_accuracy_lacks(sample: Any):
    curve = risk_coverage(*sample, threshold=1.5)
    assert curve.coverage[-1] == 1
    assert curve.risk[-1] == pytest.approx(1 - accuracy(*sample, threshold=1.5))
    assert (np.diff(curve.coverage) > 0).all()
    assert (np.diff(curve.margin) < 0).all()


def test_wrong_answers_that_are_unsure_cost_less_than_sure_ones():
    labels = [1, 1, 1, 0]
    assert aurc(labels, [3.0, 2.0, -0.1, -4.0], 0.0) < aurc(labels, [3.0, 2.0, -9.0, -4.0], 0.0)
