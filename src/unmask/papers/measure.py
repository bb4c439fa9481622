"""A paper's table with the data and weights at hand, ours beside the paper's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from unmask.datasets import get_adapter, list_datasets
from unmask.detectors import Card, get_card, load_detector
from unmask.errors import DataError, NotMeasurableError, UsageError
from unmask.evaluate.condition import Condition
from unmask.evaluate.pixels import Measured
from unmask.evaluate.run import check_embeddings
from unmask.evaluate.score_videos import Model, Report, Wanted, score_videos
from unmask.evaluate.scores import ScoreKey, ScoreWriter, VideoScore, read_scores
from unmask.evaluate.tables import VALIDATION, Figure, fit_threshold, joined, measure_of
from unmask.evaluate.true_masks import TRUE_MASK_THRESHOLD
from unmask.metrics.registry import get_metric
from unmask.papers.protocol import Cell, Protocol
from unmask.papers.trainings import Training, rows_of, training_of, trainings
from unmask.types import LabelledVideo

TEST = "test"


class Data(NamedTuple):
    """A data set at hand: its index and its root."""

    rows: Sequence[LabelledVideo]
    root: Path


class Ours(NamedTuple):
    """A detector's figures, one for each heading of the protocol; ``row`` names an ablation."""

    detector: str
    figures: tuple[Figure, ...]
    row: str = ""


class _Needed(NamedTuple):
    """The videos of one cell: those it is measured on, and those its threshold comes from."""

    test: list[LabelledVideo]
    validation: list[LabelledVideo]


@dataclass(frozen=True, slots=True)
class _Plan:
    """Everything that a protocol takes: the videos, the models, and what is lacking."""

    protocol: Protocol
    needed: Mapping[Cell, _Needed]
    lacking: Mapping[Cell, str]
    models: Mapping[str, Model]
    roots: Mapping[int, Path]

    def why_not(self, cell: Cell, card: Card, row: str) -> str:
        """Why a cell has no figure in this row; empty if it has one."""
        if self.lacking[cell]:
            return self.lacking[cell]
        training = training_of(self.protocol, cell, card, row)
        model = self.models.get(training.key)
        if model is None:
            return no_weights(training)
        short = Condition(cell.condition).lacks(model.card.input)
        return f"not measurable: {short}" if short else ""

    def model(self, cell: Cell, card: Card, row: str) -> Model:
        """The model of a cell that has one."""
        return self.models[training_of(self.protocol, cell, card, row).key]

    def wanted(self, cards: Sequence[Card]) -> list[Wanted]:
        """All scores that it takes: each video under a condition once, for all models."""
        found: dict[tuple[int, str], Wanted] = {}
        for card in cards:
            for row in rows_of(self.protocol, card):
                for cell in self.protocol.cells:
                    if not self.why_not(cell, card, row):
                        self._add(found, cell, self.model(cell, card, row))
        return list(found.values())

    def _add(self, found: dict[tuple[int, str], Wanted], cell: Cell, model: Model) -> None:
        videos, clean = self.needed[cell], Condition()
        parts = ((videos.test, Condition(cell.condition)), (videos.validation, clean))
        for rows, condition in parts:
            for row in rows:
                empty: list[Model] = []
                one = Wanted(row, self.roots[id(row)], condition, empty)
                one = found.setdefault((id(row), condition.text), one)
                if model not in one.models:
                    found[id(row), condition.text] = one._replace(models=[*one.models, model])

    def measured(
        self, cell: Cell, card: Card, row: str, scores: Mapping[ScoreKey, VideoScore]
    ) -> Measured:
        """What a cell's figure is made of.

        Raises:
            NotMeasurableError: it has none; the message is the reason.
        """
        if why := self.why_not(cell, card, row):
            raise NotMeasurableError(why)
        videos, model = self.needed[cell], self.model(cell, card, row)

        def of(rows: Sequence[LabelledVideo], condition: Condition) -> list[VideoScore]:
            wanted = [Wanted(video, self.roots[id(video)], condition, ()) for video in rows]
            return [scores[one.key(model)] for one in wanted]

        threshold, no_threshold = None, ""
        if get_metric(cell.figure).needs_threshold:
            try:
                threshold = fit_threshold(of(videos.validation, Condition()))
            except DataError as error:
                no_threshold = f"not measurable: no threshold ({error})"
        test = of(videos.test, Condition(cell.condition))
        place = " ".join(part for part in (place_of(cell), cell.condition) if part)
        found = measure_of(cell.figure, test, place=place, threshold=threshold, why=no_threshold)
        unscored = sum(row.score is None for row in test)
        told = f"{unscored} of {len(test)} videos in {place} have no score" if unscored else ""
        return found._replace(note="; ".join(part for part in (found.note, told) if part))


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
        weights: by ``Training.key``: the detector, or DETECTOR:TRAINING where there are several.
        device: ``cpu`` or ``cuda``.
        report: hears of every score.
        resamples: of the cluster bootstrap.

    Returns:
        One for each detector and row of it. A figure that could not be measured says what it
        lacks.

    Raises:
        UsageError: weights for a detector or training that the protocol does not have.
        DataError, OutputError, UnknownNameError, WeightsError: as ``evaluate`` does.
    """
    cards = [get_card(name) for name in detectors]
    plan = _Plan(
        protocol,
        {cell: _needed(protocol, cell, data) for cell in protocol.cells},
        {cell: what_lacks(protocol, cell, data) for cell in protocol.cells},
        _models(protocol, cards, dict(weights or {}), device),
        {id(row): root for rows, root in data for row in rows},
    )
    wanted, scores = plan.wanted(cards), {}
    if wanted:
        folder = scores_folder(protocol, out)
        if protocol.keeps_embeddings:
            check_embeddings(folder, list(plan.models.values()))
        with ScoreWriter(folder, keeps_embeddings=protocol.keeps_embeddings) as writer:
            limit = TRUE_MASK_THRESHOLD
            score_videos(wanted, writer, device, report=report, mask_threshold=limit)
        scores = {score.key: score for score in read_scores(folder)}

    def figure(cells: Sequence[Cell], card: Card, row: str) -> Figure:
        try:
            parts = [plan.measured(cell, card, row, scores) for cell in cells]
        except NotMeasurableError as error:
            return Figure(None, note=str(error))
        shares = [1 / len(cells) if cell.share is None else cell.share for cell in cells]
        return joined(list(zip(shares, parts, strict=True)), resamples=resamples)

    columns = protocol.columns.values()
    return [
        Ours(card.name, tuple(figure(cells, card, row) for cells in columns), row)
        for card in cards
        for row in rows_of(protocol, card)
    ]


def scores_folder(protocol: Protocol, out: Path) -> Path:
    """Where the scores of a protocol lie: those with embeddings by themselves."""
    return out / "embeddings" if protocol.keeps_embeddings else out


def what_lacks(protocol: Protocol, cell: Cell, data: Sequence[Data]) -> str:
    """Why a cell cannot be measured with the data at hand; empty if it can."""
    test, validation = _needed(protocol, cell, data)
    missing = [m for m in cell.methods if m not in {row.method for row in test if row.label}]
    place, metric = place_of(cell), get_metric(cell.figure)
    if "fake" in metric.classes and (missing or not any(row.label for row in test)):
        return f"no data: needs {', '.join(missing) or 'forgeries'} in {place}"
    if "real" in metric.classes and all(row.label for row in test):
        return f"no data: needs real videos in {place}"
    bare = [m for m in cell.methods if not any(row.mask_path for row in test if row.method == m)]
    if metric.needs_masks and (bare or not any(row.mask_path for row in test)):
        return f"no data: needs masks of {', '.join(bare) or 'forgeries'} in {place}"
    if metric.needs_threshold and len({row.label for row in validation}) < 2:
        level = _validation_level(protocol, cell)
        place = " ".join(part for part in (protocol.train_dataset, level, VALIDATION) if part)
        return f"no data: needs real and forged videos in {place} for the threshold"
    return ""


def no_weights(training: Training) -> str:
    """Says that a model was not given."""
    name = training.name or "of its own"
    return f"no weights: needs a training {name}; give -w {training.key}=FILE"


def place_of(cell: Cell) -> str:
    """The test videos of a cell, in words."""
    return " ".join(part for part in (cell.dataset, cell.compression, TEST) if part)


def _models(
    protocol: Protocol, cards: Sequence[Card], given: Mapping[str, str | Path], device: str
) -> dict[str, Model]:
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
            model = Model(load_detector(training.detector, given.get(key), device))
            is_start = key not in given and model.use.weights == model.card.starts_from
            if model.use.sha256 and not is_start:
                models[key] = model
    return models


def _needed(protocol: Protocol, cell: Cell, data: Sequence[Data]) -> _Needed:
    rows = [row for one in data for row in one.rows]
    test = _chosen(rows, cell.dataset, TEST, cell.methods, cell.compression)
    if not get_metric(cell.figure).needs_threshold:
        return _Needed(test, [])
    methods = cell.train or protocol.train_methods
    level = _validation_level(protocol, cell)
    return _Needed(test, _chosen(rows, protocol.train_dataset, VALIDATION, methods, level))


def _validation_level(protocol: Protocol, cell: Cell) -> str:
    return protocol.train_compression or cell.compression


def _chosen(
    rows: Sequence[LabelledVideo], dataset: str, split: str, methods: Sequence[str], level: str
) -> list[LabelledVideo]:
    """Forgeries of some methods (none: all), and the real videos that belong to them."""
    wanted = frozenset(methods)
    keeps = get_adapter(dataset).keeps if dataset in list_datasets() else lambda row, _: True
    return [
        row
        for row in rows
        if (row.dataset, row.split) == (dataset, split)
        and (not level or row.compression == level)
        and (not wanted or (row.method in wanted if row.label else keeps(row, wanted)))
    ]
