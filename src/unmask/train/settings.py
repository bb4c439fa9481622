"""``--set key=value``: changes single fields of a card's recipe, input or network arguments."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Sequence

from unmask.detectors import Card
from unmask.errors import UnknownNameError, UsageError

_FIXED = frozenset({"loss"})


def apply_settings(card: Card, settings: Sequence[str]) -> Card:
    """Returns the card with ``key=value`` settings applied.

    A key is a field of the recipe (``epochs``), ``input.`` and a field of the input spec
    (``input.size``), or an argument of the network (``width``). Values are Python literals;
    what is no literal is taken as text, ``none`` as None.

    Raises:
        UsageError: a setting without ``=``, or a value of the wrong type.
        UnknownNameError: an unknown key; the message lists the known ones.
    """
    recipe = {f.name for f in dataclasses.fields(card.recipe)} - _FIXED
    inputs = {f"input.{f.name}" for f in dataclasses.fields(card.input)}
    known = sorted(recipe | inputs | set(card.args))
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise UsageError(f"Cannot use the setting '{setting}': expected key=value.")
        if key not in known:
            raise UnknownNameError(f"Unknown setting '{key}'. Known: {', '.join(known)}.")
        value = _value(text)
        if key in recipe:
            _check(key, getattr(card.recipe, key), value)
            changed = dataclasses.replace(card.recipe, **{key: value})  # type: ignore[arg-type]
            card = dataclasses.replace(card, recipe=changed)
        elif key in inputs:
            name = key.removeprefix("input.")
            _check(key, getattr(card.input, name), value)
            spec = dataclasses.replace(card.input, **{name: value})  # type: ignore[arg-type]
            card = dataclasses.replace(card, input=spec)
        else:
            _check(key, card.args[key], value)
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


def _check(key: str, old: object, new: object) -> None:
    """Refuses a value of another type than the present one; a whole number serves as a float."""
    if old is None or new is None or type(old) is type(new):
        return
    if isinstance(old, float) and isinstance(new, int) and not isinstance(new, bool):
        return
    raise UsageError(
        f"Cannot set {key}={new!r}: expected a {type(old).__name__} like {old!r}, "
        f"got a {type(new).__name__}."
    )
