"""What a run of all protocols consists of: protocols, their detectors, the models to train."""

from __future__ import annotations

import functools
import hashlib
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

from unmask.detectors import Card, get_card, list_detectors
from unmask.errors import UnknownNameError, explain_unknown
from unmask.evaluate.condition import Condition
from unmask.papers.protocol import Protocol
from unmask.papers.registry import PROTOCOLS
from unmask.papers.show import cards_of
from unmask.papers.small import small_settings, trial
from unmask.papers.stand_in import get_stand_in, on
from unmask.papers.trainings import Training, trainings
from unmask.train import apply_settings

OCCLUSION = "occlusion sensitivity"
"""The kind of protocol that is a map, not a score."""

_TRIAL_PX = (64, 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A protocol on the miniature benchmark, and the detectors that it is run with."""

    protocol: Protocol
    cards: tuple[Card, ...]

    @property
    def trainings(self) -> tuple[Training, ...]:
        """All models that it takes."""
        return tuple(one for card in self.cards for one in trainings(self.protocol, card))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A training with all that this run changes of it.

    Attributes:
        name: of its folder; says what is trained, and follows from it alone.
        training: as the protocol wants it.
        settings: all of them, for ``train --set``.
        card: with these settings.
    """

    name: str
    training: Training
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
    given = tuple(get_card(name) for name in dict.fromkeys(detectors))
    stand_in = get_stand_in("minibench")
    return tuple(
        Part(protocol=on(protocol, stand_in), cards=given or own_cards(protocol))
        for protocol in PROTOCOLS
        if not papers or protocol.paper in papers
    )


def own_cards(protocol: Protocol) -> tuple[Card, ...]:
    """The detectors of the protocol's own paper: those with rows or the name, else by its title.

    Of several that the paper compares it is the one that can do most of the protocol, and of
    these the one with the fewest operations.
    """
    if found := cards_of(protocol):
        return tuple(found)
    cards = [get_card(name) for name in list_detectors()]
    fitting = [card for card in cards if _words(card.paper.title).startswith(protocol.paper)]
    return (min(fitting, key=lambda card: (_lacking(protocol, card), _operations(card.name))),)


def lessons_of(parts: Sequence[Part], seconds: float, *, is_small: bool) -> dict[Training, Lesson]:
    """Every training that some protocols take, each once.

    Args:
        parts: the protocols.
        seconds: length of the benchmark's clips.
        is_small: shrinks the recipes.
    """
    found: dict[Training, Lesson] = {}
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
        found[training] = Lesson(
            name=f"{_file_name(training.run)}-{_digest(training, settings)}",
            training=training,
            settings=settings,
            card=apply_settings(get_card(training.detector), settings),
        )
    return found


def _words(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", title.lower())


def _file_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.+-]+", "-", text)


def _digest(training: Training, settings: Sequence[str]) -> str:
    """Equal trainings of different tables have different names, and share a folder."""
    nameless = replace(training, name="", row="", settings=tuple(settings))
    return hashlib.sha256(repr(nameless).encode()).hexdigest()[:8]


def _lacking(protocol: Protocol, card: Card) -> int:
    return sum(bool(Condition(cell.condition).lacks(card.input)) for cell in protocol.cells)


@functools.cache
def _operations(name: str) -> int:
    """Of one clip; on small pictures, since the order of the networks alone counts."""
    card = get_card(name)
    found = trial(card.changed(input={"size": _TRIAL_PX})) or trial(card)
    return sys.maxsize if found is None else found.operations
