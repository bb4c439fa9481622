"""Whether one detector is better than another on the same videos, by more than chance."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from unmask.errors import DataError, NotMeasurableError, UnknownNameError, UsageError
from unmask.evaluate.pixels import Values
from unmask.evaluate.print_tables import show_value
from unmask.evaluate.scores import ScoreKey, VideoScore
from unmask.evaluate.tables import MetricValue, by_method, grouped, interval, source_of
from unmask.metrics import compare_auc
from unmask.metrics.registry import Items, get_metric, metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two detectors on the videos that both scored.

    Attributes:
        a, b: the detectors.
        place: data set, compression and split.
        method: the forgery method, or ``ALL``.
        reals, fakes: videos that both scored.
        unpaired: videos of ``a`` that ``b`` lacks, or that one of them could not score.
        delong: difference of the AUCs, a - b, with DeLong's interval clustered by source.
        p_value: two-sided, of that difference; None where it is not measurable.
        differences: of all metrics that are compared, a - b, with cluster-bootstrap intervals.
    """

    a: str
    b: str
    place: str
    method: str
    reals: int
    fakes: int
    unpaired: int
    delong: MetricValue
    p_value: float | None
    differences: dict[str, MetricValue]


def compare(
    scores: Sequence[VideoScore], a: str, b: str, *, resamples: int = 10_000, seed: int = 0
) -> list[Comparison]:
    """Paired differences, a - b, for each group and method.

    Args:
        scores: of ``read_scores``.
        a: a detector's name, or NAME@HASH with the start of its weights' hash.
        b: the other.
        resamples: of the cluster bootstrap; both detectors see the same draws.
        seed: of the draws.

    Raises:
        UnknownNameError: there are no scores of such a detector.
        UsageError: a name stands for several weights, or both for the same.
        DataError: they have no video in common.
    """
    first, second = _of(scores, a), _of(scores, b)
    if _weights(first[0].key) == _weights(second[0].key):
        raise UsageError(
            f"Cannot compare {a} with {b}: both are the same weights. Name two detectors, or the "
            "same one with two hashes (NAME@HASH)."
        )
    other = {_video(row.key): row for row in second}
    pairs = {_video(row.key): (row, other[_video(row.key)]) for row in first if _is_in(row, other)}
    if not pairs:
        raise DataError(
            f"Cannot compare {a} with {b}: no video was scored by both. Evaluate both on the same "
            "data into the same folder."
        )
    found = []
    for group, members in grouped(first).items():
        for method, chosen in by_method(members):
            paired = [pairs[_video(row.key)] for row in chosen if _video(row.key) in pairs]
            both = [(x, y) for x, y in paired if x.score is not None and y.score is not None]
            place = " ".join(part for part in group[2:] if part)
            if both:
                unpaired = len(chosen) - len(both)
                found.append(_compared(a, b, place, method, both, unpaired, resamples, seed))
    return found


def show_comparisons(comparisons: Sequence[Comparison]) -> str:
    """A Markdown table of the differences in percentage points."""
    head = ("data", "method", "real", "fake", "unpaired", "AUC (DeLong)", "p")
    names = _compared_metrics()
    lines = [[*head, *names], ["---"] * (len(head) + len(names))]
    notes: dict[str, int] = {}
    for one in comparisons:
        for value in (one.delong, *one.differences.values()):
            if value.note:
                notes.setdefault(value.note, len(notes) + 1)
        counts = [str(n) for n in (one.reals, one.fakes, one.unpaired)]
        p_value = "-" if one.p_value is None else f"{one.p_value:.3g}"
        cells = [show_value(one.differences[name], notes) for name in names]
        shown = show_value(one.delong, notes)
        lines.append([one.place, one.method, *counts, shown, p_value, *cells])
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    listed = "".join(f"\n[{number}] {note}  " for note, number in notes.items())
    names_of = f"{comparisons[0].a} - {comparisons[0].b}" if comparisons else "Nothing to compare"
    return (
        f"{names_of}: differences in percentage points on the videos that both scored, with 95 % "
        f"intervals clustered by source.\n\n{table}\n{listed and listed + chr(10)}"
    )


def comparisons_to_json(comparisons: Sequence[Comparison]) -> str:
    """The same as JSON; differences of shares as they are, not in points."""
    plain = [
        asdict(one)
        | {
            "delong": one.delong._asdict(),
            "differences": {name: f._asdict() for name, f in one.differences.items()},
        }
        for one in comparisons
    ]
    return json.dumps(plain, indent=1, ensure_ascii=False)


def _compared_metrics() -> list[str]:
    return [metric.name for metric in metrics().values() if metric.is_compared]


def _of(scores: Sequence[VideoScore], name: str) -> list[VideoScore]:
    """The rows of one detector with one file of weights."""
    detector, _, start = name.partition("@")
    mine = [row for row in scores if row.key.detector == detector]
    mine = [row for row in mine if row.key.weights_sha256.startswith(start)]
    hashes = sorted({row.key.weights_sha256 for row in mine})
    if len(hashes) > 1:
        several = ", ".join(f"{detector}@{sha256[:8]}" for sha256 in hashes)
        raise UsageError(
            f"Cannot compare {name}: it has scores with {len(hashes)} files of weights. Name one "
            f"of them: {several}."
        )
    if not mine:
        known = sorted({f"{row.key.detector}@{row.key.weights_sha256[:8]}" for row in scores})
        raise UnknownNameError(
            f"There are no scores of {name!r} here. Known: {', '.join(known) or 'none'}."
        )
    return mine


def _weights(key: ScoreKey) -> tuple[str, str]:
    return key.detector, key.weights_sha256


def _video(key: ScoreKey) -> ScoreKey:
    return key._replace(detector="", weights_sha256="")


def _is_in(row: VideoScore, other: dict[ScoreKey, VideoScore]) -> bool:
    return _video(row.key) in other


def _compared(
    a: str,
    b: str,
    place: str,
    method: str,
    both: Sequence[tuple[VideoScore, VideoScore]],
    unpaired: int,
    resamples: int,
    seed: int,
) -> Comparison:
    labels = np.array([x.label for x, _ in both], np.float64)
    scores_a = np.array([x.score for x, _ in both], np.float64)
    scores_b = np.array([y.score for _, y in both], np.float64)
    sources = [source_of(x) for x, _ in both]
    delong, p_value = _delong(labels, scores_a, scores_b, sources)

    def difference(name: str) -> Callable[[Values], Values]:
        compute = get_metric(name).compute
        first, second = Items(labels, scores_a), Items(labels, scores_b)
        return lambda w: compute(first, w) - compute(second, w)

    return Comparison(
        a=a,
        b=b,
        place=place,
        method=method,
        reals=int((labels == 0).sum()),
        fakes=int((labels == 1).sum()),
        unpaired=unpaired,
        delong=delong,
        p_value=p_value,
        differences={
            name: interval(difference(name), sources, resamples=resamples, seed=seed)
            for name in _compared_metrics()
        },
    )


def _delong(
    labels: Values, scores_a: Values, scores_b: Values, sources: Sequence[str]
) -> tuple[MetricValue, float | None]:
    try:
        found = compare_auc(labels, scores_a, scores_b, sources=sources)
    except NotMeasurableError as error:
        return MetricValue(None, note=str(error)), None
    return MetricValue(found.difference, found.low, found.high), found.p_value
