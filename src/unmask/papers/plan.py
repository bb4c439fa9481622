"""What a run of all protocols consists of: protocols, their detectors, the models to train."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from unmask.detectors import Card, get_card
from unmask.errors import UnknownNameError, explain_unknown
from unmask.papers.protocol import Protocol
from unmask.papers.registry import PROTOCOLS
from unmask.papers.small import small_settings
from unmask.papers.stand_in import get_stand_in, on
from unmask.papers.trainings import TrainingSpec, trainings
from unmask.train import apply_settings

OCCLUSION = "occlusion sensitivity"
"""The kind of protocol that is a map, not a score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A protocol on the miniature benchmark, and the detectors that it is run with."""

    protocol: Protocol
    cards: tuple[Card, ...]

    @property
    def trainings(self) -> tuple[TrainingSpec, ...]:
        """All models that it takes."""
        return tuple(one for card in self.cards for one in trainings(self.protocol, card))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob:
    """A training with all that this run changes of it.

    Attributes:
        name: of its folder; says what is trained, and follows from it alone.
        training: as the protocol wants it.
        settings: all of them, for ``train --set``.
        card: with these settings.
    """

    name: str
    training: TrainingSpec
    settings: tuple[str, ...]
    card: Card


def known_papers() -> list[str]:
    """Short names of the papers."""
    return list(dict.fromkeys(protocol.paper for protocol in PROTOCOLS))


def find_parts(papers: Sequence[str] = (), detectors: Sequence[str] = ()) -> tuple[Part, ...]:
    """The protocols of some papers (none: all), with these detectors or each paper's own.

    Raises:
        UnknownNameError: there is no such paper or detector; the message lists the known ones.
    """
    known = known_papers()
    for name in papers:
        if name not in known:
            raise UnknownNameError(explain_unknown("paper", name, known))
    given = tuple(dict.fromkeys(detectors))
    stand_in = get_stand_in("minibench")
    return tuple(
        Part(
            protocol=on(protocol, stand_in),
            cards=tuple(map(get_card, given or protocol.quick or protocol.detectors)),
        )
        for protocol in PROTOCOLS
        if not papers or protocol.paper in papers
    )


def training_jobs(
    parts: Sequence[Part], seconds: float, *, is_small: bool
) -> dict[TrainingSpec, TrainingJob]:
    """Every training that some protocols take, each once.

    Args:
        parts: the protocols.
        seconds: length of the benchmark's clips.
        is_small: shrinks the recipes.
    """
    found: dict[TrainingSpec, TrainingJob] = {}
    shrunk: dict[tuple[str, tuple[str, ...]], tuple[str, ...]] = {}
    for training in (one for part in parts for one in part.trainings):
        if training in found:
            continue
        card = apply_settings(get_card(training.detector), training.settings)
        changes: tuple[str, ...] = ()
        if is_small:
            key = (training.detector, training.settings)
            if key not in shrunk:
                shrunk[key] = small_settings(card, seconds)
            changes = shrunk[key]
        settings = (*training.settings, *changes)
        found[training] = TrainingJob(
            name=f"{_file_name(training.run)}-{_digest(training, settings)}",
            training=training,
            settings=settings,
            card=apply_settings(get_card(training.detector), settings),
        )
    return found


def _file_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.+-]+", "-", text)


def _digest(training: TrainingSpec, settings: Sequence[str]) -> str:
    """Equal trainings of different tables have different names, and share a folder."""
    nameless = replace(training, name="", row="", settings=tuple(settings))
    return hashlib.sha256(repr(nameless).encode()).hexdigest()[:8]
