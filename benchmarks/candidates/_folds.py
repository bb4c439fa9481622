"""Cross-validation over sources and tools: what was left out is never seen by what judges it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from unmask.calibrate.fit import rounded_threshold
from unmask.calibrate.intervals import ScoredVideos, Values
from unmask.errors import DataError
from unmask.metrics.threshold import best_threshold

Fitted = TypeVar("Fitted")


class Fold(NamedTuple):
    """What is left out, by indices: ``fit`` may choose, ``judged`` is measured."""

    left_out: Literal["source", "tool"]
    name: str
    fit: NDArray[np.intp]
    judged: NDArray[np.intp]


class Scaling(NamedTuple):
    """Platt scaling: log-odds at equal priors are ``slope * logit + intercept``."""

    slope: float
    intercept: float


def by_source(videos: ScoredVideos) -> list[Fold]:
    """One fold per source: judged is all of it, chosen on all others."""
    return [
        Fold(
            "source",
            str(name),
            np.flatnonzero(videos.source != name),
            np.flatnonzero(videos.source == name),
        )
        for name in np.unique(videos.source)
    ]


def by_tool(videos: ScoredVideos) -> list[Fold]:
    """One fold per tool: judged are its forgeries and the real videos of their sources.

    Chosen is on what neither comes from these sources nor was made by the tool: another source's
    forgeries by it are left out, too, and not judged twice.
    """
    folds = []
    for name in np.unique(videos.tool[videos.tool != ""]):
        is_tool = videos.tool == name
        in_source = np.isin(videos.source, videos.source[is_tool])
        judged = is_tool | (in_source & (videos.label == 0))
        rest = np.flatnonzero(~is_tool & ~in_source)
        folds.append(Fold("tool", str(name), rest, np.flatnonzero(judged)))
    return folds


def check_fold(videos: ScoredVideos, fold: Fold) -> None:
    """Refuses a fold that would be fitted on what it judges.

    Raises:
        DataError: both parts share a source or a tool.
    """
    for what, values in (("source", videos.source), ("tool", videos.tool)):
        # Left out by source, a tool may well stand on both sides, with other people's faces.
        if what == "tool" and fold.left_out == "source":
            continue
        shared = sorted({*map(str, values[fold.fit])} & {*map(str, values[fold.judged])} - {""})
        if shared:
            raise DataError(
                f"Cannot judge '{fold.name}': the {what} '{shared[0]}' is in the part that "
                "chooses and in the part that is judged. Expected each in one; leave it out of "
                "the choice."
            )


def fit_apart(
    videos: ScoredVideos, folds: list[Fold], fit: Callable[[ScoredVideos], Fitted]
) -> list[Fitted]:
    """What each fold's own part gives; undecided videos have nothing to say.

    Raises:
        DataError: a fold would be fitted on what it judges, or has too little to fit on.
    """
    found = []
    for fold in folds:
        check_fold(videos, fold)
        part = videos[fold.fit]
        try:
            found.append(fit(part[part.is_decided]))
        except ValueError as error:
            raise DataError(
                f"Cannot choose without {fold.left_out} '{fold.name}': {error}. Give "
                "more videos, or a higher --rate."
            ) from error
    return found


def conformal(rate: float) -> Callable[[ScoredVideos], float]:
    """The threshold that a new real video passes with at most ``rate``, as a calibration has it."""
    return lambda videos: rounded_threshold(list(videos.logit[videos.label == 0]), rate)


def balanced(videos: ScoredVideos) -> float:
    """The threshold of the highest class-balanced accuracy."""
    return best_threshold(videos.label, videos.logit)


def platt(videos: ScoredVideos) -> Scaling:
    """Logistic regression with both classes weighed alike, as a calibration has it."""
    model = LogisticRegression(class_weight="balanced")
    model.fit(videos.logit[:, None], videos.label)
    return Scaling(float(model.coef_[0, 0]), float(model.intercept_[0]))


def over_thresholds(videos: ScoredVideos, folds: list[Fold], thresholds: list[float]) -> Values:
    """(N,), 1 where a video reaches its own fold's threshold; no decision is 0.

    The folds must judge each video once.
    """
    over = np.full(len(videos.label), np.nan)
    for fold, threshold in zip(folds, thresholds, strict=True):
        over[fold.judged] = np.nan_to_num(videos.logit[fold.judged], nan=-np.inf) >= threshold
    return over


def scaled(videos: ScoredVideos, folds: list[Fold], scalings: list[Scaling]) -> Values:
    """(N,), each video's log-odds by its own fold's scaling; NaN where nothing was decided."""
    logits = np.full(len(videos.label), np.nan)
    for fold, scaling in zip(folds, scalings, strict=True):
        logits[fold.judged] = scaling.slope * videos.logit[fold.judged] + scaling.intercept
    return logits
