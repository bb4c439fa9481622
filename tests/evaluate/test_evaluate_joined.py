"""Figures made of several: their sum, their sources, and what is said of videos without a score."""

import numpy as np
import pytest

import score_rows
from unmask.errors import NotMeasurableError
from unmask.evaluate.tables import joined, measure_of, metric_values


def rows(condition, shift, unscored=()):
    random = np.random.default_rng(3)
    found = []
    for number in range(12):
        for method in ("", "A"):
            score = random.normal() + shift * bool(method)
            score = None if method in unscored else float(score)
            found.append(
                score_rows.video(
                    f"{method}{number}.mp4",
                    score,
                    method=method,
                    source=str(number),
                    condition=condition,
                )
            )
    return found


def test_a_sum_draws_the_sources_of_all_its_figures_together():
    easy, hard = rows("", 2.0), rows("blur 1", 1.0)
    parts = [measure_of("AUC", part, place="d") for part in (easy, hard)]
    alone = [metric_values(p, ["AUC"], place="d", resamples=200)["AUC"] for p in (easy, hard)]
    mean = joined([(0.5, part) for part in parts], resamples=200)
    assert mean.value == pytest.approx((alone[0].value + alone[1].value) / 2)
    assert mean.low <= mean.value <= mean.high
    nothing = joined([(1.0, parts[0]), (-1.0, parts[0])], resamples=200)
    assert (nothing.value, nothing.low, nothing.high) == (0.0, 0.0, 0.0)


def test_a_class_that_has_no_score_is_told_from_one_that_is_not_there():
    with pytest.raises(NotMeasurableError, match=r"^not measurable: no real videos in d c23$"):
        measure_of("AUC", [row for row in rows("", 1.0) if row.label], place="d c23")
    message = r"^not measurable: no real videos with a score in d c23$"
    with pytest.raises(NotMeasurableError, match=message):
        measure_of("AUC", rows("", 1.0, unscored=("",)), place="d c23")


def test_log_losses_of_the_classes():
    found = metric_values(rows("", 8.0), ["log loss (real)", "log loss (fake)"], place="d")
    real, fake = (figure.value for figure in found.values())
    logits = np.array([row.score for row in rows("", 8.0) if not row.label])
    assert real == pytest.approx(np.mean(np.log1p(np.exp(logits))))
    assert fake < 0.1 < real
