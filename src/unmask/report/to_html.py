"""A verdict as one self-contained HTML page: no script, no request, works from a USB stick."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from unmask.printable import printable
from unmask.report import answer_view, pictures, strength, timeline, wording
from unmask.report.spread import Spread, spread
from unmask.types import Calibration, FaceVerdict, KeyFrame, Verdict, VideoInfo

# More open sections than this make a page that nobody reads to the end.
_OPEN_FACES = 4
_OPEN_FRAMES = 3
_OPEN_REASONS = 6


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
    figures: list[answer_view.Figure]
    no_probability: str
    quality: str
    sayings: list[answer_view.Said]
    spread: Spread | None
    bars: list[timeline.Bar]
    frames: list[FrameView]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationView:
    """A calibration and, in sentences, how often its threshold was wrong."""

    calibration: Calibration
    error_rates: list[str]


def to_html(verdict: Verdict, key_frames: Sequence[KeyFrame] = ()) -> str:
    """The report as the text of one HTML file, pictures and style included.

    Args:
        verdict: the answer to show.
        key_frames: pictures of evidence; each is shown with the face that it belongs to.
    """
    template = _environment().get_template("report.html.j2")
    faces = _faces(verdict, key_frames)
    known = {face.track_id for face in verdict.faces}
    calibration = verdict.calibration
    return template.render(
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
        error_rates=wording.error_rates(calibration) if calibration else [],
        sample=wording.sample(calibration) if calibration else "",
        faces=faces,
        has_heat=any(shown.mask is not None for shown in key_frames),
        open_faces=_OPEN_FACES if len(faces) > _OPEN_FACES + 1 else len(faces),
        open_frames=_OPEN_FRAMES,
        open_reasons=_OPEN_REASONS,
        other_frames=[
            _frame(shown, verdict) for shown in key_frames if shown.track_id not in known
        ],
        ticks=timeline.ticks(timeline.length_s(verdict)),
        length_s=timeline.length_s(verdict),
        legend={"stops": timeline.legend_stops(), "marks": _marks(verdict)},
        rate=_rate(verdict.video),
        hash_commands=_hash_commands(verdict.video),
        citation=_citation(verdict),
    )


def _calibrations(verdict: Verdict) -> list[CalibrationView]:
    """Those that judged a face, the deciding face's first; without any, the first that fits."""
    judged = [*([verdict.deciding_face] if verdict.deciding_face else []), *verdict.faces]
    used = {
        face.judgement.calibration.name: face.judgement.calibration
        for face in judged
        if face.judgement is not None
    }
    known = list(used.values()) or list(verdict.calibrations[:1])
    return [CalibrationView(calibration=one, error_rates=wording.error_rates(one)) for one in known]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("unmask.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        clock=wording.clock,
        span=wording.span,
        percent=wording.percent,
        chances=strength.interval_text,
        limits=wording.limits,
        sentence=wording.sentence,
        chance=wording.chance,
        score=wording.score_text,
        printable=printable,
        plural=wording.plural,
        tight=_tight,
    )
    return environment


def _tight(text: str) -> str:
    """The text with numbers kept on one line with their units."""
    return re.sub(r"(?<=\d) (?=(?:%|s|px|min|h)(?!\w))", "\N{NO-BREAK SPACE}", text)


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
                score=wording.told_score(face),
                figures=answer_view.figures(face),
                no_probability=strength.why_no_probability(verdict, face),
                quality=strength.quality_text(judgement) if judgement else "",
                sayings=answer_view.sayings(face, verdict),
                spread=spread(face),
                bars=timeline.bars(face.track_id, verdict),
                frames=[_frame(frame, verdict) for frame in shown],
            )
        )
    return views


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
    kind = "variable, on average " if info.is_variable_rate else "constant, "
    return f"{kind}{float(info.fps):.6g} frames per second{exact}"


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
