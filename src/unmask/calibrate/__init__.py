"""Labelled videos and a detector's weights -> the calibration that a scan judges by."""

from __future__ import annotations

from unmask.calibrate.run import COPIES, Calibrated, calibrate

__all__ = ["COPIES", "Calibrated", "calibrate"]
