"""Every registered metric against a reference that shares no code with it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from metric_samples import noisy
from sklearn import metrics as sk

from score_rows import drawn
from unmask.errors import UnknownNameError
from unmask.evaluate.print_tables import to_csv, to_latex, to_markdown
from unmask.evaluate.tables import default_metrics, measure
from unmask.metrics.registry import BOTH, Items, get_metric, list_metrics, metrics

BINS = 8
"""Of a histogram; in sklearn's terms a pixel's score is the number of its bin."""

Reference = Callable[[Items], float]
REFERENCES: dict[str, Reference] = {}
"""By name of the metric: the value of unweighted items, computed by other code."""

every_metric = pytest.mark.parametrize("name", list_metrics())
of_scores = pytest.mark.parametrize(
    "name", [metric.name for metric in metrics().values() if not metric.needs_masks]
)


def reference(*names: str) -> Callable[[Callable[..., float]], Callable[..., float]]:
    """Registers the reference of metrics; each gets the number that its name ends in."""

    def register(compute: Callable[..., float]) -> Callable[..., float]:
        for name in names:
            share = name.partition("@")[2]
            given = [float(share.rstrip("%")) / 100] if share else []
            REFERENCES[name] = lambda items, given=given: compute(items, *given)
        return compute

    return register


@reference("AUC")
def auc(items):
    return sk.roc_auc_score(items.labels, items.scores)


@reference("pAUC@10%")
def partial_auc(items, limit):
    return sk.roc_auc_score(items.labels, items.scores, max_fpr=limit)


@reference("tAUC@10%", "tAUC@1%")
def truncated_auc(items, limit):
    far, tar, _ = sk.roc_curve(items.labels, items.scores, drop_intermediate=False)
    steps = list(zip(np.diff(far), np.diff(tar), strict=True))
    # The start, the highest score, and each point where the line turns.
    turns = [
        at + 1
        for at, ((x0, y0), (x1, y1)) in enumerate(itertools.pairwise(steps))
        if abs(x0 * y1 - x1 * y0) > 1e-12
    ]
    kept = sorted({0, 1, *turns, len(far) - 1})
    return tar[kept][far[kept] <= limit].mean()


@reference("TAR@10%", "TAR@1%")
def tar_at_far(items, limit):
    far, tar, _ = sk.roc_curve(items.labels, items.scores, drop_intermediate=False)
    return tar[far <= limit].max()


@reference("EER")
def equal_error_rate(items):
    far, tar, _ = sk.roc_curve(items.labels, items.scores, drop_intermediate=False)
    at = np.linspace(0, 1, 200_001)
    steps = np.linspace(0, len(far) - 1, len(at))
    x, y = (np.interp(steps, np.arange(len(far)), part) for part in (far, tar))
    return x[np.argmin(np.abs(x - (1 - y)))]


@reference("log wP@10%", "log wP@50%", "log wP@90%")
def log_precision(items, recall):
    fakes, reals = items.scores[items.labels == 1], items.scores[items.labels == 0]
    threshold = max(t for t in fakes if np.mean(fakes >= t) >= recall - 1e-12)
    true, false = np.sum(fakes >= threshold), np.sum(reals >= threshold)
    return np.log(true / (true + 100 * false))


@reference("accuracy")
def accuracy(items):
    return sk.accuracy_score(items.labels, items.scores >= items.threshold)


@reference("balanced accuracy")
def balanced_accuracy(items):
    return sk.balanced_accuracy_score(items.labels, items.scores >= items.threshold)


@reference("found")
def found(items):
    return np.mean(items.scores[items.labels == 1] >= items.threshold)


@reference("log loss (real)")
def log_loss_of_reals(items):
    return -np.log(1 / (1 + np.exp(items.scores[items.labels == 0]))).mean()


@reference("log loss (fake)")
def log_loss_of_fakes(items):
    return -np.log(1 / (1 + np.exp(-items.scores[items.labels == 1]))).mean()


def pixels_of(items):
    """Truth, bin and weight of all pixels."""
    counts = items.pixels.sum(axis=0)
    truth, level = np.indices(counts.shape)
    return truth.ravel(), level.ravel(), counts.ravel()


@reference("PBCA", "PBCA (forged)")
def pixel_accuracy(items):
    truth, level, weight = pixels_of(items)
    return sk.accuracy_score(truth, level >= BINS // 2, sample_weight=weight)


@reference("IoU")
def intersection_over_union(items):
    truth, level, weight = pixels_of(items)
    return sk.jaccard_score(truth, level >= BINS // 2, sample_weight=weight)


@reference("F1 (pixels)")
def pixel_f1(items):
    truth, level, weight = pixels_of(items)
    return sk.f1_score(truth, level >= BINS // 2, sample_weight=weight)


@reference("pixel AUC")
def pixel_auc(items):
    truth, level, weight = pixels_of(items)
    return sk.roc_auc_score(truth, level, sample_weight=weight)


def items_of(count: int, name: str, seed: int = 0) -> Items:
    """Items of the classes that a metric names."""
    random = np.random.default_rng(seed)
    labels, scores = noisy(count, seed=seed, levels=4)
    pixels = random.integers(0, 30, (count, 2, BINS))
    mine = np.isin(np.array(BOTH)[labels], get_metric(name).classes)
    return Items(labels[mine].astype(float), scores[mine], 0.3, pixels[mine])


def repeated(items: Items, times: np.ndarray) -> Items:
    parts = (items.labels, items.scores, items.pixels)
    labels, scores, pixels = (np.repeat(part, times, axis=0) for part in parts)
    return Items(labels, scores, items.threshold, pixels)


def whole(items: Items) -> np.ndarray:
    return np.ones((1, len(items.labels)))


@every_metric
def test_it_is_what_other_code_computes(name: str):
    assert name in REFERENCES, f"write a @reference for {name} in this file"
    for seed in range(3):
        items = items_of(400, name, seed)
        value = get_metric(name).compute(items, whole(items))[0]
        assert value == pytest.approx(REFERENCES[name](items), abs=1e-5)


@every_metric
def test_a_weight_is_how_often_an_item_counts(name: str):
    items = items_of(300, name)
    times = np.random.default_rng(1).integers(1, 4, (2, len(items.labels)))
    values = get_metric(name).compute(items, times)
    for weights, value in zip(times, values, strict=True):
        assert value == pytest.approx(REFERENCES[name](repeated(items, weights)), abs=1e-5)


@every_metric
def test_a_share_lies_between_zero_and_one(name: str):
    value = get_metric(name).compute(items := items_of(400, name, 5), whole(items))[0]
    assert 0 <= value <= 1 or not get_metric(name).is_share
    assert set(get_metric(name).classes) <= set(BOTH)


@of_scores
def test_it_needs_a_threshold_only_if_it_says_so(name: str):
    metric, items = get_metric(name), items_of(400, name)
    low, high = (metric.compute(items._replace(threshold=t), whole(items))[0] for t in (-1, 2))
    assert (low != high) == metric.needs_threshold


@every_metric
def test_a_table_measures_prints_and_writes_it(name: str):
    rows = measure([*drawn(sources=120), *drawn(2, split="val")], metrics=[name], resamples=20)
    first = rows[0].values[name]
    assert (first.value is None) == get_metric(name).needs_masks
    assert bool(first.note) == (first.value is None)
    assert f"| {name} |" in to_markdown(rows)
    assert f"{name} value" in to_csv(rows)
    assert name.replace("%", r"\%") in to_latex(rows)


def test_columns_have_an_order_and_an_unnamed_table_has_some_of_them():
    orders = [metric.order for metric in metrics().values()]
    assert orders == sorted(set(orders))
    bare, masked = default_metrics(has_masks=False), default_metrics(has_masks=True)
    assert bare == tuple(name for name in masked if not get_metric(name).needs_masks)
    assert set(bare) < set(masked) < set(list_metrics())


def test_a_module_that_lists_a_metric_registers_it(monkeypatch):
    from unmask.metrics import ranking

    new = replace(get_metric("AUC"), name="new", order=99, is_default=False)
    monkeypatch.setattr(ranking, "METRICS", (*ranking.METRICS, new))
    metrics.cache_clear()
    try:
        assert list_metrics()[-1] == "new"
        (row, *_) = measure(drawn(), metrics=["new", "AUC"], resamples=20)
        assert row.values["new"] == row.values["AUC"]
    finally:
        metrics.cache_clear()


def test_a_metric_that_does_not_exist():
    with pytest.raises(UnknownNameError, match=r"Unknown metric 'AUX'. Did you mean 'AUC'\?"):
        get_metric("AUX")
