"""What a calibration is: how scores become an answer, on what data, and how far that holds.

``unmask.types`` names these too; nothing else imports from here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityClass:
    """Faces of one quality, and the line that turns their logits into scores.

    A face belongs to the first class of a calibration whose bounds all hold: of the face's size
    in pixels, of the video's bits per pixel and frame, and of the codec's family (empty: any). A
    bound that is None, or a class that asks for bits where a file's are unknown, see
    ``verdict.quality_class``. ``score = slope * logit + intercept``, with a slope of at least 0.

    ``interval`` are rows of (score, low, high): the 95 % interval of a score, from fits on
    resampled sources; linear between rows. ``threshold``, ``lower``, ``real_scores`` and
    ``fake_scores`` mean what they do in a ``Calibration``, for copies of this class alone; None
    or empty where it has too few videos, and then the calibration's are used. ``real_videos`` and
    ``fake_videos`` are those with at least one copy in the class.
    """

    name: str
    slope: float
    intercept: float
    min_face_px: float | None = None
    max_face_px: float | None = None
    min_bits_per_pixel: float | None = None
    max_bits_per_pixel: float | None = None
    codecs: tuple[str, ...] = ()
    real_videos: int = 0
    fake_videos: int = 0
    threshold: float | None = None
    lower: float | None = None
    real_scores: tuple[float, ...] = ()
    fake_scores: tuple[float, ...] = ()
    interval: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """Where a calibration holds; outside, the answer is ``inconclusive``. None: no limit.

    ``max_flat_share`` is of pixels equal to their neighbours (drawings), ``min_change`` the
    least mean change of a face between moments, in gray levels (a still picture shown as video).
    """

    min_face_px: float = 0.0
    min_scored_s: float = 0.0
    min_bits_per_pixel: float | None = None
    max_flat_share: float | None = None
    min_change: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelMember:
    """One detector of a panel: ``weight`` times its logit is its part of the panel's.

    On a CPU it is left out of videos longer than ``longest_cpu_s`` seconds; None: never.
    """

    detector: str
    weights_sha256: str
    weight: float
    longest_cpu_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How logits become a finding, and on what data that was decided.

    The line of the face's quality class turns its logit (a panel: the weighted sum of its
    members' logits) into a score. On the scale ``llr`` that is the natural logarithm of the
    likelihood ratio, forged against real, and a probability is given: the sigmoid, at equal
    priors. On the scale ``logit`` the scores did not order real and forged videos beyond doubt;
    they are compared with the bounds, but no probability is given.

    A score at or above ``threshold`` is ``manipulated``, one below ``lower`` is
    ``no_manipulation_found``, between them ``inconclusive``; a quality class may have bounds of
    its own. All are conformal: at most ``target_false_alarm_rate`` of real videos are expected to
    reach the one, ``target_miss_rate`` of forged ones to stay under the other.

    Attributes:
        detector: whom it belongs to; of a panel the first member.
        weights_sha256: of this detector.
        false_alarms: of ``real_videos``, as they are, those called manipulated.
        fakes_found: of ``fake_videos``, the same.
        llr_bounds: (low, high) that a stated log-likelihood ratio is cut to, because so few
            videos support no stronger one.
        real_scores: one for each real validation video, sorted: the highest of its copies (as
            it is, recompressed, smaller).
        fake_scores: one for each forged one, sorted: the lowest of its copies.
        panel: the members; empty for a single detector.
    """

    name: str
    detector: str
    weights_sha256: str
    threshold: float
    lower: float
    target_false_alarm_rate: float
    real_videos: int
    false_alarms: int
    fake_videos: int
    fakes_found: int
    data: str
    date: str
    scale: Literal["llr", "logit"] = "logit"
    target_miss_rate: float | None = None
    classes: tuple[QualityClass, ...] = ()
    llr_bounds: tuple[float, float] | None = None
    real_scores: tuple[float, ...] = ()
    fake_scores: tuple[float, ...] = ()
    domain: Domain = field(default_factory=Domain)
    panel: tuple[PanelMember, ...] = ()

    def for_class(self, name: str) -> Calibration:
        """The same with the bounds and scores of one quality class, where it has its own."""
        one = next((one for one in self.classes if one.name == name), None)
        if one is None or one.threshold is None or one.lower is None:
            return self
        return replace(
            self,
            threshold=one.threshold,
            lower=one.lower,
            real_scores=one.real_scores,
            fake_scores=one.fake_scores,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRates:
    """How often real and forged validation videos score as misleadingly as this face.

    Of the videos of its quality class, or of all where the class has too few:
    ``real_at_or_above`` of ``real_videos`` reach its score: called manipulated from here on, so
    many would be false alarms. ``fake_at_or_below`` of ``fake_videos`` stay at or under it. The
    intervals are Wilson's, 95 %; they take videos as independent although those of one source
    are alike.
    """

    real_at_or_above: int
    real_videos: int
    false_alarm_interval: tuple[float, float]
    fake_at_or_below: int
    fake_videos: int
    miss_interval: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceLook:
    """What a face looks like over its time, for the gate: whether it is a moving photograph.

    ``flat_share`` (median over moments) is the share of pixels equal to their neighbours;
    ``change`` the mean change between moments in gray levels, None with fewer than two.
    """

    flat_share: float
    change: float | None
    moments: int
