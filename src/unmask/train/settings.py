"""``--set key=value``: changes single fields of a card's recipe, input or network arguments."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import get_args, get_type_hints

from unmask.detectors import Card, Pretraining
from unmask.detectors.recipe import places
from unmask.errors import UnknownNameError, UsageError, explain_unknown
from unmask.types import InputSpec

_FIXED = frozenset({"loss", "mixup"})
_OF_STAGES = frozenset(
    {"optimizer", "learning_rate", "betas", "eps", "momentum", "weight_decay", "gradient_clip"}
    | {"batch_size", "epochs", "steps_per_epoch", "accumulate", "patience", "precision", "seed"}
    | {"schedule", "schedule_epochs", "schedule_factor", "schedule_times"}
    | {"augment", "mixup", "sampling", "monitor"}
)
"""What of a recipe has a meaning where classes are told apart."""


_FORMER_STARTS = frozenset(
    {"start", "center_on_real_clips", "start_from_changes", "start_from_real_faces"}
)
"""Methods that ``start`` could name in earlier versions; records of runs hold them."""


def apply_settings(card: Card, settings: Sequence[str]) -> Card:
    """Returns the card with ``key=value`` settings applied.

    A key is a field of the recipe (``epochs``), ``input.`` and a field of the input spec
    (``input.size``), or an argument of the network (``width``). Values are Python literals;
    what is no literal is taken as text, ``none`` as None.

    Raises:
        UsageError: a setting without ``=``, or a value that the key does not take.
        UnknownNameError: an unknown key; the message lists the known ones.
    """
    return _applied(card, settings, frozenset(places()) - _FIXED)


def apply_pretraining_settings(
    card: Card, pretraining: Pretraining, settings: Sequence[str]
) -> Card:
    """The card with a pretraining's recipe and input, settings applied as for a detector.

    Raises:
        UsageError: as for a detector.
        UnknownNameError: as for a detector; of a recipe, a pretraining knows less.
    """
    staged = dataclasses.replace(card, recipe=pretraining.recipe, input=pretraining.input)
    return _applied(staged, settings, _OF_STAGES)


def _applied(card: Card, settings: Sequence[str], recipe: frozenset[str]) -> Card:
    inputs = {f"input.{f.name}" for f in fields(card.input)}
    known = sorted(recipe | inputs | set(card.args))
    hints = get_type_hints(InputSpec)
    for setting in _of_today(settings):
        key, equals, text = setting.partition("=")
        if not equals:
            raise UsageError(f"Cannot use the setting '{setting}': expected key=value.")
        if key not in known:
            raise UnknownNameError(explain_unknown("setting", key, known))
        value = _value(text)
        if key in recipe:
            card = card.changed(recipe={key: value})
        elif key in inputs:
            name = key.removeprefix("input.")
            if value is None and text in get_args(hints[name]):
                value = text  # "none" is a way to align, too.
            card = card.changed(input={name: value})
        else:
            if value is None and isinstance(card.args[key], str):
                value = text  # "none" can be the name of a variant.
            card = card.changed(args={key: value})
    return card


def _of_today(settings: Sequence[str]) -> list[str]:
    """Settings of earlier versions, which named methods of the network, as today's.

    >>> _of_today(["start=start_from_changes", "start=none", "adversary_step=none", "epochs=3"])
    ['start=true', 'start=false', 'epochs=3']
    """
    found = []
    for setting in settings:
        key, _, text = setting.partition("=")
        if key == "start" and text in _FORMER_STARTS:
            setting = "start=true"
        elif key == "start" and text.lower() == "none":
            setting = "start=false"
        if key != "adversary_step":  # ``adversary`` alone says whether there is one.
            found.append(setting)
    return found


def _value(text: str) -> object:
    if text.lower() in {"none", "true", "false"}:
        return {"none": None, "true": True, "false": False}[text.lower()]
    try:
        value: object = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return value


def differing_settings(card: Card, other: Card) -> list[str]:
    """The settings that give a card the arguments and the input of another one."""
    pairs = [(f"input.{f.name}", card.input, other.input, f.name) for f in fields(card.input)]
    changed = [
        (key, getattr(theirs, name))
        for key, ours, theirs, name in pairs
        if getattr(ours, name) != getattr(theirs, name)
    ]
    changed += [(key, value) for key, value in other.args.items() if card.args[key] != value]
    return [f"{key}={value!r}" for key, value in changed]


def describe(card: Card) -> dict[str, dict[str, object]]:
    """Recipe, input and network arguments of a card, for JSON and for checkpoints."""
    return {
        "recipe": {key: _plain(value) for key, value in card.recipe.values().items()},
        "input": {f.name: _plain(getattr(card.input, f.name)) for f in fields(card.input)},
        "args": dict(card.args),
    }


def _plain(value: object) -> object:
    if callable(value):
        return getattr(value, "__qualname__", repr(value))
    if isinstance(value, Mapping):
        return dict(value)
    return value
