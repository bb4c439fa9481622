"""From scores to values: one row per detector, group of videos and forgery method.

A group is a data set at one compression in one split, under one condition. The
forgeries of a method stand against the real videos of their group; ``ALL`` is every forgery of it.
One score stands for one video.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

import numpy as np

from unmask.errors import (
    DataError,
    NotMeasurableError,
    UnknownNameError,
    UsageError,
    explain_unknown,
)
from unmask.evaluate.condition import first_frames, split_condition
from unmask.evaluate.pixels import Measured, Values, measure_masks
from unmask.evaluate.scores import VideoScore
from unmask.metrics import bootstrap_intervals
from unmask.metrics.registry import BOTH, Items, get_metric
from unmask.metrics.registry import metrics as all_metrics
from unmask.metrics.threshold import best_threshold

ALL = "all"
"""Name of the row with every method."""

VALIDATION = "val"
"""The split that thresholds are chosen on."""

ThresholdRule = Literal["balanced", "validation", "0"]

RULES: Final[Mapping[ThresholdRule, str]] = MappingProxyType(
    {
        "balanced": "the validation threshold",
        "validation": "the validation threshold of the best plain accuracy",
        "0": "the logit 0",
    }
)
"""What accuracies are measured at. ``balanced`` has the best class-balanced accuracy on ``val``."""


def rule_named(name: str) -> ThresholdRule:
    """The rule of a name.

    Raises:
        UnknownNameError: there is none.
    """
    for rule in RULES:
        if rule == name:
            return rule
    raise UnknownNameError(explain_unknown("threshold", name, list(RULES)))


class MetricValue(NamedTuple):
    """The value of a metric with its 95 % interval, or the sentence that says why there is none.

    ``value`` without ``low`` and ``high`` has no interval, and ``note`` says why.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a table.

    ``reals``, ``fakes`` and ``sources`` count what was measured, ``unscored`` what has no score
    (no face, not readable) beside it. ``threshold`` is None where none could be chosen.
    """

    detector: str
    weights_sha256: str
    dataset: str
    compression: str
    split: str
    condition: str
    method: str
    reals: int
    fakes: int
    sources: int
    unscored: int
    threshold: float | None
    rule: ThresholdRule
    values: dict[str, MetricValue]


class Group(NamedTuple):
    """What may be measured together: one detector's scores on one part of a data set."""

    detector: str
    weights_sha256: str
    dataset: str
    compression: str
    split: str
    condition: str


def measure(
    scores: Iterable[VideoScore],
    *,
    metrics: Sequence[str] | None = None,
    threshold_from: str | None = None,
    rule: ThresholdRule = "balanced",
    resamples: int = 10_000,
    seed: int = 0,
) -> list[Row]:
    """The rows of a table, one for each detector, group and method, and one for all methods.

    Unless it is 0, the threshold is that of the validation split of the same data set and
    compression, its videos as they are. On that split itself nothing is measured at it.

    Args:
        scores: of ``read_scores``.
        metrics: their names. None takes ``default_metrics``, those of masks where masks of
            a forgery were compared.
        threshold_from: takes the thresholds from the validation split of this data set, at
            whatever compression it has, for detectors that were trained on it.
        rule: what the threshold is, see ``RULES``.
        resamples: of the cluster bootstrap.
        seed: of its draws.

    Raises:
        UnknownNameError: a metric that does not exist.
        DataError: there is no score.
    """
    for name in metrics or ():
        get_metric(name)
    groups = grouped(scores)
    if not groups:
        raise DataError(
            "Cannot make a table: there are no scores. Expected the rows of a results folder; run "
            "'unmask evaluate … -o DIR' first."
        )
    if metrics is None:
        has_masks = any(r.label and r.pixels for members in groups.values() for r in members)
        metrics = default_metrics(has_masks=has_masks)
    rows = []
    for group, members in groups.items():
        threshold, why = threshold_of(groups, group, threshold_from, rule)
        for method, chosen in by_method(members):
            found = metric_values(
                chosen,
                metrics,
                place=" ".join(part for part in group[2:] if part),
                threshold=threshold,
                why=why,
                resamples=resamples,
                seed=seed,
            )
            rows.append(_row(group, method, chosen, threshold, rule, found))
    return rows


def default_metrics(*, has_masks: bool) -> tuple[str, ...]:
    """The metrics of a table unless others are named; those of masks only where there are some."""
    return tuple(
        metric.name
        for metric in all_metrics().values()
        if metric.is_default and (has_masks or not metric.needs_masks)
    )


def fit_threshold(rows: Sequence[VideoScore], rule: ThresholdRule = "balanced") -> float:
    """The threshold by a rule that looks at validation videos.

    Raises:
        UsageError: a row is of a test split: nothing is chosen on what is measured.
        DataError: no video has a score.
        NotMeasurableError: one class only.
    """
    for row in rows:
        if row.key.split.casefold().startswith("test"):
            raise UsageError(
                f"Cannot choose a threshold on the split {row.key.split!r} of {row.key.dataset}: "
                "values on it would then be too good. Expected validation videos; evaluate the "
                f"split {VALIDATION!r} into the same folder."
            )
    scored = [row for row in rows if row.score is not None]
    if not scored:
        raise DataError(
            f"Cannot choose a threshold: none of {len(rows)} validation videos has a score. "
            f"Evaluate the split {VALIDATION!r} into the same folder."
        )
    values = [row.score for row in scored if row.score is not None]
    is_balanced = rule == "balanced"
    return best_threshold([row.label for row in scored], values, is_balanced=is_balanced)


def grouped(scores: Iterable[VideoScore]) -> dict[Group, list[VideoScore]]:
    """Scores by group, in the order of the groups' names."""

    def group(row: VideoScore) -> Group:
        key = row.key
        place = (key.dataset, key.compression, key.split, key.condition)
        return Group(key.detector, key.weights_sha256, *place)

    ordered = sorted(scores, key=lambda row: (group(row), row.key))
    return {name: list(members) for name, members in groupby(ordered, group)}


def by_method(members: Sequence[VideoScore]) -> Iterator[tuple[str, list[VideoScore]]]:
    """Each method's forgeries with all real videos of the group, then everything as ``ALL``."""
    reals = [row for row in members if row.label == 0]
    methods = sorted({row.key.method for row in members if row.label == 1})
    for method in methods if len(methods) > 1 else ():
        yield method, reals + [row for row in members if row.label and row.key.method == method]
    yield (methods[0] if len(methods) == 1 else ALL), list(members)


def source_of(row: VideoScore) -> str:
    """What a row's video shares with its forgeries; a video without ``source_id`` is alone."""
    return f"{row.key.dataset}/{row.source_id or row.key.path}"


def interval(
    metric: Callable[[Values], Values], sources: Sequence[str], **draws: int
) -> MetricValue:
    """A value with its interval, as far as the items allow."""
    value = float("nan")
    try:
        value = float(metric(np.ones((1, len(sources))))[0])
        found = bootstrap_intervals({"": metric}, sources, **draws)[""]
    except NotMeasurableError as error:
        return MetricValue(None if np.isnan(value) else value, note=str(error))
    return MetricValue(found.value, found.low, found.high)


def metric_values(
    chosen: Sequence[VideoScore],
    names: Sequence[str],
    *,
    place: str,
    threshold: float | None = None,
    why: str = "",
    resamples: int = 10_000,
    seed: int = 0,
) -> dict[str, MetricValue]:
    """Values of metrics on some videos, each with its interval or its reason.

    Args:
        chosen: real and forged videos of one detector; those without a score are left out.
        names: of metrics.
        place: where they come from, for the reasons.
        threshold: chosen on other videos.
        why: the reason if there is no threshold.
        resamples: of the cluster bootstrap.
        seed: of its draws.
    """
    found = {}
    for name in names:
        try:
            measured = measure_of(name, chosen, place=place, threshold=threshold, why=why)
        except NotMeasurableError as error:
            found[name] = MetricValue(None, note=str(error))
        else:
            found[name] = joined([(1.0, measured)], resamples=resamples, seed=seed)
    return found


def measure_of(
    name: str,
    chosen: Sequence[VideoScore],
    *,
    place: str,
    threshold: float | None = None,
    why: str = "",
) -> Measured:
    """What a value on some videos is made of; the arguments are those of ``metric_values``.

    Raises:
        NotMeasurableError: it has no value; the message is the reason.
    """
    scored = [row for row in chosen if row.score is not None]
    metric = get_metric(name)
    if metric.needs_masks:
        return measure_masks(metric, scored, source_of, place=place)
    present = {BOTH[row.label] for row in scored}
    if absent := [kind for kind in metric.classes if kind not in present]:
        there = any(BOTH[row.label] == absent[0] for row in chosen)
        kind = f"{absent[0]} videos{' with a score' if there else ''}"
        raise NotMeasurableError(f"not measurable: no {kind} in {place}")
    if metric.needs_threshold and threshold is None:
        raise NotMeasurableError(why)
    kept = [row for row in scored if BOTH[row.label] in metric.classes]
    labels = np.array([row.label for row in kept], np.float64)
    values = np.array([row.score for row in kept], np.float64)
    sources = tuple(source_of(row) for row in kept)
    items = Items(labels, values, float("nan") if threshold is None else threshold)
    return Measured(lambda w: metric.compute(items, w), sources, metric.note(items))


def joined(parts: Sequence[tuple[float, Measured]], **draws: int) -> MetricValue:
    """The sum of some values, each times a factor; sources are drawn together for all of them."""
    ends = np.cumsum([len(measured.sources) for _, measured in parts])[:-1]

    def total(weights: Values) -> Values:
        slices = np.split(weights, ends, axis=1)
        terms = [factor * part.measure(w) for (factor, part), w in zip(parts, slices, strict=True)]
        return np.asarray(np.sum(terms, axis=0), np.float64)

    value = interval(total, [source for _, part in parts for source in part.sources], **draws)
    notes = dict.fromkeys([value.note, *(part.note for _, part in parts)])
    return value._replace(note="; ".join(note for note in notes if note))


def _unchanged(condition: str) -> str:
    """The same frames of the videos, as they are."""
    return first_frames("", split_condition(condition)[1])


def validation_of(
    groups: dict[Group, list[VideoScore]], group: Group, threshold_from: str | None
) -> list[VideoScore]:
    """The validation videos, as they are, that something may be fitted on for a group."""
    dataset = threshold_from or group.dataset
    return [
        row
        for other, members in groups.items()
        if other[:2] == group[:2] and (other.dataset, other.split) == (dataset, VALIDATION)
        if threshold_from or other.compression == group.compression
        if other.condition == _unchanged(group.condition)
        for row in members
    ]


def threshold_of(
    groups: dict[Group, list[VideoScore]],
    group: Group,
    threshold_from: str | None,
    rule: ThresholdRule = "balanced",
) -> tuple[float | None, str]:
    """The threshold for a group, or None and the reason."""
    if rule == "0":
        return 0.0, ""
    dataset = threshold_from or group.dataset
    if (dataset, VALIDATION) == (group.dataset, group.split):  # Under a condition just as well.
        return None, "not measurable: the threshold would be chosen on these videos"
    rows = validation_of(groups, group, threshold_from)
    if not rows:
        return None, f"not measurable: the split {VALIDATION!r} of {dataset} was not evaluated"
    try:
        return fit_threshold(rows, rule), ""
    except DataError as error:
        return None, f"not measurable: no threshold from {dataset} {VALIDATION} ({error})"


def _row(
    group: Group,
    method: str,
    chosen: Sequence[VideoScore],
    threshold: float | None,
    rule: ThresholdRule,
    values: dict[str, MetricValue],
) -> Row:
    scored = [row for row in chosen if row.score is not None]
    fakes = sum(row.label for row in scored)
    return Row(
        **group._asdict(),
        method=method,
        reals=len(scored) - fakes,
        fakes=fakes,
        sources=len({source_of(row) for row in scored}),
        unscored=len(chosen) - len(scored),
        threshold=threshold,
        rule=rule,
        values=values,
    )
