"""Decides: from clip scores and what was seen to a verdict with its reasons, in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """What a scan saw of one video, and by which means.

    Attributes:
        video: what was scanned.
        tracks: every face found.
        scores: every clip score of every detector.
        coverage: what was looked at.
        detectors: who scored, with which weights.
        aggregates: from a detector's name to how its clips are joined.
        looks: by ``track_id``, what faces look like; empty: no gate is closed for it.
        notes: of the reader, the face finder and the panel (damage, missing frames).
        device: on which the detectors ran.
        unmask_version: of the program.
        scanned_at: UTC time in ISO 8601.
    """

    video: VideoInfo
    tracks: Sequence[FaceTrack]
    scores: Sequence[ClipScore]
    coverage: Coverage
    detectors: Sequence[DetectorUse]
    aggregates: Mapping[str, str]
    looks: Mapping[int, FaceLook] = field(default_factory=dict)
    notes: Sequence[str] = ()
    device: str = "cpu"
    unmask_version: str = ""
    scanned_at: str = ""


def decide(
    seen: Observations, calibrations: Mapping[str, Calibration], panel: Calibration | None = None
) -> Verdict:
    """Makes the verdict on one video.

    A face is judged by the panel where all of its members scored it, else by the calibrated
    detectors alone and by the most suspicious of them; the video is as forged as its most forged
    face that can decide (enough clips, inside of what was calibrated).

    Args:
        seen: what the scan saw.
        calibrations: of the detectors that have one for exactly these weights.
        panel: of all these detectors together, with exactly these weights.
    """
    logits = face_logits(seen.scores, seen.aggregates)
    judges = Judges(seen.video, calibrations, panel, seen.looks)
    faces = tuple(
        judge_face(
            track,
            [s for s in seen.scores if s.track_id == track.track_id],
            logits.get(track.track_id, {}),
            judges,
        )
        for track in seen.tracks
    )
    known = (*([panel] if panel else []), *calibrations.values())
    worst = _worst(faces)
    finding, reasons = _join(faces, worst, seen, known)
    verdict = Verdict(
        video=seen.video,
        finding=finding,
        faces=faces,
        clip_scores=tuple(seen.scores),
        tracks=tuple(seen.tracks),
        coverage=seen.coverage,
        reasons=(),
        detectors=tuple(seen.detectors),
        device=seen.device,
        unmask_version=seen.unmask_version,
        scanned_at=seen.scanned_at,
        decided_by=worst.track_id if worst else None,
        bits_per_pixel=bits_per_pixel(seen.video),
        calibrations=known,
    )
    reasons = [*_validation_video(verdict), *reasons, *_unknown_bits(verdict)]
    reasons += [*_coverage_reasons(seen.coverage), *seen.notes]
    return replace(verdict, reasons=tuple(reasons))


def _validation_video(verdict: Verdict) -> list[str]:
    """Says that a calibration was made of this very file."""
    return [
        f"This is one of the validation videos of the calibration '{calibration.name}': its bounds "
        "were set with this video, so the finding does not test them."
        for calibration in verdict.calibrations
        if verdict.video.sha256 in calibration.validation_sha256
    ]


def _worst(faces: Sequence[FaceVerdict]) -> FaceVerdict | None:
    """The most suspicious of the faces that can decide."""
    able = [face for face in faces if face.score is not None]
    return max(able, key=lambda f: (ORDER.index(f.finding), f.score), default=None)


def _join(
    faces: Sequence[FaceVerdict],
    worst: FaceVerdict | None,
    seen: Observations,
    calibrations: Sequence[Calibration],
) -> tuple[Finding, list[str]]:
    """The video's finding and the reasons for it."""
    if not faces:
        return Finding.NO_FACE, [
            "No face was found. The smallest face that can be found here is about "
            f"{seen.coverage.smallest_face_px:.0f} px."
        ]
    calibrated = {c.detector for c in calibrations if not c.panel}
    calibrated |= {member.detector for c in calibrations for member in c.panel}
    reasons = [
        f"{use.name} has no calibration for these weights ({use.weights}): "
        "its scores are shown but decide nothing."
        for use in seen.detectors
        if use.name not in calibrated
    ]
    if worst is None:
        if calibrations:
            refusals = [f"Face {f.track_id + 1}: {f.reasons[0]}." for f in faces[:3]]
            reasons = ["No face could be decided on.", *refusals, *reasons]
        return Finding.INCONCLUSIVE, reasons
    able = [face for face in faces if face.score is not None]
    alike = [f for f in able if f.finding == worst.finding]
    reasons = [
        *(f"Face {f.track_id + 1}: {f.reasons[0]}." for f in alike[:3]),
        *reasons,
    ]
    if len(alike) > 3:
        reasons.append(f"The same holds for {len(alike) - 3} more faces.")
    left_out = len(faces) - len(able)
    if left_out:
        reasons.append(
            f"{left_out} of {len(faces)} faces could not be decided on; see each for the reason."
        )
    return worst.finding, reasons


def _unknown_bits(verdict: Verdict) -> list[str]:
    calibration = verdict.calibration
    if calibration is None or calibration.domain.min_bits_per_pixel is None:
        return []
    if verdict.video.is_still or verdict.bits_per_pixel is not None:
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
    return reasons
