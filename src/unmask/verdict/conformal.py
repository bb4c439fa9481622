"""Where the lines are drawn: conformal bounds for each label on its own.

A score is ``manipulated`` where so few real validation videos reach it that its conformal p-value
among the real ones is at most the rate allowed (``conformal_threshold``), and
``no_manipulation_found`` where its p-value among the forged ones is (``conformal_lower``): the
prediction set of label-conditional (Mondrian) conformal prediction, Vovk et al. 2005, Algorithmic
Learning in a Random World, section 4.5. Between the two both labels stay possible: inconclusive.
"""

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


def conformal_lower(fake_scores: Sequence[float], miss_rate: float) -> float:
    """The highest bound under which a new forged video stays with at most the given probability.

    The mirror image of ``conformal_threshold``.

    Args:
        fake_scores: of forged validation videos.
        miss_rate: in (0, 1).

    Returns:
        The k-th smallest score, k = floor(rate (n + 1)): a score below it is a miss.

    Raises:
        ValueError: if n is too small for the rate.

    >>> conformal_lower([0.0, 1.0, 2.0, 3.0], 0.4)
    1.0
    """
    count = math.floor(miss_rate * (len(fake_scores) + 1) + 1e-9)
    if count < 1:
        raise ValueError(
            f"{len(fake_scores)} forged videos cannot show a miss rate of {miss_rate:g}: at least "
            f"{math.ceil(1 / miss_rate) - 1} are needed"
        )
    return float(np.sort(np.asarray(fake_scores, np.float64))[count - 1])


def p_values(
    score: float, real_scores: Sequence[float], fake_scores: Sequence[float]
) -> tuple[float, float]:
    """Conformal p-values of a score: as a real video's, and as a forged one's.

    The first is the share of real videos, the new one among them, that score at least as high;
    the second that of forged ones that score at most as high.

    >>> p_values(2.5, [0.0, 1.0, 2.0], [2.0, 3.0, 4.0])
    (0.25, 0.5)
    """
    high = int((np.asarray(real_scores, np.float64) >= score).sum())
    low = int((np.asarray(fake_scores, np.float64) <= score).sum())
    return (high + 1) / (len(real_scores) + 1), (low + 1) / (len(fake_scores) + 1)
