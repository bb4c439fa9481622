"""ROCs with a logarithmic axis of false alarms, of videos and of pixels."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from unmask.errors import NotMeasurableError
from unmask.evaluate.pixels import Values
from unmask.evaluate.print_tables import show_value
from unmask.evaluate.scores import VideoScore
from unmask.evaluate.tables import interval, metric_values, source_of
from unmask.metrics import auc, roc, tar_at_far
from unmask.plots.canvas import GRAY, legend_below, look_of, new_canvas
from unmask.plots.sample import Sample, Setting, band_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

FARS = (0.1, 0.01, 0.001)
"""Where the share that is found is marked, as far as there are real videos enough."""

_BAND_POINTS = 33
_PIXELS_FROM = 1e-3


def draw_roc(samples: Mapping[str, Sample], setting: Setting) -> Canvas:
    """One curve for each detector, with bands, marks at ``FARS`` and what cannot be measured.

    Between two real videos the curve is a step: the share of the fakes that a threshold finds
    whose FAR is at most the place on the axis, as ``tar_at_far`` has it. Below 1 / (number of
    real videos) there is no false alarm to count; that part is gray.

    Args:
        samples: by the detector's name; each with both classes.
        setting: title, granularity and bootstrap.
    """
    least = max(1 / sample.reals for sample in samples.values())
    left = min(_decade(1 / sample.reals) for sample in samples.values())
    canvas = new_canvas(6.4, 5.2 + 0.18 * len(samples))
    axes = canvas.add_subplot()
    axes.axvspan(left, least, color="#F0F0F0", zorder=0)
    axes.axvline(
        least, color=GRAY, linestyle=":", label=f"FAR of one false alarm: {100 * least:.2g} %"
    )
    for number, (name, sample) in enumerate(samples.items()):
        _draw_curve(axes, name, sample, left, number, setting)
    _finish(axes, left, "videos" if setting.granularity == "video" else f"{setting.granularity}s")
    axes.set_title(f"ROC: {setting.title}")
    return canvas


def draw_pixel_roc(rows: Mapping[str, Sequence[VideoScore]], setting: Setting) -> Canvas:
    """One curve for each detector over the pixels of its masks, with bands over sources.

    Args:
        rows: by the detector's name; each with pixels of both kinds.
        setting: title and bootstrap.
    """
    canvas = new_canvas(6.4, 5.2 + 0.18 * len(rows))
    axes = canvas.add_subplot()
    for number, (name, videos) in enumerate(rows.items()):
        _draw_pixel_curve(axes, name, videos, number, setting)
    _finish(axes, _PIXELS_FROM, "pixels")
    axes.set_title(f"ROC of pixels: {setting.place}")
    return canvas


def pixel_sums(videos: Sequence[VideoScore]) -> tuple[list[str], Values]:
    """The sources of videos with pixels, (S,), and their counts (S, 2, BINS), unchanged first."""
    sums: dict[str, Values] = {}
    for video in videos:
        if video.pixels is not None:
            counts = np.array([video.pixels.unchanged, video.pixels.forged], np.float64)
            source = source_of(video)
            sums[source] = sums[source] + counts if source in sums else counts
    return list(sums), np.array(list(sums.values()))


def _draw_curve(
    axes: Axes, name: str, sample: Sample, left: float, number: int, setting: Setting
) -> None:
    labels, scores, sources = sample
    look = look_of(number)
    curve = roc(labels, scores)
    found = interval(
        lambda w: auc(labels, scores, weights=w),
        sources,
        resamples=setting.resamples,
        seed=setting.seed,
    )
    marks = {far: _tar(sample, far) for far in FARS}
    text = " / ".join("-" if tar is None else f"{100 * tar:.1f}" for tar in marks.values())
    axes.plot(
        np.maximum(curve.far, left),
        curve.tar,
        color=look.color,
        linestyle=look.line,
        drawstyle="steps-post",
        label=f"{name}: AUC {show_value(found)}, TAR {text} ({sample.counts})",
    )
    fars = np.geomspace(1 / sample.reals, 1, _BAND_POINTS)
    low, high = band_of([_tar_measure(sample, far) for far in fars], sources, setting)
    axes.fill_between(fars, low, high, color=look.color, alpha=0.15, linewidth=0, step="post")
    measured = {far: tar for far, tar in marks.items() if tar is not None}
    axes.plot(list(measured), list(measured.values()), look.marker, color=look.color, markersize=5)


def _tar(sample: Sample, far: float) -> float | None:
    try:
        return tar_at_far(sample.labels, sample.scores, far)
    except NotMeasurableError:
        return None


def _tar_measure(sample: Sample, far: float) -> Callable[[Values], Values]:
    # The first place is 1 / n itself, which rounding may put a hair below.
    rate = min(1.0, far * (1 + 1e-12))
    return lambda w: tar_at_far(sample.labels, sample.scores, rate, weights=w)


def _draw_pixel_curve(
    axes: Axes, name: str, videos: Sequence[VideoScore], number: int, setting: Setting
) -> None:
    found = metric_values(
        videos,
        ["pixel AUC"],
        place=setting.place,
        resamples=setting.resamples,
        seed=setting.seed,
    )["pixel AUC"]
    if found.value is None:
        raise NotMeasurableError(found.note)
    sources, counts = pixel_sums(videos)
    look = look_of(number)
    far, tar = (line[0] for line in _pixel_shares(counts, np.ones((1, len(counts)))))
    unchanged, forged = counts.sum(axis=(0, 2))
    axes.plot(
        np.maximum(far, _PIXELS_FROM),
        tar,
        color=look.color,
        linestyle=look.line,
        label=f"{name}: AUC {show_value(found)} ({forged:,.0f} forged, "
        f"{unchanged:,.0f} other pixels, {len(sources)} sources)",
    )
    fars = np.geomspace(_PIXELS_FROM, 1, _BAND_POINTS)
    low, high = band_of(_pixel_measures(counts, fars), sources, setting)
    axes.fill_between(fars, low, high, color=look.color, alpha=0.15, linewidth=0)


def _pixel_shares(counts: Values, weights: Values) -> tuple[Values, Values]:
    """FAR and TAR at each border of the bins from above, both (R, BINS + 1), from (0, 0)."""
    pooled = (weights @ counts.reshape(len(counts), -1)).reshape(len(weights), 2, -1)
    sums = np.zeros((*pooled.shape[:2], pooled.shape[2] + 1))
    np.cumsum(pooled[:, :, ::-1], axis=2, out=sums[:, :, 1:])
    total = sums[:, :, -1:]
    shares = sums / np.where(total > 0, total, np.nan)
    return shares[:, 0], shares[:, 1]


def _pixel_measures(counts: Values, places: Values) -> list[Callable[[Values], Values]]:
    """The TAR at each FAR, on the straight line between two borders as the curve is drawn."""
    kept: list[Values] = []  # the last weights, and the shares they give: all places ask for them

    def shares(weights: Values) -> Values:
        if not kept or kept[0] is not weights:
            far, tar = _pixel_shares(counts, weights)
            each = [np.interp(places, x, y) for x, y in zip(far, tar, strict=True)]
            kept[:] = [weights, np.array(each)]
        return kept[1]

    def measure(number: int) -> Callable[[Values], Values]:
        return lambda weights: shares(weights)[:, number]

    return [measure(number) for number in range(len(places))]


def _finish(axes: Axes, left: float, items: str) -> None:
    chance = np.geomspace(left, 1, 100)
    axes.plot(chance, chance, color=GRAY, linestyle="--", linewidth=0.8, label="chance")
    axes.set_xscale("log")
    axes.set_xlim(left, 1)
    axes.xaxis.set_minor_formatter(lambda *_: "")  # else they would be shares
    axes.set_ylim(0, 1.01)
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:g}")
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g}")
    genuine = "unchanged" if items == "pixels" else "real"
    axes.set_xlabel(f"false alarms (FAR), % of the {genuine} {items}")
    axes.set_ylabel(f"found (TAR), % of the forged {items}")
    note = "" if items == "pixels" else "TAR at FAR 10 / 1 / 0.1 %; "
    legend_below(axes, f"{note}bands and brackets: 95 % over sources")


def _decade(far: float) -> float:
    """The power of ten below a rate.

    >>> _decade(1 / 30), _decade(0.1)
    (0.01, 0.01)
    """
    return float(10 ** (math.ceil(math.log10(far) - 1e-9) - 1))
