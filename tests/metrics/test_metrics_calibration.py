from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from metric_samples import noisy, samples, unhurried
from scipy.special import expit, logit
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve
from sklearn.isotonic import IsotonicRegression

from unmask.errors import UsageError
from unmask.metrics.calibration import (
    brier_score,
    calibration_error,
    cllr,
    cllr_min,
    log_loss,
    reliability,
)


def test_log_loss_and_brier_score_are_those_of_scikit_learn():
    labels, logits = noisy(300, shift=2.0)
    assert log_loss(labels, logits) == pytest.approx(sk.log_loss(labels, expit(logits)))
    expected = sk.brier_score_loss(labels, expit(logits))
    assert brier_score(labels, logits) == pytest.approx(expected)


def test_log_loss_per_class():
    labels, logits = [0, 1, 1], [0.0, logit(0.9), logit(0.2)]
    assert log_loss(labels, logits, of="real") == pytest.approx(math.log(2))
    assert log_loss(labels, logits, of="fake") == pytest.approx(-math.log(0.9 * 0.2) / 2)
    with pytest.raises(UsageError, match="log loss of 'all': expected 'both', 'real' or 'fake'"):
        log_loss(labels, logits, of="all")  # type: ignore[call-overload]


def test_sure_and_wrong_costs_what_the_logit_says():
    assert log_loss([0, 1], [1000.0, 1000.0]) == pytest.approx(500)
    assert brier_score([0, 1], [1000.0, 1000.0]) == pytest.approx(0.5)


def test_calibration_error_by_hand():
    # Bins of 0.5: {0.1, 0.3} with one fake, {0.6, 0.8, 0.9} with two.
    labels, logits = [0, 1, 0, 1, 1], logit([0.1, 0.3, 0.6, 0.8, 0.9])
    expected = 2 / 5 * abs(0.4 / 2 - 1 / 2) + 3 / 5 * abs(2.3 / 3 - 2 / 3)
    assert calibration_error(labels, logits, bins=2) == pytest.approx(expected)


@pytest.mark.parametrize("bins", [1, 5, 15])
def test_bins_are_those_of_scikit_learn(bins: int):
    labels, logits = noisy(500, shift=2.0)
    found = reliability(labels, logits, bins=bins)
    share, probability = calibration_curve(labels, expit(logits), n_bins=bins)
    np.testing.assert_allclose(found.share_fake, share)
    np.testing.assert_allclose(found.probability, probability)
    assert found.items.sum() == 500
    gaps = np.abs(share - probability)
    expected = (found.items * gaps).sum() / 500
    assert calibration_error(labels, logits, bins=bins) == pytest.approx(expected)


def test_a_probability_of_one_lies_in_the_last_bin():
    found = reliability([0, 1, 1], [-800.0, 800.0, logit(0.9)], bins=4)
    assert found.probability == pytest.approx([0, 0.95])
    assert found.items.tolist() == [1, 2]


@pytest.mark.parametrize("bins", [0, -3])
def test_bins_are_at_least_one(bins: int):
    for call in (calibration_error, reliability):
        with pytest.raises(UsageError, match=f"Cannot use {bins} bins: expected at least 1"):
            call([0, 1], [0.0, 1.0], bins=bins)


def test_cllr_by_hand():
    # Likelihood ratios 3 and 1 for fakes, 1/7 for the real: log2(4/3), log2(2), log2(8/7).
    found = cllr([1, 1, 0], np.log([3, 1, 1 / 7]))
    expected = ((math.log2(4 / 3) + 1) / 2 + math.log2(8 / 7)) / 2
    assert found == pytest.approx(expected)


@given(samples())
@unhurried
def test_cllr_is_the_log_loss_of_balanced_classes_in_bits(sample: Any):
    labels, logits = sample
    expected = (log_loss(labels, logits, of="real") + log_loss(labels, logits, of="fake")) / 2
    assert cllr(labels, logits) == pytest.approx(expected / math.log(2))


def test_cllr_min_by_hand():
    # Highest first: fake, real, fake, real. The middle pair is pooled: tar 1/2, far 1/2, ratio 1.
    assert cllr_min([1, 0, 1, 0], [4.0, 3.0, 2.0, 1.0]) == pytest.approx(0.5)
    assert cllr_min([0, 1], [1.0, 2.0]) == 0
    assert cllr_min([0, 1], [2.0, 1.0]) == 1
    assert cllr_min([0, 1, 1], [5.0, 5.0, 5.0]) == 1


@given(samples())
@unhurried
def test_cllr_min_is_the_cost_after_scikit_learns_isotonic_regression(sample: Any):
    labels, scores = sample
    posterior = IsotonicRegression(y_min=0, y_max=1).fit_transform(scores, labels)
    odds = posterior / np.where(posterior < 1, 1 - posterior, np.nan)
    ratio = np.nan_to_num(odds, nan=np.inf) * (1 - labels).sum() / labels.sum()
    with np.errstate(divide="ignore"):
        fakes, reals = np.log2(1 + 1 / ratio[labels == 1]), np.log2(1 + ratio[labels == 0])
    assert cllr_min(labels, scores) == pytest.approx((fakes.mean() + reals.mean()) / 2)


@given(samples())
@unhurried
def test_no_map_of_the_scores_costs_less_than_cllr_min(sample: Any):
    labels, scores = sample
    least = cllr_min(labels, scores)
    assert all(least <= cllr(labels, s) + 1e-12 for s in (scores, scores / 9, scores * 0 + 0.1))
