"""What a weights file says of the network that it was trained as, and of what that was fed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

from unmask.detectors.card import Card
from unmask.errors import UnknownNameError, UsageError, WeightsError

ARGS, INPUT = "args", "input"


def card_of_file(card: Card, metadata: Mapping[str, str], path: Path) -> Card:
    """The card with the arguments and the input that a file's metadata name.

    What they do not name stays; a file that names nothing gives the card itself.

    Raises:
        WeightsError: they cannot be read, or name what the detector does not have.
    """
    args, spec = (_read(metadata, key, path) for key in (ARGS, INPUT))
    args = {key: value for key, value in args.items() if card.args.get(key, _Nothing) != value}
    fields = dataclasses.asdict(card.input)
    spec = {key: value for key, value in spec.items() if fields.get(key, _Nothing) != value}
    if not args and not spec:
        return card
    try:
        return card.changed(args=args, input=spec)
    except (UnknownNameError, UsageError) as error:
        raise WeightsError(
            f"Weights '{path}' are of a {card.name} that this version of unmask cannot build: "
            f"{error} Use the version that wrote them, or train anew."
        ) from error


class _Nothing:
    """Equals no value of a card."""


def _read(metadata: Mapping[str, str], key: str, path: Path) -> dict[str, object]:
    try:
        found = json.loads(metadata.get(key, "{}"))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise WeightsError(
            f"Weights '{path}' are damaged: their {key} are {metadata[key][:40]!r}, expected a "
            "JSON object. Give another copy of the file."
        )
    # JSON has no tuples, and no card has a list.
    return {k: _as_tuple(value) for k, value in found.items()}


def _as_tuple(value: object) -> object:
    return tuple(map(_as_tuple, value)) if isinstance(value, list) else value
