"""A paper's table with the data and weights at hand, ours beside the paper's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from unmask.datasets import get_adapter, list_datasets
from unmask.detectors import Card, Detector, get_card
from unmask.errors import DataError, NotMeasurableError, UsageError, WeightsError
from unmask.evaluate.condition import Condition, first_frames
from unmask.evaluate.data import Data
from unmask.evaluate.faces import by_faces, main_face
from unmask.evaluate.granularity import part_of
from unmask.evaluate.pixels import Measured
from unmask.evaluate.run import check_embeddings
from unmask.evaluate.score_videos import Report, ScoreRequest, score_videos
from unmask.evaluate.scores import ScoreKey, ScoreWriter, VideoScore, read_clips, read_scores
from unmask.evaluate.tables import VALIDATION, MetricValue, fit_threshold, joined, measure_of
from unmask.evaluate.true_masks import TRUE_MASK_THRESHOLD
from unmask.metrics.registry import get_metric
from unmask.papers.protocol import Cell, Protocol
from unmask.papers.trainings import TrainingSpec, rows_of, training_of, trainings
from unmask.train.settings import apply_settings, differing_settings
from unmask.types import LabelledVideo
from unmask.weights import load_detector

TEST = "test"


class Ours(NamedTuple):
    """A detector's values, one for each heading of the protocol; ``row`` names an ablation."""

    detector: str
    values: tuple[MetricValue, ...]
    row: str = ""


class Video(NamedTuple):
    """A row of a data set, and the root that its path is noted relative to."""

    row: LabelledVideo
    root: Path


class _Needed(NamedTuple):
    """The videos of one cell: those it is measured on, and those its threshold comes from."""

    test: list[Video]
    validation: list[Video]


class _Scores(NamedTuple):
    """The scores of a results folder by the video's key: of the video, and of its clips."""

    videos: Mapping[ScoreKey, VideoScore]
    clips: Mapping[ScoreKey, list[VideoScore]]

    def rows(self, keys: Iterable[ScoreKey], granularity: str) -> list[VideoScore]:
        if granularity == "video":
            return [self.videos[key] for key in keys]
        return [row for key in keys for row in self.clips.get(key) or [self.videos[key]]]


def _scores_in(folder: Path, protocol: Protocol) -> _Scores:
    """Reads a folder by the protocol's rule of faces; clips only where a cell measures them."""
    videos = {video.key: video for video in read_scores(folder)}
    clips: dict[ScoreKey, list[VideoScore]] = {}
    if any(cell.granularity == "clip" for cell in protocol.cells):
        for clip in read_clips(folder):
            video = videos[clip.key]
            main = main_face(video.faces).track_id
            if protocol.faces == "all" or clip.track_id == main:
                clips.setdefault(clip.key, []).append(part_of(video, clip.logit))
    kept = by_faces(list(videos.values()), protocol.faces)
    return _Scores({video.key: video for video in kept}, clips)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Everything that a protocol takes: the videos, the models, and which data are missing."""

    protocol: Protocol
    needed: Mapping[Cell, _Needed]
    missing_data: Mapping[Cell, str | None]
    models: Mapping[str, Detector]

    def missing_reason(self, cell: Cell, card: Card, row: str) -> str | None:
        """Why a cell has no value in this row; None if it has one."""
        if reason := self.missing_data[cell]:
            return reason
        training = training_of(self.protocol, cell, card, row)
        model = self.models.get(training.key)
        if model is None:
            return missing_weights(training)
        reason = Condition(self.protocol.condition_of(cell)).missing_reason(model.card.input)
        return f"not measurable: {reason}" if reason else None

    def model(self, cell: Cell, card: Card, row: str) -> Detector:
        """The model of a cell that has one."""
        return self.models[training_of(self.protocol, cell, card, row).key]

    def requests(self, cards: Sequence[Card]) -> list[ScoreRequest]:
        """All scores that it takes: each video under a condition once, for all models."""
        found: dict[tuple[Video, Condition], list[Detector]] = {}
        for card in cards:
            for row in rows_of(self.protocol, card):
                for cell in self.protocol.cells:
                    if not self.missing_reason(cell, card, row):
                        self._add(found, cell, self.model(cell, card, row))
        return [
            ScoreRequest(*video, condition, models) for (video, condition), models in found.items()
        ]

    @property
    def _unchanged(self) -> Condition:
        return Condition(first_frames("", self.protocol.frames))

    def _add(
        self, found: dict[tuple[Video, Condition], list[Detector]], cell: Cell, model: Detector
    ) -> None:
        needed = self.needed[cell]
        test = Condition(self.protocol.condition_of(cell))
        parts = ((needed.test, test), (needed.validation, self._unchanged))
        for videos, condition in parts:
            for video in videos:
                models = found.setdefault((video, condition), [])
                if model not in models:
                    models.append(model)

    def measured(self, cell: Cell, card: Card, row: str, scores: _Scores) -> Measured:
        """What a cell's value is made of.

        Raises:
            NotMeasurableError: it has none; the message is the reason.
        """
        if reason := self.missing_reason(cell, card, row):
            raise NotMeasurableError(reason)
        needed, model = self.needed[cell], self.model(cell, card, row)

        def of(videos: Sequence[Video], condition: Condition) -> list[VideoScore]:
            keys = [ScoreRequest(*video, condition, ()).key(model) for video in videos]
            return scores.rows(keys, cell.granularity)

        threshold, no_threshold = None, ""
        if get_metric(cell.metric).needs_threshold:
            rule = self.protocol.threshold
            try:
                videos = of(needed.validation, self._unchanged)
                threshold = 0.0 if rule == "0" else fit_threshold(videos, rule)
            except DataError as error:
                no_threshold = f"not measurable: no threshold ({error})"
        condition = self.protocol.condition_of(cell)
        test = of(needed.test, Condition(condition))
        place = " ".join(part for part in (place_of(cell), condition) if part)
        found = measure_of(cell.metric, test, place=place, threshold=threshold, why=no_threshold)
        unscored = sum(row.score is None for row in test)
        total = len({row.key for row in test})
        note = f"{unscored} of {total} videos in {place} have no score" if unscored else ""
        return found._replace(note="; ".join(part for part in (found.note, note) if part))


def run_protocol(
    protocol: Protocol,
    data: Sequence[Data],
    detectors: Sequence[str],
    out: Path,
    *,
    weights: Mapping[str, str | Path] | None = None,
    device: str = "cpu",
    report: Report | None = None,
    resamples: int = 10_000,
    is_strict: bool = True,
) -> list[Ours]:
    """Scores what the data allow, and measures the cells of a protocol.

    What a detector was trained on cannot be seen from here: the weights given must be those of
    the protocol's training. Scores go into ``out`` (of a feature map into ``embeddings`` below
    it) and are used again. Each video is decoded once for all models that it is scored by.

    Args:
        protocol: of ``get_protocol``, or of ``stand_in.on``.
        data: all data sets at hand.
        detectors: their names.
        out: the results folder, see ``scores``.
        weights: by ``TrainingSpec.key``: the detector, or DETECTOR:TRAINING where there are
            several.
        device: ``cpu`` or ``cuda``.
        report: hears of every score.
        resamples: of the cluster bootstrap.
        is_strict: whether weights are refused whose network or input differs from that of their
            training.

    Returns:
        One for each detector and row of it. A value that could not be measured says what it
        lacks.

    Raises:
        UsageError: weights for a detector or training that the protocol does not have.
        WeightsError: weights that were trained by other settings.
        DataError, OutputError, UnknownNameError, WeightsError: as ``evaluate`` does.
    """
    cards = [get_card(name) for name in detectors]
    plan = _Plan(
        protocol,
        {cell: _needed(protocol, cell, data) for cell in protocol.cells},
        {cell: missing_reason(protocol, cell, data) for cell in protocol.cells},
        _models(protocol, cards, dict(weights or {}), device, is_strict=is_strict),
    )
    requests, scores = plan.requests(cards), _Scores({}, {})
    if requests:
        folder = scores_folder(protocol, out)
        if protocol.keeps_embeddings:
            check_embeddings(folder, list(plan.models.values()))
        with ScoreWriter(folder, keeps_embeddings=protocol.keeps_embeddings) as writer:
            limit = TRUE_MASK_THRESHOLD
            score_videos(requests, writer, device, report=report, mask_threshold=limit)
        scores = _scores_in(folder, protocol)

    def value_of(cells: Sequence[Cell], card: Card, row: str) -> MetricValue:
        try:
            parts = [plan.measured(cell, card, row, scores) for cell in cells]
        except NotMeasurableError as error:
            return MetricValue(None, note=str(error))
        shares = [1 / len(cells) if cell.share is None else cell.share for cell in cells]
        return joined(list(zip(shares, parts, strict=True)), resamples=resamples)

    columns = protocol.columns.values()
    return [
        Ours(card.name, tuple(value_of(cells, card, row) for cells in columns), row)
        for card in cards
        for row in rows_of(protocol, card)
    ]


def scores_folder(protocol: Protocol, out: Path) -> Path:
    """Where the scores of a protocol lie: those with embeddings by themselves."""
    return out / "embeddings" if protocol.keeps_embeddings else out


def missing_reason(protocol: Protocol, cell: Cell, data: Sequence[Data]) -> str | None:
    """Why a cell cannot be measured with the data at hand; None if it can."""
    test, validation = ([video.row for video in videos] for videos in _needed(protocol, cell, data))
    missing = [m for m in cell.methods if m not in {row.method for row in test if row.label}]
    place, metric = place_of(cell), get_metric(cell.metric)
    if "fake" in metric.classes and (missing or not any(row.label for row in test)):
        return f"no data: needs {', '.join(missing) or 'forgeries'} in {place}"
    if "real" in metric.classes and all(row.label for row in test):
        return f"no data: needs real videos in {place}"
    bare = [m for m in cell.methods if not any(row.mask_path for row in test if row.method == m)]
    if metric.needs_masks and (bare or not any(row.mask_path for row in test)):
        return f"no data: needs masks of {', '.join(bare) or 'forgeries'} in {place}"
    if _fits_threshold(protocol, cell) and len({row.label for row in validation}) < 2:
        compression = _validation_compression(protocol, cell)
        place = " ".join(part for part in (protocol.train_dataset, compression, VALIDATION) if part)
        return f"no data: needs real and forged videos in {place} for the threshold"
    return None


def missing_weights(training: TrainingSpec) -> str:
    """Says that a model was not given."""
    name = training.name or "of its own"
    return f"no weights: needs a training {name}; give -w {training.key}=FILE"


def place_of(cell: Cell) -> str:
    """The test videos of a cell, in words."""
    return " ".join(part for part in (cell.dataset, cell.compression, TEST) if part)


def _models(
    protocol: Protocol,
    cards: Sequence[Card],
    given: Mapping[str, str | Path],
    device: str,
    *,
    is_strict: bool,
) -> dict[str, Detector]:
    """The models that there are weights for, by the key of their training.

    Where one training serves the whole table, the detector's own weights serve if it has some;
    not those that a training only starts from.
    """
    known = {t.key: t for card in cards for t in trainings(protocol, card)}
    for name in given:
        if name not in known:
            raise UsageError(
                f"Cannot use the weights of {name!r} for {protocol.name}: expected one of "
                f"{', '.join(known) or 'none'}. Name the detector with -d, and the training as in "
                "this list."
            )
    models = {}
    for key, training in known.items():
        if key in given or not training.name:
            model = load_detector(training.detector, given.get(key), device)
            if is_strict and key in given:
                _check_settings(protocol, training, model)
            is_start = key not in given and model.weights.weights == model.card.starts_from
            if model.is_trained and not is_start:
                models[key] = model
    return models


def _check_settings(protocol: Protocol, training: TrainingSpec, model: Detector) -> None:
    """Refuses weights of a network or an input that is not the training's."""
    card = apply_settings(get_card(training.detector), training.settings)
    if differing := differing_settings(card, model.card):
        raise WeightsError(
            f"Cannot use the weights of {training.key!r} for {protocol.name}: they were trained "
            f"with {', '.join(differing)}, which this table does not have. Train with: "
            f"{training.command()}"
        )


def _needed(protocol: Protocol, cell: Cell, data: Sequence[Data]) -> _Needed:
    videos = [Video(row, one.root) for one in data for row in one.rows]
    test = _chosen(videos, cell.dataset, TEST, cell.methods, cell.compression)
    if not _fits_threshold(protocol, cell):
        return _Needed(test, [])
    methods = cell.train or protocol.train_methods
    compression = _validation_compression(protocol, cell)
    return _Needed(test, _chosen(videos, protocol.train_dataset, VALIDATION, methods, compression))


def _fits_threshold(protocol: Protocol, cell: Cell) -> bool:
    return get_metric(cell.metric).needs_threshold and protocol.threshold != "0"


def _validation_compression(protocol: Protocol, cell: Cell) -> str:
    return protocol.train_compression or cell.compression


def _chosen(
    videos: Sequence[Video], dataset: str, split: str, methods: Sequence[str], compression: str
) -> list[Video]:
    """Forgeries of some methods (none: all), and the real videos that belong to them."""
    chosen = frozenset(methods)
    keeps = get_adapter(dataset).keeps if dataset in list_datasets() else lambda row, _: True

    def is_chosen(row: LabelledVideo) -> bool:
        if (row.dataset, row.split) != (dataset, split):
            return False
        if compression and row.compression != compression:
            return False
        return not chosen or (row.method in chosen if row.label else keeps(row, chosen))

    return [video for video in videos if is_chosen(video.row)]
