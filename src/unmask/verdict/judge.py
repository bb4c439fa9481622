"""Judges one face: by the panel where all members scored it, else by each calibrated detector."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from unmask.printable import decimals_apart
from unmask.types import (
    Calibration,
    ClipScore,
    FaceLook,
    FaceTrack,
    FaceVerdict,
    Finding,
    Judgement,
    QualityClass,
    Rate,
    VideoInfo,
)
from unmask.verdict.aggregate import LEAST_CLIPS, LONG_RUN_S, longest_run_s, scored_s
from unmask.verdict.gate import closed_gates
from unmask.verdict.likelihood import (
    error_rates,
    probability,
    probability_interval,
    stated_llr,
)
from unmask.verdict.quality import bits_per_pixel, quality_class

ORDER = (Finding.NO_MANIPULATION_FOUND, Finding.INCONCLUSIVE, Finding.MANIPULATED)


@dataclass(frozen=True, slots=True)
class Judges:
    """What may judge: calibrations by detector, and the panel's, if its members scan."""

    video: VideoInfo
    calibrations: Mapping[str, Calibration]
    panel: Calibration | None = None
    looks: Mapping[int, FaceLook] = field(default_factory=dict)


class _Opinion(NamedTuple):
    """What one calibration says of a face; ``score`` is None where a gate is closed."""

    calibration: Calibration
    quality: QualityClass
    score: float | None
    finding: Finding
    reason: str
    gates: tuple[str, ...]


def judge_face(
    track: FaceTrack, scores: Sequence[ClipScore], logits: Mapping[str, float], judges: Judges
) -> FaceVerdict:
    """The answer for one person.

    Of several opinions the most suspicious one counts; without one there is no ``judgement``.

    Args:
        track: of the person.
        scores: of all detectors, of this person alone.
        logits: by detector, see ``face_logits``.
        judges: what may judge.
    """
    sizes = [max(o.box_px[2] - o.box_px[0], o.box_px[3] - o.box_px[1]) for o in track.observations]
    opinions = _opinions(track.track_id, scores, logits, judges)
    able = [one for one in opinions if one.score is not None]
    worst = max(able, key=lambda o: (ORDER.index(o.finding), _score(o)), default=None)
    first, last = track.observations[0], track.observations[-1]
    return FaceVerdict(
        track_id=track.track_id,
        start_s=first.time_s,
        end_s=last.time_s,
        finding=Finding.INCONCLUSIVE if worst is None else worst.finding,
        logits=dict(logits),
        face_px=float(np.median(sizes)),
        clips=len(scores),
        reasons=(_reason(scores, opinions, worst),),
        judgement=None if worst is None else _judgement(worst),
        gates=() if worst is not None or not opinions else opinions[0].gates,
        thresholds=_thresholds(scores, judges),
        look=judges.looks.get(track.track_id),
    )


def _judgement(opinion: _Opinion) -> Judgement:
    score, quality = _score(opinion), opinion.quality
    bounds = opinion.calibration.for_class(quality.name)
    llr = stated_llr(score, bounds)
    return Judgement(
        calibration=opinion.calibration,
        quality=quality,
        score=score,
        threshold=bounds.threshold,
        lower=bounds.lower,
        llr=llr,
        probability=None if llr is None else probability(llr),
        probability_interval=probability_interval(score, quality, bounds),
        errors=error_rates(score, bounds),
    )


def _score(opinion: _Opinion) -> float:
    return -math.inf if opinion.score is None else opinion.score


def _reason(scores: Sequence[ClipScore], opinions: list[_Opinion], worst: _Opinion | None) -> str:
    if not scores:
        return "not scored: the face is too small or was seen too briefly"
    if not opinions:
        return "no calibrated detector looked at this face: its scores are numbers only"
    return opinions[0].reason if worst is None else worst.reason


def _opinions(
    track_id: int, scores: Sequence[ClipScore], logits: Mapping[str, float], judges: Judges
) -> list[_Opinion]:
    look = judges.looks.get(track_id)
    panel = judges.panel
    if panel is not None and _all_scored(panel, scores, logits):
        return [_opinion(panel, scores, logits, judges, look)]
    return [
        _opinion(calibration, scores, logits, judges, look)
        for name, calibration in judges.calibrations.items()
        if name in logits
    ]


def _all_scored(
    panel: Calibration, scores: Sequence[ClipScore], logits: Mapping[str, float]
) -> bool:
    return all(
        math.isfinite(logits.get(member.detector, math.nan))
        and sum(s.detector == member.detector for s in scores) >= LEAST_CLIPS
        for member in panel.panel
    )


def _opinion(
    calibration: Calibration,
    scores: Sequence[ClipScore],
    logits: Mapping[str, float],
    judges: Judges,
    look: FaceLook | None,
) -> _Opinion:
    mine = [s for s in scores if s.detector == calibration.detector]
    face_px = float(np.median([s.face_px for s in mine]))
    bits = bits_per_pixel(judges.video)
    quality = quality_class(calibration.classes, face_px, bits, judges.video.codec)
    logit = panel_logit(calibration, logits)
    gates = []
    if not math.isfinite(logit):
        gates.append(f"{calibration.detector} gave no number for this face")
    gates += closed_gates(calibration.domain, judges.video, face_px, scored_s(mine), look)
    if len(mine) < LEAST_CLIPS:
        moments = "moment" if len(mine) == 1 else "moments"
        gates.append(
            f"only {len(mine)} {moments} could be scored; at least {LEAST_CLIPS} are needed"
        )
    if gates:
        return _Opinion(
            calibration, quality, None, Finding.INCONCLUSIVE, "; ".join(gates), tuple(gates)
        )
    score = quality.slope * logit + quality.intercept
    finding, reason = _answer(score, calibration, quality, scores, _thresholds(scores, judges))
    return _Opinion(calibration, quality, score, finding, reason, ())


def panel_logit(calibration: Calibration, logits: Mapping[str, float]) -> float:
    """What a calibration's line takes: a detector's logit, or its members' weighted sum."""
    if not calibration.panel:
        return logits[calibration.detector]
    return sum(member.weight * logits[member.detector] for member in calibration.panel)


def _thresholds(scores: Sequence[ClipScore], judges: Judges) -> dict[str, float]:
    """By detector, the logit at which its own score reaches its own threshold in this face."""
    found = {}
    bits = bits_per_pixel(judges.video)
    for name, calibration in judges.calibrations.items():
        sizes = [s.face_px for s in scores if s.detector == name]
        if sizes:
            one = quality_class(
                calibration.classes, float(np.median(sizes)), bits, judges.video.codec
            )
            if one.slope > 0:
                threshold = calibration.for_class(one.name).threshold
                found[name] = (threshold - one.intercept) / one.slope
    return found


def _answer(
    score: float,
    calibration: Calibration,
    quality: QualityClass,
    scores: Sequence[ClipScore],
    thresholds: Mapping[str, float],
) -> tuple[Finding, str]:
    """What a calibration says to a score, and why."""
    members = [member.detector for member in calibration.panel] or [calibration.detector]
    name = " with ".join(members)
    verb = "score" if len(members) > 1 else "scores"
    bounds = calibration.for_class(quality.name)
    threshold, lower = bounds.threshold, bounds.lower
    digits = decimals_apart(score, threshold, lower)
    subject = f"{name} {verb} {score:.{digits}f}"
    limit, least = f"{threshold:.{digits}f}", f"{lower:.{digits}f}"
    rates = calibration.left_out
    if score >= threshold:
        return Finding.MANIPULATED, (
            f"{subject}, at or above the threshold {limit}"
            f"{_left_out(rates.false_alarms if rates else None, 'real')}"
        )
    for member in members:
        high = thresholds.get(member, math.inf)
        start_s, end_s = longest_run_s([s for s in scores if s.detector == member], high)
        if end_s - start_s >= LONG_RUN_S:
            # The mean over a long time hides a forgery that lasts for a part of it.
            return Finding.INCONCLUSIVE, (
                f"{subject} over the whole time, below the threshold {limit}, but from "
                f"{start_s:.1f} s to {end_s:.1f} s every score of {member} reaches its threshold: "
                "look at that part"
            )
    if score >= lower:
        return Finding.INCONCLUSIVE, (
            f"{subject}, below the threshold {limit} and not below {least}: both real and "
            "manipulated videos score like this"
        )
    return Finding.NO_MANIPULATION_FOUND, (
        f"{subject}, below {least}{_left_out(rates.missed if rates else None, 'manipulated')}"
    )


def _left_out(rate: Rate | None, label: str) -> str:
    """How many validation videos of the other label are answered so, in words."""
    if rate is None:
        return ""
    return (
        f", as {rate.hits} of {rate.videos} {label} validation videos do, each judged by a "
        "calibration made without its source"
    )
