from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from metric_samples import noisy

import unmask.metrics.bootstrap as bootstrapping
from unmask.errors import DataError, NotMeasurableError, UsageError
from unmask.metrics import auc, bootstrap_intervals
from unmask.metrics.threshold import share_found


def mean_of(values: Any) -> bootstrapping.Measure:
    """The weighted mean, for which theory is known."""
    return lambda weights: weights @ np.asarray(values, np.float64) / weights.sum(axis=1)


def test_of_a_mean_it_is_as_wide_as_theory_says():
    values = np.random.default_rng(3).normal(size=400)
    found = bootstrap_intervals({"mean": mean_of(values)}, np.arange(400))["mean"]
    half = 1.96 * values.std() / 20
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.1 * half)
    assert found[3:] == (400, 400, 10_000)


def test_copies_of_an_item_in_one_source_add_no_certainty():
    values = np.random.default_rng(3).normal(size=100)
    copies = np.repeat(values, 4)
    once = bootstrap_intervals({"m": mean_of(values)}, np.arange(100))["m"]
    clustered = bootstrap_intervals({"m": mean_of(copies)}, np.repeat(np.arange(100), 4))["m"]
    alone = bootstrap_intervals({"m": mean_of(copies)}, np.arange(400))["m"]
    assert (clustered.low, clustered.high) == pytest.approx((once.low, once.high))
    width = once.high - once.low
    assert alone.high - alone.low == pytest.approx(width / 2, rel=0.1)
    assert (clustered.items, clustered.sources) == (400, 100)


def test_every_item_of_a_source_counts_as_often_as_the_source_was_drawn():
    sources = ["b", "a", "b", "c", "a"]
    seen: list[Any] = []

    def look(weights: Any) -> Any:
        seen.append(weights)
        return weights[:, 0]

    bootstrap_intervals({"look": look}, sources, resamples=200)
    drawn = np.concatenate(seen[:-1])
    assert drawn.shape == (200, 5)
    np.testing.assert_array_equal(drawn[:, 0], drawn[:, 2])
    np.testing.assert_array_equal(drawn[:, 1], drawn[:, 4])
    assert (drawn[:, [0, 1, 3]].sum(axis=1) == 3).all()
    np.testing.assert_array_equal(seen[-1], np.ones((1, 5)))
    # Each source is drawn once on average.
    np.testing.assert_allclose(drawn[:, [0, 1, 3]].mean(axis=0), 1, atol=0.25)


def test_it_is_the_same_as_measuring_every_resample_by_itself():
    labels, scores = noisy(60, levels=3)
    sources = np.arange(60) % 20
    rows: list[Any] = []

    def measure(weights: Any) -> Any:
        rows.extend(weights)
        return auc(labels, scores, weights=weights)

    found = bootstrap_intervals({"AUC": measure}, sources, resamples=300)["AUC"]
    counts = [row.astype(int) for row in rows[:-1]]
    one_by_one = [auc(np.repeat(labels, n), np.repeat(scores, n)) for n in counts]
    expected = np.quantile(one_by_one, [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx(tuple(expected))
    assert found.value == auc(labels, scores)


def test_the_seed_alone_decides_however_many_are_drawn_at_once(monkeypatch: pytest.MonkeyPatch):
    labels, scores = noisy(30)

    def interval(seed: int) -> Any:
        measures = {"AUC": lambda w: auc(labels, scores, weights=w)}
        return bootstrap_intervals(measures, np.arange(30), resamples=500, seed=seed)["AUC"]

    first = interval(7)
    monkeypatch.setattr(bootstrapping, "_ITEMS_AT_ONCE", 31)
    assert interval(7) == first
    assert interval(8) != first


def test_the_difference_of_two_detectors_is_paired():
    labels, scores = noisy(200)
    near = scores + 0.01 * np.random.default_rng(1).normal(size=200)
    found = bootstrap_intervals(
        {
            "one": lambda w: auc(labels, scores, weights=w),
            "difference": lambda w: auc(labels, scores, weights=w) - auc(labels, near, weights=w),
        },
        np.arange(200),
        resamples=1000,
    )
    width = {name: i.high - i.low for name, i in found.items()}
    assert width["difference"] < width["one"] / 10


def test_a_lower_level_gives_a_narrower_interval_inside():
    labels, scores = noisy(100)
    measures = {"AUC": lambda w: auc(labels, scores, weights=w)}
    wide = bootstrap_intervals(measures, np.arange(100), resamples=1000)["AUC"]
    narrow = bootstrap_intervals(measures, np.arange(100), resamples=1000, level=0.5)["AUC"]
    assert wide.low < narrow.low < narrow.value < narrow.high < wide.high


def test_resamples_that_lack_a_class_are_left_out_and_counted():
    labels, scores = [0, 0, 1, 1, 1, 1], [1.0, 3.0, 2.0, 4.0, 5.0, 6.0]
    measures = {"AUC": lambda w: auc(labels, scores, weights=w)}
    found = bootstrap_intervals(measures, ["a", "a", "a", "b", "c", "d"], resamples=2000)["AUC"]
    # Source "a" has all reals; it is missing in (3/4)^4 of the draws.
    assert found.resamples == pytest.approx(2000 * (1 - 0.75**4), rel=0.05)


def test_a_figure_without_value_in_most_resamples_is_refused():
    def mostly(weights: Any) -> Any:
        return np.where(weights[:, 0] >= 1, np.nan, 1.0)

    with pytest.raises(NotMeasurableError, match=r"TAR has a value in \d+ of 100 resamples, at le"):
        bootstrap_intervals({"TAR": mostly}, [1, 2, 3], resamples=100)


def test_one_source_gives_no_interval():
    message = "an interval needs at least 2 sources, got 1 for 3 items. Add videos of other people"
    with pytest.raises(NotMeasurableError, match=message):
        bootstrap_intervals({"m": mean_of([1, 2, 3])}, ["a", "a", "a"])


def test_an_empty_source_is_refused():
    message = r"the source at index 1 is empty \(2 of 4 are\); expected the id that a real video"
    with pytest.raises(DataError, match=message):
        bootstrap_intervals({"m": mean_of([1, 2, 3, 4])}, ["a", "", "b", ""])


@pytest.mark.parametrize("sources", [[], [["a"], ["b"]]])
def test_sources_are_one_per_item(sources: Any):
    with pytest.raises(DataError, match=r"expected one per item, shape \(N,\) with N at least 1"):
        bootstrap_intervals({"m": mean_of([1, 2])}, sources)


def test_sources_must_be_as_many_as_the_items_that_are_measured():
    with pytest.raises(DataError, match=r"expected weights of shape \(R, 3\)"):
        bootstrap_intervals({"f": lambda w: share_found([1, 2, 3], 2, weights=w)}, ["a", "b"])


@pytest.mark.parametrize(("resamples", "level"), [(0, 0.95), (10, 0.0), (10, 1.0), (10, 95)])
def test_arguments_out_of_range(resamples: int, level: float):
    message = f"Cannot draw {resamples} resamples for a level of {level:g}: expected at least 1"
    with pytest.raises(UsageError, match=message):
        bootstrap_intervals({}, ["a", "b"], resamples=resamples, level=level)
