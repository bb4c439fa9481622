"""Which detectors there are: every module of this folder is one, but those named below.

A package of this folder (``shared``) is none.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from unmask.detectors.card import Card
from unmask.errors import UnknownNameError, explain_unknown

if TYPE_CHECKING:
    from torch import nn

Network = TypeVar("Network", bound="type[nn.Module]")

_PACKAGE = "unmask.detectors"

_OTHERS = frozenset({"behaviors", "card", "changes", "detector", "recipe", "registry"})
"""Modules that hold what all detectors are made of."""


class _Entry(NamedTuple):
    """A card, and the class that its arguments build a network of."""

    card: Card
    network: type[nn.Module]


_ENTRIES: dict[str, _Entry] = {}


def detector(card: Card) -> Callable[[Network], Network]:
    """Registers the decorated ``nn.Module`` class with its card, under the card's name.

    Raises:
        ValueError: the name differs from the file's, or is taken.
    """

    def register(network: Network) -> Network:
        package, _, stem = network.__module__.rpartition(".")
        if package == _PACKAGE and stem != card.name:
            raise ValueError(f"The card in {stem}.py is named {card.name!r}, expected {stem!r}.")
        known = _ENTRIES.get(card.name)
        if known is not None and known.network.__module__ != network.__module__:
            raise ValueError(
                f"Detector {card.name!r} is already defined in {known.network.__module__}."
            )
        _ENTRIES[card.name] = _Entry(card, network)
        return network

    return register


def list_detectors() -> list[str]:
    """Names of all detectors, sorted. Reads file names only, so that torch stays unloaded."""
    package = importlib.import_module(_PACKAGE)
    found = (m.name for m in pkgutil.iter_modules(package.__path__) if not m.ispkg)
    return sorted(({*found} - _OTHERS) | _ENTRIES.keys())


def get_card(name: str) -> Card:
    """The card of one detector.

    Raises:
        UnknownNameError: there is no such detector; the message lists the known ones.
    """
    return _entry(name).card


def default_detectors() -> list[str]:
    """Names of the detectors whose cards say that a scan uses them when none is named."""
    return [name for name in list_detectors() if get_card(name).is_default]


def build(card: Card) -> nn.Module:
    """An untrained network in train mode, made with ``card.args``.

    A card that was changed with ``dataclasses.replace`` builds the changed network.
    """
    return _entry(card.name).network(**card.args).train()


def _entry(name: str) -> _Entry:
    if name not in _ENTRIES:
        known = list_detectors()
        if name not in known:
            raise UnknownNameError(explain_unknown("detector", name, known))
        importlib.import_module(f"{_PACKAGE}.{name}")
    return _ENTRIES[name]
