"""From a fit to the calibration that a scan uses."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence

import numpy as np

from unmask.calibrate.copies import MIN_FACE_PX, Copies, Values
from unmask.calibrate.fit import (
    MISS_RATE,
    Fit,
    apply,
    class_numbers,
    classes_of,
    fit,
    lines_of,
    most_misleading,
    weights_of,
)
from unmask.calibrate.intervals import auc_within, estimate, pooled_auc, value_of
from unmask.types import Calibration, Domain, PanelMember, QualityClass
from unmask.verdict.gate import LEAST_CHANGE, MOST_FLAT
from unmask.verdict.likelihood import llr_bounds

DRAWS = 500
GRID = 9


def build(
    copies: Copies,
    members: Sequence[tuple[str, str]],
    rate: float,
    resamples: int,
    data: str,
    longest_cpu_s: float,
) -> Calibration:
    """The calibration that the scores support; without a probability if they do not order.

    Args:
        copies: all of them.
        members: name and hash of the weights of each detector; the first one always runs.
        rate: of false alarms.
        resamples: of the intervals that decide whether a probability is given.
        data: what the videos are called.
        longest_cpu_s: of videos in which members after the first run on a CPU.
    """
    fitted = fit(copies, classes_of(copies), rate)
    if not gives_probability(copies, fitted, resamples):
        fitted = fit(copies, classes_of(copies), rate, as_logits=True)
    scores, threshold, _ = apply(fitted, copies)
    plain = copies.condition == ""
    real, fake = (plain & (copies.label == value) for value in (0, 1))
    over = scores >= threshold
    worst = most_misleading(copies, scores)
    bits = copies.bits[~np.isnan(copies.bits)]
    today = datetime.date.today().isoformat()
    names = " with ".join(name for name, _ in members)
    is_llr = fitted.is_ordered
    return Calibration(
        name=f"{names} on {data}, {today}",
        detector=members[0][0],
        weights_sha256=members[0][1],
        threshold=fitted.threshold,
        lower=fitted.lower,
        target_false_alarm_rate=rate,
        real_videos=int(real.sum()),
        false_alarms=int(over[real].sum()),
        fake_videos=int(fake.sum()),
        fakes_found=int(over[fake].sum()),
        data=f"{len(np.unique(copies.path))} videos of {data}, {_conditions_text(copies)}",
        date=today,
        scale="llr" if is_llr else "logit",
        target_miss_rate=MISS_RATE,
        classes=_with_intervals(copies, fitted) if is_llr else fitted.classes,
        llr_bounds=_rounded(llr_bounds(scores[real], scores[fake])) if is_llr else None,
        real_scores=tuple(np.round(worst[0], 4).tolist()),
        fake_scores=tuple(np.round(worst[1], 4).tolist()),
        domain=Domain(
            min_face_px=MIN_FACE_PX,
            min_bits_per_pixel=_floor(float(bits.min())) if len(bits) else None,
            max_flat_share=MOST_FLAT,
            min_change=LEAST_CHANGE,
        ),
        panel=_panel(members, fitted.weights, longest_cpu_s),
    )


def gives_probability(copies: Copies, fitted: Fit, resamples: int) -> bool:
    """Whether the scores of videos as they are order the labels reliably.

    Over all, and within the sources of both labels, where there are any: both intervals must lie
    above 0.5.
    """
    plain = copies[copies.condition == ""] if (copies.condition == "").any() else copies
    scores, _, _ = apply(fitted, plain)
    videos = plain.scored(scores)
    pooled = estimate(pooled_auc(videos), resamples)
    if not fitted.is_ordered or pooled.low is None or pooled.low <= 0.5:
        return False
    within = auc_within(videos, videos.source, "sources")
    if value_of(within) is None:
        return True
    low = estimate(within, resamples).low
    return low is not None and low > 0.5


def _with_intervals(copies: Copies, fitted: Fit) -> tuple[QualityClass, ...]:
    """The classes with the 95 % interval of a score, from lines fitted on resampled sources."""
    cell, count = class_numbers(copies, fitted.classes), len(fitted.classes)
    edge = float(np.abs(fitted.scores).max())
    grid = np.linspace(-edge, edge, GRID)
    draws = []
    rng = np.random.default_rng(0)
    members = [np.flatnonzero(copies.source == s) for s in np.unique(copies.source)]
    for _ in range(DRAWS):
        chosen = np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))])
        if len(np.unique(copies.label[chosen])) < 2:
            continue
        drawn, within = copies[chosen], cell[chosen]
        lines = lines_of(
            fitted.scores[chosen],
            drawn.label,
            within,
            weights_of(drawn, within),
            count,
            fitted.width,
        )
        draws.append([[slope * at + intercept for at in grid] for slope, intercept in lines])
    ends = np.percentile(np.array(draws), [2.5, 97.5], axis=0)
    return tuple(
        dataclasses.replace(one, interval=_rows(grid, *ends[:, number]))
        for number, one in enumerate(fitted.classes)
    )


def _rows(grid: Values, low: Values, high: Values) -> tuple[tuple[float, float, float], ...]:
    """A line's own score is never outside: resamples may all lean to one side."""
    low, high = np.minimum(low, grid), np.maximum(high, grid)
    return tuple(
        (round(float(at), 4), round(float(a), 4), round(float(b), 4))
        for at, a, b in zip(grid, low, high, strict=True)
    )


def _panel(
    members: Sequence[tuple[str, str]], weights: Values, longest_cpu_s: float
) -> tuple[PanelMember, ...]:
    if len(members) == 1:
        return ()
    return tuple(
        PanelMember(
            detector=name,
            weights_sha256=sha256,
            weight=round(float(weight), 6),
            longest_cpu_s=None if number == 0 else longest_cpu_s,
        )
        for number, ((name, sha256), weight) in enumerate(zip(members, weights, strict=True))
    )


def _conditions_text(copies: Copies) -> str:
    names = {"": "as they are", "compression 5": "at H.264 CRF 40", "half_size": "at half size"}
    kinds = [names.get(str(c), str(c)) for c in np.unique(copies.condition)]
    return ", ".join(kinds)


def _rounded(ends: tuple[float, float]) -> tuple[float, float]:
    return round(ends[0], 2), round(ends[1], 2)


def _floor(value: float) -> float:
    """The value rounded down to four decimals, so that the video that it comes from may pass."""
    return float(np.floor(value * 10_000) / 10_000)
