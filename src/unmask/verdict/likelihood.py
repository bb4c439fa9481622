"""Scores as evidence: log-likelihood ratios with bounds, probabilities, and their intervals."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unmask.metrics.share import wilson_interval
from unmask.types import Calibration, ErrorRates, QualityClass

_STEP = 0.01

STORED_DECIMALS = 4
"""Of the scores of validation videos in a calibration."""


def probability(llr: float) -> float:
    """The posterior probability of a forgery at equal priors: the sigmoid.

    >>> probability(0.0)
    0.5
    """
    return 1 / (1 + math.exp(-max(-700.0, min(700.0, llr))))


def stated_llr(score: float, calibration: Calibration) -> float | None:
    """The log-likelihood ratio of a score, cut to the calibration's bounds.

    None on the scale ``logit``, where a score is none.
    """
    if calibration.scale != "llr":
        return None
    low, high = calibration.llr_bounds or (-math.inf, math.inf)
    return max(low, min(high, score))


def probability_interval(
    score: float, one: QualityClass, calibration: Calibration
) -> tuple[float, float] | None:
    """95 % interval of the probability: of the fit, by resampled sources, within the bounds.

    Outside the scores that the interval was made for, its last difference is kept. None where no
    interval or no probability is given.
    """
    if not one.interval or calibration.scale != "llr":
        return None
    at, low, high = np.array(one.interval, np.float64).T
    inside = float(np.clip(score, at[0], at[-1]))
    ends = [score - inside + float(np.interp(inside, at, end)) for end in (low, high)]
    low_llr, high_llr = (stated_llr(end, calibration) or 0.0 for end in ends)
    return probability(low_llr), probability(high_llr)


def error_rates(score: float, calibration: Calibration) -> ErrorRates | None:
    """How many validation videos score as misleadingly; None if their scores are not known.

    The score is rounded like the stored ones, so that a validation video counts itself.
    """
    real, fake = calibration.real_scores, calibration.fake_scores
    if not real or not fake:
        return None
    rounded = round(score, STORED_DECIMALS)
    alarms = int((np.asarray(real) >= rounded).sum())
    misses = int((np.asarray(fake) <= rounded).sum())
    return ErrorRates(
        real_at_or_above=alarms,
        real_videos=len(real),
        false_alarm_interval=wilson_interval(alarms, len(real)),
        fake_at_or_below=misses,
        fake_videos=len(fake),
        miss_interval=wilson_interval(misses, len(fake)),
    )


def llr_bounds(real: ArrayLike, fake: ArrayLike) -> tuple[float, float]:
    """How strong a log-likelihood ratio so few videos support: (low, high), 0 between them.

    The empirical bounds of Vergeer et al. (2016, Science & Justice 56, 482-491): to each class
    one video more is added that misleads without limit; then the system must still lose less
    than one that always answers 0, for every ratio of costs between the bounds. Never beyond
    ``log(n + 1)`` of the class whose rarity a ratio claims: real videos above 0, forged below.

    Args:
        real: log-likelihood ratios of real videos, natural logarithm.
        fake: of forged ones.

    >>> low, high = llr_bounds([-9.0] * 9, [9.0] * 19)
    >>> round(low, 1), round(high, 1)
    (-2.9, 2.2)
    """
    reals, fakes = (np.sort(np.asarray(side, np.float64)) for side in (real, fake))
    most_low, most_high = -math.log(len(fakes) + 1), math.log(len(reals) + 1)
    return (
        -_reach(-fakes[::-1], -reals[::-1], -most_low),
        _reach(reals, fakes, most_high),
    )


def _reach(reals: NDArray[np.float64], fakes: NDArray[np.float64], most: float) -> float:
    """The last step above 0, in a row from there, at which the system still pays."""
    steps = np.arange(_STEP, most + _STEP / 2, _STEP)
    missed = (np.searchsorted(fakes, steps, side="left") + 1) / (len(fakes) + 1)
    alarms = (len(reals) - np.searchsorted(reals, steps, side="left") + 1) / (len(reals) + 1)
    pays = missed + np.exp(steps) * alarms <= 1
    lost = np.flatnonzero(~pays)
    paid = steps[: lost[0]] if len(lost) else steps
    return min(float(paid[-1]), most) if len(paid) else 0.0
