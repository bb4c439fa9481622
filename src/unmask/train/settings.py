"""``--set key=value``: changes single fields of a card's recipe, input or network arguments."""

from __future__ import annotations

import ast
import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from types import NoneType, UnionType
from typing import Literal, Union, get_args, get_origin, get_type_hints

from unmask.detectors import Card, Recipe
from unmask.detectors._card import Stage
from unmask.errors import UnknownNameError, UsageError
from unmask.types import InputSpec

_FIXED = frozenset({"loss", "mixup"})
_OF_STAGES = frozenset(
    {"optimizer", "learning_rate", "betas", "eps", "momentum", "weight_decay", "gradient_clip"}
    | {"batch_size", "epochs", "steps_per_epoch", "accumulate", "patience", "precision", "seed"}
    | {"schedule", "schedule_epochs", "schedule_factor", "schedule_times"}
    | {"augment", "mixup", "sampling", "monitor"}
)
"""What of a recipe has a meaning where classes are told apart."""

_FROM_ZERO = frozenset({"seed", "warmup_epochs"})


def apply_settings(card: Card, settings: Sequence[str]) -> Card:
    """Returns the card with ``key=value`` settings applied.

    A key is a field of the recipe (``epochs``), ``input.`` and a field of the input spec
    (``input.size``), or an argument of the network (``width``). Values are Python literals;
    what is no literal is taken as text, ``none`` as None.

    Raises:
        UsageError: a setting without ``=``, or a value that the key does not take.
        UnknownNameError: an unknown key; the message lists the known ones.
    """
    return _applied(card, settings, frozenset(f.name for f in fields(card.recipe)) - _FIXED)


def apply_stage_settings(card: Card, stage: Stage, settings: Sequence[str]) -> Card:
    """The detector's card with a stage's recipe and input, settings applied as for a detector.

    Raises:
        UsageError: as for a detector.
        UnknownNameError: as for a detector; of a recipe, a stage knows less.
    """
    staged = dataclasses.replace(card, recipe=stage.recipe, input=stage.input)
    return _applied(staged, settings, _OF_STAGES)


def _applied(card: Card, settings: Sequence[str], recipe: frozenset[str]) -> Card:
    inputs = {f"input.{f.name}" for f in fields(card.input)}
    known = sorted(recipe | inputs | set(card.args))
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise UsageError(f"Cannot use the setting '{setting}': expected key=value.")
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            raise UnknownNameError(f"Unknown setting '{key}'.{hint} Known: {', '.join(known)}.")
        value = _value(text)
        if key in recipe:
            _check_field(card.recipe, key, key, value)
            changed = dataclasses.replace(card.recipe, **{key: value})  # type: ignore[arg-type]
            card = dataclasses.replace(card, recipe=changed)
        elif key in inputs:
            name = key.removeprefix("input.")
            if value is None and _fits(text, get_type_hints(InputSpec)[name]):
                value = text  # "none" is a way to align, too.
            _check_field(card.input, key, name, value)
            spec = dataclasses.replace(card.input, **{name: value})  # type: ignore[arg-type]
            card = dataclasses.replace(card, input=spec)
        else:
            if value is None and isinstance(card.args[key], str):
                value = text  # "none" can be the name of a variant.
            _check_argument(key, card.args[key], value)
            card = dataclasses.replace(card, args={**card.args, key: value})
    return card


def _value(text: str) -> object:
    if text.lower() in {"none", "true", "false"}:
        return {"none": None, "true": True, "false": False}[text.lower()]
    try:
        value: object = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return value


def describe(card: Card) -> dict[str, dict[str, object]]:
    """Recipe, input and network arguments of a card, for JSON and for checkpoints."""
    return {
        "recipe": {f.name: _plain(getattr(card.recipe, f.name)) for f in fields(card.recipe)},
        "input": {f.name: _plain(getattr(card.input, f.name)) for f in fields(card.input)},
        "args": dict(card.args),
    }


def _plain(value: object) -> object:
    if callable(value):
        return getattr(value, "__qualname__", repr(value))
    if isinstance(value, Mapping):
        return dict(value)
    return value


def _check_field(owner: Recipe | InputSpec, key: str, name: str, value: object) -> None:
    """Refuses a value that the field's annotation does not allow."""
    hint = get_type_hints(type(owner), localns={"Tensor": object})[name]
    if not _fits(value, hint):
        raise UsageError(f"Cannot set {key}={value!r}: expected {_in_words(hint)}.")
    least = 0 if name in _FROM_ZERO else 1
    if hint in (int, int | None) and isinstance(value, int) and value < least:
        raise UsageError(
            f"Cannot set {key}={value!r}: expected a whole number of at least {least}."
        )


def _fits(value: object, hint: object) -> bool:
    kind, parts = get_origin(hint), get_args(hint)
    if kind is Literal:
        return value in parts
    if kind in (Union, UnionType):
        return any(_fits(value, part) for part in parts)
    if kind is tuple:
        if not isinstance(value, tuple):
            return False
        inner = parts[:1] * len(value) if parts[-1] is Ellipsis else parts
        return len(value) == len(inner) and all(map(_fits, value, inner))
    if kind is not None and issubclass(kind, Mapping):
        return isinstance(value, Mapping) and all(
            _fits(key, parts[0]) and _fits(one, parts[1]) for key, one in value.items()
        )
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is hint or (hint is NoneType and value is None)


def _in_words(hint: object) -> str:
    """What an annotation allows, as a person would say it.

    >>> _in_words(Literal["adam", "sgd"] | None)
    "'adam', 'sgd' or none"
    """
    kind, parts = get_origin(hint), get_args(hint)
    if kind is Literal:
        return ", ".join(map(repr, parts))
    if kind in (Union, UnionType):
        return " or ".join(map(_in_words, parts))
    names: dict[object, str] = {
        int: "a whole number",
        float: "a number",
        str: "a text",
        NoneType: "none",
    }
    return names.get(hint, str(hint))


def _check_argument(key: str, old: object, new: object) -> None:
    """Refuses a value of another type than the present one; a whole number serves as a float."""
    if type(old) is type(new):
        return
    if isinstance(old, float) and isinstance(new, int) and not isinstance(new, bool):
        return
    raise UsageError(
        f"Cannot set {key}={new!r}: expected a {type(old).__name__} like {old!r}, "
        f"got a {type(new).__name__}."
    )
