"""Measures of detectors, as pure functions over numpy arrays.

``labels`` (N,): 1 = fake, 0 = real. ``scores`` (N,): higher = more likely fake. ``logits`` (N,):
above 0 = fake. ``weights`` (R, N): how often each item counts in each of R resamples; with them a
function gives (R,) values instead of one, NaN in a resample that lacks a class, which is what
``bootstrap_intervals`` asks for.

Every function refuses what it cannot measure: ``DataError`` for lengths that differ, a label that
is not 0 or 1, a score that is NaN or a logit that is not finite; its child ``NotMeasurableError``
where the items lack something, such as a class, with a sentence fit to stand in a table's cell;
``UsageError`` for another argument out of range.

What is not named below stands in its own module: ``calibration`` (log loss, Brier, ECE, Cllr),
``operating_point`` and ``threshold`` (choosing them), ``pixels`` (masks), ``selective`` (when
"inconclusive" is allowed).

A module lists the metrics that tables can show in ``METRICS``; ``registry`` finds them by
name. A new metric costs one file here.
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
