"""Videos, tracks, scores and calibrations for the tests of the verdict."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from synthetic_faces import Spot, observation
from unmask.types import (
    Calibration,
    ClipScore,
    Coverage,
    DetectorUse,
    FaceTrack,
    QualityClass,
    Verdict,
    VideoInfo,
)
from unmask.verdict import Observations, decide

VIDEO = VideoInfo(
    path=Path("talk.mp4"),
    sha256="0" * 64,
    container="mp4",
    codec="h264",
    width_px=640,
    height_px=480,
    rotation_deg=0,
    fps=Fraction(25),
    duration_s=10.0,
    frame_count=250,
    is_variable_rate=False,
    has_audio=False,
)

COVERAGE = Coverage(
    duration_s=10.0,
    decoded_s=10.0,
    face_s=10.0,
    scored_s=10.0,
    frames_decoded=250,
    frames_examined=50,
    faces_found=1,
    faces_scored=1,
    clips_scored=50,
    clips_dropped=0,
    smallest_face_px=14.0,
    audio="none",
)


def use(name: str = "d", sha256: str = "aa") -> DetectorUse:
    return DetectorUse(name=name, weights="w", sha256=sha256, license="MIT", trained_on="x")


def calibration(**changes: object) -> Calibration:
    standard = Calibration(
        name="c",
        detector="d",
        weights_sha256="aa",
        threshold=2.0,
        lower=0.0,
        target_false_alarm_rate=0.05,
        real_videos=40,
        false_alarms=1,
        fake_videos=40,
        fakes_found=20,
        data="val",
        date="2026-11-20",
        scale="llr",
        classes=(QualityClass(name="all", slope=1.0, intercept=0.0),),
    )
    return dataclasses.replace(standard, **changes)  # type: ignore[arg-type]


def line(slope: float, intercept: float = 0.0) -> tuple[QualityClass, ...]:
    return (QualityClass(name="all", slope=slope, intercept=intercept),)


def track(track_id: int = 0, side: float = 100.0, seconds: float = 10.0) -> FaceTrack:
    moments = (0.0, seconds / 2, seconds)
    return FaceTrack(
        track_id=track_id,
        observations=tuple(
            observation(Spot(200, 200, side), track=track_id, index=i, time_s=t)
            for i, t in enumerate(moments)
        ),
    )


def scores(
    logit: float, count: int = 5, *, track_id: int = 0, detector: str = "d", face_px: float = 100.0
) -> list[ClipScore]:
    return [
        ClipScore(
            detector=detector,
            track_id=track_id,
            start_s=0.2 * i,
            end_s=0.2 * i + 0.2,
            logit=logit,
            face_px=face_px,
        )
        for i in range(count)
    ]


def verdict(
    clip_scores: Sequence[ClipScore],
    *,
    tracks: Sequence[FaceTrack] = (track(),),
    calibrations: Sequence[Calibration] = (calibration(),),
    detectors: Sequence[DetectorUse] = (use(),),
    coverage: Coverage = COVERAGE,
    notes: Sequence[str] = (),
) -> Verdict:
    seen = Observations(
        video=VIDEO,
        tracks=tracks,
        scores=clip_scores,
        coverage=coverage,
        detectors=detectors,
        aggregates={d.name: "mean" for d in detectors},
        notes=notes,
    )
    return decide(seen, {c.detector: c for c in calibrations})
