"""The words of a report: findings, times, shares and sentences, shared by HTML and terminal."""

from __future__ import annotations

import math
import os
from pathlib import Path

from unmask.printable import decimals_apart, printable
from unmask.types import (
    Calibration,
    Domain,
    FaceVerdict,
    Finding,
    Judgement,
    Rate,
    Verdict,
)

FINDING_WORDS = {
    Finding.MANIPULATED: "Signs of manipulation found",
    Finding.INCONCLUSIVE: "Inconclusive",
    Finding.NO_MANIPULATION_FOUND: "No signs found by this detector",
    Finding.NO_FACE: "No face",
}
_SEVERITY = {
    Finding.MANIPULATED: 0,
    Finding.INCONCLUSIVE: 1,
    Finding.NO_MANIPULATION_FOUND: 2,
    Finding.NO_FACE: 3,
}


def file_name(path: Path) -> str:
    """The last part of the path, safe to show."""
    return printable(os.fsencode(path.name or str(path)).decode("utf-8", "backslashreplace"))


def clock(seconds: float, *, decimals: int = 1) -> str:
    """A point in time on the video's own clock.

    >>> clock(3725.04), clock(4.25), clock(59.97)
    ('1:02:05.0', '0:04.2', '1:00.0')
    """
    sign = "-" if seconds < 0 else ""
    rounded = round(abs(seconds), decimals)
    minutes, rest = divmod(rounded, 60)
    hours, minutes = divmod(int(minutes), 60)
    width = 2 if decimals == 0 else 3 + decimals
    tail = f"{rest:0{width}.{decimals}f}"
    return f"{sign}{hours}:{minutes:02d}:{tail}" if hours else f"{sign}{minutes}:{tail}"


def span(seconds: float) -> str:
    """A length of time.

    >>> span(12.34), span(185), span(3725)
    ('12.3 s', '3 min 05 s', '1 h 02 min')
    """
    if seconds < 119.5:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def percent(share: float) -> str:
    """A share in per cent, with one decimal below 10.

    >>> percent(0.0083), percent(0.76), percent(0.05)
    ('0.8 %', '76 %', '5 %')
    """
    value = 100 * share
    text = f"{value:.1f}" if value < 10 else f"{value:.0f}"
    return f"{text.removesuffix('.0')} %"


def number_range(low: float, high: float) -> str:
    """A range of shares in per cent.

    >>> number_range(0.0, 0.0992), number_range(0.883, 0.957)
    ('0 to 9.9 %', '88 to 96 %')
    """
    return f"{percent(low).removesuffix(' %')} to {percent(high)}"


def chance(probability: float) -> str:
    """A probability in per cent that never claims certainty.

    >>> chance(0.9999), chance(0.8312), chance(0.0)
    ('over 99 %', '83 %', 'under 1 %')
    """
    if probability > 0.99:
        return "over 99 %"
    return "under 1 %" if probability < 0.01 else f"{100 * probability:.0f} %"


def score_text(logit: float, decimals: int = 2) -> str:
    """A logit with its sign.

    >>> score_text(3.214), score_text(-0.5), score_text(float("nan"))
    ('+3.21', '-0.50', 'not a number')
    """
    return f"{logit:+.{decimals}f}" if math.isfinite(logit) else "not a number"


def judged_texts(judgement: Judgement) -> tuple[str, str, str]:
    """Score, threshold and lower bound, with as many decimals as keep them apart."""
    numbers = (judgement.score, judgement.threshold, judgement.lower)
    decimals = decimals_apart(*numbers)
    score, threshold, lower = (score_text(number, decimals) for number in numbers)
    return score, threshold, lower


def face_name(track_id: int) -> str:
    """How a report calls a face: the same name wherever it stands in the list.

    >>> face_name(0)
    'Face 1'
    """
    return f"Face {track_id + 1}"


def capital(text: str) -> str:
    """The text with its first letter large.

    >>> capital("about H.264")
    'About H.264'
    """
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """The text with a large first letter and a full stop.

    >>> sentence("only 2 moments could be scored"), sentence("Done.")
    ('Only 2 moments could be scored.', 'Done.')
    """
    return capital(text) + ("" if text.endswith((".", "!", "?")) else ".")


def limits(domain: Domain) -> list[str]:
    """Where a calibration holds, in plain words."""
    lines = []
    if domain.min_face_px:
        lines.append(f"faces from {domain.min_face_px:.0f} px")
    if domain.min_scored_s:
        lines.append(f"{span(domain.min_scored_s)} scored or more")
    if domain.min_bits_per_pixel is not None:
        lines.append(f"{domain.min_bits_per_pixel:.4f} bits or more for each pixel of a frame")
    if domain.max_flat_share is not None:
        lines.append(f"at most {percent(domain.max_flat_share)} of a face's pixels flat (drawings)")
    if domain.min_change is not None:
        lines.append(
            f"faces that change by {domain.min_change:.2f} gray levels or more (still pictures)"
        )
    return lines


def plural(count: int, noun: str) -> str:
    """The count with its noun.

    >>> plural(1, "face"), plural(1200, "clip")
    ('1 face', '1,200 clips')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def leading_score(face: FaceVerdict) -> float | None:
    """The score that the finding rests on; without one the highest logit, which decides nothing."""
    if face.score is not None:
        return face.score
    finite = [logit for logit in face.logits.values() if math.isfinite(logit)]
    return max(finite, default=None)


def score_label(face: FaceVerdict) -> str:
    """The score of a face; one that no calibration turned into an answer is marked as such."""
    if face.judgement is not None:
        return judged_texts(face.judgement)[0]
    score = leading_score(face)
    return "not scored" if score is None else f"{score_text(score)}, decides nothing"


def by_suspicion(verdict: Verdict) -> list[FaceVerdict]:
    """The faces, most suspicious first; those that could decide before those that could not."""

    def rank(face: FaceVerdict) -> tuple[int, bool, float, float]:
        score = leading_score(face)
        return (
            _SEVERITY[face.finding],
            face.score is None,
            -(-math.inf if score is None or math.isnan(score) else score),
            face.start_s,
        )

    return sorted(verdict.faces, key=rank)


def explain(verdict: Verdict) -> str:
    """One or two sentences that say what the finding means, with the numbers it rests on."""
    if verdict.finding is Finding.NO_FACE:
        return "No face was found that could be examined, so nothing is known about manipulation."
    judgement = verdict.judgement
    if judgement is None:
        return _explain_undecided(verdict)
    score, threshold, lower = judged_texts(judgement)
    above = f"From {threshold} on, a score counts as a sign of manipulation"
    below = f"below {lower} the detector reports no signs"
    if judgement.score >= judgement.threshold:
        answer, end = Finding.MANIPULATED, f"{above}."
    elif judgement.score < judgement.lower:
        answer, end = Finding.NO_MANIPULATION_FOUND, f"{below[:1].upper()}{below[1:]}."
    else:
        answer, end = Finding.INCONCLUSIVE, f"{above}; {below}. This one is in between."
    if answer is not verdict.finding:
        return (
            f"The highest face score is {score}. Alone it would give another answer; the reasons "
            "below say why it does not."
        )
    return f"The highest face score is {score}. {end}"


def _explain_undecided(verdict: Verdict) -> str:
    if not verdict.calibrations:
        return (
            "The detector gave scores, but no calibration says how to read them, so they are "
            "not turned into an answer."
        )
    if any(face.gates for face in verdict.faces):
        return (
            "No face lies within what the calibration saw, so no score is turned into an answer; "
            "the reasons below say what is outside."
        )
    return "What could be examined supports no answer; the reasons below say why."


def blind_spots(verdict: Verdict) -> str:
    """What the detector that decided does not find, for a finding of no signs; else empty."""
    judgement = verdict.judgement
    if verdict.finding is not Finding.NO_MANIPULATION_FOUND or judgement is None:
        return ""
    sentences = [judgement.calibration.blind_spots]
    if (rates := judgement.calibration.left_out) is not None:
        sentences.append(
            f"On validation it found {rates.found.hits:,} of {rates.found.videos:,} manipulated "
            "videos."
        )
    sentences.append("This finding does not prove authenticity.")
    return " ".join(filter(None, sentences))


def rate_of_finding(verdict: Verdict) -> str:
    """How often such a finding was wrong on validation videos; empty where nothing is claimed."""
    rates = verdict.judgement.calibration.left_out if verdict.judgement else None
    if rates is None:
        return ""
    if verdict.finding is Finding.MANIPULATED:
        return (
            f"On validation {_rate(rates.false_alarms)} real videos got this finding, too. {_HOW}"
        )
    if verdict.finding is Finding.NO_MANIPULATION_FOUND:
        return f"On validation {_rate(rates.missed)} manipulated videos got this finding. {_HOW}"
    return ""


def error_rates(calibration: Calibration) -> list[str]:
    """How often the answers were wrong on videos of other sources, in sentences."""
    rates = calibration.left_out
    if rates is None:
        return ["How often it is wrong on videos of other sources was not measured."]
    return [
        f"Real videos: signs of manipulation found in {_rate(rates.false_alarms)}, no signs in "
        f"{_rate(rates.cleared)}.",
        f"Manipulated videos: signs of manipulation found in {_rate(rates.found)}, no signs in "
        f"{_rate(rates.missed)}.",
        _HOW,
    ]


_HOW = (
    "Each video was judged by a calibration made without its source; intervals are 95 %, over "
    "sources."
)


def _rate(rate: Rate) -> str:
    return f"{rate.hits:,} of {rate.videos:,} ({number_range(*rate.interval)})"


def sample(calibration: Calibration) -> str:
    """How many videos stand behind the error rates."""
    return (
        f"They were measured on {plural(calibration.real_videos, 'real video')} and "
        f"{calibration.fake_videos:,} manipulated ones."
    )
