"""From scores to log-likelihood ratios: fusion, Platt scaling per quality class, bounds.

Both labels weigh alike in each quality class, so that the quality itself is no evidence and the
log-odds of the fit are log-likelihood ratios. Lines of classes are pooled in part: each is the
common line plus a deviation with a normal prior, whose width is chosen by cross-validation over
sources (0: one line for all).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unmask.calibrate.copies import Copies, Texts, Values
from unmask.calibrate.logistic import fit_logistic
from unmask.errors import DataError
from unmask.types import QualityClass
from unmask.verdict.conformal import conformal_lower, conformal_threshold
from unmask.verdict.quality import codec_family, quality_class

FALSE_ALARM_RATE = 0.05
"""Share of real videos that may be called manipulated, unless asked otherwise."""

MISS_RATE = 0.2
"""Share of fake videos in which nothing may be found."""

WIDTHS = (0.0, 0.1, 0.3, 1.0)
"""Standard deviations that a class's line may have from the common one, in units of the score."""

FACE_EDGE_PX = 160.0
BITS_EDGE = 0.03
LEAST_VIDEOS, LEAST_SOURCES = 8, 3
"""Of each label in a class; what belongs to a smaller one is judged by the common line."""

MOST_FOLDS = 25
"""Parts that are left out in turn; of more sources, several are left out together."""

_MAIN_WIDTH = 10.0
_FUSION_WIDTH = 3.0
_CODECS = {"h264": "H.264", "hevc": "H.265", "mpeg": "MPEG", "vp8, vp9, av1": "VP8, VP9 or AV1"}
EVERYTHING = QualityClass(name="none of the other classes", slope=1.0, intercept=0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A fit: members' ``weights`` (D,), ``classes`` with lines and bounds, and bounds for the rest.

    ``scores`` (N,) are of the copies it was fitted on. ``is_ordered`` is true where a higher
    logit does speak for a forgery; else scores are logits.
    """

    weights: Values
    classes: tuple[QualityClass, ...]
    width: float
    threshold: float
    lower: float
    scores: Values
    is_ordered: bool


def classes_of(copies: Copies) -> tuple[QualityClass, ...]:
    """The quality classes that have enough videos of both labels, chosen by counts, without lines.

    By face size, bits per pixel and codec family; the last one takes all that belong to no other.
    """
    family = np.array([codec_family(codec) for codec in copies.codec])
    found = []
    for name in sorted(set(family.tolist()) - {"other"}):
        for small in (False, True):
            for low in (False, True):
                cell = _cell(name, small, low)
                inside = class_numbers(copies, (cell, EVERYTHING)) == 0
                if all(_is_enough(copies[inside & (copies.label == v)]) for v in (0, 1)):
                    found.append(cell)
    return (*found, EVERYTHING)


def _cell(family: str, small: bool, low: bool) -> QualityClass:
    size = f"face {'under' if small else 'at least'} {FACE_EDGE_PX:.0f} px"
    bits = f"{'under' if low else 'at least'} {BITS_EDGE:g} bit/pixel"
    return dataclasses.replace(
        EVERYTHING,
        name=f"{_CODECS.get(family, family)}, {size}, {bits}",
        min_face_px=None if small else FACE_EDGE_PX,
        max_face_px=FACE_EDGE_PX if small else None,
        min_bits_per_pixel=None if low else BITS_EDGE,
        max_bits_per_pixel=BITS_EDGE if low else None,
        codecs=(family,),
    )


def _is_enough(copies: Copies) -> bool:
    return (
        len(np.unique(copies.path)) >= LEAST_VIDEOS
        and len(np.unique(copies.source)) >= LEAST_SOURCES
    )


def class_numbers(copies: Copies, classes: tuple[QualityClass, ...]) -> np.ndarray:
    """(N,), the number of each copy's class."""
    found = []
    for face_px, bits, codec in zip(copies.face_px, copies.bits, copies.codec, strict=True):
        one = quality_class(classes, face_px, None if np.isnan(bits) else bits, str(codec))
        found.append(classes.index(one))
    return np.array(found)


def weights_of(copies: Copies, cell: np.ndarray) -> Values:
    """(N,): a video's copies share one vote, and labels weigh alike in each class and over all."""
    _, video, count = np.unique(copies.path, return_inverse=True, return_counts=True)
    weight = 1 / count[video]
    total = weight.sum()
    for number in np.unique(cell):
        weight = _balanced(weight, copies.label, cell == number)
    weight = _balanced(weight, copies.label, np.ones(len(copies), bool))
    return np.asarray(weight * total / weight.sum())


def _balanced(weight: Values, label: Values, inside: np.ndarray) -> Values:
    sums = [weight[inside & (label == v)].sum() for v in (0, 1)]
    if min(sums) <= 0:
        return weight
    scaled = weight.copy()
    for value, own in zip((0, 1), sums, strict=True):
        scaled[inside & (label == value)] *= sum(sums) / 2 / own
    return scaled


def fuse(copies: Copies, weight: Values) -> Values:
    """(D,): logistic regression of the label on the members' logits; one alone has weight 1.

    A member whose weight would be below 0 gets 0: a higher logit must never speak for a real video.
    """
    members = copies.logit.shape[1]
    if members == 1:
        return np.ones(1)
    spread = copies.logit.std(axis=0)
    spread[spread == 0] = 1.0
    active = np.ones(members, bool)
    while active.any():
        slopes, _ = fit_logistic(
            copies.logit[:, active] / spread[active] * _FUSION_WIDTH, copies.label, weight
        )
        if (slopes >= 0).all():
            found = np.zeros(members)
            found[active] = slopes * _FUSION_WIDTH / spread[active]
            return found
        active[active] = slopes > 0
    return np.asarray(1 / spread)


def lines_of(
    logit: Values, label: Values, cell: np.ndarray, weight: Values, count: int, width: float
) -> list[tuple[float, float]]:
    """Slope and intercept of ``count`` classes, the last of which has the common line.

    A class whose slope would be below 0 gets the common line, too.

    Args:
        logit: (N,), as ``label`` (N,), ``cell`` (N,) and ``weight`` (N,).
        label: 1 = forged.
        cell: number of each one's class.
        weight: see ``weights_of``.
        count: how many classes there are.
        width: of the deviations from the common line; 0: none.
    """
    spread = float(logit.std()) or 1.0
    main = (logit / spread * _MAIN_WIDTH)[:, None]
    slopes, intercept = fit_logistic(main, label, weight)
    common = (float(slopes[0]) * _MAIN_WIDTH / spread, intercept)
    own = [np.flatnonzero(cell == number) for number in range(count - 1)]
    if not own or width == 0:
        return [common] * count
    shifts = np.zeros((len(logit), 2 * len(own)))
    for number, inside in enumerate(own):
        shifts[inside, 2 * number] = width
        shifts[inside, 2 * number + 1] = width * logit[inside] / spread
    slopes, intercept = fit_logistic(np.hstack([main, shifts]), label, weight)
    shared = float(slopes[0]) * _MAIN_WIDTH
    found = []
    for number, inside in enumerate(own):
        offset, turn = slopes[1 + 2 * number : 3 + 2 * number] * width
        one = ((shared + float(turn)) / spread, intercept + float(offset))
        found.append(one if one[0] >= 0 and len(inside) else common)
    return [*found, common]


def fit(
    copies: Copies,
    classes: tuple[QualityClass, ...],
    rate: float = FALSE_ALARM_RATE,
    *,
    as_logits: bool = False,
) -> Fit:
    """Fits all of it.

    Bounds are conformal for each label and quality class, where a class has enough videos, and
    over all copies for the rest. The lines were fitted on the same videos: with one line for all
    that changes no rank, with several hardly any; what it does on new sources is measured by
    leaving sources out.

    Args:
        copies: of videos of several sources.
        classes: without lines, see ``cells_of``.
        rate: of false alarms.
        as_logits: leaves scores as they are, and only draws bounds.

    Raises:
        DataError: too few videos for the rate.
    """
    cell = class_numbers(copies, classes)
    width = _choose(copies, cell, len(classes))
    weight = weights_of(copies, cell)
    weights = fuse(copies, weight)
    logit = copies.logit @ weights
    lines = np.array(lines_of(logit, copies.label, cell, weight, len(classes), width))
    is_ordered = bool(lines[-1, 0] > 0) and not as_logits
    if not is_ordered:
        lines[:] = 1.0, 0.0
    scores = lines[cell, 0] * logit + lines[cell, 1]
    try:
        threshold, lower = _bounds(*most_misleading(copies, scores), rate)
    except ValueError as error:
        raise DataError(
            f"Cannot calibrate: {error}. Give more videos, or a higher false-alarm rate."
        ) from error
    lined = tuple(
        _bounded(
            dataclasses.replace(one, slope=float(slope), intercept=float(intercept)),
            copies[cell == number],
            scores[cell == number],
            rate,
        )
        for number, (one, (slope, intercept)) in enumerate(zip(classes, lines, strict=True))
    )
    return Fit(weights, lined, width, threshold, lower, scores, is_ordered)


def rounded_threshold(real: Sequence[float], rate: float) -> float:
    """The conformal threshold, raised to the next thousandth.

    The score of one video differs in the seventh digit with the number of threads, and the real
    video that the threshold comes from must not pass it by that.

    Raises:
        ValueError: too few videos for the rate.
    """
    return math.ceil(conformal_threshold(real, rate) * 1000) / 1000


def _bounds(real: Values, fake: Values, rate: float) -> tuple[float, float]:
    threshold = rounded_threshold(list(real), rate)
    lower = float(np.floor(conformal_lower(list(fake), MISS_RATE) * 1000) / 1000)
    return threshold, min(lower, threshold)


def _bounded(one: QualityClass, copies: Copies, scores: Values, rate: float) -> QualityClass:
    """The class with bounds of its own, if it has enough videos and is not the rest."""
    real, fake = most_misleading(copies, scores)
    one = dataclasses.replace(one, real_videos=len(real), fake_videos=len(fake))
    if not one.codecs or len(real) < 1 / rate - 1 or len(fake) < 1 / MISS_RATE - 1:
        return one
    threshold, lower = _bounds(real, fake, rate)
    return dataclasses.replace(
        one,
        threshold=threshold,
        lower=lower,
        real_scores=tuple(np.round(real, 4).tolist()),
        fake_scores=tuple(np.round(fake, 4).tolist()),
    )


def most_misleading(copies: Copies, scores: Values) -> tuple[Values, Values]:
    """Of each real video the highest score of its copies, of each forged one the lowest; sorted."""
    found = []
    for value, worst in ((0, np.max), (1, np.min)):
        mine = copies.label == value
        paths, scored = copies.path[mine], scores[mine]
        found.append(np.sort([worst(scored[paths == path]) for path in np.unique(paths)]))
    return found[0], found[1]


def apply(fitted: Fit, copies: Copies) -> tuple[Values, Values, Values]:
    """Scores (N,), thresholds (N,) and lower bounds (N,) of copies, of the fit or others."""
    logit = copies.logit @ fitted.weights
    cell = class_numbers(copies, fitted.classes)
    table = np.array(
        [
            (one.slope, one.intercept, fitted.threshold, fitted.lower)
            if one.threshold is None or one.lower is None
            else (one.slope, one.intercept, one.threshold, one.lower)
            for one in fitted.classes
        ]
    )[cell]
    return table[:, 0] * logit + table[:, 1], table[:, 2], table[:, 3]


def folds_of(source: Texts) -> Iterator[NDArray[np.bool_]]:
    """Flags (N,) of each part that is left out once: every source, or groups of many sources.

    Args:
        source: (N,), of each copy.
    """
    names = np.unique(source)
    for number in range(min(len(names), MOST_FOLDS)):
        yield np.isin(source, names[number::MOST_FOLDS])


def _choose(copies: Copies, cell: np.ndarray, count: int) -> float:
    """The width of the lowest log loss with each source left out; of equals the lowest."""
    if count == 1:
        return 0.0
    scores = {width: np.zeros(len(copies)) for width in WIDTHS}
    for out in folds_of(copies.source):
        rest, within = copies[~out], cell[~out]
        weight = weights_of(rest, within)
        weights = fuse(rest, weight)
        logit = rest.logit @ weights
        for width, scored in scores.items():
            lines = np.array(lines_of(logit, rest.label, within, weight, count, width))
            slope, intercept = lines[cell[out]].T
            scored[out] = slope * (copies[out].logit @ weights) + intercept
    weight = weights_of(copies, cell)
    sign = np.where(copies.label == 1, -1.0, 1.0)
    losses = {
        width: np.average(np.logaddexp(0, sign * scored), weights=weight)
        for width, scored in scores.items()
    }
    return min(losses, key=lambda width: float(losses[width]))
