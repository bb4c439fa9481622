"""Where the lines are drawn: conformal bounds, class by class."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def conformal_threshold(real_logits: Sequence[float], false_alarm_rate: float) -> float:
    """The lowest threshold that a new real video passes with at most the given probability.

    Split conformal prediction: with n exchangeable real videos, a new one exceeds the k-th
    largest of them with probability at most k / (n + 1), so k = floor(rate (n + 1)).

    Args:
        real_logits: video logits of real validation videos.
        false_alarm_rate: in (0, 1).

    Returns:
        The k-th largest logit, nudged up by the smallest step: a logit at or above it is an alarm.

    Raises:
        ValueError: if n is too small for the rate (n + 1 < 1 / rate).

    >>> conformal_threshold([0.0, 1.0, 2.0, 3.0], 0.5) > 2.0
    True
    """
    count = math.floor(false_alarm_rate * (len(real_logits) + 1) + 1e-9)
    if count < 1:
        raise ValueError(
            f"{len(real_logits)} real videos cannot show a false-alarm rate of "
            f"{false_alarm_rate:g}: at least {math.ceil(1 / false_alarm_rate) - 1} are needed"
        )
    largest = np.sort(np.asarray(real_logits, np.float64))[::-1]
    return float(np.nextafter(largest[count - 1], np.inf))
