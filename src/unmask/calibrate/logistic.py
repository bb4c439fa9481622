"""Logistic regression with weights and a normal prior on the slopes, by Newton's method."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

_STEPS = 300
_SMALL = 1e-9


def fit_logistic(columns: Values, label: Values, weight: Values) -> tuple[Values, float]:
    """Slopes (D,) and intercept that maximize the weighted likelihood times the prior.

    The slopes have a standard normal prior, the intercept a flat one.

    Args:
        columns: (N, D), what the log-odds are linear in.
        label: (N,), 1 = fake.
        weight: (N,), how often each item counts; not negative.
    """
    design = np.hstack([columns, np.ones((len(columns), 1))])
    prior = np.append(np.ones(columns.shape[1]), 0.0)
    found = np.zeros(design.shape[1])
    loss = _loss(found, design, label, weight, prior)
    for _ in range(_STEPS):
        share = 1 / (1 + np.exp(-np.clip(design @ found, -700, 700)))
        gradient = design.T @ (weight * (share - label)) + prior * found
        curve = (design * (weight * share * (1 - share))[:, None]).T @ design + np.diag(prior)
        step = np.linalg.lstsq(curve, gradient, rcond=None)[0]
        length = 1.0
        while (changed := _loss(found - length * step, design, label, weight, prior)) > loss:
            length /= 2
            if length < _SMALL:
                return found[:-1], float(found[-1])
        found, gain, loss = found - length * step, loss - changed, changed
        if gain <= _SMALL * max(1.0, abs(loss)) and np.abs(length * step).max() < _SMALL:
            break
    return found[:-1], float(found[-1])


def _loss(found: Values, design: Values, label: Values, weight: Values, prior: Values) -> float:
    losses = np.logaddexp(0, np.where(label == 1, -1.0, 1.0) * (design @ found))
    return float(weight @ losses + (prior * found * found).sum() / 2)
