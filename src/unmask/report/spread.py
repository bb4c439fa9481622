"""Where a face's score lies among those of the validation videos, as one picture and in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unmask.report.wording import face_name, judged_texts, plural, score_text
from unmask.types import Calibration, FaceVerdict, Judgement

_BINS = 64
_ROW_PX = 36.0
_MOST_UNIT_PX = 6.0
# Room for the names of the bounds beside their lines, also on a phone.
_SIDE = 0.26
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
_MARKS = 6
_REAL = "real validation video"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The videos of a bin: ``left`` and ``width`` in per cent, ``height`` in pixels."""

    left: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One class of validation videos."""

    name: str
    kind: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An upright line at ``left`` per cent with its label; ``anchor`` keeps that inside."""

    left: float
    text: str
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The picture: two rows over one axis, the two bounds, and the face's own score."""

    rows: tuple[Row, ...]
    face: Line
    lower: Line
    threshold: Line
    marks: tuple[Line, ...]
    text: str


def spread(face: FaceVerdict) -> Spread | None:
    """The picture for a face; None if nothing judged it or the validation scores are not known."""
    if face.judgement is None or face.score is None:
        return None
    calibration = face.judgement.of_class
    score, threshold, lower = judged_texts(face.judgement)
    real, fake = calibration.real_scores, calibration.fake_scores
    if not real or not fake or not math.isfinite(face.score):
        return None
    low, high = _ends(face.score, calibration)

    def place(score: float) -> float:
        return round(100 * (score - low) / (high - low), 2)

    most = max(*_counts(real, low, high), *_counts(fake, low, high), 1)
    unit = min(_MOST_UNIT_PX, _ROW_PX / most)
    at = place(face.score)
    return Spread(
        rows=(
            Row(
                name=plural(len(real), _REAL),
                kind="real",
                blocks=_blocks(real, low, high, unit),
            ),
            Row(
                name=plural(len(fake), "manipulated validation video"),
                kind="fake",
                blocks=_blocks(fake, low, high, unit),
            ),
        ),
        face=Line(
            left=at,
            text=f"{face_name(face.track_id)}: {score}",
            anchor="start" if at < 20 else "end" if at > 80 else "middle",
        ),
        lower=Line(
            left=place(calibration.lower),
            text=f"lower bound {lower}",
            anchor="end",
        ),
        threshold=Line(
            left=place(calibration.threshold),
            text=f"threshold {threshold}",
            anchor="start",
        ),
        marks=_marks(low, high),
        text=_text(face, face.judgement, calibration),
    )


def _ends(score: float, calibration: Calibration) -> tuple[float, float]:
    """The ends of the axis: every score lies inside, and the bounds well inside."""
    everything = [score, calibration.lower, calibration.threshold]
    everything += [*calibration.real_scores, *calibration.fake_scores]
    low, high = min(everything), max(everything)
    gap = max(high - low, 1.0)
    low, high = low - 0.03 * gap, high + 0.03 * gap
    # Each end waits for the other: a few rounds bring both bounds to their distance.
    for _ in range(30):
        low = min(low, calibration.lower - _SIDE * (high - low))
        high = max(high, calibration.threshold + _SIDE * (high - low))
    return low, high


def _counts(scores: Sequence[float], low: float, high: float) -> list[int]:
    counts, _ = np.histogram(scores, bins=_BINS, range=(low, high))
    return [int(count) for count in counts]


def _blocks(scores: Sequence[float], low: float, high: float, unit: float) -> tuple[Block, ...]:
    step = (high - low) / _BINS
    width = 100 / _BINS
    return tuple(
        Block(
            left=round(number * width, 3),
            width=round(width, 3),
            height=round(max(count * unit, 1.0), 2),
            title=f"{score_text(low + number * step)} to {score_text(low + (number + 1) * step)}: "
            f"{plural(count, 'video')}",
        )
        for number, count in enumerate(_counts(scores, low, high))
        if count
    )


def _marks(low: float, high: float) -> tuple[Line, ...]:
    """Round numbers along the axis."""
    step = next((s for s in _STEPS if (high - low) / s <= _MARKS), (high - low) / _MARKS)
    first = math.ceil(low / step)
    marks = []
    for number in range(first, math.floor(high / step) + 1):
        left = round(100 * (number * step - low) / (high - low), 2)
        anchor = "start" if left < 3 else "end" if left > 97 else "middle"
        marks.append(
            Line(left=left, text=f"{number * step:+.6g}".replace("+0", "0"), anchor=anchor)
        )
    return tuple(marks)


def _text(face: FaceVerdict, judgement: Judgement, calibration: Calibration) -> str:
    """What the picture shows, for those who do not see it."""
    score, threshold, lower = judged_texts(judgement)
    errors = judgement.errors
    if errors is None:
        return ""
    return (
        f"{face_name(face.track_id)} scores {score}. As high or higher: "
        f"{errors.real_at_or_above:,} of {plural(len(calibration.real_scores), _REAL)}. As low or "
        f"lower: {errors.fake_at_or_below:,} of {len(calibration.fake_scores):,} manipulated ones. "
        f"The lower bound is {lower}, the threshold {threshold}; both were set on these videos."
    )
