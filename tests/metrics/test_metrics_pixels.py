from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from metric_samples import unhurried
from sklearn import metrics as sk

from unmask.errors import DataError, NotMeasurableError
from unmask.metrics import auc
from unmask.metrics.pixels import (
    BINS,
    count_logits,
    count_pixels,
    f1_score,
    intersection_over_union,
    pixel_accuracy,
    pixel_auc,
    pixel_auc_error,
)

MEASURES: list[Callable[..., Any]] = [pixel_accuracy, intersection_over_union, f1_score, pixel_auc]
every_measure = pytest.mark.parametrize("measure", MEASURES, ids=lambda m: m.__name__)


def masks(seed: int, *, sharp: float = 1.0) -> tuple[Any, Any]:
    """Three masks of 20x30 and their truth; ``sharp`` above 1 crowds values at 0 and 1."""
    random = np.random.default_rng(seed)
    truth = random.random((3, 20, 30)) < 0.2
    logits = sharp * (random.normal(size=truth.shape) + 2 * truth - 1)
    return (1 / (1 + np.exp(-logits))).astype(np.float32), truth


@pytest.mark.parametrize("seed", range(3))
def test_at_half_they_are_those_of_scikit_learn(seed: int):
    mask, truth = masks(seed)
    counts = count_pixels(mask, truth)
    called, true = mask.ravel() >= 0.5, truth.ravel()
    assert pixel_accuracy(counts) == pytest.approx(sk.accuracy_score(true, called))
    assert intersection_over_union(counts) == pytest.approx(sk.jaccard_score(true, called))
    assert f1_score(counts) == pytest.approx(sk.f1_score(true, called))


def test_by_hand():
    # Found and forged 2, found alone 1, forged alone 1, neither 4.
    mask = [[0.9, 0.5, 0.8, 0.1], [0.2, 0.0, 0.3, 0.4]]
    truth = [[1, 1, 0, 1], [0, 0, 0, 0]]
    counts = count_pixels(mask, truth)
    assert pixel_accuracy(counts) == 6 / 8
    assert intersection_over_union(counts) == 2 / 4
    assert f1_score(counts) == 4 / 6


def test_accuracy_flatters_where_little_is_forged():
    truth = np.zeros((10, 10))
    truth[0, :3] = 1
    counts = count_pixels(np.zeros((10, 10)), truth)
    assert pixel_accuracy(counts) == 0.97
    assert intersection_over_union(counts) == f1_score(counts) == 0


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), np.nextafter(0.5, 1), 1.0])
def test_half_and_above_is_forged(value: float):
    assert pixel_accuracy(count_pixels([value], [1])) == 1


@pytest.mark.parametrize("value", [np.nextafter(0.5, 0), np.nextafter(np.float32(0.5), 0), 0.0])
def test_below_half_is_genuine(value: float):
    assert pixel_accuracy(count_pixels([value], [0])) == 1


@pytest.mark.parametrize("sharp", [0.1, 1.0, 4.0])
def test_pixel_auc_is_off_by_half_the_pairs_that_share_a_bin_at_most(sharp: float):
    mask, truth = masks(5, sharp=sharp)
    exact = sk.roc_auc_score(truth.ravel(), mask.ravel())
    assert auc(truth.ravel(), mask.ravel()) == pytest.approx(exact)
    counts = count_pixels(mask, truth)
    shared = (counts[0] * counts[1]).sum() / (counts[0].sum() * counts[1].sum())
    assert abs(pixel_auc(counts) - exact) <= shared / 2
    assert pixel_auc_error(counts) == pytest.approx(shared / 2)
    assert shared < 0.1


@pytest.mark.parametrize("bins", [2, 64, 256])
def test_fewer_bins_are_joined_ones(bins: int):
    mask, truth = masks(3)
    counts = count_pixels(mask, truth, bins=bins)
    np.testing.assert_array_equal(
        counts, count_pixels(mask, truth).reshape(2, bins, BINS // bins).sum(axis=2)
    )
    for measure in MEASURES[:3]:
        assert measure(counts) == measure(count_pixels(mask, truth))
    values = mask.astype(np.float64)
    logits = np.log(values) - np.log1p(-values)
    np.testing.assert_array_equal(count_logits(logits, truth, bins=bins), counts)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(-15, 15)), min_size=2, max_size=50))
@unhurried
def test_pixel_auc_is_exact_where_values_lie_in_bins_of_their_own(pixels: Any):
    truth, levels = np.array([(0, 0), (1, 1), *pixels]).T
    mask = 1 / (1 + np.exp(-levels.astype(np.float64)))
    assert pixel_auc(count_pixels(mask, truth)) == pytest.approx(auc(truth, levels))


@given(arrays(np.float32, (4, 5), elements=st.floats(0, 1, width=32)))
@unhurried
def test_every_pixel_is_counted_once_on_its_side_of_half(mask: Any):
    truth = np.arange(20).reshape(4, 5) % 3 == 0
    counts = count_pixels(mask, truth)
    assert counts.shape == (2, BINS)
    for row, chosen in ((0, ~truth), (1, truth)):
        assert counts[row].sum() == chosen.sum()
        assert counts[row, BINS // 2 :].sum() == (mask[chosen] >= 0.5).sum()


@every_measure
def test_counts_add_up(measure: Callable[..., Any]):
    (first, true), (second, also) = masks(0), masks(1)
    together = count_pixels(np.stack([first, second]), np.stack([true, also]))
    one, other = count_pixels(first, true), count_pixels(second, also)
    expected = measure(together)
    assert isinstance(expected, float)
    assert measure(one + other) == expected
    assert measure(np.stack([one, other])) == expected
    drawn = measure(np.stack([one, other]), weights=[[1, 1], [2, 0], [0, 0]])
    np.testing.assert_allclose(drawn, [expected, measure(one), np.nan])


@every_measure
def test_a_resample_without_forged_pixels(measure: Callable[..., Any]):
    mask, truth = masks(0)
    counts = np.stack([count_pixels(mask, truth), count_pixels(mask, truth & False)])
    value = measure(counts, weights=[[0, 1]])[0]
    assert np.isnan(value) == (measure is not pixel_accuracy)


@pytest.mark.parametrize("measure", MEASURES[1:], ids=lambda m: m.__name__)
def test_masks_without_forged_pixels_are_refused(measure: Callable[..., Any]):
    message = r"Not measurable: no forged pixels \(truth 1\) among 2. Add masks that have some"
    with pytest.raises(NotMeasurableError, match=message):
        measure(count_pixels([0.1, 0.9], [0, 0]))


def test_pixel_auc_needs_genuine_pixels_too():
    with pytest.raises(NotMeasurableError, match=r"no genuine pixels \(truth 0\) among 2"):
        pixel_auc(count_pixels([0.1, 0.9], [1, 1]))


@pytest.mark.parametrize(
    ("mask", "truth", "message"),
    [
        ([[0.1, 0.2]], [[0], [1]], "a mask and its truth of one shape, got (1, 2) and (2, 1)"),
        ([], [], "a mask and its truth of one shape, got (0,) and (0,)"),
        ([[0.1, np.nan]], [[0, 1]], "the mask is nan at (0, 1); expected 0..1. Give prob"),
        ([[-3.0, 0.5]], [[0, 1]], "the mask is -3.0 at (0, 0); expected 0..1."),
        ([[0.1, 0.5]], [[0, 255]], "the truth is 255 at (0, 1); expected 0 or 1."),
    ],
)
def test_what_cannot_be_counted_is_refused(mask: Any, truth: Any, message: str):
    with pytest.raises(DataError, match=re.escape(message)):
        count_pixels(mask, truth)


@every_measure
@pytest.mark.parametrize("shape", [(2, 7), (BINS,), (0, 2, BINS)])
def test_histograms_have_their_shape(measure: Callable[..., Any], shape: tuple[int, ...]):
    with pytest.raises(DataError, match=re.escape(f"got {shape}. Stack what count_pixels returns")):
        measure(np.ones(shape, np.int64))
