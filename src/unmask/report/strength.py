"""How strong the evidence is, in words: probability, likelihood ratio, errors, closed gates."""

from __future__ import annotations

import math

from unmask.report.wording import chance, face_name, plural, score_text
from unmask.types import Calibration, FaceVerdict, Finding, Judgement, Verdict

# Odds beforehand that a reader may have in mind besides even ones.
_PRIORS = (0.1, 0.01)

_SUPPORT = (
    (2.0, "Weak"),
    (10.0, "Moderate"),
    (100.0, "Moderately strong"),
    (1000.0, "Strong"),
    (10_000.0, "Very strong"),
    (1_000_000.0, "Extremely strong"),
)
"""From which ratio on a word holds."""


def videos_text(judgement: Judgement) -> str:
    """Which validation videos a face is compared with: all, or those of its quality."""
    is_own = judgement.quality.threshold is not None
    return "validation videos of this quality" if is_own else "validation videos"


def probability_text(probability: float, interval: tuple[float, float] | None) -> str:
    """A probability with its 95 % interval, where there is one.

    >>> probability_text(0.963, (0.88, 0.995))
    '96 % (95 % interval 88 % to over 99 %)'
    """
    if interval is None:
        return chance(probability)
    return f"{chance(probability)} (95 % interval {interval_text(interval)})"


def interval_text(interval: tuple[float, float]) -> str:
    """An interval of probabilities.

    >>> interval_text((0.881, 0.957)), interval_text((0.001, 0.5)), interval_text((0.5, 0.501))
    ('88 to 96 %', 'under 1 % to 50 %', '50 %')
    """
    low, high = (chance(end) for end in interval)
    if low == high:
        return low
    is_plain = low[0].isdigit() and high[0].isdigit()
    return f"{low.removesuffix(' %') if is_plain else low} to {high}"


def ratio_text(llr: float) -> str:
    """A natural log-likelihood ratio in words.

    >>> ratio_text(3.21)
    'a score like this is about 25 times as likely for a manipulated video as for a real one'
    >>> ratio_text(-0.9)
    'a score like this is about 2.5 times as likely for a real video as for a manipulated one'
    >>> ratio_text(0.02)
    'a score like this is about as likely for a manipulated video as for a real one'
    """
    one, other = ("manipulated", "real") if llr > 0 else ("real", "manipulated")
    ratio = math.exp(min(abs(llr), 700.0))
    if ratio < 1.05:
        return "a score like this is about as likely for a manipulated video as for a real one"
    times = f"{ratio:.1f}" if ratio < 9.95 else f"{ratio:,.0f}"
    times = times.removesuffix(".0")
    return (
        f"a score like this is about {times} times as likely for a {one} video as for a {other} one"
    )


def support_text(llr: float) -> str:
    """The likelihood ratio on the verbal scale of ENFSI (2015, guideline for evaluative reporting).

    >>> support_text(3.21)
    'Moderate support for manipulation (ENFSI scale).'
    >>> support_text(0.5)
    'No support for either (ENFSI scale).'
    """
    ratio = math.exp(min(abs(llr), 700.0))
    words = [word for least, word in _SUPPORT if ratio >= least]
    if not words:
        return "No support for either (ENFSI scale)."
    what = "manipulation" if llr > 0 else "a real video"
    return f"{words[-1]} support for {what} (ENFSI scale)."


def bounds_text(llr: float, calibration: Calibration | None) -> str:
    """Between which ends a log-likelihood ratio is stated, and whether it lies at one of them."""
    if calibration is None or calibration.llr_bounds is None:
        return ""
    low, high = calibration.llr_bounds
    ends = f"{score_text(low)} to {score_text(high)}"
    if llr <= low or llr >= high:
        return (
            f"This is the end of the range that is stated, {ends}: the validation videos are too "
            "few to support a stronger one."
        )
    return f"Stated within {ends}: the validation videos are too few to support a stronger one."


def priors_text(llr: float) -> str:
    """What the probability becomes where forgeries are rarer than one in two.

    >>> priors_text(3.21)
    'If 1 in 10 such videos is manipulated: 73 %; if 1 in 100: 20 %.'
    """
    chances = []
    for prior in _PRIORS:
        odds = llr + math.log(prior / (1 - prior))
        chances.append((f"1 in {1 / prior:.0f}", chance(1 / (1 + math.exp(-odds)))))
    (first, at_first), *others = chances
    rest = "".join(f"; if {rarity}: {value}" for rarity, value in others)
    return f"If {first} such videos is manipulated: {at_first}{rest}."


def quality_text(judgement: Judgement) -> str:
    """The quality class of a face, and on how many videos its line was fitted.

    Empty where the calibration knows no more than one.
    """
    if len(judgement.calibration.classes) == 1:
        return ""
    quality = judgement.quality
    return (
        f"{quality.name} ({plural(quality.real_videos, 'real validation video')} and "
        f"{quality.fake_videos:,} manipulated with a copy of this quality)"
    )


def why_no_probability(verdict: Verdict, face: FaceVerdict | None) -> str:
    """Why no probability is given for a face, or for the video if there is no face to ask."""
    if (face is not None and face.gates) or (face is None and _has_closed_gate(verdict)):
        return "outside of what the calibration saw a number would be a guess"
    if not verdict.calibrations:
        return "no calibration belongs to these detectors with these weights"
    judged = verdict.calibrations[0] if face is None else None
    calibration = face.judgement.calibration if face and face.judgement else judged
    if calibration is None:
        return "nothing calibrated could decide"
    if calibration.scale == "logit":
        return "the scores do not separate real from manipulated validation videos well enough"
    return "this calibration does not provide one"


def _has_closed_gate(verdict: Verdict) -> bool:
    return verdict.decided_by is None and any(face.gates for face in verdict.faces)


def gate_lines(verdict: Verdict) -> list[str]:
    """Why faces lie outside of what was calibrated, a line each."""
    return [f"{face_name(face.track_id)}: {gate}." for face in verdict.faces for gate in face.gates]


def at_this_score(verdict: Verdict) -> str:
    """The errors behind the video's score in one sentence; empty if they are not known."""
    face = verdict.deciding_face
    if face is None or face.errors is None or verdict.finding is Finding.NO_FACE:
        return ""
    errors = face.errors
    return (
        f"{errors.real_at_or_above:,} of {plural(errors.real_videos, 'real validation video')} "
        f"score this high or higher, {errors.fake_at_or_below:,} of {errors.fake_videos:,} "
        "manipulated ones this low or lower"
    )
