"""Calibrations as small JSON files, one for each detector's weights or panel."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from unmask.errors import UnmaskError
from unmask.types import Calibration, Domain, QualityClass

FORMAT = 2
"""Of the file. Files without one are of the first, with a threshold in raw logits."""

Record = TypeVar("Record")

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
        UnmaskError: the file is missing, is no JSON, of another format, or a field is missing,
            unknown, of another type or out of range; the message names the field.
    """
    file = Path(path)
    try:
        calibration = _parse(json.loads(file.read_text()))
        _check(calibration)
        return calibration
    except (OSError, ValueError) as error:
        raise UnmaskError(
            f"Cannot read the calibration '{file}': {error}. "
            "Give a file that `unmask calibrate` wrote, or leave it out."
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
    return _record(Calibration, content)


def _record(kind: type[Record], content: object, place: str = "") -> Record:
    """A dataclass from JSON, every field checked against its type."""
    if not isinstance(content, dict):
        raise ValueError(f"{place} is {content!r}, expected keys and values")
    known = {item.name: item for item in dataclasses.fields(kind)}  # type: ignore[arg-type]
    prefix = f"{place}." if place else ""
    for name in content:
        if name not in known:
            raise ValueError(f"the field '{prefix}{name}' is unknown")
    hints = typing.get_type_hints(kind)
    values = {}
    for name, item in known.items():
        if name in content:
            values[name] = _value(hints[name], content[name], f"{prefix}{name}")
        elif item.default is item.default_factory is dataclasses.MISSING:
            raise ValueError(f"the field '{prefix}{name}' is missing")
    return kind(**values)


def _value(hint: Any, value: object, place: str) -> object:
    """A field's value as its type has it: lists become tuples."""
    parts = typing.get_args(hint)
    if typing.get_origin(hint) is types.UnionType:
        return None if value is None else _value(parts[0], value, place)
    if typing.get_origin(hint) is typing.Literal:
        if value not in parts:
            raise ValueError(f"{place} is {value!r}, expected {' or '.join(map(repr, parts))}")
        return value
    if typing.get_origin(hint) is tuple:
        return _tuple(parts, value, place)
    if dataclasses.is_dataclass(hint):
        return _record(hint, value, place)  # type: ignore[arg-type]
    if hint is float:
        return _number(place, value)
    expected = {str: "a text", int: "a whole number"}[hint]
    if not isinstance(value, hint) or isinstance(value, bool):
        raise ValueError(f"{place} is {value!r}, expected {expected}")
    return value


def _tuple(parts: tuple[Any, ...], value: object, place: str) -> tuple[object, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ValueError(f"{place} is {value!r}, expected a list")
    kinds = [parts[0]] * len(value) if parts[-1] is ... else list(parts)
    if len(kinds) != len(value):
        raise ValueError(f"{place} has {len(value)} entries, expected {len(kinds)}")
    return tuple(
        _value(kind, one, f"{place}[{number}]")
        for number, (kind, one) in enumerate(zip(kinds, value, strict=True))
    )


def _first_format(content: dict[str, Any]) -> Calibration:
    """Thresholds were logits there, and one line, or none, gave the probability."""
    slope, intercept = content.pop("slope", None), content.pop("intercept", None)
    domain = Domain(
        min_face_px=_number("min_face_px", content.pop("min_face_px", 0.0)),
        min_scored_s=_number("min_scored_s", content.pop("min_scored_s", 0.0)),
    )
    old = dataclasses.replace(_record(Calibration, content), domain=domain)
    if slope is None or intercept is None:
        return dataclasses.replace(old, classes=(_everything(1.0, 0.0, old),))
    line = _everything(_number("slope", slope), _number("intercept", intercept), old)
    return dataclasses.replace(
        old,
        threshold=line.slope * old.threshold + line.intercept,
        lower=line.slope * old.lower + line.intercept,
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
    _check_bounds(calibration.threshold, calibration.lower)
    _check_classes(calibration.classes)
    low, high = calibration.llr_bounds or (0.0, 0.0)
    if not low <= 0 <= high:
        raise ValueError(f"llr_bounds are {low:g} and {high:g}, expected 0 between them")
    if not 0 < calibration.target_false_alarm_rate < 1:
        raise ValueError(
            f"target_false_alarm_rate is {calibration.target_false_alarm_rate:g}, expected a share "
            "between 0 and 1"
        )
    _check_sorted("real_scores", calibration.real_scores)
    _check_sorted("fake_scores", calibration.fake_scores)
    for member in calibration.panel:
        if member.weight < 0:
            raise ValueError(f"the weight of {member.detector} is below 0")


def _check_bounds(threshold: float, lower: float) -> None:
    if lower > threshold:
        raise ValueError(f"lower ({lower:g}) is above the threshold ({threshold:g})")


def _check_sorted(name: str, values: tuple[float, ...]) -> None:
    if list(values) != sorted(values):
        raise ValueError(f"{name} are not sorted")


def _check_classes(classes: tuple[QualityClass, ...]) -> None:
    for one in classes:
        if one.slope < 0:
            raise ValueError(f"the slope of class '{one.name}' is below 0")
        _check_sorted("real_scores", one.real_scores)
        _check_sorted("fake_scores", one.fake_scores)
        if (one.threshold is None) != (one.lower is None):
            raise ValueError(f"class '{one.name}' has one bound of two")
        if one.threshold is not None and one.lower is not None:
            _check_bounds(one.threshold, one.lower)
    bounds = ("min_face_px", "max_face_px", "min_bits_per_pixel", "max_bits_per_pixel")
    last = classes[-1] if classes else None
    if last is None or last.codecs or any(getattr(last, name) is not None for name in bounds):
        raise ValueError("the last quality class does not hold for every face")
