"""The plots of a results folder: all that its scores allow, and why the rest is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from unmask.corruptions import CORRUPTIONS
from unmask.errors import NotMeasurableError
from unmask.evaluate.condition import first_frames, split_condition
from unmask.evaluate.granularity import Granularity, Results
from unmask.evaluate.scores import ClipRow, VideoScore
from unmask.evaluate.tables import (
    ALL,
    VALIDATION,
    Group,
    MetricValue,
    by_method,
    grouped,
    metric_values,
    threshold_of,
    validation_of,
)
from unmask.plots.calibration import (
    Answers,
    draw_reliability,
    draw_risk_coverage,
    fit_log_odds,
)
from unmask.plots.canvas import drawing, save, stem_of
from unmask.plots.curve import draw_severity, kind_and_severity
from unmask.plots.feature_map import REAL, draw_clips, draw_feature_map
from unmask.plots.roc import draw_pixel_roc, draw_roc
from unmask.plots.sample import Sample, Setting, missing_reason, sample_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas


class Drawn(NamedTuple):
    """The files that were written, and a sentence for each plot that could not be drawn."""

    paths: list[Path]
    missing: list[str]


def write_plots(
    results: Path | Results,
    out: Path,
    *,
    granularity: Granularity = "video",
    threshold_from: str | None = None,
    resamples: int = 10_000,
    seed: int = 0,
) -> Drawn:
    """Draws every plot that the scores of a folder allow, each as SVG and PNG.

    For each data set, compression and split: an ROC and a curve of risk over coverage
    for each forgery method and for all, with the detectors in one plot; a reliability diagram
    for each detector; the AUC over the severity of corruptions; the ROC of pixels; a map of
    embeddings for each detector. The same scores give the same bytes.

    Args:
        results: a results folder, or one that was read.
        out: made if it is not there; plots of an earlier run are replaced.
        granularity: of the scores; pixels and embeddings have none.
        threshold_from: as in ``measure``.
        resamples: of the cluster bootstrap; bands take fewer, see ``BAND_RESAMPLES``.
        seed: of every draw.

    Raises:
        DataError: there are no scores.
        OutputError: a plot cannot be written.
        MissingDependencyError: matplotlib, scikit-learn or pyarrow is not installed.
    """
    results = Results(results) if isinstance(results, Path) else results
    rows = results.scores(granularity)
    setting = Setting("", granularity, resamples, seed)
    atlas = _Atlas(out, setting, _names(rows), grouped(rows), threshold_from)
    with drawing():
        for place, groups in _places(atlas.groups).items():
            _draw_rankings(atlas, place, groups)
            _draw_calibrations(atlas, place, groups)
        _draw_severities(atlas)
        _draw_pixel_rocs(atlas, _places(grouped(results.videos)))
        _draw_maps(atlas, results.clips(), results.videos)
    return Drawn(atlas.paths, list(dict.fromkeys(atlas.missing)))


@dataclass(slots=True)
class _Atlas:
    """What is drawn from, and what was drawn so far.

    ``names`` tells the detectors apart; ``groups`` are those of the granularity that is drawn.
    """

    out: Path
    setting: Setting
    names: dict[tuple[str, str], str]
    groups: dict[Group, list[VideoScore]]
    threshold_from: str | None
    paths: list[Path] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def name_of(self, group: Group) -> str:
        return self.names[group.detector, group.weights_sha256]

    def at(self, place: str) -> Setting:
        return self.setting._replace(place=place)

    def draw(self, parts: Sequence[str], make: Callable[[], Canvas]) -> None:
        """Saves a plot under a name made of ``parts``, or notes why there is none."""
        granularity = "" if self.setting.granularity == "video" else self.setting.granularity
        stem = self.out / stem_of([*parts, granularity])
        taken = {path.stem for path in self.paths}
        number = 2
        while stem.name in taken:  # two names may differ in what a file name cannot hold
            stem, number = stem.with_name(f"{stem_of([*parts, granularity])}-{number}"), number + 1
        try:
            self.paths += save(make(), stem)
        except NotMeasurableError as error:
            self.missing.append(f"{' '.join(filter(None, parts))}: {error}")


def _names(rows: Sequence[VideoScore]) -> dict[tuple[str, str], str]:
    """A name for each detector with its weights: with their hash where there are several."""
    weights = sorted({(row.key.detector, row.key.weights_sha256) for row in rows})
    several = Counter(detector for detector, _ in weights)
    return {
        (detector, sha256): f"{detector}@{sha256[:8]}" if several[detector] > 1 else detector
        for detector, sha256 in weights
    }


def _places(
    groups: Mapping[Group, list[VideoScore]],
) -> dict[tuple[str, str, str], dict[Group, list[VideoScore]]]:
    """Videos as they are, by data set, compression and split: what shares a plot."""
    places: dict[tuple[str, str, str], dict[Group, list[VideoScore]]] = {}
    for group, members in groups.items():
        if not split_condition(group.condition)[0]:
            places.setdefault(_place(group), {})[group] = members
    return places


def _place(group: Group) -> tuple[str, str, str]:
    """Data set, compression and split, with the number of first frames where not all count."""
    frames = split_condition(group.condition)[1]
    return group.dataset, group.compression, first_frames(group.split, frames)


def _joined(place: Sequence[str]) -> str:
    return " ".join(filter(None, place))


def _draw_rankings(
    atlas: _Atlas, place: tuple[str, str, str], groups: Mapping[Group, list[VideoScore]]
) -> None:
    """ROC and risk over coverage, of each method and of all."""
    chosen: dict[str, dict[Group, Sample]] = {}
    for group, members in groups.items():
        for method, rows in by_method(members):
            sample = sample_of(rows)
            if reason := missing_reason(sample):
                of = f"{atlas.name_of(group)}, {_joined(place)} {method}"
                atlas.missing.append(f"ROC and risk of {of}: {reason}")
            else:
                chosen.setdefault(method, {})[group] = sample
    for method, samples in chosen.items():
        setting = atlas.at(f"{_joined(place)}, {'all methods' if method == ALL else method}")
        named = {atlas.name_of(group): sample for group, sample in samples.items()}
        atlas.draw(["roc", *place, method], partial(draw_roc, named, setting))
        answers = {
            atlas.name_of(group): _answers(atlas, group, sample)
            for group, sample in samples.items()
        }
        atlas.draw(["risk-coverage", *place, method], partial(draw_risk_coverage, answers, setting))


def _answers(atlas: _Atlas, group: Group, sample: Sample) -> Answers:
    threshold, why = threshold_of(atlas.groups, group, atlas.threshold_from)
    if threshold is None:
        return Answers(sample, 0.0, f"({why.removeprefix('not measurable: ')})")
    return Answers(sample, threshold, f"of {atlas.threshold_from or group.dataset} {VALIDATION}")


def _draw_calibrations(
    atlas: _Atlas, place: tuple[str, str, str], groups: Mapping[Group, list[VideoScore]]
) -> None:
    """The bare sigmoid of each detector's scores and, with a validation split, fitted on it."""
    for group, members in groups.items():
        name, sample = atlas.name_of(group), sample_of(members)
        if reason := missing_reason(sample):
            atlas.missing.append(f"reliability of {name}, {_joined(place)}: {reason}")
            continue
        shown = {"not calibrated: sigmoid of the score": sample}
        _, why = threshold_of(atlas.groups, group, atlas.threshold_from)
        if not why:
            rows = validation_of(atlas.groups, group, atlas.threshold_from)
            slope, intercept = fit_log_odds(sample_of(rows))
            fitted = sample._replace(scores=slope * sample.scores + intercept)
            shown[f"calibrated on {rows[0].key.dataset} {VALIDATION}, n = {len(rows)}"] = fitted
        setting = atlas.at(f"{name}, {_joined(place)}")
        atlas.draw(["reliability", *place, name], partial(draw_reliability, shown, setting))


def _draw_severities(atlas: _Atlas) -> None:
    """The AUC over severities, for each place that has videos under corruptions."""
    curves: dict[tuple[str, str, str], dict[str, dict[str, list[tuple[float, MetricValue]]]]] = {}
    for group, members in atlas.groups.items():
        found = kind_and_severity(group.condition)
        if found is None:
            continue
        kind, severity = found
        place = _place(group)
        series = curves.setdefault(place, {}).setdefault(kind, {})
        points = series.setdefault(atlas.name_of(group), [])
        frames = split_condition(group.condition)[1]
        plain = atlas.groups.get(group._replace(condition=first_frames("", frames)))
        if not points and plain is not None:
            points.append((0, _auc(atlas, plain)))
        points.append((severity, _auc(atlas, members)))
    for place, by_kind in curves.items():
        ordered = {kind: by_kind[kind] for kind in CORRUPTIONS if kind in by_kind}
        make = partial(
            draw_severity, ordered, atlas.at(f"{_joined(place)}, {_sizes(atlas, place)}")
        )
        atlas.draw(["severity", *place], make)
    if not curves:
        atlas.missing.append(
            "severity: needs videos under corruptions; evaluate with --condition all-corruptions"
        )


def _sizes(atlas: _Atlas, place: tuple[str, str, str]) -> str:
    """How many items a point of the severity curves has."""
    counts = [
        len(sample_of(members).labels)
        for group, members in atlas.groups.items()
        if _place(group) == place
        if not split_condition(group.condition)[0] or kind_and_severity(group.condition)
    ]
    least, most = min(counts), max(counts)
    return f"n = {most}" if least == most else f"n = {least} to {most}"


def _auc(atlas: _Atlas, members: Sequence[VideoScore]) -> MetricValue:
    draws = atlas.setting
    found = metric_values(members, ["AUC"], place="", resamples=draws.resamples, seed=draws.seed)
    return found["AUC"]


def _draw_pixel_rocs(
    atlas: _Atlas,
    places: Mapping[tuple[str, str, str], Mapping[Group, list[VideoScore]]],
) -> None:
    has_any = False
    for place, groups in places.items():
        chosen: dict[str, dict[str, list[VideoScore]]] = {}
        for group, members in groups.items():
            for method, rows in by_method(members) if any(r.pixels for r in members) else ():
                chosen.setdefault(method, {})[atlas.name_of(group)] = rows
        for method, named in chosen.items():
            has_any = True
            setting = atlas.at(f"{_joined(place)}, {'all methods' if method == ALL else method}")
            make = partial(draw_pixel_roc, named, setting._replace(granularity="video"))
            atlas.draw(["pixel-roc", *place, method], make)
    if not has_any:
        atlas.missing.append(
            "pixel-roc: needs masks; evaluate a detector that gives masks on forgeries that come "
            "with theirs"
        )


def _draw_maps(atlas: _Atlas, clips: Iterable[ClipRow], videos: Sequence[VideoScore]) -> None:
    methods = {row.key: row.key.method if row.label else REAL for row in videos}
    drawn = draw_clips(clips, methods, seed=atlas.setting.seed)
    for group, kept in drawn.items():
        name = atlas.name_of(group)
        place = (group.dataset, group.compression, group.split)
        make = partial(draw_feature_map, kept, name, atlas.at(_joined(place)))
        atlas.draw(["feature-map", *place, name], make)
    if not drawn:
        atlas.missing.append("feature-map: needs embeddings; evaluate with --embeddings")
