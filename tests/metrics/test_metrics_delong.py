from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from metric_samples import noisy, samples, unhurried
from scipy.stats import norm

from unmask.errors import DataError, NotMeasurableError, UsageError
from unmask.metrics import auc, bootstrap_intervals, compare_auc


def two(count: int, seed: int = 0, *, levels: int = 0) -> tuple[Any, Any, Any]:
    """Labels and the scores of two detectors that partly agree."""
    labels, first = noisy(count, seed=seed, shift=1.0)
    second = 0.5 * first + np.random.default_rng(seed + 100).normal(size=count) + 0.4 * labels
    if levels:
        first, second = np.round(first * levels), np.round(second * levels)
    return labels, first, second


def by_definition(labels: Any, first: Any, second: Any) -> float:
    """The standard error of the difference: kernels pair by pair, covariances by numpy."""
    parts = []
    for scores in (first, second):
        fakes, reals = scores[labels == 1][:, None], scores[labels == 0][None]
        parts.append((fakes > reals) + 0.5 * (fakes == reals))
    over_fakes = np.cov([p.mean(axis=1) for p in parts]) / len(parts[0])
    over_reals = np.cov([p.mean(axis=0) for p in parts]) / parts[0].shape[1]
    covariance = over_fakes + over_reals
    contrast = np.array([1, -1])
    return math.sqrt(contrast @ covariance @ contrast)


@pytest.mark.parametrize("levels", [0, 2])
@pytest.mark.parametrize("seed", range(4))
def test_it_is_delongs_definition(seed: int, levels: int):
    labels, first, second = two(120, seed, levels=levels)
    found = compare_auc(labels, first, second)
    assert found.auc_a == pytest.approx(auc(labels, first))
    assert found.auc_b == pytest.approx(auc(labels, second))
    error = by_definition(labels, first, second)
    assert found.standard_error == pytest.approx(error)
    z = (auc(labels, first) - auc(labels, second)) / error
    assert found.p_value == pytest.approx(2 * norm.sf(abs(z)))
    half = norm.ppf(0.975) * error
    assert (found.low, found.high) == pytest.approx(
        (found.difference - half, found.difference + half)
    )


def test_by_hand():
    # Placements of a: fakes 2/3 1 1, reals 1 1 2/3; of b: 1/3 1/3 1 and 1 1/3 1/3.
    # Their differences 1/3 2/3 0 and 0 2/3 1/3 have a variance of 1/9 each.
    found = compare_auc([0, 0, 0, 1, 1, 1], [1, 2, 4, 3, 5, 6], [1, 4, 5, 3, 2, 6])
    assert (found.auc_a, found.auc_b) == pytest.approx((8 / 9, 5 / 9))
    assert found.standard_error == pytest.approx(math.sqrt(2 / 27))


def test_chance_alone_is_significant_as_often_as_it_says():
    random = np.random.default_rng(5)
    labels = np.repeat([0, 1], 60)
    p_values = [
        compare_auc(
            labels, random.normal(size=120) + labels, random.normal(size=120) + labels
        ).p_value
        for _ in range(400)
    ]
    assert np.mean(np.array(p_values) < 0.1) == pytest.approx(0.1, abs=0.04)


@given(samples())
@unhurried
def test_a_detector_does_not_differ_from_itself(sample: Any):
    labels, scores = np.append(sample[0], [0, 1]), np.append(sample[1], [3.0, 3.0])
    found = compare_auc(labels, scores, 2 * scores)
    assert (found.difference, found.low, found.high, found.p_value) == (0, 0, 0, 1)


def test_exchanging_the_detectors_turns_the_difference():
    labels, first, second = two(80)
    there, back = compare_auc(labels, first, second), compare_auc(labels, second, first)
    assert back.difference == pytest.approx(-there.difference)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))
    assert back.p_value == pytest.approx(there.p_value)


def test_items_that_are_sources_of_their_own_give_delongs_interval():
    labels, first, second = two(90)
    alone = compare_auc(labels, first, second, sources=np.arange(90))
    assert alone == pytest.approx(compare_auc(labels, first, second))


def test_copies_of_items_in_one_source_add_no_certainty():
    labels, first, second = two(90)
    once = compare_auc(labels, first, second)
    copies = [np.repeat(a, 3) for a in (labels, first, second)]
    clustered = compare_auc(*copies, sources=np.repeat(np.arange(90), 3))
    assert clustered.standard_error == pytest.approx(once.standard_error)
    assert compare_auc(*copies).standard_error < 0.7 * once.standard_error


def test_with_sources_it_agrees_with_the_cluster_bootstrap():
    random = np.random.default_rng(2)
    sources, labels = np.repeat(np.arange(150), 4), np.tile([0, 1, 1, 1], 150)
    scene = np.repeat(random.normal(size=150), 4)
    first = random.normal(size=600) + labels + scene
    second = random.normal(size=600) + 0.7 * labels - scene
    found = compare_auc(labels, first, second, sources=sources)
    drawn = bootstrap_intervals(
        {"d": lambda w: auc(labels, first, weights=w) - auc(labels, second, weights=w)},
        sources,
        resamples=4000,
    )["d"]
    assert found.difference == pytest.approx(drawn.value)
    assert found.high - found.low == pytest.approx(drawn.high - drawn.low, rel=0.08)


def test_perfect_detectors_are_equal_and_a_difference_without_variance_is_refused():
    labels = [0, 0, 1, 1]
    assert compare_auc(labels, [1, 2, 3, 4], [2, 1, 4, 3]).p_value == 1
    with pytest.raises(NotMeasurableError, match=r"the AUCs 1.0000 and 0.0000 differ, but no item"):
        compare_auc(labels, [1, 2, 3, 4], [4, 3, 2, 1])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 0, 0, 0], "no fake items (label 1) among 4, at least 2 needed"),
        ([0, 0, 0, 1], "1 fake item (label 1) among 4, at least 2 needed"),
        ([0, 1, 1, 1], "1 real item (label 0) among 4, at least 2 needed"),
    ],
)
def test_two_of_each_class_are_needed(labels: list[int], message: str):
    with pytest.raises(NotMeasurableError) as caught:
        compare_auc(labels, [1, 2, 3, 4], [1, 2, 3, 4])
    assert message in str(caught.value)


def test_what_cannot_be_compared_is_refused():
    labels, scores = [0, 0, 1, 1], [1.0, 2.0, 3.0, 4.0]
    with pytest.raises(DataError, match=r"expected scores of the same items, got 4 and 3. Leave"):
        compare_auc(labels, scores, scores[:3])
    with pytest.raises(DataError, match="the score of the second detector at index 1 is nan"):
        compare_auc(labels, scores, [1, np.nan, 3, 4])
    with pytest.raises(DataError, match=r"one source per item, got shape \(3,\) for 4 items"):
        compare_auc(labels, scores, scores, sources=["a", "b", "c"])
    with pytest.raises(NotMeasurableError, match="all fake items come from one source, at least 2"):
        compare_auc(labels, scores, scores, sources=["a", "b", "c", "c"])
    with pytest.raises(UsageError, match="an interval of level 95: expected between 0 and 1"):
        compare_auc(labels, scores, scores, level=95)
