"""Where the line is drawn, and on what data: calibrations as small JSON files."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from unmask.errors import UnmaskError
from unmask.types import Calibration


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


def write_calibration(calibration: Calibration, path: Path) -> None:
    """Writes a calibration as JSON, keys in the order of the type."""
    path.write_text(json.dumps(dataclasses.asdict(calibration), indent=1) + "\n")


def read_calibration(path: str | Path) -> Calibration:
    """Reads a calibration.

    Raises:
        UnmaskError: the file is missing, is no JSON, lacks a field, or could not decide.
    """
    file = Path(path)
    try:
        calibration = Calibration(**json.loads(file.read_text()))
        _check(calibration)
        return calibration
    except (OSError, ValueError, TypeError) as error:
        raise UnmaskError(
            f"Cannot read the calibration '{file}': {error}. "
            "Give a file that `python -m benchmarks calibrate` wrote, or leave it out."
        ) from error


def _check(calibration: Calibration) -> None:
    """Refuses what would only fail, or decide nonsense, in the middle of a scan."""
    optional = {"slope", "intercept"}
    for name in ("threshold", "lower", "min_face_px", "min_scored_s", *sorted(optional)):
        value = getattr(calibration, name)
        is_number = isinstance(value, int | float) and math.isfinite(value)
        if not is_number and not (value is None and name in optional):
            raise ValueError(f"{name} is {value!r}, expected a number")
    if calibration.lower > calibration.threshold:
        raise ValueError(
            f"lower ({calibration.lower:g}) is above the threshold ({calibration.threshold:g})"
        )
