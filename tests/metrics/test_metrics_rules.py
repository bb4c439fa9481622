"""What holds for every measure of labels and scores."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_samples import noisy, samples, unhurried, weighted

from unmask.errors import DataError, NotMeasurableError, UsageError
from unmask.metrics import (
    auc,
    calibration,
    equal_error_rate,
    log_weighted_precision,
    operating_point,
    partial_auc,
    roc,
    selective,
    tar_at_far,
    threshold,
    truncated_auc,
)

Measure = Callable[..., Any]

RANKING: dict[str, Measure] = {
    "auc": auc,
    "partial_auc": partial(partial_auc, max_far=0.3),
    "truncated_auc": partial(truncated_auc, max_far=0.3),
    "truncated_auc of all": partial(truncated_auc, max_far=1.0),
    "equal_error_rate": equal_error_rate,
    "tar_at_far": partial(tar_at_far, far=1.0),
    "log_weighted_precision": partial(log_weighted_precision, recall=0.5),
    "cllr_min": calibration.cllr_min,
}
OTHERS: dict[str, Measure] = {
    "accuracy": partial(threshold.accuracy, threshold=1.0),
    "balanced_accuracy": partial(threshold.balanced_accuracy, threshold=1.0),
    "log_loss": calibration.log_loss,
    "log_loss of fakes": partial(calibration.log_loss, of="fake"),
    "brier_score": calibration.brier_score,
    "calibration_error": calibration.calibration_error,
    "cllr": calibration.cllr,
    "aurc": partial(selective.aurc, threshold=1.0),
}
MEASURES = RANKING | OTHERS
UNBOUNDED = {"log_weighted_precision", "log_loss", "log_loss of fakes", "cllr"}
CURVES: dict[str, Measure] = {
    "roc": roc,
    "threshold_at_far": partial(operating_point.threshold_at_far, far=1.0),
    "best_threshold": threshold.best_threshold,
    "reliability": calibration.reliability,
    "risk_coverage": partial(selective.risk_coverage, threshold=0.0),
}

every_measure = pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
everything = pytest.mark.parametrize("measure", (MEASURES | CURVES).values(), ids=MEASURES | CURVES)


@everything
@pytest.mark.parametrize(
    ("label", "absent"), [(0, "fake items (label 1)"), (1, "real items (label 0)")]
)
def test_one_class_is_refused_with_a_sentence(measure: Measure, label: int, absent: str):
    message = f"Not measurable: no {absent} among 3, at least 1 needed. Add "
    with pytest.raises(NotMeasurableError, match=re.escape(message)):
        measure([label] * 3, [0.1, 0.2, 0.3])


@everything
def test_a_score_that_is_not_a_number_is_named_by_its_index(measure: Measure):
    with pytest.raises(DataError, match=r"at index 2 is nan \(and 1 more\); expected a .*number"):
        measure([0, 1, 0, 1], [0.0, 1.0, np.nan, np.nan])


@everything
def test_lengths_must_agree(measure: Measure):
    with pytest.raises(DataError, match=r"got labels of shape \(3,\) for 2 scores. Give one label"):
        measure([0, 1, 1], [0.0, 1.0])


@everything
@pytest.mark.parametrize("scores", [[], [[0.0], [1.0]], 3.0])
def test_scores_are_one_row_of_numbers(measure: Measure, scores: Any):
    with pytest.raises(DataError, match=r"expected one (score|logit) per item, shape \(N,\)"):
        measure([0, 1], scores)


@everything
def test_labels_are_zero_or_one(measure: Measure):
    with pytest.raises(DataError, match=r"the label at index 1 is -1; expected 0 \(real\) or 1"):
        measure([0, -1, 1], [0.0, 1.0, 2.0])


@pytest.mark.parametrize("name", ["log_loss", "brier_score", "calibration_error", "cllr", "aurc"])
def test_infinite_values_are_refused_where_they_would_swallow_all_others(name: str):
    with pytest.raises(DataError, match="at index 1 is inf; expected a finite number"):
        MEASURES[name]([0, 1], [0.0, np.inf])


@pytest.mark.parametrize("name", RANKING)
def test_infinite_scores_have_their_place_in_an_order(name: str):
    labels = [0, 1, 0, 1]
    assert RANKING[name](labels, [-np.inf, 3, 2, np.inf]) == RANKING[name](labels, [1, 3, 2, 4])


@every_measure
@pytest.mark.parametrize("weights", [[1.0, 1.0], [[1.0, 1.0, 1.0]]])
def test_weights_are_one_row_per_resample(measure: Measure, weights: Any):
    with pytest.raises(
        DataError, match=r"expected weights of shape \(R, 2\), one row per resample"
    ):
        measure([0, 1], [0.0, 1.0], weights=weights)


@every_measure
@pytest.mark.parametrize("weight", [-1.0, np.nan])
def test_weights_are_not_negative(measure: Measure, weight: float):
    with pytest.raises(DataError, match="a weight is negative or NaN; expected how often"):
        measure([0, 1], [0.0, 1.0], weights=[[1.0, weight]])


@every_measure
def test_booleans_and_lists_and_float32_are_the_same(measure: Measure):
    labels, scores = noisy(50, levels=4)
    expected = measure(labels, scores)
    assert isinstance(expected, float)
    assert measure(labels.astype(bool), scores.astype(np.float32)) == expected
    assert measure(labels.tolist(), scores.tolist()) == expected


@every_measure
@given(samples(), st.randoms(use_true_random=False))
@unhurried
def test_the_order_of_the_items_does_not_matter(measure: Measure, sample: Any, random: Any):
    labels, scores = sample
    order = list(range(len(labels)))
    random.shuffle(order)
    assert measure(labels[order], scores[order]) == pytest.approx(measure(labels, scores))


@every_measure
@given(weighted())
@unhurried
def test_a_weight_is_how_often_an_item_stands_there(measure: Measure, sample: Any):
    labels, scores, weights = sample
    repeated = measure(np.repeat(labels, weights), np.repeat(scores, weights))
    rows = np.stack([weights, np.ones_like(weights), 2 * weights])
    once, plain, doubled = measure(labels, scores, weights=rows)
    assert once == pytest.approx(repeated)
    assert plain == pytest.approx(measure(labels, scores))
    assert doubled == pytest.approx(repeated)


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("label", [0, 1])
def test_a_resample_without_a_class_has_no_value(name: str, label: int):
    labels, scores = noisy(20)
    rows = np.stack([np.ones(20), labels == label, np.zeros(20)])
    values = MEASURES[name](labels, scores, weights=rows)
    over_all = {"accuracy", "log_loss", "brier_score", "calibration_error", "aurc"}
    has_value = name in over_all or (name == "log_loss of fakes" and label == 1)
    assert np.isnan(values).tolist() == [False, not has_value, True]


@pytest.mark.parametrize("name", sorted(MEASURES.keys() - UNBOUNDED))
@given(samples())
@unhurried
def test_shares_lie_between_zero_and_one(name: str, sample: Any):
    assert 0 <= MEASURES[name](*sample) <= 1 + 1e-12


@pytest.mark.parametrize("name", RANKING)
@given(samples())
@unhurried
def test_only_the_order_of_the_scores_counts(name: str, sample: Any):
    labels, scores = sample
    expected = RANKING[name](labels, scores)
    for rising in (np.exp(scores / 5) - 7, scores**3, np.arctan(scores / 9)):
        assert RANKING[name](labels, rising) == expected


@pytest.mark.parametrize("name", ["auc", "equal_error_rate", "cllr_min"])
@given(samples())
@unhurried
def test_with_classes_and_scores_turned_round_it_is_the_same(name: str, sample: Any):
    labels, scores = sample
    turned = RANKING[name](1 - labels, -scores)
    assert turned == pytest.approx(RANKING[name](labels, scores), abs=1e-12)


@pytest.mark.parametrize(
    "call",
    [
        lambda share: partial_auc([0, 1], [0, 1], share),
        lambda share: truncated_auc([0, 1], [0, 1], share),
        lambda share: tar_at_far([0, 1], [0, 1], share),
        lambda share: operating_point.threshold_at_far([0, 1], [0, 1], share),
        lambda share: log_weighted_precision([0, 1], [0, 1], share),
    ],
)
@pytest.mark.parametrize("share", [0.0, -0.1, 10.0, float("nan")])
def test_a_rate_is_a_share(call: Callable[[float], Any], share: float):
    message = rf"Cannot use the .+ {share:g}: expected more than 0 to 1. Give a share, not a perc"
    with pytest.raises(UsageError, match=message):
        call(share)
