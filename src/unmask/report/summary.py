"""A verdict as a few plain lines for the terminal."""

from __future__ import annotations

from collections import Counter

from unmask.report.wording import (
    FINDING_WORDS,
    by_suspicion,
    chance,
    clock,
    face_name,
    file_name,
    leading_logit,
    plural,
    printable,
    score_text,
    span,
)
from unmask.types import FaceVerdict, Verdict

_FACES = 4
_REASONS = 3


def summary(verdict: Verdict) -> str:
    """The verdict as at most 12 lines of plain text, without colour codes."""
    lines = [f"{file_name(verdict.video.path)}: {FINDING_WORDS[verdict.finding]}"]
    if verdict.probability is not None:
        lines.append(
            f"  Probability of manipulation: {chance(verdict.probability)} "
            "(if equally likely beforehand)"
        )
    elif verdict.faces:
        lines.append("  Probability of manipulation: not given")
    lines += _faces(verdict)
    lines += _reasons(verdict.reasons)
    lines.append(f"  {_coverage(verdict)}")
    return "\n".join(lines)


def _faces(verdict: Verdict) -> list[str]:
    faces = by_suspicion(verdict)
    shown = faces if len(faces) <= _FACES + 1 else faces[:_FACES]
    lines = [_face(face, verdict) for face in shown]
    rest = faces[len(shown) :]
    if rest:
        counts = Counter(FINDING_WORDS[face.finding].lower() for face in rest)
        told = ", ".join(f"{count} {words}" for words, count in counts.items())
        lines.append(f"  ... and {plural(len(rest), 'face')} more: {told}")
    return lines


def _face(face: FaceVerdict, verdict: Verdict) -> str:
    when = "" if verdict.video.is_still else f" {clock(face.start_s)}-{clock(face.end_s)}"
    logit = leading_logit(face, verdict)
    score = "not scored" if logit is None else f"score {score_text(logit)}"
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
