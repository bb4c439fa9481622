"""Measures of detectors, as pure functions over numpy arrays.

Label 1 = fake, higher score = more likely fake. Every function refuses what it cannot measure:
``DataError`` for damaged input, its child ``NotMeasurableError`` where the items lack something,
with a sentence fit to stand in a table's cell. Those with ``weights`` (R, N) measure R resamples
at once, which is what ``bootstrap_intervals`` asks for. The rest stands in its own module:
``calibration`` (log loss, Brier, ECE, Cllr), ``operating_point`` and ``threshold`` (choosing
them), ``pixels`` (masks), ``selective`` (when "inconclusive" is allowed).
"""

from __future__ import annotations

from unmask.metrics import calibration, operating_point, pixels, selective, threshold
from unmask.metrics.bootstrap import Interval, bootstrap_intervals
from unmask.metrics.delong import compare_auc
from unmask.metrics.operating_point import log_weighted_precision, tar_at_far
from unmask.metrics.ranking import auc, equal_error_rate, partial_auc, roc, truncated_auc

__all__ = [
    "Interval",
    "auc",
    "bootstrap_intervals",
    "calibration",
    "compare_auc",
    "equal_error_rate",
    "log_weighted_precision",
    "operating_point",
    "partial_auc",
    "pixels",
    "roc",
    "selective",
    "tar_at_far",
    "threshold",
    "truncated_auc",
]
