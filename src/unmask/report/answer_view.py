"""What the page shows of how strong an answer is: figures, and what each detector said."""

from __future__ import annotations

from dataclasses import dataclass

from unmask.report import strength, wording
from unmask.types import FaceVerdict, Judgement, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number with what it is and how far it goes; ``notes`` are sentences below it."""

    term: str
    value: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one detector said of a face: its logit, over how many clips, and what it counts."""

    detector: str
    logit: str
    clips: str
    role: str


def figures(face: FaceVerdict) -> list[Figure]:
    """The numbers behind a face's finding; none where nothing calibrated decided."""
    judgement = face.judgement
    if judgement is None:
        return []
    shown = []
    if judgement.probability is not None:
        shown.append(_probability(judgement.probability, judgement))
    if judgement.llr is not None:
        notes = (f"{wording.capital(strength.ratio_text(judgement.llr))}.",)
        bounds = strength.bounds_text(judgement.llr, judgement.calibration)
        shown.append(
            Figure(
                term="Log-likelihood ratio",
                value=wording.score_text(judgement.llr),
                notes=(*notes, bounds) if bounds else notes,
            )
        )
    if judgement.errors is not None:
        errors = judgement.errors
        videos = strength.videos_text(judgement)
        shown += [
            Figure(
                term="Real videos this high",
                value=f"{errors.real_at_or_above:,} of {errors.real_videos:,}",
                notes=(
                    f"Real {videos} that score as high or higher.",
                    strength.rate_text(errors.false_alarm_interval, "false alarms"),
                ),
            ),
            Figure(
                term="Forged videos this low",
                value=f"{errors.fake_at_or_below:,} of {errors.fake_videos:,}",
                notes=(
                    f"Forged {videos} that score as low or lower.",
                    strength.rate_text(errors.miss_interval, "misses"),
                ),
            ),
        ]
    return shown


def _probability(probability: float, judgement: Judgement) -> Figure:
    interval = judgement.probability_interval
    notes = ["If forged and real videos are equally likely beforehand."]
    if interval is not None:
        notes.insert(0, f"95 % interval: {strength.interval_text(interval)}.")
    if judgement.llr is not None:
        notes.append(strength.priors_text(judgement.llr))
    return Figure(
        term="Probability of manipulation", value=wording.chance(probability), notes=tuple(notes)
    )


def sayings(face: FaceVerdict, verdict: Verdict) -> list[Said]:
    """What each detector said of a face, in the order in which they were asked."""
    return [
        Said(
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
