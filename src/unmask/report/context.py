"""Everything that the page shows, made in one pass over a verdict."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from unmask.printable import printable
from unmask.report import pictures, strength, timeline, wording
from unmask.report.spread import Spread, spread
from unmask.types import (
    Calibration,
    Coverage,
    FaceVerdict,
    Judgement,
    KeyFrame,
    Verdict,
    VideoInfo,
)

# More open sections than this make a page that nobody reads to the end.
_OPEN_FACES = 4
_OPEN_FRAMES = 3
_OPEN_REASONS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One number with what it is and how far it goes; ``notes`` are sentences below it."""

    term: str
    value: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorRow:
    """One detector's logit for a face, over how many clips, and what it counts."""

    detector: str
    logit: str
    clips: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameView:
    """A key frame as the template shows it."""

    caption: str
    score: str
    evidence: pictures.Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceView:
    """One face as the template shows it."""

    name: str
    face: FaceVerdict
    finding: str
    score: str
    terms: list[Term]
    no_probability: str
    quality: str
    detectors: list[DetectorRow]
    spread: Spread | None
    bars: list[timeline.Bar]
    frames: list[FrameView]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationView:
    """A calibration, the bounds by which it judged, and how often its answers were wrong."""

    calibration: Calibration
    bounds: list[str]
    error_rates: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What the template is given, by the names that it uses."""

    verdict: Verdict
    info: VideoInfo
    coverage: Coverage
    calibration: Calibration | None
    calibrations: list[CalibrationView]
    name: str
    finding: str
    explanation: str
    decider: FaceView | None
    no_probability: str
    blind_spots: str
    rate_of_finding: str
    sample: str
    faces: list[FaceView]
    has_heat: bool
    open_faces: int
    open_frames: int
    open_reasons: int
    other_frames: list[FrameView]
    ticks: list[timeline.Tick]
    length_s: float
    legend_stops: list[tuple[float, str]]
    legend_marks: list[tuple[float, str]]
    rate: str
    hash_commands: list[tuple[str, str]]
    citation: str


def build_page(verdict: Verdict, key_frames: Sequence[KeyFrame] = ()) -> Page:
    """The page of a verdict.

    Args:
        verdict: the answer to show.
        key_frames: pictures of evidence; each is shown with the face that it belongs to.
    """
    faces = _faces(verdict, key_frames)
    known = {face.track_id for face in verdict.faces}
    calibration = verdict.calibration
    length_s = timeline.length_s(verdict)
    return Page(
        verdict=verdict,
        info=verdict.video,
        coverage=verdict.coverage,
        calibration=calibration,
        calibrations=_calibrations(verdict),
        name=wording.file_name(verdict.video.path),
        finding=wording.FINDING_WORDS[verdict.finding],
        explanation=wording.explain(verdict),
        decider=next((v for v in faces if v.face.track_id == verdict.decided_by), None),
        no_probability=strength.why_no_probability(verdict, verdict.deciding_face),
        blind_spots=wording.blind_spots(verdict),
        rate_of_finding=wording.rate_of_finding(verdict),
        sample=wording.sample(calibration) if calibration else "",
        faces=faces,
        has_heat=any(shown.mask is not None for shown in key_frames),
        open_faces=_OPEN_FACES if len(faces) > _OPEN_FACES + 1 else len(faces),
        open_frames=_OPEN_FRAMES,
        open_reasons=_OPEN_REASONS,
        other_frames=[
            _frame(shown, verdict) for shown in key_frames if shown.track_id not in known
        ],
        ticks=timeline.ticks(length_s),
        length_s=length_s,
        legend_stops=timeline.legend_stops(),
        legend_marks=_marks(verdict),
        rate=_rate(verdict.video),
        hash_commands=_hash_commands(verdict.video),
        citation=_citation(verdict),
    )


def _faces(verdict: Verdict, key_frames: Sequence[KeyFrame]) -> list[FaceView]:
    views = []
    for face in wording.by_suspicion(verdict):
        judgement = face.judgement
        shown = sorted(
            (frame for frame in key_frames if frame.track_id == face.track_id),
            key=lambda frame: frame.time_s,
        )
        views.append(
            FaceView(
                name=wording.face_name(face.track_id),
                face=face,
                finding=wording.FINDING_WORDS[face.finding],
                score=wording.score_label(face),
                terms=_terms(face),
                no_probability=strength.why_no_probability(verdict, face),
                quality=strength.quality_text(judgement) if judgement else "",
                detectors=_detector_rows(face, verdict),
                spread=spread(face),
                bars=timeline.bars(face.track_id, verdict),
                frames=[_frame(frame, verdict) for frame in shown],
            )
        )
    return views


def _terms(face: FaceVerdict) -> list[Term]:
    """The numbers behind a face's finding; none where nothing calibrated decided."""
    judgement = face.judgement
    if judgement is None:
        return []
    shown = []
    if judgement.probability is not None:
        shown.append(_probability(judgement.probability, judgement))
    if judgement.llr is not None:
        notes = (
            f"{wording.capital(strength.ratio_text(judgement.llr))}.",
            strength.support_text(judgement.llr),
        )
        bounds = strength.bounds_text(judgement.llr, judgement.calibration)
        shown.append(
            Term(
                term="Log-likelihood ratio",
                value=wording.score_text(judgement.llr),
                notes=(*notes, bounds) if bounds else notes,
            )
        )
    if judgement.errors is not None:
        errors = judgement.errors
        videos = strength.videos_text(judgement)
        shown += [
            Term(
                term="Real videos this high",
                value=f"{errors.real_at_or_above:,} of {errors.real_videos:,}",
                notes=(f"Real {videos} that score as high or higher.",),
            ),
            Term(
                term="Manipulated videos this low",
                value=f"{errors.fake_at_or_below:,} of {errors.fake_videos:,}",
                notes=(f"Manipulated {videos} that score as low or lower.",),
            ),
        ]
    return shown


def _probability(probability: float, judgement: Judgement) -> Term:
    interval = judgement.probability_interval
    notes = ["If manipulated and real videos are equally likely beforehand."]
    if interval is not None:
        notes.insert(0, f"95 % interval: {strength.interval_text(interval)}.")
    if judgement.llr is not None:
        notes.append(strength.priors_text(judgement.llr))
    return Term(
        term="Probability of manipulation", value=wording.chance(probability), notes=tuple(notes)
    )


def _detector_rows(face: FaceVerdict, verdict: Verdict) -> list[DetectorRow]:
    """The logit of each detector for a face, in the order in which they scored."""
    return [
        DetectorRow(
            detector=use.name,
            logit=wording.score_text(face.logits[use.name]) if use.name in face.logits else "none",
            clips=f"{_clips(face, use.name, verdict):,}",
            role=_role(face, use.name, verdict),
        )
        for use in verdict.detectors
    ]


def _clips(face: FaceVerdict, detector: str, verdict: Verdict) -> int:
    return sum(
        score.track_id == face.track_id and score.detector == detector
        for score in verdict.clip_scores
    )


def _role(face: FaceVerdict, detector: str, verdict: Verdict) -> str:
    """What a detector's number counted for in the answer on a face."""
    judge = face.judgement.calibration if face.judgement else None
    if detector not in face.logits:
        return "scored no clip of this face"
    if judge is not None and judge.panel:
        weights = {member.detector: member.weight for member in judge.panel}
        if detector in weights:
            return f"one of the panel, weight {weights[detector]:.2f}"
    elif judge is not None and judge.detector == detector:
        return "decided"
    if not _is_calibrated(detector, verdict):
        return "shown only: no calibration"
    if face.gates:
        return "decided nothing: the calibration does not hold here"
    return "decided nothing: another answer was more suspicious, or it saw too little"


def _is_calibrated(detector: str, verdict: Verdict) -> bool:
    known = verdict.calibrations
    names = {one.detector for one in known if not one.panel}
    return detector in names | {member.detector for one in known for member in one.panel}


def _calibrations(verdict: Verdict) -> list[CalibrationView]:
    """Those that judged a face, the deciding face's first; without any, the first that fits."""
    judged = [*([verdict.deciding_face] if verdict.deciding_face else []), *verdict.faces]
    used = {
        face.judgement.calibration.name: face.judgement.calibration
        for face in judged
        if face.judgement is not None
    }
    known = list(used.values()) or list(verdict.calibrations[:1])
    return [
        CalibrationView(
            calibration=one,
            bounds=_bounds(one, judged),
            error_rates=wording.error_rates(one),
        )
        for one in known
    ]


def _bounds(calibration: Calibration, faces: Sequence[FaceVerdict]) -> list[str]:
    """The bounds that decided, once for each quality class of the faces; else the calibration's."""
    lines: dict[str, str] = {}
    for face in faces:
        judgement = face.judgement
        if judgement is not None and judgement.calibration == calibration:
            _, threshold, lower = wording.judged_texts(judgement)
            is_own = judgement.quality.threshold is not None
            whose = judgement.quality.name if is_own else "all qualities"
            lines[whose] = f"{threshold} and {lower} ({whose})"
    if lines:
        return list(lines.values())
    ends = (calibration.threshold, calibration.lower)
    return [" and ".join(wording.score_text(end) for end in ends)]


def _frame(shown: KeyFrame, verdict: Verdict) -> FrameView:
    where = (
        "Still picture"
        if verdict.video.is_still
        else f"{wording.clock(shown.time_s, decimals=2)} · frame {shown.frame_index:,}"
    )
    return FrameView(
        caption=where,
        score=f"{printable(shown.detector)} {wording.score_text(shown.logit)}",
        evidence=pictures.draw(shown),
    )


def _marks(verdict: Verdict) -> list[tuple[float, str]]:
    """Where the two bounds lie on the legend: at the same places whatever their values."""
    if not any(face.thresholds for face in verdict.faces):
        return []
    scale = timeline.Scale(low=-1.0, high=1.0, is_calibrated=True)
    return [
        (scale.percent(scale.low), "lower bound"),
        (scale.percent(scale.high), "threshold"),
    ]


def _rate(info: VideoInfo) -> str:
    if info.is_still or info.fps <= 0:
        return "one still picture" if info.is_still else "not known"
    exact = f" ({info.fps})" if info.fps.denominator != 1 else ""
    kind = "on average, variable" if info.is_variable_rate else "constant"
    return f"{float(info.fps):.6g} fps{exact}, {kind}"


def _hash_commands(info: VideoInfo) -> list[tuple[str, str]]:
    """Commands that print the file's SHA-256; none for a folder, which no system tool hashes."""
    if info.codec == "images" and not info.is_still:
        return []
    name = wording.file_name(info.path)
    # A leading dash would be read as an option.
    name = f"./{name}" if name.startswith("-") else name
    windows = name.replace('"', "")
    return [
        ("Linux", f"sha256sum {shlex.quote(name)}"),
        ("macOS", f"shasum -a 256 {shlex.quote(name)}"),
        ("Windows", f'certutil -hashfile "{windows}" SHA256'),
    ]


def _citation(verdict: Verdict) -> str:
    detectors = ", ".join(
        f"{use.name} ({use.weights}, SHA-256 {use.sha256[:12] or 'none'})"
        for use in verdict.detectors
    )
    calibration = verdict.calibration.name if verdict.calibration else "no calibration"
    return printable(
        f"unmask {verdict.unmask_version}, report on {wording.file_name(verdict.video.path)} "
        f"(SHA-256 {verdict.video.sha256}): {wording.FINDING_WORDS[verdict.finding]}. "
        f"Detectors: {detectors or 'none'}; {calibration}."
    )
