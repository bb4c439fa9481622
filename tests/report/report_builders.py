"""Plausible verdicts for the tests of the report, and for looking at reports by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from unmask.types import (
    Calibration,
    ClipScore,
    Coverage,
    DetectorUse,
    Domain,
    FaceObservation,
    FaceTrack,
    FaceVerdict,
    Finding,
    KeyFrame,
    QualityClass,
    Verdict,
    VideoInfo,
)

LOWER, THRESHOLD = -0.42, 1.37
DETECTOR = "toydetector"
WEIGHTS_SHA256 = "3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea"


def make_info(name: str = "interview_2026-11-03.mp4", duration_s: float = 12.48) -> VideoInfo:
    return VideoInfo(
        path=Path("/archive/incoming") / name,
        sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        container="mov,mp4,m4a,3gp,3g2,mj2",
        codec="h264",
        width_px=1280,
        height_px=720,
        rotation_deg=0,
        fps=Fraction(30000, 1001),
        duration_s=duration_s,
        frame_count=round(duration_s * 30000 / 1001),
        is_variable_rate=False,
        has_audio=True,
        bit_rate_bps=2_415_000,
        size_bytes=3_767_412,
    )


def make_calibration(real_videos: int = 76, slope: float | None = 1.12) -> Calibration:
    return Calibration(
        name="toydetector 2026-11 far05",
        detector=DETECTOR,
        weights_sha256=WEIGHTS_SHA256,
        threshold=THRESHOLD,
        lower=LOWER,
        target_false_alarm_rate=0.05,
        real_videos=real_videos,
        false_alarms=3,
        fake_videos=81,
        fakes_found=59,
        data="validation clips: talking heads, phone videos and television, H.264",
        date="2026-11-18",
        scale="logit" if slope is None else "llr",
        target_miss_rate=0.2,
        classes=(QualityClass(name="all", slope=1.0, intercept=0.0, real_videos=real_videos),),
        llr_bounds=None if slope is None else (-4.0, 4.0),
        domain=Domain(min_face_px=48.0, min_scored_s=1.0),
    )


def make_track(track_id: int, start_s: float, end_s: float, step_s: float = 0.1) -> FaceTrack:
    times = np.arange(start_s, end_s, step_s)
    left = 480 + 30 * (track_id % 5) + 12 * np.sin(times)
    seen = []
    for number, (time_s, x) in enumerate(zip(times.tolist(), left.tolist(), strict=True)):
        box = np.array([x, 160.25, x + 182.5, 395.75], np.float32)
        offsets = [(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)]
        points = [(x + 182.5 * across, 160.25 + 235.5 * down) for across, down in offsets]
        seen.append(
            FaceObservation(
                track_id=track_id,
                frame_index=round(time_s * 30000 / 1001),
                time_s=time_s,
                box_px=box,
                landmarks_px=np.array(points, np.float32),
                confidence=0.93,
                is_interpolated=number % 3 != 0,
            )
        )
    return FaceTrack(track_id=track_id, observations=tuple(seen))


def make_scores(
    track_id: int,
    start_s: float,
    end_s: float,
    logit_at: Callable[[float], float],
    *,
    step_s: float = 0.2,
    detector: str = DETECTOR,
    with_mask: bool = True,
) -> tuple[ClipScore, ...]:
    mask = np.zeros((1, 8, 8), np.float32)
    mask[0, 2:6, 4:8] = 0.9
    region = np.array([[400.0, 100.0, 720.0, 420.0]], np.float32)
    return tuple(
        ClipScore(
            detector=detector,
            track_id=track_id,
            start_s=time_s,
            end_s=time_s,
            logit=logit_at(time_s),
            frame_indices=(round(time_s * 30000 / 1001),),
            face_px=235.5,
            mask=mask if with_mask else None,
            regions_px=region,
        )
        for time_s in np.arange(start_s, end_s, step_s).tolist()
    )


def make_face(
    track_id: int,
    finding: Finding,
    logit: float,
    start_s: float = 0.0,
    end_s: float = 12.4,
    probability: float | None = None,
    reasons: tuple[str, ...] = (),
) -> FaceVerdict:
    return FaceVerdict(
        track_id=track_id,
        start_s=start_s,
        end_s=end_s,
        finding=finding,
        logits={DETECTOR: logit},
        probability=probability,
        face_px=235.5,
        clips=62,
        reasons=reasons,
    )


def make_coverage(**changes: object) -> Coverage:
    coverage = Coverage(
        duration_s=12.48,
        decoded_s=12.48,
        face_s=12.1,
        scored_s=11.8,
        frames_decoded=374,
        frames_examined=94,
        faces_found=1,
        faces_scored=1,
        clips_scored=62,
        clips_dropped=2,
        smallest_face_px=182.5,
        audio="not analyzed",
    )
    return replace(coverage, **changes)  # type: ignore[arg-type]


def make_verdict(finding: Finding = Finding.MANIPULATED, name: str = "") -> Verdict:
    """One face; forged (if it is) from second 4 to 9."""
    logit, probability, reason = {
        Finding.MANIPULATED: (3.21, 0.963, "Face 1 scores over the threshold from 4.0 s to 9.0 s."),
        Finding.INCONCLUSIVE: (0.55, 0.58, "The score lies between the two bounds."),
        Finding.NO_MANIPULATION_FOUND: (-2.36, 0.049, "All 62 clips score below the lower bound."),
        Finding.NO_FACE: (0.0, None, "No face larger than 48 px was found."),
    }[finding]

    def logit_at(time_s: float) -> float:
        wave = 0.6 * np.sin(3 * time_s)
        return float(logit + wave if 4 <= time_s < 9 else min(logit, -1.8) + wave)

    has_face = finding is not Finding.NO_FACE
    return Verdict(
        video=make_info(name) if name else make_info(),
        finding=finding,
        probability=probability,
        threshold=THRESHOLD,
        calibration=make_calibration(),
        faces=(make_face(0, finding, logit, probability=probability),) if has_face else (),
        clip_scores=make_scores(0, 0.2, 10.6, logit_at) if has_face else (),
        tracks=(make_track(0, 0.0, 12.4),) if has_face else (),
        coverage=make_coverage()
        if has_face
        else make_coverage(
            face_s=0.0,
            scored_s=0.0,
            faces_found=0,
            faces_scored=0,
            clips_scored=0,
            clips_dropped=0,
            smallest_face_px=0.0,
        ),
        reasons=(reason, "Audio was not analyzed."),
        detectors=(
            DetectorUse(
                name=DETECTOR,
                weights="blend-2026-11",
                sha256=WEIGHTS_SHA256,
                license="MIT",
                trained_on="self-blended faces made from 212 real videos and 1,900 photographs",
            ),
        ),
        device="cpu",
        unmask_version="0.1.0",
    )


def make_uncalibrated() -> Verdict:
    verdict = make_verdict(Finding.INCONCLUSIVE)
    faces = tuple(replace(face, probability=None) for face in verdict.faces)
    return replace(
        verdict,
        faces=faces,
        calibration=None,
        threshold=None,
        probability=None,
        reasons=("There is no calibration for toydetector.",),
    )


def make_two_people() -> Verdict:
    """Track 0 is untouched; track 1 is forged and speaks from second 3 to 8, with a gap."""
    one = make_verdict()
    faces = (
        make_face(0, Finding.NO_MANIPULATION_FOUND, -2.4, probability=0.04),
        make_face(1, Finding.MANIPULATED, 3.21, 3.0, 8.0, 0.963, ("2 clips were left out.",)),
    )
    scores = (
        *make_scores(0, 0.0, 12.4, lambda t: -2.4 + 0.5 * float(np.sin(t))),
        *make_scores(1, 3.0, 5.0, lambda t: 3.0 + 0.5 * float(np.sin(5 * t))),
        *make_scores(1, 6.0, 8.0, lambda t: 0.9 * (t - 6)),
        *make_scores(1, 3.0, 8.0, lambda t: 0.4, detector="othernet", with_mask=False),
    )
    tracks = (make_track(0, 0.0, 12.4), make_track(1, 3.0, 8.0))
    return replace(
        one,
        faces=faces,
        clip_scores=scores,
        tracks=tracks,
        coverage=make_coverage(faces_found=2, faces_scored=2),
        detectors=(
            *one.detectors,
            DetectorUse(
                name="othernet",
                weights="published",
                sha256="ab" * 32,
                license="Apache-2.0",
                trained_on="Deepfakes and Face2Face",
            ),
        ),
    )


def make_crowd(people: int = 20) -> Verdict:
    """Only the last person is forged, the one before is unclear."""
    last = people - 1
    faces, scores, tracks = [], [], []
    for track_id in range(people):
        logit = 2.9 if track_id == last else 0.6 if track_id == last - 1 else -2 - 0.05 * track_id
        finding = (
            Finding.MANIPULATED
            if track_id == last
            else Finding.INCONCLUSIVE
            if track_id == last - 1
            else Finding.NO_MANIPULATION_FOUND
        )
        start_s = 0.3 * track_id
        faces.append(make_face(track_id, finding, logit, start_s, start_s + 5))
        scores += make_scores(track_id, start_s, start_s + 5, lambda t, z=logit: z)  # type: ignore[misc]
        tracks.append(make_track(track_id, start_s, start_s + 5))
    return replace(
        make_verdict(),
        faces=tuple(faces),
        clip_scores=tuple(scores),
        tracks=tuple(tracks),
        coverage=make_coverage(faces_found=people, faces_scored=people),
        reasons=tuple(f"Reason number {number}." for number in range(9)),
    )


def make_long() -> Verdict:
    """One hour; forged from 31:00 to 31:20."""
    scores = make_scores(
        0, 0.0, 3600.0, lambda t: 3.4 if 1860 <= t < 1880 else -2.5 + float(np.sin(t)), step_s=1.0
    )
    return replace(
        make_verdict(),
        video=make_info("debate.mkv", 3600.0),
        faces=(make_face(0, Finding.MANIPULATED, 3.4, 0.0, 3600.0, 0.97),),
        clip_scores=scores,
        tracks=(make_track(0, 0.0, 3600.0, step_s=1.0),),
        coverage=make_coverage(duration_s=3600.0, decoded_s=3600.0, face_s=3580.0, scored_s=3550.0),
    )


def make_still() -> Verdict:
    info = replace(
        make_info("portrait.png", 0.0),
        container="png_pipe",
        codec="png",
        fps=Fraction(1),
        frame_count=1,
        is_still=True,
        has_audio=False,
        bit_rate_bps=None,
    )
    return replace(
        make_verdict(),
        video=info,
        faces=(make_face(0, Finding.MANIPULATED, 2.2, 0.0, 0.0, 0.9),),
        clip_scores=make_scores(0, 0.0, 0.1, lambda _: 2.2),
        tracks=(make_track(0, 0.0, 0.05),),
        coverage=make_coverage(
            duration_s=0.0,
            decoded_s=0.0,
            face_s=0.0,
            scored_s=0.0,
            frames_decoded=1,
            frames_examined=1,
            clips_scored=1,
            clips_dropped=0,
            audio="none",
        ),
    )


def make_damaged() -> Verdict:
    return replace(
        make_verdict(Finding.INCONCLUSIVE, "broken upload.mov"),
        coverage=make_coverage(
            decoded_s=4.1, face_s=4.0, scored_s=3.6, frames_decoded=123, is_damaged=True
        ),
        reasons=("The file is damaged: 4.1 s of 12.5 s could be decoded.",),
    )


def make_key_frame(
    picture: np.ndarray | None = None,
    *,
    track_id: int = 0,
    time_s: float = 4.2,
    scale: float = 1.0,
    with_mask: bool = True,
) -> KeyFrame:
    """A key frame of a 1280 x 720 video, or of the picture given (face at 165..285, 65..205)."""
    if picture is None:
        ramp = np.linspace(40, 200, round(1280 * scale), dtype=np.uint8)
        picture = np.repeat(np.tile(ramp, (round(720 * scale), 1))[..., None], 3, axis=2)
        box = np.array([480.0, 160.0, 662.0, 396.0], np.float32)
    else:
        box = np.array([168.0, 62.0, 282.0, 208.0], np.float32) / np.float32(scale)
    side = 1.3 * float(max(box[2] - box[0], box[3] - box[1]))
    x, y = float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2
    region = np.array([x - side / 2, y - side / 2, x + side / 2, y + side / 2], np.float32)
    down, across = np.mgrid[0:28, 0:28] / 27.0
    blob = np.exp(-(((across - 0.5) / 0.2) ** 2 + ((down - 0.68) / 0.14) ** 2))
    return KeyFrame(
        track_id=track_id,
        frame_index=round(time_s * 30000 / 1001),
        time_s=time_s,
        logit=3.4,
        detector=DETECTOR,
        pixels=np.ascontiguousarray(picture),
        scale=scale,
        box_px=box,
        mask=blob.astype(np.float32) if with_mask else None,
        region_px=region if with_mask else None,
    )


def all_verdicts() -> dict[str, Verdict]:
    """Every kind of verdict that a report must cope with, by name."""
    return {
        **{finding.value: make_verdict(finding) for finding in Finding},
        "uncalibrated": make_uncalibrated(),
        "two people": make_two_people(),
        "crowd": make_crowd(),
        "long": make_long(),
        "still": make_still(),
        "damaged": make_damaged(),
        "odd name": make_verdict(name="<script>alert(1)<script> \x1b[2J\u202e é 'x\".mp4"),
    }
