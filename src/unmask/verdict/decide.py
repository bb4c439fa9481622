"""Decides: from clip scores and what was seen to a verdict with its reasons, in plain words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from unmask.types import (
    Calibration,
    ClipScore,
    Coverage,
    DetectorUse,
    FaceTrack,
    FaceVerdict,
    Finding,
    Verdict,
    VideoInfo,
)
from unmask.verdict.aggregate import LEAST_CLIPS, LONG_RUN_S, face_logits, longest_run_s, scored_s

_ORDER = (Finding.NO_MANIPULATION_FOUND, Finding.INCONCLUSIVE, Finding.MANIPULATED)


def decide(
    *,
    video: VideoInfo,
    tracks: Sequence[FaceTrack],
    scores: Sequence[ClipScore],
    coverage: Coverage,
    detectors: Sequence[DetectorUse],
    aggregates: Mapping[str, str],
    calibrations: Mapping[str, Calibration],
    notes: Sequence[str] = (),
    device: str = "cpu",
    unmask_version: str = "",
    scanned_at: str = "",
) -> Verdict:
    """Makes the verdict on one video.

    A face is judged by the calibrated detectors alone and by the most suspicious of them; the
    video is as forged as its most forged face that can decide (enough clips, large enough).

    Args:
        video: what was scanned.
        tracks: every face found.
        scores: every clip score of every detector.
        coverage: what was looked at.
        detectors: who spoke, with which weights.
        aggregates: from a detector's name to how its clips are joined.
        calibrations: of the detectors that have one for exactly these weights.
        notes: what the reader and the face finder want said (damage, missing frames).
        device: on which the detectors ran.
        unmask_version: of the program.
        scanned_at: UTC time in ISO 8601.
    """
    logits = face_logits(scores, aggregates)
    main = next((calibrations[d.name] for d in detectors if d.name in calibrations), None)
    judged = [
        _judge(
            track,
            [s for s in scores if s.track_id == track.track_id],
            logits.get(track.track_id, {}),
            calibrations,
            main,
        )
        for track in tracks
    ]
    faces = tuple(face for face, _ in judged)
    able = [face for face, can_decide in judged if can_decide]
    finding, reasons = _join(faces, able, coverage, calibrations, detectors)
    probabilities = [f.probability for f in able if f.probability is not None]
    return Verdict(
        video=video,
        finding=finding,
        probability=max(probabilities, default=None),
        threshold=main.threshold if main else None,
        calibration=main,
        faces=faces,
        clip_scores=tuple(scores),
        tracks=tuple(tracks),
        coverage=coverage,
        reasons=(*reasons, *_coverage_reasons(coverage), *notes),
        detectors=tuple(detectors),
        device=device,
        unmask_version=unmask_version,
        scanned_at=scanned_at,
    )


def _judge(
    track: FaceTrack,
    scores: Sequence[ClipScore],
    logits: Mapping[str, float],
    calibrations: Mapping[str, Calibration],
    main: Calibration | None,
) -> tuple[FaceVerdict, bool]:
    """One face: the most suspicious calibrated detector speaks, if it may; and whether it may."""
    sizes = [max(o.box_px[2] - o.box_px[0], o.box_px[3] - o.box_px[1]) for o in track.observations]
    objections = {
        name: _objection([s for s in scores if s.detector == name], logits[name], calibration)
        for name, calibration in calibrations.items()
        if name in logits
    }
    answers = {
        name: _answer(logits[name], calibrations[name], [s for s in scores if s.detector == name])
        for name, objection in objections.items()
        if not objection
    }
    finding = Finding.INCONCLUSIVE
    if not scores:
        reason = "not scored: the face is too small or was seen too briefly"
    elif not objections:
        reason = "no calibrated detector looked at this face: its scores are numbers only"
    elif not answers:
        reason = next(iter(objections.values()))
    else:
        finding, reason = max(answers.values(), key=lambda a: _ORDER.index(a[0]))
    probability = None
    if main is not None and main.detector in answers:
        probability = _probability(logits[main.detector], main)
    first, last = track.observations[0], track.observations[-1]
    face = FaceVerdict(
        track_id=track.track_id,
        start_s=first.time_s,
        end_s=last.time_s,
        finding=finding,
        logits=dict(logits),
        probability=probability,
        face_px=float(np.median(sizes)),
        clips=len(scores),
        reasons=(reason,),
    )
    return face, bool(answers)


def _objection(scores: Sequence[ClipScore], logit: float, calibration: Calibration) -> str:
    """Why a calibrated detector may not decide on a face; empty if it may."""
    face_px = float(np.median([s.face_px for s in scores]))
    seconds, least_s = scored_s(scores), calibration.min_scored_s
    if not math.isfinite(logit):
        return f"{calibration.detector} gave no number for this face"
    if face_px < calibration.min_face_px:
        return (
            f"the face is {face_px:.0f} px large; "
            f"the calibration holds from {calibration.min_face_px:.0f} px"
        )
    if len(scores) < LEAST_CLIPS:
        moments = "moment" if len(scores) == 1 else "moments"
        return f"only {len(scores)} {moments} could be scored; at least {LEAST_CLIPS} are needed"
    if seconds < least_s - 1e-6:
        return f"only {seconds:.1f} s could be scored; the calibration holds from {least_s:.1f} s"
    return ""


def _answer(
    logit: float, calibration: Calibration, scores: Sequence[ClipScore]
) -> tuple[Finding, str]:
    """What one detector finds in one face, and why."""
    name = calibration.detector
    alarms = f"{calibration.false_alarms} of {calibration.real_videos} real validation videos"
    if logit >= calibration.threshold:
        return Finding.MANIPULATED, (
            f"{name} scores {logit:.2f}, at or above the threshold {calibration.threshold:.2f} "
            f"that {alarms} reach"
        )
    start_s, end_s = longest_run_s(scores, calibration.threshold)
    if end_s - start_s >= LONG_RUN_S:
        # The mean over a long time hides a forgery that lasts for a part of it.
        return Finding.INCONCLUSIVE, (
            f"{name} scores {logit:.2f} over the whole time, below the threshold "
            f"{calibration.threshold:.2f}, but from {start_s:.1f} s to {end_s:.1f} s every score "
            "reaches it: look at that part"
        )
    if logit >= calibration.lower:
        return Finding.INCONCLUSIVE, (
            f"{name} scores {logit:.2f}, below the threshold {calibration.threshold:.2f} but "
            f"above {calibration.lower:.2f}: both real and forged videos score like this"
        )
    return Finding.NO_MANIPULATION_FOUND, (
        f"{name} scores {logit:.2f}, below {calibration.lower:.2f}, as most real videos do"
    )


def _probability(logit: float, calibration: Calibration) -> float | None:
    if calibration.slope is None or calibration.intercept is None:
        return None
    odds = calibration.slope * logit + calibration.intercept
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))


def _join(
    faces: Sequence[FaceVerdict],
    able: Sequence[FaceVerdict],
    coverage: Coverage,
    calibrations: Mapping[str, Calibration],
    detectors: Sequence[DetectorUse],
) -> tuple[Finding, list[str]]:
    """The video's finding and the reasons for it."""
    if not faces:
        return Finding.NO_FACE, [
            "No face was found. The smallest face that can be found here is about "
            f"{coverage.smallest_face_px:.0f} px."
        ]
    reasons = [
        f"{use.name} has no calibration for these weights ({use.weights}): "
        "its scores are shown but decide nothing."
        for use in detectors
        if use.name not in calibrations
    ]
    if not able:
        if calibrations:
            reasons.insert(0, "No face was large enough and seen long enough to decide on.")
        return Finding.INCONCLUSIVE, reasons
    worst = max(able, key=lambda f: (_ORDER.index(f.finding), max(f.logits.values())))
    told = [f for f in able if f.finding == worst.finding]
    reasons = [
        *(f"Face {f.track_id + 1}: {f.reasons[0]}." for f in told[:3]),
        *reasons,
    ]
    if len(told) > 3:
        reasons.append(f"The same holds for {len(told) - 3} more faces.")
    left_out = len(faces) - len(able)
    if left_out:
        reasons.append(
            f"{left_out} of {len(faces)} faces could not be decided on (too small or too brief)."
        )
    return worst.finding, reasons


def _coverage_reasons(coverage: Coverage) -> list[str]:
    reasons = []
    if coverage.duration_s > 0 and 0 < coverage.scored_s < 0.5 * coverage.duration_s:
        reasons.append(
            f"A face was scored in {coverage.scored_s:.1f} of {coverage.duration_s:.1f} seconds: "
            "the rest of the video was not judged."
        )
    if coverage.clips_dropped:
        clips = (
            "1 clip was" if coverage.clips_dropped == 1 else f"{coverage.clips_dropped} clips were"
        )
        reasons.append(
            f"{clips} left out because the face was missing in more than a fifth of the frames."
        )
    if coverage.audio == "not analyzed":
        reasons.append("The sound was not analyzed.")
    return reasons
