"""Plausible verdicts for the tests of the report, and for looking at reports by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from unmask.report.wording import by_suspicion
from unmask.types import (
    Calibration,
    ClipScore,
    Coverage,
    DetectorUse,
    Domain,
    FaceLook,
    FaceObservation,
    FaceTrack,
    FaceVerdict,
    Finding,
    Judgement,
    KeyFrame,
    LeftOutRates,
    PanelMember,
    QualityClass,
    Rate,
    Verdict,
    VideoInfo,
)
from unmask.verdict.likelihood import error_rates, probability, probability_interval, stated_llr

LOWER, THRESHOLD = -0.42, 1.37
DETECTOR = "toydetector"
OTHER = "othernet"
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
    """Scores as they might come out of real and forged validation videos, the same each time."""
    draw = np.random.default_rng(5)
    line = tuple((at, at - 0.9, at + 0.7) for at in (-6.0, 0.0, 6.0))
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
        classes=(
            QualityClass(
                name="small or strongly compressed",
                slope=1.0,
                intercept=0.0,
                max_face_px=100.0,
                real_videos=31,
                fake_videos=35,
                interval=line,
            ),
            QualityClass(
                name="other",
                slope=1.0,
                intercept=0.0,
                real_videos=real_videos,
                fake_videos=81,
                interval=line,
            ),
        ),
        llr_bounds=None if slope is None else (-4.2, 3.9),
        real_scores=tuple(np.sort(draw.normal(-1.6, 1.3, real_videos)).round(3).tolist()),
        fake_scores=tuple(np.sort(draw.normal(2.2, 1.7, 81)).round(3).tolist()),
        domain=Domain(
            min_face_px=48.0,
            min_scored_s=1.0,
            min_bits_per_pixel=0.0061,
            max_flat_share=0.45,
            min_change=0.8,
        ),
        left_out=LeftOutRates(
            false_alarms=Rate(hits=4, videos=real_videos, interval=(0.012, 0.13)),
            cleared=Rate(hits=50, videos=real_videos, interval=(0.51, 0.78)),
            found=Rate(hits=52, videos=81, interval=(0.49, 0.76)),
            missed=Rate(hits=14, videos=81, interval=(0.08, 0.31)),
        ),
        blind_spots="This detector does not find fully AI-generated video.",
    )


def make_panel_calibration() -> Calibration:
    """Of the toy detector and another one together."""
    return replace(
        make_calibration(),
        name="panel 2026-11",
        panel=(
            PanelMember(detector=DETECTOR, weights_sha256=WEIGHTS_SHA256, weight=0.8),
            PanelMember(detector=OTHER, weights_sha256="ab" * 32, weight=0.45, longest_cpu_s=120.0),
        ),
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
    reasons: tuple[str, ...] = (),
    calibration: Calibration | None = None,
) -> FaceVerdict:
    """A face judged by the calibration (its line is score = logit), numbers as the verdict's."""
    return FaceVerdict(
        track_id=track_id,
        start_s=start_s,
        end_s=end_s,
        finding=finding,
        logits={DETECTOR: logit},
        face_px=235.5,
        clips=62,
        reasons=reasons,
        judgement=make_judgement(logit, calibration),
        thresholds={DETECTOR: THRESHOLD},
        look=FaceLook(flat_share=0.08, change=4.2, moments=12),
    )


def make_judgement(score: float, calibration: Calibration | None = None) -> Judgement:
    """By the last quality class of the calibration, numbers as the verdict's."""
    judge = calibration or make_calibration()
    quality = judge.classes[-1]
    bounds = judge.for_class(quality.name)
    llr = stated_llr(score, bounds) if math.isfinite(score) else None
    return Judgement(
        calibration=judge,
        quality=quality,
        score=score,
        threshold=bounds.threshold,
        lower=bounds.lower,
        llr=llr,
        probability=None if llr is None else probability(llr),
        probability_interval=None if llr is None else probability_interval(score, quality, bounds),
        errors=error_rates(score, bounds),
    )


def without_numbers(face: FaceVerdict, **changes: object) -> FaceVerdict:
    """The face as one that nothing calibrated decided on."""
    return replace(face, judgement=None, **changes)  # type: ignore[arg-type]


def decided(verdict: Verdict, *calibrations: Calibration) -> Verdict:
    """The verdict, decided by its most suspicious face, as ``decide`` does it."""
    able = [face for face in by_suspicion(verdict) if face.score is not None]
    return replace(
        verdict,
        calibrations=calibrations,
        decided_by=able[0].track_id if able else None,
        bits_per_pixel=0.0874,
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
    logit, reason = {
        Finding.MANIPULATED: (3.21, "Face 1 scores over the threshold from 4.0 s to 9.0 s."),
        Finding.INCONCLUSIVE: (0.55, "The score lies between the two bounds."),
        Finding.NO_MANIPULATION_FOUND: (-2.36, "All 62 clips score below the lower bound."),
        Finding.NO_FACE: (0.0, "No face larger than 48 px was found."),
    }[finding]

    def logit_at(time_s: float) -> float:
        wave = 0.6 * np.sin(3 * time_s)
        return float(logit + wave if 4 <= time_s < 9 else min(logit, -1.8) + wave)

    has_face = finding is not Finding.NO_FACE
    verdict = Verdict(
        video=make_info(name) if name else make_info(),
        finding=finding,
        faces=(make_face(0, finding, logit),) if has_face else (),
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
    return decided(verdict, make_calibration())


def make_uncalibrated() -> Verdict:
    verdict = make_verdict(Finding.INCONCLUSIVE)
    faces = tuple(without_numbers(face, thresholds={}) for face in verdict.faces)
    bare = replace(
        verdict,
        faces=faces,
        reasons=("There is no calibration for toydetector.",),
    )
    return decided(bare)


def make_without_probability() -> Verdict:
    """A calibration whose scores are compared with bounds only."""
    judge = make_calibration(slope=None)
    face = make_face(0, Finding.INCONCLUSIVE, 0.55, calibration=judge)
    return decided(replace(make_verdict(Finding.INCONCLUSIVE), faces=(face,)), judge)


def make_gated() -> Verdict:
    """One tiny face that hardly changes: outside of what the calibration saw."""
    gates = (
        "the face is 31 px large; the calibration holds from 48 px",
        "the face hardly changes between moments (0.12 gray levels, real videos at least 0.80): "
        "it may be a still picture shown as a video",
    )
    face = make_face(0, Finding.INCONCLUSIVE, 2.9)
    closed = without_numbers(face, gates=gates, reasons=("; ".join(gates),), face_px=31.0)
    verdict = make_verdict(Finding.INCONCLUSIVE)
    reasons = ("No face could be decided on.", f"Face 1: {'; '.join(gates)}.")
    return decided(replace(verdict, faces=(closed,), reasons=reasons), make_calibration())


def make_panel() -> Verdict:
    """Two detectors judge together; a third is shown only."""
    judge = make_panel_calibration()
    logits = {DETECTOR: 2.1, OTHER: 3.4, "thirdnet": -0.3}
    face = replace(
        make_face(0, Finding.MANIPULATED, 3.21, calibration=judge),
        logits=logits,
        thresholds={DETECTOR: 1.2, OTHER: 2.2},
        reasons=("toydetector with othernet score 3.21, at or above the threshold 1.37",),
    )
    verdict = make_verdict()
    scores = [
        make_scores(0, 0.2, 10.6, lambda t, z=z: z + float(np.sin(3 * t)), step_s=0.8, detector=n)  # type: ignore[misc]
        for n, z in logits.items()
    ]
    uses = tuple(
        DetectorUse(name=n, weights="w", sha256=sha, license="MIT", trained_on="self-blends")
        for n, sha in ((DETECTOR, WEIGHTS_SHA256), (OTHER, "ab" * 32), ("thirdnet", "cd" * 32))
    )
    return decided(
        replace(verdict, faces=(face,), clip_scores=tuple(sum(scores, ())), detectors=uses), judge
    )


def make_two_people() -> Verdict:
    """Track 0 is untouched; track 1 is forged and speaks from second 3 to 8, with a gap."""
    one = make_verdict()
    faces = (
        make_face(0, Finding.NO_MANIPULATION_FOUND, -2.4),
        make_face(1, Finding.MANIPULATED, 3.21, 3.0, 8.0, ("2 clips were left out.",)),
    )
    scores = (
        *make_scores(0, 0.0, 12.4, lambda t: -2.4 + 0.5 * float(np.sin(t))),
        *make_scores(1, 3.0, 5.0, lambda t: 3.0 + 0.5 * float(np.sin(5 * t))),
        *make_scores(1, 6.0, 8.0, lambda t: 0.9 * (t - 6)),
        *make_scores(1, 3.0, 8.0, lambda t: 0.4, detector="othernet", with_mask=False),
    )
    tracks = (make_track(0, 0.0, 12.4), make_track(1, 3.0, 8.0))
    verdict = replace(
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
    return decided(verdict, make_calibration())


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
    verdict = replace(
        make_verdict(),
        faces=tuple(faces),
        clip_scores=tuple(scores),
        tracks=tuple(tracks),
        coverage=make_coverage(faces_found=people, faces_scored=people),
        reasons=tuple(f"Reason number {number}." for number in range(9)),
    )
    return decided(verdict, make_calibration())


def make_long() -> Verdict:
    """One hour; forged from 31:00 to 31:20."""
    scores = make_scores(
        0, 0.0, 3600.0, lambda t: 3.4 if 1860 <= t < 1880 else -2.5 + float(np.sin(t)), step_s=1.0
    )
    verdict = replace(
        make_verdict(),
        video=make_info("debate.mkv", 3600.0),
        faces=(make_face(0, Finding.MANIPULATED, 3.4, 0.0, 3600.0),),
        clip_scores=scores,
        tracks=(make_track(0, 0.0, 3600.0, step_s=1.0),),
        coverage=make_coverage(duration_s=3600.0, decoded_s=3600.0, face_s=3580.0, scored_s=3550.0),
    )
    return decided(verdict, make_calibration())


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
    verdict = replace(
        make_verdict(),
        video=info,
        faces=(make_face(0, Finding.MANIPULATED, 2.2, 0.0, 0.0),),
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
    return decided(verdict, make_calibration())


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
        "without probability": make_without_probability(),
        "gated": make_gated(),
        "panel": make_panel(),
        "odd name": make_verdict(name="<script>alert(1)<script> \x1b[2J\u202e é 'x\".mp4"),
    }
