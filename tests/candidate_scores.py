"""Made-up scores of candidates."""

from __future__ import annotations

import numpy as np
from benchmarks.candidates._pairs import Pairs


def pairs(shift: float, seed: int = 0, count: int = 48, *, has_masks: bool = True) -> Pairs:
    """Pairs of four sources."""
    random = np.random.default_rng(seed)
    real = random.normal(size=count)
    return Pairs(
        real,
        real + shift + random.normal(size=count),
        np.array([f"s{number % 4}" for number in range(count)]),
        random.random(count) if has_masks else None,
    )
