"""The nouns: what flows between the rooms of the house.

``_s`` is seconds, ``_px`` is pixels, RGB ``uint8`` until ``clips/tensor.py``. Boxes are
x0, y0, x1, y1, half-open, in the upright full frame. Times come from the container's
timestamps. A logit above 0 means fake; label 1 means fake; everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]


class ArrayRepr:
    """Gives the dataclasses that hold arrays a repr with shapes instead of values."""

    __slots__ = ()

    def __repr__(self) -> str:
        values = ((f.name, getattr(self, f.name)) for f in fields(self))  # type: ignore[arg-type]
        shown = (
            (n, f"array{v.shape}" if isinstance(v, np.ndarray) else repr(v)) for n, v in values
        )
        return f"{type(self).__name__}({', '.join(f'{n}={v}' for n, v in shown)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoInfo:
    """What is known of a media file before its pictures are looked at.

    Sizes are those of the upright picture (rotation already applied). A still image has
    ``frame_count`` 1, ``duration_s`` 0 and ``is_still``; a folder of frames has codec ``images``.
    ``frame_count`` and ``duration_s`` are what the container claims: a damaged file may hold less.
    ``bit_rate_bps`` is of the whole file, ``video_bit_rate_bps`` of its pictures alone.
    """

    path: Path
    sha256: str
    container: str
    codec: str
    width_px: int
    height_px: int
    rotation_deg: int
    fps: Fraction
    duration_s: float
    frame_count: int | None
    is_variable_rate: bool
    has_audio: bool
    is_still: bool = False
    bit_rate_bps: int | None = None
    video_bit_rate_bps: int | None = None
    size_bytes: int = 0
    start_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Frame(ArrayRepr):
    """An upright picture, (H, W, 3) RGB uint8; ``index`` counts every decoded frame from 0."""

    index: int
    time_s: float
    pixels: Pixels


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class FaceObservation(ArrayRepr):
    """Where one face is in one frame: geometry only.

    ``box_px`` is (4,) float32; ``landmarks_px`` is (K, 2) float32, for K = 5: left eye, right
    eye (as seen in the picture), nose tip, left and right mouth corner. ``is_interpolated``
    marks geometry that was filled between two detections. ``points68_px`` (68, 2) float32 are
    the points of iBUG 300-W in this frame, where a detector's spec asks for them.
    """

    track_id: int
    frame_index: int
    time_s: float
    box_px: Floats
    landmarks_px: Floats
    confidence: float
    is_interpolated: bool = False
    points68_px: Floats | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class FacePatch(ArrayRepr):
    """Native pixels around a face, never resampled: ``pixels`` (h, w, 3) RGB uint8.

    ``origin_px`` is the (x, y) of the patch's first pixel in the full frame, whose (width,
    height) is ``frame_size_px``: a cut that would leave the frame is moved inside instead.
    """

    observation: FaceObservation
    pixels: Pixels
    origin_px: tuple[int, int]
    frame_size_px: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class FaceTrack(ArrayRepr):
    """One person from appearance to disappearance or shot cut."""

    track_id: int
    observations: tuple[FaceObservation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSpec:
    """What a detector wants to see; hashable, so that equal specs share clips.

    Attributes:
        region: which part of the person is cut.
        align: ``similarity`` rotates the face upright by its landmarks; ``none`` cuts the box.
        margin: side of the cut as a multiple of the longest side of the face box.
        size: (H, W) in pixels that the network receives.
        load_size: (H, W) of the cut before the centre crop to ``size``; None: equal to it.
        fit: ``stretch`` to ``size``, or ``pad`` with zeros to keep the aspect.
        color: channels of the clip.
        mean, std: per channel, in units of 0..1.
        frames: frames in a clip; 1 for an image detector.
        fps: the rate at which frames are taken; None keeps the video's own.
        stride: takes every n-th of these frames.
        hop: frames (after ``fps`` and ``stride``) from one clip's start to the next.
        landmarks: points that the cut is made by: the finder's 5, or 68 where a source of them
            is installed (else the 5 serve, and the report says so).
    """

    region: Literal["face", "mouth"] = "face"
    align: Literal["none", "similarity"] = "none"
    margin: float = 1.3
    size: tuple[int, int] = (224, 224)
    load_size: tuple[int, int] | None = None
    fit: Literal["stretch", "pad"] = "stretch"
    color: Literal["rgb", "gray"] = "rgb"
    mean: tuple[float, ...] = (0.5, 0.5, 0.5)
    std: tuple[float, ...] = (0.5, 0.5, 0.5)
    frames: int = 1
    fps: float | None = None
    stride: int = 1
    hop: int = 1
    landmarks: Literal[5, 68] = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Clip(ArrayRepr):
    """What one detector looks at once: ``pixels`` (T, H, W, C) uint8 of one person.

    ``frame_indices`` (T,) int64, ``times_s`` (T,) float64, ``is_real_frame`` (T,) bool: False
    where a missing frame repeats the one before. ``regions_px`` (T, 4) float32 is the box of
    the full frame that each picture shows (of its upright hull for an aligned cut). ``points``
    tells by how many points all of its pictures were cut.
    """

    track_id: int
    spec: InputSpec
    pixels: Pixels
    frame_indices: NDArray[np.int64]
    times_s: NDArray[np.float64]
    is_real_frame: NDArray[np.bool_]
    regions_px: Floats
    face_px: float
    points: Literal[5, 68] = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ClipScore(ArrayRepr):
    """One detector's answer on one clip.

    ``mask`` (T, h, w) float32 in 0..1, 1 = forged pixel, over ``regions_px`` (T, 4) of the full
    frame; ``embedding`` (D,) float32. ``face_px`` is the median longest side of the face box.
    """

    detector: str
    track_id: int
    start_s: float
    end_s: float
    logit: float
    frame_indices: tuple[int, ...] = ()
    face_px: float = 0.0
    mask: Floats | None = None
    regions_px: Floats | None = None
    embedding: Floats | None = None


class Finding(StrEnum):
    """The four answers. Never "real": a detector cannot prove that."""

    MANIPULATED = "manipulated"
    INCONCLUSIVE = "inconclusive"
    NO_MANIPULATION_FOUND = "no_manipulation_found"
    NO_FACE = "no_face"


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorUse:
    """Which detector scored, with which weights."""

    name: str
    weights: str
    sha256: str
    license: str
    trained_on: str
    is_non_commercial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What was looked at, and what was not. All durations in seconds."""

    duration_s: float
    decoded_s: float
    face_s: float
    scored_s: float
    frames_decoded: int
    frames_examined: int
    faces_found: int
    faces_scored: int
    clips_scored: int
    clips_dropped: int
    smallest_face_px: float
    audio: Literal["not analyzed", "none"]
    is_damaged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityClass:
    """Faces of one quality, and the line that turns their logits into scores.

    A face belongs to the first class whose bounds all hold: of its size, of the video's bits per
    pixel and frame, and of the codec's family (empty: any), see ``verdict.quality_class``.
    ``score = slope * logit + intercept``, with a slope of at least 0.

    ``interval`` are rows of (score, low, high): the 95 % interval of a score, from fits on
    resampled sources; linear between rows. Bounds and scores are of copies in this class alone;
    None or empty where it has too few videos, and then the calibration's are used.
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
class Rate:
    """``hits`` of ``videos``, with the 95 % interval of the share over sources."""

    hits: int
    videos: int
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutRates:
    """Answers on the validation videos, each by a fit without the video's source.

    Called manipulated: real ``false_alarms``, fake ``found``. No signs: ``cleared``, ``missed``.
    """

    false_alarms: Rate
    cleared: Rate
    found: Rate
    missed: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How logits become a finding, and on what data that was decided.

    The line of the face's quality class turns its logit (a panel: the weighted sum of its
    members' logits) into a score. On the scale ``llr`` that is the natural logarithm of the
    likelihood ratio, forged against real, and its sigmoid is the probability at equal priors; on
    the scale ``logit`` it is only compared with the bounds. One at or above ``threshold`` is
    ``manipulated``, below ``lower`` ``no_manipulation_found``, between ``inconclusive``. Both are
    conformal: at most ``target_false_alarm_rate`` of real videos are expected to reach the one,
    ``target_miss_rate`` of fake ones to stay under the other.

    Attributes:
        detector: whom it belongs to; of a panel the first member.
        weights_sha256: of this detector.
        false_alarms: of ``real_videos``, those called manipulated by bounds that were set on
            them, as are ``fakes_found``; ``left_out`` has the rates on other sources.
        llr_bounds: (low, high) that a stated log-likelihood ratio is cut to, because so few
            videos support no stronger one.
        real_scores: one for each real validation video, sorted: the highest of its copies (as
            it is, recompressed, smaller).
        fake_scores: one for each forged one, sorted: the lowest of its copies.
        panel: the members; empty for a single detector.
        blind_spots: a sentence on what the detector does not find.
        validation_sha256: of the files that it was made of.
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
    left_out: LeftOutRates | None = None
    blind_spots: str = ""
    validation_sha256: tuple[str, ...] = ()

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
    ``real_at_or_above`` of ``real_videos`` reach its score, ``fake_at_or_below`` of
    ``fake_videos`` stay at or under it. The intervals are Wilson's, 95 %, and take videos as
    independent although those of one source are alike.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a calibration says of one face, and the numbers behind it.

    ``threshold`` and ``lower`` are the bounds of the quality class or, where it has none, of the
    calibration. ``llr`` is the score within the bounds of stated ratios, ``probability`` its
    sigmoid with a 95 % interval; None where no probability is given.
    """

    calibration: Calibration
    quality: QualityClass
    score: float
    threshold: float
    lower: float
    llr: float | None = None
    probability: float | None = None
    probability_interval: tuple[float, float] | None = None
    errors: ErrorRates | None = None

    @property
    def of_class(self) -> Calibration:
        """The calibration with the bounds and scores of the quality class, where it has its own."""
        return self.calibration.for_class(self.quality.name)


class _Judged:
    """The numbers of a judgement, as properties of what was judged; None where nothing judged."""

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def judgement(self) -> Judgement | None: ...

    @property
    def score(self) -> float | None:
        """What was compared with the bounds."""
        return None if self.judgement is None else self.judgement.score

    @property
    def threshold(self) -> float | None:
        """From here on the score counts as manipulated."""
        return None if self.judgement is None else self.judgement.threshold

    @property
    def lower(self) -> float | None:
        """Below it nothing was found."""
        return None if self.judgement is None else self.judgement.lower

    @property
    def llr(self) -> float | None:
        """The natural log-likelihood ratio, fake against real."""
        return None if self.judgement is None else self.judgement.llr

    @property
    def probability(self) -> float | None:
        """Of a forgery, at equal priors; never a bare sigmoid."""
        return None if self.judgement is None else self.judgement.probability

    @property
    def probability_interval(self) -> tuple[float, float] | None:
        """95 %, (low, high)."""
        return None if self.judgement is None else self.judgement.probability_interval

    @property
    def errors(self) -> ErrorRates | None:
        """How many validation videos mislead at this score."""
        return None if self.judgement is None else self.judgement.errors

    @property
    def quality(self) -> str:
        """Name of the quality class, or empty."""
        return self.judgement.quality.name if self.judgement else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceVerdict(_Judged):
    """The answer for one person: when seen, what found, and each detector's logit.

    Attributes:
        judgement: by the calibration that decided; None if none may decide on this face.
        gates: why a calibration does not hold for this face, each in plain words.
        thresholds: by detector, the logit from which a clip of this face counts as high.
    """

    track_id: int
    start_s: float
    end_s: float
    finding: Finding
    logits: dict[str, float]
    face_px: float
    clips: int
    reasons: tuple[str, ...] = ()
    judgement: Judgement | None = None
    gates: tuple[str, ...] = ()
    thresholds: dict[str, float] = field(default_factory=dict)
    look: FaceLook | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict(_Judged):
    """The answer on one video, with everything needed to check it.

    Attributes:
        clip_scores: every number that a detector gave; ``tracks`` are the geometry of the faces.
        scanned_at: UTC time of the scan in ISO 8601.
        decided_by: ``track_id`` of the face that decided; its numbers are those of the video.
        bits_per_pixel: per pixel and frame; None if the bit rate is unknown.
        calibrations: all that fit the weights.
    """

    video: VideoInfo
    finding: Finding
    faces: tuple[FaceVerdict, ...]
    clip_scores: tuple[ClipScore, ...] = field(repr=False)
    tracks: tuple[FaceTrack, ...] = field(repr=False)
    coverage: Coverage
    reasons: tuple[str, ...]
    detectors: tuple[DetectorUse, ...]
    device: str
    unmask_version: str
    scanned_at: str = ""
    decided_by: int | None = None
    bits_per_pixel: float | None = None
    calibrations: tuple[Calibration, ...] = ()

    @property
    def deciding_face(self) -> FaceVerdict | None:
        """The one whose finding and numbers are those of the video."""
        return next((face for face in self.faces if face.track_id == self.decided_by), None)

    @property
    def judgement(self) -> Judgement | None:
        """Of the face that decided."""
        return None if self.deciding_face is None else self.deciding_face.judgement

    @property
    def calibration(self) -> Calibration | None:
        """The one that decided, with the bounds of its quality class; else the first that fits."""
        if self.judgement:
            return self.judgement.of_class
        return self.calibrations[0] if self.calibrations else None

    @property
    def threshold(self) -> float | None:
        """Of the face that decided, else of the calibration."""
        return None if self.calibration is None else self.calibration.threshold


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class KeyFrame(ArrayRepr):
    """One picture of evidence: ``pixels`` (h, w, 3) RGB uint8 of the full upright frame.

    ``box_px`` (4,) is the face; ``mask`` (mh, mw) float32 in 0..1 covers ``region_px`` (4,).
    ``scale`` is the size of ``pixels`` relative to the frame that the coordinates refer to.
    """

    track_id: int
    frame_index: int
    time_s: float
    logit: float
    detector: str
    pixels: Pixels
    scale: float
    box_px: Floats
    mask: Floats | None = None
    region_px: Floats | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledVideo:
    """One row of a data set's index; ``label`` 1 = fake.

    ``source_id`` is shared by a real video and all forgeries made of it, ``video_id`` by one
    video at several levels of ``compression``. ``identities`` names who (or whose video) is in
    it: none of them may stand in two splits. ``mask_path`` is a video or picture of the forged
    pixels, frame by frame like the video itself.
    """

    path: Path
    label: int
    dataset: str
    split: str
    method: str = ""
    source_id: str = ""
    subject: str = ""
    compression: str = ""
    mask_path: Path | None = None
    video_id: str = ""
    identities: tuple[str, ...] = ()
