"""Metrics of sources that the fit did not see; the scores are made up."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from scored_copies import copies
from unmask.calibrate import left_out
from unmask.calibrate.fit import MOST_FOLDS, folds_of
from unmask.calibrate.left_out import (
    compare_with_first,
    is_better,
    judge_left_out,
    measure_left_out,
)


def test_what_is_judged_was_not_fitted_on(monkeypatch: pytest.MonkeyPatch):
    some = copies(sources=5)
    fits: list[set[str]] = []
    real_fit = left_out.fit

    def noting(part, classes, rate):  # type: ignore[no-untyped-def]
        fits.append(set(part.source.tolist()))
        return real_fit(part, classes, rate)

    monkeypatch.setattr(left_out, "fit", noting)
    judged = judge_left_out(some, 0.2)
    everybody = set(some.source.tolist())
    assert [everybody - one for one in fits] == [{f"s{i}"} for i in range(5)]
    assert np.isfinite(judged.score).all()


def test_many_sources_are_left_out_in_groups_each_once():
    source = np.repeat([f"s{i}" for i in range(60)], 2)
    folds = list(folds_of(source))
    assert len(folds) == MOST_FOLDS
    assert np.sum(folds, axis=0).tolist() == [1] * len(source)
    for out in folds:
        assert not set(source[out]) & set(source[~out])


def test_metrics_of_left_out_sources():
    some = copies()
    found = measure_left_out(some, judge_left_out(some, 0.2), 100)
    assert (found.real, found.fake) == (18, 18)
    assert found.metrics["false alarms"].items.endswith("of 18")
    assert found.metrics["found"].value > 0.3
    assert 0 <= found.metrics["ECE"].value <= 0.5
    assert found.metrics["Cllr"].value < 1


def test_a_panel_must_beat_its_first_member():
    two = copies(1.5, sources=6, members=2)
    noise = np.random.default_rng(5).normal(size=len(two))
    useless = dataclasses.replace(two, logit=np.column_stack([two.logit[:, 0], noise]))
    assert is_better(compare_with_first(two, 0.2, 20))
    assert not is_better(compare_with_first(useless, 0.2, 20))
