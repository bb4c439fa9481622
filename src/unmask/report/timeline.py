"""Scores over time as coloured cells, after fig. 1 of Masi et al., Two-branch, ECCV 2020."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unmask.report.wording import clock, plural, score_text
from unmask.types import ClipScore, FaceTrack, FaceVerdict, Verdict

_CELLS = 240
_TICKS = 6
_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400)
# Gray-blue to red by way of pale sand, never green: a low score is no clean bill of health.
_COLORS = (
    (-3.0, (120, 132, 152)),
    (-1.0, (184, 193, 206)),
    (0.0, (240, 233, 214)),
    (1.0, (231, 126, 75)),
    (3.0, (158, 22, 33)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How a logit becomes a colour: ``low`` and ``high`` are the two bounds of a calibration."""

    low: float
    high: float
    is_calibrated: bool

    def place(self, logit: float) -> float:
        """Where the logit lies: -1 at ``low``, +1 at ``high``."""
        half = max((self.high - self.low) / 2, 0.5)
        return (logit - (self.low + self.high) / 2) / half

    def color(self, logit: float) -> str:
        """The cell's colour as ``#rrggbb``."""
        places = [place for place, _ in _COLORS]
        channels = [
            round(float(np.interp(self.place(logit), places, [rgb[c] for _, rgb in _COLORS])))
            for c in range(3)
        ]
        return "#{:02x}{:02x}{:02x}".format(*channels)

    def percent(self, logit: float) -> float:
        """Where the logit lies on the legend, in per cent from the left."""
        return round(100 * (min(max(self.place(logit), -3.0), 3.0) + 3) / 6, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A stretch of a bar; ``left`` and ``width`` in per cent of the video."""

    left: float
    width: float
    color: str
    title: str
    is_over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A mark on the time axis; ``anchor`` keeps the outer labels inside the picture."""

    left: float
    text: str
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One detector's scores of one face; ``seen`` holds (left, width) in per cent."""

    detector: str
    cells: tuple[Cell, ...]
    seen: tuple[tuple[float, float], ...]
    text: str
    is_calibrated: bool


def scale_for(detector: str, face: FaceVerdict | None, verdict: Verdict) -> Scale:
    """The bounds that hold for a detector's logits in this face; around logit 0 without any."""
    high = None if face is None else face.thresholds.get(detector)
    if face is None or high is None:
        return Scale(low=-1.0, high=1.0, is_calibrated=False)
    return Scale(low=high - _width(detector, face, verdict), high=high, is_calibrated=True)


def _width(detector: str, face: FaceVerdict, verdict: Verdict) -> float:
    """How far the lower bound lies under the threshold, in the detector's own logits."""
    own = next(
        (one for one in verdict.calibrations if one.detector == detector and not one.panel), None
    )
    slopes = [] if own is None else [c.slope for c in own.classes if c.name == face.quality]
    slopes += [] if own is None else [c.slope for c in own.classes[-1:]]
    if own is None or not slopes or slopes[0] <= 0:
        return 2.0
    bounds = own.for_class(face.quality)
    return (bounds.threshold - bounds.lower) / slopes[0]


def legend_stops() -> list[tuple[float, str]]:
    """Colour stops of the legend: per cent from the left, colour."""
    scale = Scale(low=-1.0, high=1.0, is_calibrated=False)
    return [(scale.percent(place), scale.color(place)) for place, _ in _COLORS]


def length_s(verdict: Verdict) -> float:
    """The length of the time axis: what the container claims, or more if more was seen."""
    ends = [score.end_s for score in verdict.clip_scores] + [face.end_s for face in verdict.faces]
    if verdict.video.is_still:
        return 0.0
    return max(verdict.video.duration_s, verdict.coverage.decoded_s, *ends, 0.0)


def ticks(total_s: float) -> list[Tick]:
    """Round times for the axis, at most six.

    >>> [tick.text for tick in ticks(12.0)]
    ['0:00', '0:05', '0:10']
    """
    if total_s <= 0:
        return []
    step = next((s for s in _STEPS_S if total_s / s < _TICKS), _STEPS_S[-1])
    step *= max(1, math.ceil(total_s / step / _TICKS))
    marks = []
    for number in range(int(total_s / step + 1e-6) + 1):
        left = 100 * number * step / total_s
        anchor = "start" if number == 0 else "end" if left > 95 else "middle"
        text = clock(number * step, decimals=1 if step < 1 else 0)
        marks.append(Tick(left=round(left, 3), text=text, anchor=anchor))
    return marks


def bars(track_id: int, verdict: Verdict) -> list[Bar]:
    """One bar for each detector that scored this face, the calibrated one first."""
    total_s = length_s(verdict)
    by_detector: dict[str, list[ClipScore]] = {}
    for score in verdict.clip_scores:
        if score.track_id == track_id:
            by_detector.setdefault(score.detector, []).append(score)
    tracks = [track for track in verdict.tracks if track.track_id == track_id]
    seen = _seen(tracks[0], total_s) if tracks and total_s > 0 else ()
    face = next((one for one in verdict.faces if one.track_id == track_id), None)
    made = [
        _bar(name, scores, seen, scale_for(name, face, verdict), total_s)
        for name, scores in by_detector.items()
    ]
    return sorted(made, key=lambda bar: not bar.is_calibrated)


def _bar(
    detector: str,
    scores: Sequence[ClipScore],
    seen: tuple[tuple[float, float], ...],
    scale: Scale,
    total_s: float,
) -> Bar:
    finite = sorted((s for s in scores if math.isfinite(s.logit)), key=lambda s: s.start_s)
    return Bar(
        detector=detector,
        cells=_cells(finite, scale, total_s),
        seen=seen,
        text=_text(finite, scale, total_s),
        is_calibrated=scale.is_calibrated,
    )


def _text(scores: Sequence[ClipScore], scale: Scale, total_s: float) -> str:
    """What the bar shows, in words: for screen readers, and below the bar."""
    if not scores:
        return "No clip of this face could be scored."
    top = max(scores, key=lambda score: score.logit)
    where = f" at {clock(top.start_s)}" if total_s > 0 else ""
    text = (
        f"Highest clip score {score_text(top.logit)}{where}; {plural(len(scores), 'clip')} scored"
    )
    if not scale.is_calibrated:
        return text + ", no threshold known for this detector."
    over = sum(score.logit >= scale.high for score in scores)
    return f"{text}, {over:,} of them at or over the threshold ({score_text(scale.high)})."


def _cells(scores: Sequence[ClipScore], scale: Scale, total_s: float) -> tuple[Cell, ...]:
    """Cells of equal look merged; a cell shows the highest score of the clips that touch it."""
    if not scores or total_s <= 0:
        return ()
    starts, ends = _extents(scores)
    values = np.full(_CELLS, np.nan)
    for start, end, score in zip(starts, ends, scores, strict=True):
        first = min(max(math.floor(start / total_s * _CELLS + 1e-6), 0), _CELLS - 1)
        last = min(max(math.ceil(end / total_s * _CELLS - 1e-6), first + 1), _CELLS)
        values[first:last] = np.fmax(values[first:last], score.logit)
    return _merge(values, scale, total_s)


def _extents(scores: Sequence[ClipScore]) -> tuple[list[float], list[float]]:
    """Start and end of each clip, widened to meet its neighbours where none is missing between.

    A clip ends at its last frame, and one picture has no length at all: without this a
    bar of single pictures would be all gaps.
    """
    starts = np.array([score.start_s for score in scores])
    ends = np.array([score.end_s for score in scores])
    middles = (starts + ends) / 2
    gaps = np.diff(middles)
    if gaps.size:
        is_next = gaps <= 1.5 * np.median(gaps)
        meetings = middles[:-1] + gaps / 2
        ends[:-1] = np.where(is_next, np.maximum(ends[:-1], meetings), ends[:-1])
        starts[1:] = np.where(is_next, np.minimum(starts[1:], meetings), starts[1:])
    return starts.tolist(), ends.tolist()


def _merge(values: np.ndarray, scale: Scale, total_s: float) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    first = 0
    for stop in range(1, len(values) + 1):
        value = float(values[first])
        if stop < len(values) and (
            values[stop] == value or (math.isnan(value) and math.isnan(values[stop]))
        ):
            continue
        if not math.isnan(value):
            cells.append(_cell(first, stop, value, scale, total_s))
        first = stop
    return tuple(cells)


def _cell(first: int, stop: int, value: float, scale: Scale, total_s: float) -> Cell:
    start_s, end_s = first / _CELLS * total_s, stop / _CELLS * total_s
    return Cell(
        left=round(100 * first / _CELLS, 3),
        width=round(100 * (stop - first) / _CELLS, 3),
        color=scale.color(value),
        title=f"{clock(start_s)} to {clock(end_s)}: {score_text(value)}",
        is_over=scale.is_calibrated and value >= scale.high,
    )


def _seen(track: FaceTrack, total_s: float) -> tuple[tuple[float, float], ...]:
    """Stretches in which the face was observed, as (left, width) in per cent."""
    times = np.array([seen.time_s for seen in track.observations], dtype=np.float64)
    if times.size == 0:
        return ()
    gaps = np.diff(times)
    usual = float(np.median(gaps)) if gaps.size else 0.0
    breaks = np.flatnonzero(gaps > max(3 * usual, 0.25)) + 1
    stretches = np.split(times, breaks)
    return tuple(
        (
            round(100 * float(part[0]) / total_s, 3),
            round(max(100 * float(part[-1] - part[0]) / total_s, 0.3), 3),
        )
        for part in stretches
    )
