"""Whether scores mean what they say, and what is gained by saying nothing.

Probabilities are stated at equal priors, as everywhere in unmask: so both classes are weighed
alike here, however many there are of each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unmask.errors import import_optional
from unmask.evaluate.pixels import Values
from unmask.evaluate.print_tables import show_value
from unmask.evaluate.tables import MetricValue, interval
from unmask.metrics.calibration import (
    brier_score,
    calibration_error,
    cllr,
    cllr_min,
    log_loss,
)
from unmask.metrics.selective import aurc, risk_coverage
from unmask.plots.canvas import GRAY, legend_below, look_of, new_canvas
from unmask.plots.sample import Band, Sample, Setting, band_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

BINS = 15
"""Of a reliability diagram, as in ``calibration_error``."""

_COVERAGE_POINTS = 33


class Answers(NamedTuple):
    """Scored items, the threshold that decides, and where it comes from, in words."""

    sample: Sample
    threshold: float
    origin: str


def fit_log_odds(sample: Sample) -> tuple[float, float]:
    """Slope and intercept that turn scores into log-odds at equal priors (Platt 1999).

    Logistic regression with both classes weighed alike. Only validation items are for this.
    """
    import_optional("sklearn", "evaluate")
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(class_weight="balanced", C=1e6)
    model.fit(sample.scores[:, None], sample.labels)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def draw_reliability(samples: Mapping[str, Sample], setting: Setting) -> Canvas:
    """Share of fakes over the stated probability, and below how many items state it.

    Args:
        samples: by what the scores are ("sigmoid of the score", "calibrated …"); scores are
            log-odds. Each with both classes.
        setting: title, granularity and bootstrap.
    """
    canvas = new_canvas(6.4, 6.6 + 0.3 * len(samples))
    axes, below = canvas.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    axes.plot([0, 1], [0, 1], color=GRAY, linestyle="--", linewidth=0.8, label="as stated")
    edges = np.linspace(0, 1, BINS + 1)
    for number, (name, sample) in enumerate(samples.items()):
        look = look_of(number)
        stated, share = reliability_at_equal_priors(sample)
        low, high = _bin_band(sample, setting)
        axes.plot(
            stated,
            share,
            color=look.color,
            linestyle=look.line,
            marker=look.marker,
            markersize=4,
            label=f"{name}\n{calibration_text(sample, setting)}",
        )
        axes.vlines(stated, low, high, color=look.color, alpha=0.4, linewidth=1.2)
        below.hist(
            _probability(sample.scores),
            bins=edges.tolist(),
            histtype="step",
            color=look.color,
            linestyle=look.line,
        )
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.02, 1.02)
    axes.set_ylabel("share of fakes, both classes weighed alike")
    below.set_ylabel(f"{setting.granularity}s")
    below.set_xlabel("stated probability of fake")
    counts = next(iter(samples.values())).counts
    axes.set_title(f"Reliability: {setting.title}\n{counts}")
    handles, labels = axes.get_legend_handles_labels()
    below.legend(
        handles,
        labels,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.42),
        borderaxespad=0.0,
        title=f"{BINS} bins; bars and brackets: 95 % over sources",
    )
    return canvas


def reliability_at_equal_priors(sample: Sample) -> tuple[Values, Values]:
    """Mean stated probability and share of fakes of each bin that holds anything, (B,) each.

    As ``reliability``, with both classes weighed alike.
    """
    bins = _bins_of(sample)
    alike = _alike(np.ones((1, len(sample.labels))), sample.labels)[0]
    filled = np.unique(bins)
    total, stated, fakes = (
        np.bincount(bins, alike * values, BINS)[filled]
        for values in (1.0, _probability(sample.scores), sample.labels)
    )
    return stated / total, fakes / total


def calibration_text(sample: Sample, setting: Setting) -> str:
    """The plots of calibration on one line, at equal priors; ECE with its interval.

    Each interval costs a resampling of its own, and that of Cllr_min a slow one: only ECE has
    one, which few items make larger.
    """
    labels, logits, sources = sample
    error = interval(
        lambda w: calibration_error(labels, logits, bins=BINS, weights=_alike(w, labels)),
        sources,
        resamples=setting.resamples,
        seed=setting.seed,
    )
    whole = _alike(np.ones((1, len(labels))), labels)
    brier, loss = (metric(labels, logits, weights=whole)[0] for metric in (brier_score, log_loss))
    return (
        f"ECE {show_value(error)} %, Brier {brier:.3f}, log loss {loss:.3f}, "
        f"Cllr {cllr(labels, logits):.3f}, Cllr_min {cllr_min(labels, logits):.3f}"
    )


def draw_risk_coverage(answers: Mapping[str, Answers], setting: Setting) -> Canvas:
    """Share of wrong answers over the share of answers given, the surest first.

    Args:
        answers: by the detector's name; each with both classes.
        setting: title, granularity and bootstrap.
    """
    canvas = new_canvas(6.4, 4.8 + 0.3 * len(answers))
    axes = canvas.add_subplot()
    for number, (name, one) in enumerate(answers.items()):
        _draw_risk(axes, name, one, number, setting)
    axes.set_xlim(0, 1)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:g}")
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g}")
    axes.set_xlabel(f"answered, % of the {setting.granularity}s")
    axes.set_ylabel("wrong, % of the answers")
    axes.set_title(f"Risk and coverage: {setting.title}")
    legend_below(axes, "bands and brackets: 95 % over sources")
    return canvas


def _draw_risk(axes: Axes, name: str, one: Answers, number: int, setting: Setting) -> None:
    labels, scores, sources = one.sample
    look = look_of(number)
    curve = risk_coverage(labels, scores, one.threshold)
    found = _aurc(one, setting)
    axes.plot(
        curve.coverage,
        curve.risk,
        color=look.color,
        linestyle=look.line,
        label=f"{name}: AURC {show_value(found)} % ({one.sample.counts})\n"
        f"threshold {one.threshold:.3g} {one.origin}",
    )
    places = np.linspace(0, 1, _COVERAGE_POINTS + 1)[1:]
    measures = [_risk_at(one, float(place)) for place in places]
    low, high = band_of(measures, sources, setting)
    axes.fill_between(places, low, high, color=look.color, alpha=0.15, linewidth=0)


def _aurc(one: Answers, setting: Setting) -> MetricValue:
    labels, scores, sources = one.sample
    return interval(
        lambda w: aurc(labels, scores, one.threshold, weights=w),
        sources,
        resamples=setting.resamples,
        seed=setting.seed,
    )


def _risk_at(one: Answers, coverage: float) -> Callable[[Values], Values]:
    """Share of wrong answers among the surest ones that make up a share of all."""
    labels, scores, _ = one.sample
    order = np.argsort(-np.abs(scores - one.threshold), kind="stable")
    is_wrong = ((scores >= one.threshold) != (labels == 1))[order]

    def measure(weights: Values) -> Values:
        counted = weights[:, order]
        given = np.cumsum(counted, axis=1)
        wrong = np.cumsum(counted * is_wrong, axis=1)
        at = np.argmax(given >= coverage * given[:, -1:] * (1 - 1e-12), axis=1)
        rows = np.arange(len(at))
        total = given[rows, at]
        return np.asarray(wrong[rows, at] / np.where(total > 0, total, np.nan))

    return measure


def _probability(logits: Values) -> Values:
    """1 / (1 + exp(-x)), without overflow."""
    return np.asarray(np.exp(-np.logaddexp(0, -logits)))


def _bins_of(sample: Sample) -> NDArray[np.intp]:
    return np.minimum((_probability(sample.scores) * BINS).astype(np.intp), BINS - 1)


def _alike(weights: Values, labels: Values) -> Values:
    """Weights (R, N) that give both classes the same sum; all 0 in a resample that reason one."""
    counted = np.zeros_like(weights)
    sums = [weights @ (labels == label) for label in (0, 1)]
    has_both = (sums[0] > 0) & (sums[1] > 0)
    for label, total in enumerate(sums):
        chosen = labels == label
        share = np.where(has_both, len(labels) / 2 / np.where(has_both, total, 1), 0)
        counted[:, chosen] = weights[:, chosen] * share[:, None]
    return counted


def _bin_band(sample: Sample, setting: Setting) -> Band:
    """Intervals of the shares of fakes in the bins."""
    bins = _bins_of(sample)

    def share(number: int) -> Callable[[Values], Values]:
        in_bin = (bins == number).astype(np.float64)

        def measure(weights: Values) -> Values:
            alike = _alike(weights, sample.labels)
            total = alike @ in_bin
            return np.asarray(alike @ (in_bin * sample.labels) / np.where(total > 0, total, np.nan))

        return measure

    return band_of([share(int(number)) for number in np.unique(bins)], sample.sources, setting)
