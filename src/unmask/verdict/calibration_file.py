"""Calibrations as small JSON files, one for each detector's weights or panel."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from pathlib import Path
from typing import Any

from unmask.errors import UnmaskError
from unmask.types import Calibration, Domain, PanelMember, QualityClass

FORMAT = 2
"""Of the file. Files without one are of the first, with a threshold in raw logits."""


# With a line for each of a hundred scores the file could not be read.
_NUMBERS = re.compile(r"\[\n\s+([-+.,e\d\s]+?)\n\s*\]")


def write_calibration(calibration: Calibration, path: Path) -> None:
    """Writes a calibration as JSON, keys in the order of the type."""
    content = {"format": FORMAT, **dataclasses.asdict(calibration)}
    text = _NUMBERS.sub(
        lambda found: f"[{' '.join(found[1].split())}]", json.dumps(content, indent=1)
    )
    path.write_text(text + "\n")


def read_calibration(path: str | Path) -> Calibration:
    """Reads a calibration; one of the first format is turned into what it meant.

    Raises:
        UnmaskError: the file is missing, is no JSON, of another format, lacks a field, or could
            not decide.
    """
    file = Path(path)
    try:
        calibration = _parse(json.loads(file.read_text()))
        _check(calibration)
        return calibration
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UnmaskError(
            f"Cannot read the calibration '{file}': {error}. "
            "Give a file that `python -m benchmarks calibrate` wrote, or leave it out."
        ) from error


def _parse(content: Any) -> Calibration:
    if not isinstance(content, dict):
        raise ValueError(f"expected keys and values, got {type(content).__name__}")
    number = content.pop("format", 1)
    if number == 1:
        return _first_format(content)
    if number != FORMAT:
        raise ValueError(
            f"its format is {number!r}, expected {FORMAT}: another version of unmask wrote it"
        )
    classes = tuple(
        QualityClass(
            **one
            | {
                "codecs": tuple(one["codecs"]),
                "real_scores": tuple(one["real_scores"]),
                "fake_scores": tuple(one["fake_scores"]),
                "interval": tuple((float(s), float(a), float(b)) for s, a, b in one["interval"]),
            }
        )
        for one in content["classes"]
    )
    bounds = content["llr_bounds"]
    return Calibration(
        **content
        | {
            "classes": classes,
            "llr_bounds": None if bounds is None else tuple(bounds),
            "real_scores": tuple(content["real_scores"]),
            "fake_scores": tuple(content["fake_scores"]),
            "domain": Domain(**content["domain"]),
            "panel": tuple(PanelMember(**one) for one in content["panel"]),
        }
    )


def _first_format(content: dict[str, Any]) -> Calibration:
    """Thresholds were logits there, and one line, or none, gave the probability."""
    slope, intercept = content.pop("slope", None), content.pop("intercept", None)
    domain = Domain(
        min_face_px=_number("min_face_px", content.pop("min_face_px", 0.0)),
        min_scored_s=_number("min_scored_s", content.pop("min_scored_s", 0.0)),
    )
    old = Calibration(**content, domain=domain)
    threshold, lower = _number("threshold", old.threshold), _number("lower", old.lower)
    if slope is None or intercept is None:
        return dataclasses.replace(old, classes=(_everything(1.0, 0.0, old),))
    line = _everything(_number("slope", slope), _number("intercept", intercept), old)
    return dataclasses.replace(
        old,
        threshold=line.slope * threshold + line.intercept,
        lower=line.slope * lower + line.intercept,
        scale="llr",
        classes=(line,),
    )


def _everything(slope: float, intercept: float, of: Calibration) -> QualityClass:
    return QualityClass(
        name="all",
        slope=slope,
        intercept=intercept,
        real_videos=of.real_videos,
        fake_videos=of.fake_videos,
    )


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name} is {value!r}, expected a number")
    return float(value)


def _check(calibration: Calibration) -> None:
    """Refuses what would only fail, or decide nonsense, in the middle of a scan."""
    _number("target_false_alarm_rate", calibration.target_false_alarm_rate)
    _check_bounds(calibration.threshold, calibration.lower)
    if calibration.scale not in ("llr", "logit"):
        raise ValueError(f"scale is {calibration.scale!r}, expected 'llr' or 'logit'")
    _check_classes(calibration.classes)
    low, high = calibration.llr_bounds or (0.0, 0.0)
    if not _number("llr_bounds", low) <= 0 <= _number("llr_bounds", high):
        raise ValueError(f"llr_bounds are {low:g} and {high:g}, expected 0 between them")
    _check_sorted("real_scores", calibration.real_scores)
    _check_sorted("fake_scores", calibration.fake_scores)
    for field in dataclasses.fields(calibration.domain):
        if (value := getattr(calibration.domain, field.name)) is not None:
            _number(field.name, value)
    for member in calibration.panel:
        if _number("weight", member.weight) < 0:
            raise ValueError(f"the weight of {member.detector} is below 0")


def _check_bounds(threshold: object, lower: object) -> None:
    high, low = _number("threshold", threshold), _number("lower", lower)
    if low > high:
        raise ValueError(f"lower ({low:g}) is above the threshold ({high:g})")


def _check_sorted(name: str, values: tuple[float, ...]) -> None:
    if [_number(name, value) for value in values] != sorted(values):
        raise ValueError(f"{name} are not sorted")


def _check_classes(classes: tuple[QualityClass, ...]) -> None:
    for one in classes:
        if _number("slope", one.slope) < 0:
            raise ValueError(f"the slope of class '{one.name}' is below 0")
        _number("intercept", one.intercept)
        _check_sorted("real_scores", one.real_scores)
        _check_sorted("fake_scores", one.fake_scores)
        if one.threshold is not None or one.lower is not None:
            _check_bounds(one.threshold, one.lower)
    bounds = ("min_face_px", "max_face_px", "min_bits_per_pixel", "max_bits_per_pixel")
    last = classes[-1] if classes else None
    if last is None or last.codecs or any(getattr(last, name) is not None for name in bounds):
        raise ValueError("the last quality class does not hold for every face")
