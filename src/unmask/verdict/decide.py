"""Decides: from clip scores and what was seen to a verdict with its reasons, in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unmask.types import (
    Calibration,
    ClipScore,
    Coverage,
    DetectorUse,
    FaceLook,
    FaceTrack,
    FaceVerdict,
    Finding,
    Verdict,
    VideoInfo,
)
from unmask.verdict.aggregate import face_logits
from unmask.verdict.judge import ORDER, Judges, judge_face
from unmask.verdict.quality import bits_per_pixel


def decide(
    *,
    video: VideoInfo,
    tracks: Sequence[FaceTrack],
    scores: Sequence[ClipScore],
    coverage: Coverage,
    detectors: Sequence[DetectorUse],
    aggregates: Mapping[str, str],
    calibrations: Mapping[str, Calibration],
    panel: Calibration | None = None,
    looks: Mapping[int, FaceLook] | None = None,
    notes: Sequence[str] = (),
    device: str = "cpu",
    unmask_version: str = "",
    scanned_at: str = "",
) -> Verdict:
    """Makes the verdict on one video.

    A face is judged by the panel where all of its members spoke, else by the calibrated detectors
    alone and by the most suspicious of them; the video is as forged as its most forged face that
    can decide (enough clips, inside of what was calibrated).

    Args:
        video: what was scanned.
        tracks: every face found.
        scores: every clip score of every detector.
        coverage: what was looked at.
        detectors: who spoke, with which weights.
        aggregates: from a detector's name to how its clips are joined.
        calibrations: of the detectors that have one for exactly these weights.
        panel: of all these detectors together, with exactly these weights.
        looks: by ``track_id``, what faces look like; None closes no gate for it.
        notes: what the reader and the face finder want said (damage, missing frames).
        device: on which the detectors ran.
        unmask_version: of the program.
        scanned_at: UTC time in ISO 8601.
    """
    logits = face_logits(scores, aggregates)
    judges = Judges(video, calibrations, panel, looks or {})
    faces = tuple(
        judge_face(
            track,
            [s for s in scores if s.track_id == track.track_id],
            logits.get(track.track_id, {}),
            judges,
        )
        for track in tracks
    )
    known = [*([panel] if panel else []), *calibrations.values()]
    worst = _worst(faces)
    main = next((c for c in known if worst is not None and c.name == worst.calibration), None)
    main = main.for_class(worst.quality) if main and worst else next(iter(known), None)
    finding, reasons = _join(faces, worst, coverage, known, detectors)
    return Verdict(
        video=video,
        finding=finding,
        probability=worst.probability if worst else None,
        threshold=worst.threshold if worst else (main.threshold if main else None),
        calibration=main,
        faces=faces,
        clip_scores=tuple(scores),
        tracks=tuple(tracks),
        coverage=coverage,
        reasons=(*reasons, *_unknown_bits(video, main), *_coverage_reasons(coverage), *notes),
        detectors=tuple(detectors),
        device=device,
        unmask_version=unmask_version,
        scanned_at=scanned_at,
        score=worst.score if worst else None,
        llr=worst.llr if worst else None,
        probability_interval=worst.probability_interval if worst else None,
        decided_by=worst.track_id if worst else None,
        bits_per_pixel=bits_per_pixel(video),
        calibrations=tuple(known),
    )


def _worst(faces: Sequence[FaceVerdict]) -> FaceVerdict | None:
    """The most suspicious of the faces that can decide."""
    able = [face for face in faces if face.score is not None]
    return max(able, key=lambda f: (ORDER.index(f.finding), f.score), default=None)


def _join(
    faces: Sequence[FaceVerdict],
    worst: FaceVerdict | None,
    coverage: Coverage,
    calibrations: Sequence[Calibration],
    detectors: Sequence[DetectorUse],
) -> tuple[Finding, list[str]]:
    """The video's finding and the reasons for it."""
    if not faces:
        return Finding.NO_FACE, [
            "No face was found. The smallest face that can be found here is about "
            f"{coverage.smallest_face_px:.0f} px."
        ]
    calibrated = {c.detector for c in calibrations if not c.panel}
    calibrated |= {member.detector for c in calibrations for member in c.panel}
    reasons = [
        f"{use.name} has no calibration for these weights ({use.weights}): "
        "its scores are shown but decide nothing."
        for use in detectors
        if use.name not in calibrated
    ]
    if worst is None:
        if calibrations:
            why = [f"Face {f.track_id + 1}: {f.reasons[0]}." for f in faces[:3]]
            reasons = ["No face could be decided on.", *why, *reasons]
        return Finding.INCONCLUSIVE, reasons
    able = [face for face in faces if face.score is not None]
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
            f"{left_out} of {len(faces)} faces could not be decided on; see each for the reason."
        )
    return worst.finding, reasons


def _unknown_bits(video: VideoInfo, calibration: Calibration | None) -> list[str]:
    if calibration is None or calibration.domain.min_bits_per_pixel is None:
        return []
    if video.is_still or bits_per_pixel(video) is not None:
        return []
    return ["The file does not tell its bit rate: how strongly it is compressed was not checked."]


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
