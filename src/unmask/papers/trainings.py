"""Which trainings a protocol takes, as values and as command lines."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from unmask.detectors import Card, get_card
from unmask.papers.protocol import Cell, Protocol

_PLACES = {"faceforensics": "FF", "celeb_df": "CELEB", "dfdc_preview": "PREVIEW"}
"""What stands for a data set that is not at hand; others by their name in capitals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSpec:
    """How one model of a protocol is trained. Equal ones give the same model.

    Attributes:
        detector: its name.
        name: as ``-w DETECTOR:NAME=FILE`` takes it; empty where one training serves all.
        row: of an ablation, see ``Card.ablations``; empty: the recipe as it is.
        dataset: an adapter's name.
        also: data sets that it takes forgeries from beside.
        methods: forgeries, sorted; empty: all.
        compressions: levels; empty: any.
        videos: real videos that are taken, with their forgeries; None: all.
        settings: for ``train --set``.
        starts_from: tag of the weights that it begins with; empty: at random.
        pretraining: of the card, done before by ``pretraining_command``; it begins with the result.
        pretraining_layout: adapter of the pretraining's data.
        network_settings: those of the settings that change the network.
        pretraining_classes: what the pretraining tells apart; empty: all classes of its data.
        begins_with: the training of another detector, on the same videos, that ``starts_from``
            is made of; None: it is a published file.
    """

    detector: str
    name: str = field(default="", compare=False)
    row: str = field(default="", compare=False)
    dataset: str = ""
    also: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    compressions: tuple[str, ...] = ()
    videos: int | None = None
    settings: tuple[str, ...] = ()
    starts_from: str = ""
    pretraining: str = ""
    pretraining_layout: str = ""
    network_settings: tuple[str, ...] = ()
    pretraining_classes: tuple[str, ...] = ()
    begins_with: TrainingSpec | None = None

    @property
    def key(self) -> str:
        """What its weights are given by: DETECTOR, or DETECTOR:NAME."""
        return f"{self.detector}:{self.name}" if self.name else self.detector

    @property
    def run(self) -> str:
        """Name of a folder for the run."""
        return "-".join(part for part in (self.detector, self.name) if part)

    @property
    def start(self) -> str:
        """What it begins with, in words."""
        start = f"weights {self.starts_from}" if self.starts_from else "random weights"
        return f"{start}, then the pretraining {self.pretraining}" if self.pretraining else start

    def command(self, places: Mapping[str, Path] | None = None) -> str:
        """The line that trains it.

        Args:
            places: where data sets are, by adapter; one that is not there gets a placeholder.
        """
        place = str((places or {}).get(self.dataset, _placeholder(self.dataset)))
        layout, note = self.dataset, ""
        if self.also:
            # One root holds one layout; a list can name files of several.
            both = " and ".join([self.dataset, *self.also])
            place, layout, note = "LIST.csv", "csv", f"  # LIST.csv names the videos of {both}"
        words = ["unmask", "train", self.detector, "--data", place, "--dataset", layout]
        if not self.also:
            words += [word for level in self.compressions for word in ("--compression", level)]
            words += [word for method in self.methods for word in ("--method", method)]
        words += [] if self.videos is None else ["--videos", str(self.videos)]
        if self.pretraining:
            words += ["--weights", f"{self._pretraining_run}/{self.detector}.safetensors"]
        elif self.starts_from:
            words += ["--weights", self._start]
        words += [word for setting in self.settings for word in ("--set", setting)]
        return shlex.join([*words, "-o", f"runs/{self.run}"]) + note

    def commands_before(self, places: Mapping[str, Path] | None = None) -> tuple[str, ...]:
        """The lines that make the weights it begins with, in their order; none: it needs none.

        Args:
            places: as for ``command``.
        """
        before: tuple[str, ...] = ()
        if self.pretraining:
            before = (self._pretraining_command(places),)
        if not self.starts_from:
            return before
        words = ["unmask", "weights", "import", self.detector]
        if self.begins_with is None:
            words += ["FILE", *self._network_words, "-o", self._start]
            return (f"{shlex.join(words)}  # {self.starts_from}: docs/weights.md", *before)
        start = self.begins_with
        file = f"runs/{start.run}/{start.detector}.safetensors"
        before = (*start.commands_before(places), start.command(places))
        return (*before, shlex.join([*words, file, "-o", self._start]))

    def _pretraining_command(self, places: Mapping[str, Path] | None) -> str:
        place = str(
            (places or {}).get(self.pretraining_layout, _placeholder(self.pretraining_layout))
        )
        words = [
            "unmask",
            "train",
            self.detector,
            "--pretraining",
            self.pretraining,
            "--data",
            place,
        ]
        words += [word for name in self.pretraining_classes for word in ("--method", name)]
        words += ["--weights", self._start] if self.starts_from else []
        return shlex.join([*words, *self._network_words, "-o", self._pretraining_run])

    @property
    def _network_words(self) -> list[str]:
        return [word for setting in self.network_settings for word in ("--set", setting)]

    @property
    def _start(self) -> str:
        name = self.begins_with.name if self.begins_with else ""
        name = self.row if self.network_settings and not name else name
        stem = "-".join(filter(None, [f"{self.detector}_{self.starts_from}", name]))
        return f"{stem}.safetensors"

    @property
    def _pretraining_run(self) -> str:
        return "-".join(["runs/" + self.detector, self.pretraining, self.row])


def rows_of(protocol: Protocol, card: Card) -> tuple[str, ...]:
    """The rows that a detector has in a table: its ablations there, else one, named ""."""
    return tuple(a.row for a in card.ablations if protocol.name in a.tables) or ("",)


def training_of(protocol: Protocol, cell: Cell, card: Card, row: str = "") -> TrainingSpec:
    """The training of a cell.

    Args:
        protocol: of ``get_protocol``.
        cell: one of its.
        card: the detector's.
        row: out of ``rows_of``.
    """
    found = next((a for a in card.ablations if protocol.name in a.tables and a.row == row), None)
    settings = (*cell.settings, *protocol.settings_of(card.name))
    levels, starts_from = _levels(protocol, cell, card), card.starts_from
    is_changed, pretraining = False, ""
    if found is not None:
        settings = (*settings, *found.settings)
        levels = found.compressions or levels
        starts_from = card.starts_from if found.starts_from is None else found.starts_from
        pretraining, starts_from = (
            found.pretraining,
            (found.starts_from or "") if found.pretraining else starts_from,
        )
        is_changed = bool(found.settings or found.compressions) or starts_from != card.starts_from
    parts = (cell.variant, row if is_changed else "")
    start = protocol.start_of(card.name) if starts_from == card.starts_from else None
    return TrainingSpec(
        detector=card.name,
        name="-".join(part for part in parts if part),
        row=row,
        dataset=protocol.train_dataset,
        also=cell.also,
        methods=tuple(sorted(cell.train or protocol.train_methods)),
        compressions=levels,
        videos=cell.videos,
        settings=settings,
        starts_from=starts_from,
        pretraining=pretraining,
        pretraining_layout=card.pretraining[pretraining].layout if pretraining else "",
        network_settings=_of_network(settings, card),
        pretraining_classes=card.pretraining[pretraining].classes if pretraining else (),
        begins_with=training_of(protocol, cell, get_card(start)) if start else None,
    )


def trainings(protocol: Protocol, card: Card) -> tuple[TrainingSpec, ...]:
    """All trainings that a detector needs for a table, each once.

    Those of different tables can be compared: equal ones need to be trained only once, whatever
    their names.
    """
    found: dict[str, TrainingSpec] = {}
    for row in rows_of(protocol, card):
        for cell in protocol.cells or (Cell(column="", metric=""),):
            training = training_of(protocol, cell, card, row)
            found.setdefault(training.name, training)
    return tuple(found.values())


def _levels(protocol: Protocol, cell: Cell, card: Card) -> tuple[str, ...]:
    """Levels of the training videos: both of a detector that learns from pairs of levels."""
    level = protocol.train_compression or cell.compression
    return (card.recipe.sampling.twins or (level,)) if level else ()


def _of_network(settings: tuple[str, ...], card: Card) -> tuple[str, ...]:
    return tuple(setting for setting in settings if setting.partition("=")[0] in card.args)


def _placeholder(dataset: str) -> str:
    return _PLACES.get(dataset, dataset.upper())
