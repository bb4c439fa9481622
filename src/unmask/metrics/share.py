"""The interval of a share: how far a count of hits among trials leaves the true rate open."""

from __future__ import annotations

import math

_Z = 1.959963984540054
"""Of the standard normal distribution, 97.5 % lie below it."""


def wilson_interval(hits: int, trials: int) -> tuple[float, float]:
    """The 95 % interval of a share, (low, high) in 0..1 (Wilson 1927).

    Trials are taken as independent. No trial at all leaves everything open: (0, 1).

    >>> tuple(round(end, 3) for end in wilson_interval(0, 35))
    (0.0, 0.099)
    """
    if trials == 0:
        return 0.0, 1.0
    rate, square = hits / trials, _Z * _Z / trials
    center = (rate + square / 2) / (1 + square)
    half = _Z * math.sqrt(rate * (1 - rate) / trials + square / (4 * trials)) / (1 + square)
    return max(0.0, center - half), min(1.0, center + half)
