from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_samples import noisy, samples, unhurried
from sklearn.metrics import roc_curve

from unmask.errors import NotMeasurableError, UsageError
from unmask.metrics import log_weighted_precision, tar_at_far
from unmask.metrics.operating_point import OperatingPoint, threshold_at_far


@pytest.mark.parametrize("far", [0.1, 0.01, 0.001])
@pytest.mark.parametrize("levels", [0, 5])
def test_tar_is_the_highest_of_scikit_learns_points_up_to_that_far(far: float, levels: int):
    labels, scores = noisy(4000, levels=levels)
    fpr, tpr, _ = roc_curve(labels, scores, drop_intermediate=False)
    assert tar_at_far(labels, scores, far) == pytest.approx(tpr[fpr <= far].max())


def test_tar_by_hand():
    # Ten reals 0..9; fakes above none, above 9 of them, above all.
    labels, scores = [0] * 10 + [1] * 4, [*range(10), -1, 8.5, 8.7, 20]
    assert tar_at_far(labels, scores, 0.1) == 3 / 4
    assert tar_at_far(labels, scores, 0.999) == 3 / 4
    assert tar_at_far(labels, scores, 1.0) == 1
    # Between 0.1 and 0.2 nothing is interpolated.
    assert tar_at_far(labels, scores, 0.19) == tar_at_far(labels, scores, 0.1)


def test_scores_tied_with_the_real_ones_that_are_too_many_are_not_found():
    assert tar_at_far([0, 0, 1, 1], [5.0, 5.0, 5.0, 9.0], far=0.5) == 0.5


@pytest.mark.parametrize("reals", [10, 49, 100, 1000])
def test_a_far_of_one_real_item_is_measurable_and_a_smaller_one_is_not(reals: int):
    labels, scores = [0] * reals + [1], list(range(reals + 1))
    assert tar_at_far(labels, scores, 1 / reals) == 1
    message = (
        f"Not measurable: a FAR of {0.5 / reals:g} needs at least {2 * reals} real items "
        rf"\(label 0\), got {reals}. Ask for a FAR of {1 / reals:.3g} or more, or add real items."
    )
    for call in (tar_at_far, threshold_at_far):
        with pytest.raises(NotMeasurableError, match=message):
            call(labels, scores, 0.5 / reals)


def test_the_threshold_gives_what_it_says():
    labels, scores = noisy(500, levels=6)
    for far in (0.02, 0.1, 0.5, 1.0):
        point = threshold_at_far(labels, scores, far)
        called = scores >= point.threshold
        assert point.far == pytest.approx(called[labels == 0].mean())
        assert point.tar == pytest.approx(called[labels == 1].mean())
        assert point.tar == tar_at_far(labels, scores, far)
        assert point.far <= far


def test_where_nothing_may_be_called_fake_the_threshold_is_infinite():
    found = threshold_at_far([0, 0, 1], [5.0, 5.0, 1.0], far=0.5)
    assert found == OperatingPoint(math.inf, 0.0, 0.0)


@given(samples(), st.sampled_from([0.1, 0.5, 0.9, 1.0]), st.sampled_from([0, 1, 100]))
@unhurried
def test_weighted_precision_counted_item_by_item(sample: Any, recall: float, alpha: float):
    labels, scores = sample
    fakes = np.sort(scores[labels == 1])[::-1]
    threshold = next(s for s in fakes if (fakes >= s).mean() >= recall)
    true, false = (fakes >= threshold).sum(), (scores[labels == 0] >= threshold).sum()
    expected = math.log(true / (true + alpha * false))
    assert log_weighted_precision(*sample, recall, alpha=alpha) == pytest.approx(expected)


def test_weighted_precision_by_hand():
    # Highest first: two fakes, a real, two fakes.
    labels, scores = [1, 1, 0, 1, 1], [5, 4, 3, 2, 1]
    assert log_weighted_precision(labels, scores, 0.5) == 0
    assert log_weighted_precision(labels, scores, 0.51) == pytest.approx(math.log(3 / 103))
    assert log_weighted_precision(labels, scores, 1.0) == pytest.approx(math.log(4 / 104))
    assert log_weighted_precision(labels, scores, 1.0, alpha=1) == pytest.approx(math.log(4 / 5))


@pytest.mark.parametrize("alpha", [-1.0, float("inf"), float("nan")])
def test_alpha_is_a_finite_weight(alpha: float):
    message = f"Cannot weigh false alarms by {alpha:g}: expected a finite number of at least 0."
    with pytest.raises(UsageError, match=message):
        log_weighted_precision([0, 1], [0, 1], 0.5, alpha=alpha)
