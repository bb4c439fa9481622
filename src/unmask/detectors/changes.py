"""A card with other values in its recipe, its input or its arguments, each of which is checked."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Literal, Union, get_args, get_origin, get_type_hints

from unmask.detectors.recipe import places
from unmask.errors import UnknownNameError, UsageError, explain_unknown
from unmask.types import InputSpec

if TYPE_CHECKING:
    from unmask.detectors.card import Card

_FROM_ZERO = frozenset({"seed", "warmup_epochs"})


def changed_card(
    card: Card,
    recipe: Mapping[str, object],
    input: Mapping[str, object],
    args: Mapping[str, object],
) -> Card:
    """See ``Card.changed``."""
    for key, value in recipe.items():
        if key not in places():
            raise UnknownNameError(explain_unknown("field of the recipe", key, sorted(places())))
        _, owner, name = places()[key]
        _check_value(key, _hints(owner)[name], value)
    for key, value in input.items():
        hints = _hints(InputSpec)
        if key not in hints:
            raise UnknownNameError(explain_unknown("field of the input", key, sorted(hints)))
        _check_value(f"input.{key}", hints[key], value)
    for key, value in args.items():
        if key not in card.args:
            kind = f"argument of {card.name}"
            raise UnknownNameError(explain_unknown(kind, key, sorted(card.args)))
        _check_argument(key, card.args[key], value)
    return dataclasses.replace(
        card,
        recipe=card.recipe.changed(recipe),
        input=dataclasses.replace(card.input, **input),  # type: ignore[arg-type]
        args={**card.args, **args},
    )


def fits(value: object, hint: object) -> bool:
    """Whether an annotation allows a value; a whole number serves as a float.

    >>> fits((96, 96), tuple[int, int] | None), fits(96, tuple[int, int]), fits(True, float)
    (True, False, False)
    """
    kind, parts = get_origin(hint), get_args(hint)
    if kind is Literal:
        return any(type(value) is type(part) and value == part for part in parts)
    if kind in (Union, UnionType):
        return any(fits(value, part) for part in parts)
    if kind is tuple:
        if not isinstance(value, tuple):
            return False
        inner = parts[:1] * len(value) if parts[-1] is Ellipsis else parts
        return len(value) == len(inner) and all(map(fits, value, inner))
    if kind is not None and issubclass(kind, Mapping):
        return isinstance(value, Mapping) and all(
            fits(key, parts[0]) and fits(one, parts[1]) for key, one in value.items()
        )
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is hint or (hint is NoneType and value is None)


def _hints(owner: type) -> dict[str, object]:
    """The annotations of a class's fields; torch stays unloaded."""
    unloaded = {"Tensor": object, "Output": object, "Target": object}
    return get_type_hints(owner, localns=unloaded)


def _check_value(key: str, hint: object, value: object) -> None:
    """Refuses a value that a field's annotation does not allow."""
    if not fits(value, hint):
        raise UsageError(f"Cannot set {key}={value!r}: expected {_in_words(hint)}.")
    least = 0 if key.removeprefix("input.") in _FROM_ZERO else 1
    if hint in (int, int | None) and isinstance(value, int) and value < least:
        raise UsageError(
            f"Cannot set {key}={value!r}: expected a whole number of at least {least}."
        )


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
        bool: "true or false",
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
