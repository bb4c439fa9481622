"""A verdict as one self-contained HTML page: no script, no request, works from a USB stick."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from unmask.report import pictures, timeline, wording
from unmask.types import FaceVerdict, KeyFrame, Verdict, VideoInfo

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
    bars: list[timeline.Bar]
    frames: list[FrameView]


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
        name=wording.file_name(verdict.video.path),
        finding=wording.FINDING_WORDS[verdict.finding],
        explanation=wording.explain(verdict),
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
        legend=_legend(verdict),
        rate=_rate(verdict.video),
        hash_commands=_hash_commands(verdict.video),
        citation=_citation(verdict),
    )


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
        chance=wording.chance,
        score=wording.score_text,
        printable=wording.printable,
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
        logit = wording.leading_logit(face, verdict)
        shown = sorted(
            (frame for frame in key_frames if frame.track_id == face.track_id),
            key=lambda frame: frame.time_s,
        )
        views.append(
            FaceView(
                name=wording.face_name(face.track_id),
                face=face,
                finding=wording.FINDING_WORDS[face.finding],
                score="not scored" if logit is None else wording.score_text(logit),
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
        score=f"{wording.printable(shown.detector)} {wording.score_text(shown.logit)}",
        evidence=pictures.draw(shown),
    )


def _legend(verdict: Verdict) -> dict[str, object]:
    calibration = verdict.calibration
    name = calibration.detector if calibration else ""
    scale = timeline.scale_for(name, verdict)
    marks = []
    if scale.is_calibrated:
        marks = [
            (scale.percent(scale.low), "lower bound", wording.score_text(scale.low)),
            (scale.percent(scale.high), "threshold", wording.score_text(scale.high)),
        ]
    return {"stops": timeline.legend_stops(), "marks": marks}


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
    return wording.printable(
        f"unmask {verdict.unmask_version}, report on {wording.file_name(verdict.video.path)} "
        f"(SHA-256 {verdict.video.sha256}): {wording.FINDING_WORDS[verdict.finding]}. "
        f"Detectors: {detectors or 'none'}; {calibration}."
    )
