"""State of the weights on a card: in the package, in the cache, or not on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

from unmask.checkpoints import read_metadata
from unmask.detectors import Card, Weights
from unmask.errors import WeightsError
from unmask.weights import installed_path, published_path, shipped_path

State = Literal[
    "shipped", "missing", "installed", "to install", "in cache", "to download", "to import"
]


class WeightsState(NamedTuple):
    """A detector's weights, what can be done with them now, and the file where there is one."""

    name: str
    entry: Weights
    state: State
    path: Path | None


def states_of(card: Card) -> list[WeightsState]:
    """The state of each of a card's weights, the default first."""
    return [WeightsState(card.name, entry, *_state(card, entry)) for entry in card.weights]


def in_words(card: Card) -> str:
    """The states of all of a card's weights on one line."""
    return ", ".join(f"{entry.tag}: {state}" for _, entry, state, _ in states_of(card)) or "none"


def is_available(card: Card) -> bool:
    """Whether any of a card's weights is on this machine; a mere start for training is none."""
    whole = (state for state in states_of(card) if not state.entry.covers)
    return any(path is not None and state != "missing" for _, _, state, path in whole)


def _state(card: Card, entry: Weights) -> tuple[State, Path | None]:
    shipped = shipped_path(entry)
    if shipped is not None:
        return ("shipped", shipped) if shipped.is_file() else ("missing", shipped)
    if entry.in_package is not None:
        installed = installed_path(entry)
        return ("to install", None) if installed is None else ("installed", installed)
    published = published_path(card.name, entry)
    if published is None:
        return "to import", None
    if published.is_file() and not entry.is_non_commercial:
        return "in cache", published
    imported = published.with_suffix(".safetensors")
    if imported.is_file() and _source_sha256(imported) in (entry.sha256, None):
        return "in cache", imported
    return "to download", None


def _source_sha256(path: Path) -> str | None:
    """The hash of the file that ``path`` was made from; None where it cannot be read."""
    try:
        return read_metadata(path).get("source_sha256", "")
    except WeightsError:
        return None  # damaged: weights verify reports it
