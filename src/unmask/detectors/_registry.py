"""Which detectors there are: every module of this folder without a leading underscore is one.

A package of this folder (``weights``) is none.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

from unmask.detectors._card import Card
from unmask.errors import UnknownNameError, explain_unknown

if TYPE_CHECKING:
    from torch import nn

Net = TypeVar("Net", bound="type[nn.Module]")

_PACKAGE = "unmask.detectors"
_CLASSES: dict[str, type[nn.Module]] = {}


def detector(card: Card) -> Callable[[Net], Net]:
    """Registers the decorated ``nn.Module`` class under its card's name.

    The card becomes a class attribute, so every instance and every copy of one has ``.card``.

    Raises:
        ValueError: the name differs from the file's, or is taken.
    """

    def register(net: Net) -> Net:
        home, _, stem = net.__module__.rpartition(".")
        if home == _PACKAGE and stem != card.name:
            raise ValueError(f"The card in {stem}.py is named {card.name!r}, expected {stem!r}.")
        known = _CLASSES.get(card.name)
        if known is not None and known.__module__ != net.__module__:
            raise ValueError(f"Detector {card.name!r} is already defined in {known.__module__}.")
        type.__setattr__(net, "card", card)
        _CLASSES[card.name] = net
        return net

    return register


def list_detectors() -> list[str]:
    """Names of all detectors, sorted. Reads file names only, so that torch stays unloaded."""
    package = importlib.import_module(_PACKAGE)
    found = (m.name for m in pkgutil.iter_modules(package.__path__) if not m.ispkg)
    return sorted({name for name in found if not name.startswith("_")} | _CLASSES.keys())


def get_card(name: str) -> Card:
    """The card of one detector.

    Raises:
        UnknownNameError: there is no such detector; the message lists the known ones.
    """
    return cast(Card, vars(_class_of(name))["card"])


def default_detectors() -> list[str]:
    """Names of the detectors whose cards say that a scan uses them when none is named."""
    return [name for name in list_detectors() if get_card(name).is_default]


def build(card: Card) -> nn.Module:
    """An untrained network in train mode, made with ``card.args``, with ``.card`` set.

    A card that was changed with ``dataclasses.replace`` builds the changed network.
    """
    net = _class_of(card.name)
    module = net(**card.args)
    if card is not vars(net)["card"]:
        vars(module)["card"] = card
    return module.train()


def _class_of(name: str) -> type[nn.Module]:
    if name not in _CLASSES:
        known = list_detectors()
        if name not in known:
            raise UnknownNameError(explain_unknown("detector", name, known))
        importlib.import_module(f"{_PACKAGE}.{name}")
    return _CLASSES[name]
