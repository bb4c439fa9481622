from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from metric_samples import noisy, samples, unhurried
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from unmask.errors import DataError
from unmask.metrics.threshold import (
    Found,
    accuracy,
    balanced_accuracy,
    best_threshold,
    found_per_method,
    mean_drop,
    share_found,
)


@pytest.mark.parametrize("threshold", [-1.0, 0.0, 0.25, 1.0])
def test_accuracies_are_those_of_scikit_learn(threshold: float):
    labels, scores = noisy(300, levels=4)
    called = scores >= threshold
    assert accuracy(labels, scores, threshold) == pytest.approx(accuracy_score(labels, called))
    expected = balanced_accuracy_score(labels, called)
    assert balanced_accuracy(labels, scores, threshold) == pytest.approx(expected)


def test_a_score_on_the_threshold_is_called_fake():
    assert accuracy([0, 1], [0.0, 1.0], threshold=1.0) == 1
    assert accuracy([0, 1], [1.0, 1.0], threshold=1.0) == 0.5
    assert share_found([1.0, 0.5], threshold=1.0) == 0.5


@given(samples())
@unhurried
def test_no_threshold_is_better_balanced_than_the_best(sample: Any):
    labels, scores = sample
    best = balanced_accuracy(labels, scores, best_threshold(labels, scores))
    tried = [balanced_accuracy(labels, scores, t) for t in [*scores, np.inf, -np.inf]]
    assert best == pytest.approx(max(tried))


def test_the_best_threshold_lies_between_two_scores():
    assert best_threshold([0, 0, 1, 1], [1.0, 2.0, 6.0, 7.0]) == 4
    # 2.5 and 4.5 are as good: the higher gives fewer false alarms.
    assert best_threshold([0, 1, 0, 1], [2.0, 3.0, 4.0, 5.0]) == 4.5


def test_where_the_order_is_wrong_nothing_is_called_fake():
    assert best_threshold([1, 0], [1.0, 2.0]) == np.inf


def test_the_best_threshold_parts_scores_that_have_no_number_between_them():
    below, above = 1.0, np.nextafter(1.0, 2.0)
    assert best_threshold([0, 1], [below, above]) == above
    assert best_threshold([0, 1], [-np.inf, 3.0]) == 3.0


def test_methods_are_counted_one_by_one():
    labels = [0, 1, 1, 1, 1, 1]
    methods = ["DF", "NT", "DF", "DF", "NT", "FS"]
    found = found_per_method(labels, [9, 1, 2, 3, 4, 0], methods, threshold=2)
    assert found == {"DF": Found(2, 2), "FS": Found(0, 1), "NT": Found(1, 2)}
    assert list(found) == ["DF", "FS", "NT"]
    assert [f.share for f in found.values()] == [1, 0, 0.5]


def test_reals_alone_have_no_method():
    assert found_per_method([0, 0], [1, 2], ["", ""], threshold=0) == {}


def test_every_item_needs_a_method():
    with pytest.raises(DataError, match=r"got 1 methods for 2 scores. Give one name per score"):
        found_per_method([0, 1], [1, 2], ["DF"], threshold=0)


def test_shares_found_in_resamples():
    rows = [[1, 1, 1], [2, 0, 1], [0, 0, 0]]
    found = share_found([1.0, 2.0, 3.0], 2, weights=rows)
    np.testing.assert_allclose(found, [2 / 3, 1 / 3, np.nan])


@pytest.mark.parametrize(
    ("full", "left_out", "printed"),
    [(98.64, [89.43, 89.50, 87.93, 87.07, 87.86], -10.28), (0.9, [0.95], 0.05)],
    ids=["spatio-temporal table B.6, XceptionNet", "a rise"],
)
def test_the_drop_has_the_sign_of_the_papers_column(
    full: float, left_out: list[float], printed: float
):
    assert round(mean_drop(full, left_out), 2) == printed


def test_a_drop_needs_runs():
    with pytest.raises(DataError, match="expected one accuracy per item"):
        mean_drop(0.9, [])
    with pytest.raises(DataError, match="the accuracy at index 1 is nan; expected a finite"):
        mean_drop(0.9, [0.8, np.nan])
