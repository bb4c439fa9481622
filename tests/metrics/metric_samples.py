"""Labels and scores for the tests of the metrics."""

from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from numpy.typing import NDArray

Labels = NDArray[np.int64]
Scores = NDArray[np.float64]

unhurried = settings(deadline=None, max_examples=60)


def noisy(
    count: int, *, seed: int = 0, shift: float = 1.0, levels: int = 0
) -> tuple[Labels, Scores]:
    """Both classes with normal scores, fakes ``shift`` higher; ``levels`` > 0 makes ties."""
    random = np.random.default_rng(seed)
    labels = (random.random(count) < 0.6).astype(np.int64)
    labels[:2] = 0, 1
    scores = random.normal(size=count) + shift * labels
    return labels, np.round(scores * levels) / levels if levels else scores


@st.composite
def samples(draw: st.DrawFn, *, distinct: bool = False) -> tuple[Labels, Scores]:
    """2 to 40 items of both classes; whole numbers as scores, with ties unless ``distinct``."""
    count = draw(st.integers(2, 40))
    flags = draw(st.lists(st.booleans(), min_size=count - 2, max_size=count - 2))
    labels = np.array([0, 1, *flags], np.int64)
    values = st.integers(-500, 500) if distinct else st.integers(-20, 20)
    scores = draw(st.lists(values, min_size=count, max_size=count, unique=distinct))
    order = draw(st.permutations(range(count)))
    return labels[list(order)], np.array(scores, np.float64)


@st.composite
def weighted(draw: st.DrawFn) -> tuple[Labels, Scores, NDArray[np.int64]]:
    """Items and a row of whole weights (N,) that leaves something of both classes."""
    labels, scores = draw(samples())
    count = len(labels)
    drawn = draw(st.lists(st.integers(0, 3), min_size=count, max_size=count))
    weights = np.array(drawn, np.int64)
    for label in (0, 1):
        if not weights[labels == label].sum():
            weights[np.argmax(labels == label)] = 1
    return labels, scores, weights
