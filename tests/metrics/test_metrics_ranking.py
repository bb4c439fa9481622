from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_samples import noisy, samples, unhurried
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from scipy.stats import mannwhitneyu
from sklearn.metrics import roc_auc_score, roc_curve

from unmask.metrics import auc, equal_error_rate, partial_auc, roc, truncated_auc

# Highest first: fake, real, fake and real tied, fake, real.
LABELS = [1, 0, 1, 0, 1, 0]
SCORES = [9.0, 8.0, 5.0, 5.0, 3.0, 1.0]
# ROC: (0, 0) (0, 1/3) (1/3, 1/3) (2/3, 2/3) (2/3, 1) (1, 1)


@pytest.mark.parametrize("levels", [0, 3])
@pytest.mark.parametrize("seed", range(5))
def test_auc_is_that_of_scikit_learn_and_of_the_rank_sum(seed: int, levels: int):
    labels, scores = noisy(300, seed=seed, levels=levels)
    expected = roc_auc_score(labels, scores)
    assert auc(labels, scores) == pytest.approx(expected, abs=1e-12)
    rank_sum = mannwhitneyu(scores[labels == 1], scores[labels == 0]).statistic
    pairs = labels.sum() * (1 - labels).sum()
    assert auc(labels, scores) == pytest.approx(rank_sum / pairs, abs=1e-12)


def test_auc_by_hand():
    # Of 9 pairs the fakes win 3 + 1 + 1, and tie 1.
    assert auc(LABELS, SCORES) == pytest.approx(5.5 / 9)
    assert auc([0, 1], [0, 1]) == 1
    assert auc([0, 1], [1, 0]) == 0
    assert auc([0, 1, 1, 0], [7, 7, 7, 7]) == 0.5


@given(samples())
@unhurried
def test_auc_of_the_classes_exchanged_is_what_lacks_to_one(sample: Any):
    labels, scores = sample
    assert auc(1 - labels, scores) == pytest.approx(1 - auc(labels, scores))


@pytest.mark.parametrize("max_far", [0.001, 0.01, 0.1, 0.5, 0.999, 1.0])
@pytest.mark.parametrize("levels", [0, 3])
@pytest.mark.parametrize("shift", [-1.0, 0.0, 1.0, 9.0])
def test_partial_auc_is_that_of_scikit_learn(max_far: float, levels: int, shift: float):
    labels, scores = noisy(400, levels=levels, shift=shift)
    expected = roc_auc_score(labels, scores, max_fpr=max_far)
    assert partial_auc(labels, scores, max_far) == pytest.approx(expected, abs=1e-12)


@given(samples(), st.floats(0.01, 1))
@unhurried
def test_partial_auc_is_that_of_scikit_learn_for_any_few_items(sample: Any, max_far: float):
    expected = roc_auc_score(*sample, max_fpr=max_far)
    assert partial_auc(*sample, max_far) == pytest.approx(expected, abs=1e-9)


def test_partial_auc_by_hand():
    # Area to 1/2: a third of a third, and a trapezoid from 1/3 to 1/2 over 1/6.
    area = 1 / 3 * 1 / 3 + 1 / 6 * (1 / 3 + 1 / 2) / 2
    expected = (1 + (area - 1 / 8) / (1 / 2 - 1 / 8)) / 2
    assert partial_auc(LABELS, SCORES, 0.5) == pytest.approx(expected)
    assert partial_auc([0, 1], [0, 1], 0.1) == pytest.approx(1)
    assert partial_auc([0, 1], [5, 5], 0.1) == pytest.approx(0.5)


@given(samples(distinct=True))
@unhurried
def test_the_roc_is_that_of_scikit_learn(sample: Any):
    far, tar, threshold = roc_curve(*sample)
    found = roc(*sample)
    np.testing.assert_allclose(found.far, far, atol=1e-12)
    np.testing.assert_allclose(found.tar, tar, atol=1e-12)
    np.testing.assert_array_equal(found.threshold, threshold)


@given(samples())
@unhurried
def test_the_roc_with_ties_leaves_out_points_on_straight_lines_alone(sample: Any):
    far, tar, threshold = roc_curve(*sample, drop_intermediate=False)
    found = roc(*sample)
    assert set(found.threshold) <= set(threshold)
    line = np.maximum.accumulate(found.far + found.tar)
    np.testing.assert_allclose(np.interp(far + tar, line, found.far), far, atol=1e-12)


def test_the_roc_by_hand():
    found = roc(LABELS, SCORES)
    np.testing.assert_allclose(found.far, np.array([0, 0, 1, 2, 2, 3]) / 3)
    np.testing.assert_allclose(found.tar, np.array([0, 1, 1, 2, 3, 3]) / 3)
    assert found.threshold.tolist() == [np.inf, 9, 8, 5, 3, 1]


@given(samples(distinct=True), st.sampled_from([0.01, 0.1, 0.25, 0.5, 1.0]))
@unhurried
def test_truncated_auc_is_the_mean_over_the_points_of_scikit_learn(sample: Any, max_far: float):
    far, tar, _ = roc_curve(*sample)
    assert truncated_auc(*sample, max_far) == pytest.approx(tar[far <= max_far].mean())


def test_truncated_auc_by_hand():
    assert truncated_auc(LABELS, SCORES, 0.1) == pytest.approx((0 + 1 / 3) / 2)
    assert truncated_auc(LABELS, SCORES, 0.4) == pytest.approx((0 + 1 / 3 + 1 / 3) / 3)
    assert truncated_auc(LABELS, SCORES, 1.0) == pytest.approx((0 + 1 + 1 + 2 + 3 + 3) / 3 / 6)


def test_a_perfect_detector_does_not_reach_a_truncated_auc_of_one():
    # (0, 0), the highest score (0, 1/4) and the corner (0, 1).
    labels, scores = [0, 0, 1, 1, 1, 1], [1, 2, 3, 4, 5, 6]
    assert truncated_auc(labels, scores, 0.1) == pytest.approx((0 + 1 / 4 + 1) / 3)


def test_an_item_drawn_twice_makes_no_corner():
    labels, scores = [0, 1, 1, 1], [0.0, 1.0, 2.0, 3.0]
    drawn = truncated_auc(labels, scores, 0.1, weights=[[1, 2, 1, 3]])
    assert drawn == pytest.approx((0 + 1 / 2 + 1) / 3)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("levels", [0, 3])
def test_the_equal_error_rate_lies_where_the_lines_of_the_roc_meet_the_diagonal(
    seed: int, levels: int
):
    labels, scores = noisy(100 + seed, seed=seed, levels=levels)
    far, tar, _ = roc_curve(labels, scores)
    # Along the curve both rise: the place on it is measured by their sum.
    at = brentq(lambda s: interp1d(far + tar, far)(s) + interp1d(far + tar, tar)(s) - 1, 0, 2)
    expected = float(interp1d(far + tar, far)(at))
    assert equal_error_rate(labels, scores) == pytest.approx(expected, abs=1e-9)


def test_the_equal_error_rate_by_hand():
    # From (1/3, 1/3) to (2/3, 2/3) the ROC meets far = 1 - tar in the middle.
    assert equal_error_rate(LABELS, SCORES) == pytest.approx(0.5)
    assert equal_error_rate([0, 1], [0, 1]) == 0
    assert equal_error_rate([0, 1], [1, 0]) == 1
    # A vertical piece of the ROC at 1/4 crosses: one of four reals is above most fakes.
    labels, scores = [0, 0, 0, 0, 1, 1, 1], [1, 2, 3, 9, 8, 7, 6]
    assert equal_error_rate(labels, scores) == pytest.approx(1 / 4)
