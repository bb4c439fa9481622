from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from unmask.calibrate.logistic import fit_logistic


@pytest.mark.parametrize("columns", [1, 4])
@pytest.mark.parametrize("shift", [0.5, 50.0])
def test_the_fit_is_sklearns(columns: int, shift: float):
    rng = np.random.default_rng(columns)
    label = rng.integers(0, 2, size=60).astype(float)
    given = rng.normal(size=(60, columns)) * 10 + shift * label[:, None]
    weight = rng.random(60)
    slopes, intercept = fit_logistic(given, label, weight)
    theirs = LogisticRegression(C=1.0, solver="newton-cholesky", max_iter=300, tol=1e-10)
    theirs.fit(given, label, weight)
    assert slopes == pytest.approx(theirs.coef_[0], abs=1e-6)
    assert intercept == pytest.approx(theirs.intercept_[0], abs=1e-6)
