"""The figures by name, and what computes those that need no threshold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unmask.evaluate.pixels import PIXELS, needs_reals
from unmask.metrics import (
    auc,
    equal_error_rate,
    log_weighted_precision,
    partial_auc,
    tar_at_far,
    truncated_auc,
)

Values = NDArray[np.float64]
Metric = Callable[[Values, Values, Values], Values]
"""Labels (N,), scores (N,) and weights (R, N) to (R,) figures."""

RANKING: dict[str, Metric] = {
    "AUC": lambda y, s, w: auc(y, s, weights=w),
    "pAUC@10%": lambda y, s, w: partial_auc(y, s, 0.1, weights=w),
    "tAUC@10%": lambda y, s, w: truncated_auc(y, s, 0.1, weights=w),
    "TAR@10%": lambda y, s, w: tar_at_far(y, s, 0.1, weights=w),
    "EER": lambda y, s, w: equal_error_rate(y, s, weights=w),
}
"""Figures that need no threshold; all are shares, 0..1."""

LOG_PRECISION: dict[str, Metric] = {
    "log wP@10%": lambda y, s, w: log_weighted_precision(y, s, 0.1, weights=w),
    "log wP@50%": lambda y, s, w: log_weighted_precision(y, s, 0.5, weights=w),
    "log wP@90%": lambda y, s, w: log_weighted_precision(y, s, 0.9, weights=w),
}
"""The DFDC preview's figures: at most 0, no shares."""

LOW_FAR: dict[str, Metric] = {
    "tAUC@1%": lambda y, s, w: truncated_auc(y, s, 0.01, weights=w),
    "TAR@1%": lambda y, s, w: tar_at_far(y, s, 0.01, weights=w),
}
"""Shares that need a hundred real videos or more."""

LOG_LOSS: dict[str, Literal["real", "fake"]] = {
    "log loss (real)": "real",
    "log loss (fake)": "fake",
}
"""In nats, of the sigmoid of the logit as it is, which nothing calibrated; no shares."""

AT_THRESHOLD = ("accuracy", "balanced accuracy", "found")
"""Figures at the threshold of the validation split; ``found`` is the share of the forgeries."""

KNOWN = (*RANKING, *AT_THRESHOLD, *LOW_FAR, *LOG_PRECISION, *LOG_LOSS, *PIXELS)
"""All figures."""

FIGURES = (*RANKING, *AT_THRESHOLD)
"""Figures of a table unless others are asked for; beside those of masks, where there are any."""


BOTH: tuple[Literal["real"], Literal["fake"]] = ("real", "fake")
"""The classes, in the order of their labels."""


def classes_of(name: str) -> tuple[Literal["real", "fake"], ...]:
    """The classes whose videos a figure is made of.

    >>> classes_of("found"), classes_of("AUC")
    (('fake',), ('real', 'fake'))
    """
    if name == "found" or (name in PIXELS and not needs_reals(name)):
        return ("fake",)
    return BOTH
