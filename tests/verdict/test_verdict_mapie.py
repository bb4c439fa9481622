"""Our bounds against MAPIE's split conformal prediction, for each label on its own."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from unmask.verdict.conformal import conformal_lower, conformal_threshold, p_values

classification = pytest.importorskip("mapie.classification")


class Scored(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier whose log-odds are its only feature."""

    def fit(self, features: np.ndarray, labels: np.ndarray) -> Scored:
        self.classes_ = np.array([0, 1])
        return self

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        forged = 1 / (1 + np.exp(-features[:, 0]))
        return np.column_stack([1 - forged, forged])

    def predict(self, features: np.ndarray) -> np.ndarray:
        return (features[:, 0] > 0).astype(int)


def stays_possible(scores: np.ndarray, label: int, rate: float, new: np.ndarray) -> np.ndarray:
    """Whether MAPIE keeps the label, with scores of that label alone (Mondrian by label)."""
    net = Scored().fit(np.zeros((2, 1)), np.array([0, 1]))
    mapie = classification.SplitConformalClassifier(
        net, confidence_level=1 - rate, conformity_score="lac", prefit=True
    )
    with warnings.catch_warnings():
        # Of one label alone: that is what is meant here.
        warnings.filterwarnings("ignore", message="WARNING: your conformalization dataset")
        mapie.conformalize(scores[:, None], np.full(len(scores), label))
    _, sets = mapie.predict_set(new[:, None])
    return np.asarray(sets[:, label, 0], bool)


@pytest.mark.parametrize(("seed", "real_rate", "fake_rate"), [(0, 0.05, 0.2), (1, 0.1, 0.05)])
def test_what_stays_possible_is_what_mapie_says(seed: int, real_rate: float, fake_rate: float):
    rng = np.random.default_rng(seed)
    real, fake = rng.normal(-1, 1, 35), rng.normal(1, 1, 42)
    new = np.linspace(-4, 4, 201)
    as_real = stays_possible(real, 0, real_rate, new)
    as_fake = stays_possible(fake, 1, fake_rate, new)
    assert 0 < as_real.sum() < len(new)
    assert 0 < as_fake.sum() < len(new)
    ours = np.array([p_values(float(score), real.tolist(), fake.tolist()) for score in new])
    assert (as_real == (ours[:, 0] > real_rate)).all()
    assert (as_fake == (ours[:, 1] > fake_rate)).all()
    assert (as_real == (new < conformal_threshold(real.tolist(), real_rate))).all()
    assert (as_fake == (new >= conformal_lower(fake.tolist(), fake_rate))).all()
