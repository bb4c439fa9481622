"""What a plot is drawn from: the scored items of one detector, and bands around its curves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from unmask.errors import NotMeasurableError
from unmask.evaluate.granularity import Granularity
from unmask.evaluate.pixels import Values
from unmask.evaluate.scores import VideoScore
from unmask.evaluate.tables import source_of
from unmask.metrics import bootstrap_intervals

BAND_RESAMPLES = 1000
"""Of a band at most: a curve has many points, and nobody reads its band to a tenth."""


class Sample(NamedTuple):
    """Items that have a score: labels (N,), 1 = fake, scores (N,), and their sources."""

    labels: Values
    scores: Values
    sources: list[str]

    @property
    def reals(self) -> int:
        """How many are real."""
        return int((self.labels == 0).sum())

    @property
    def fakes(self) -> int:
        """How many are forged."""
        return int((self.labels == 1).sum())

    @property
    def counts(self) -> str:
        """How many there are, in words."""
        return f"{self.reals} real, {self.fakes} fake, {len(set(self.sources))} sources"


class Band(NamedTuple):
    """A 95 % interval at each place of a curve, (K,) each; NaN where it is not measurable."""

    low: Values
    high: Values


class Setting(NamedTuple):
    """What all plots of a run have in common.

    ``place`` says which videos are drawn, for the title; ``resamples`` and ``seed`` are those of
    the cluster bootstrap.
    """

    place: str
    granularity: Granularity = "video"
    resamples: int = 10_000
    seed: int = 0

    @property
    def title(self) -> str:
        """Place and granularity."""
        return f"{self.place} ({self.granularity} granularity)"


def sample_of(rows: Sequence[VideoScore]) -> Sample:
    """The rows that have a score."""
    scored = [row for row in rows if row.score is not None]
    return Sample(
        np.array([row.label for row in scored], np.float64),
        np.array([row.score for row in scored], np.float64),
        [source_of(row) for row in scored],
    )


def missing_reason(sample: Sample) -> str | None:
    """Why nothing can be drawn of a sample; None if it can."""
    for kind, count in (("real", sample.reals), ("fake", sample.fakes)):
        if not count:
            return f"not measurable: no {kind} videos with a score"
    return None


def band_of(
    measures: Sequence[Callable[[Values], Values]], sources: Sequence[str], setting: Setting
) -> Band:
    """The interval of each measure by one cluster bootstrap, all on the same draws.

    Args:
        measures: weights (R, N) to (R,), see ``bootstrap_intervals``.
        sources: (N,).
        setting: resamples, ``BAND_RESAMPLES`` at most, and their seed.
    """
    named = {str(number): measure for number, measure in enumerate(measures)}
    found = _intervals(named, sources, setting)
    if found is None:  # one spoils all: each by itself
        each = [_intervals({"0": measure}, sources, setting) for measure in measures]
        bounds = [(np.nan, np.nan) if one is None else one["0"] for one in each]
    else:
        bounds = [found[name] for name in named]
    low, high = np.array(bounds, np.float64).reshape(-1, 2).T
    return Band(low, high)


def _intervals(
    measures: dict[str, Callable[[Values], Values]], sources: Sequence[str], setting: Setting
) -> dict[str, tuple[float, float]] | None:
    resamples = min(setting.resamples, BAND_RESAMPLES)
    try:
        found = bootstrap_intervals(measures, sources, resamples=resamples, seed=setting.seed)
    except NotMeasurableError:
        return None
    return {name: (one.low, one.high) for name, one in found.items()}
