"""A verdict as a few plain lines for the terminal."""

from __future__ import annotations

from collections import Counter

from unmask.printable import printable
from unmask.report.strength import (
    at_this_score,
    probability_text,
    why_no_probability,
)
from unmask.report.wording import (
    FINDING_WORDS,
    blind_spots,
    by_suspicion,
    chance,
    clock,
    face_name,
    file_name,
    plural,
    score_label,
    score_text,
    span,
)
from unmask.types import FaceVerdict, Verdict

_FACES = 3
_REASONS = 3


def summary(verdict: Verdict) -> str:
    """The verdict as at most 12 lines of plain text, without colour codes.

    One more follows for each detector whose weights are not for commercial use.
    """
    lines = [f"{file_name(verdict.video.path)}: {FINDING_WORDS[verdict.finding]}"]
    lines += [f"  {spots}"] if (spots := blind_spots(verdict)) else []
    lines += _strength(verdict)
    lines += _faces(verdict)
    lines += _reasons(verdict.reasons)
    lines.append(f"  {_coverage(verdict)}")
    lines += [
        f"  Weights of {printable(use.name)} are not for commercial use: {printable(use.license)}"
        for use in verdict.detectors
        if use.is_non_commercial
    ]
    return "\n".join(lines)


def _strength(verdict: Verdict) -> list[str]:
    """Probability, likelihood ratio and the errors behind them, in at most two lines."""
    if not verdict.faces:
        return []
    if verdict.probability is None:
        reason = why_no_probability(verdict, verdict.deciding_face)
        lines = [f"  No probability: {reason}"]
    else:
        text = probability_text(verdict.probability, verdict.probability_interval)
        lines = [f"  Probability of manipulation: {text}, if equally likely beforehand"]
    ratio = [] if verdict.llr is None else [f"log-likelihood ratio {score_text(verdict.llr)}"]
    errors = [text] if (text := at_this_score(verdict)) else []
    if ratio or errors:
        text = "; ".join(ratio + errors)
        lines.append(f"  {text[:1].upper()}{text[1:]}")
    return lines


def _faces(verdict: Verdict) -> list[str]:
    faces = by_suspicion(verdict)
    shown = faces if len(faces) <= _FACES + 1 else faces[:_FACES]
    lines = [_face(face, verdict) for face in shown]
    rest = faces[len(shown) :]
    if rest:
        counts = Counter(FINDING_WORDS[face.finding].lower() for face in rest)
        findings = ", ".join(f"{count} {words}" for words, count in counts.items())
        lines.append(f"  ... and {plural(len(rest), 'face')} more: {findings}")
    return lines


def _face(face: FaceVerdict, verdict: Verdict) -> str:
    when = "" if verdict.video.is_still else f" {clock(face.start_s)}-{clock(face.end_s)}"
    score = score_label(face)
    score = score if score == "not scored" else f"score {score}"
    odds = "" if face.probability is None else f", {chance(face.probability)}"
    return f"  {face_name(face.track_id)}{when}: {FINDING_WORDS[face.finding]} ({score}{odds})"


def _reasons(reasons: tuple[str, ...]) -> list[str]:
    lines = [f"  - {printable(reason)}" for reason in reasons[:_REASONS]]
    if len(reasons) > _REASONS:
        lines.append(f"  - ... and {plural(len(reasons) - _REASONS, 'reason')} more in the report")
    return lines


def _coverage(verdict: Verdict) -> str:
    coverage = verdict.coverage
    faces = f"{coverage.faces_scored} of {plural(coverage.faces_found, 'face')} scored"
    audio = "no audio" if coverage.audio == "none" else "audio not analyzed"
    if verdict.video.is_still:
        return f"Looked at: one still picture; {faces}"
    damage = "; the file is damaged" if coverage.is_damaged else ""
    return (
        f"Looked at: {span(coverage.decoded_s)} of {span(coverage.duration_s)} decoded, a face in "
        f"{span(coverage.face_s)}, scored {span(coverage.scored_s)}; {faces}; {audio}{damage}"
    )
