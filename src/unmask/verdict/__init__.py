"""Scores in, one answer out: aggregate, calibrate, decide."""

from __future__ import annotations

from unmask.verdict.aggregate import aggregate, face_logits, scored_s, video_logit
from unmask.verdict.calibration_file import read_calibration, write_calibration
from unmask.verdict.conformal import conformal_threshold
from unmask.verdict.decide import Observations, decide
from unmask.verdict.look import FaceLooks

__all__ = [
    "FaceLooks",
    "Observations",
    "aggregate",
    "conformal_threshold",
    "decide",
    "face_logits",
    "read_calibration",
    "scored_s",
    "video_logit",
    "write_calibration",
]
