"""A paper's table beside ours, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from unmask.detectors import get_card
from unmask.evaluate.data import Data
from unmask.evaluate.print_tables import show_value
from unmask.evaluate.tables import RULES
from unmask.metrics.registry import get_metric
from unmask.papers.measure import Ours, missing_reason, missing_weights
from unmask.papers.protocol import Protocol
from unmask.papers.trainings import TrainingSpec, trainings

_PAPER = {False: "paper", True: "paper, other data"}


def show_protocol(protocol: Protocol, data: Sequence[Data], ours: Sequence[Ours] = ()) -> str:
    """A Markdown table of the paper's rows and ours; without ours, what it takes.

    Args:
        protocol: what to show.
        data: all data sets at hand.
        ours: of ``run_protocol``.
    """
    head, lines = ["", *protocol.headings], []
    for model, values in protocol.published:
        label = f"{_PAPER[bool(protocol.stand_in)]}: {model}"
        lines.append([label, *shown_values(protocol, values)])
    notes: dict[str, int] = {}
    for one in ours:
        for found in one.values:
            if found.note:
                notes.setdefault(found.note, len(notes) + 1)
        named = zip(protocol.columns.values(), one.values, strict=True)
        shown = [
            show_value(found, notes, is_share=get_metric(cells[0].metric).is_share)
            for cells, found in named
        ]
        lines.append([f"ours: {', '.join(filter(None, (one.detector, one.row)))}", *shown])
    text = f"{protocol.name} ({protocol.kind}): {protocol.title}\n"
    if lines:
        rows = [head, ["---"] * len(head), *lines]
        text += "\n" + "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"
    lines_below = [f"[{number}] {note}" for note, number in notes.items()]
    lines_below += remarks(protocol, ours)
    if protocol.elsewhere:
        lines_below.append(f"Made by: {protocol.elsewhere}")
    if ours:
        lines_below += _missing_trainings(protocol, data, ours)
    else:
        lines_below += _what_it_takes(protocol, data)
    return text + "".join(f"\n{line}  " for line in lines_below) + ("\n" if lines_below else "")


def shown_values(protocol: Protocol, values: Sequence[float | None]) -> list[str]:
    """Published values with the decimals of their table; "-" where the paper has none."""
    digits = _digits(protocol)
    return ["-" if value is None else f"{value:.{digits}f}" for value in values]


def remarks(protocol: Protocol, ours: Sequence[Ours] = ()) -> list[str]:
    """What a reader of a table must know: notes, changed recipes, threshold and starts.

    Args:
        protocol: of the table.
        ours: of ``run_protocol``; none: the detectors that the protocol names.
    """
    return [
        *filter(None, (protocol.stand_in, *protocol.notes)),
        *(
            f"{change.detector} is trained with {', '.join(change.settings)}: {change.reason}"
            for change in protocol.changes
        ),
        *(
            [f"Of a test video the first {protocol.frames} frames count."]
            if protocol.frames
            else []
        ),
        *_measured_how(protocol),
        *_starts(protocol, ours),
    ]


def to_json(protocol: Protocol, data: Sequence[Data], ours: Sequence[Ours] = ()) -> str:
    """The same as JSON; shares of ours are 0..1, the paper's values as it prints them.

    Args:
        protocol: what to show.
        data: all data sets at hand.
        ours: of ``run_protocol``.
    """
    detectors = dict.fromkeys(one.detector for one in ours)
    cards = [get_card(name) for name in detectors or protocol.detectors]
    found: dict[str, object] = {
        "protocol": protocol.name,
        "kind": protocol.kind,
        "title": protocol.title,
        "stand_in": protocol.stand_in,
        "notes": list(protocol.notes),
        "elsewhere": protocol.elsewhere,
        "columns": list(protocol.headings),
        "published": [{"model": model, "values": list(v)} for model, v in protocol.published],
        "ours": [
            {
                "detector": one.detector,
                "row": one.row,
                "values": [value._asdict() for value in one.values],
            }
            for one in ours
        ],
        "missing": _missing_data(protocol, data),
        "trainings": [
            {
                "weights": t.key,
                "before": list(t.commands_before(_places(data))),
                "command": t.command(_places(data)),
            }
            for card in cards
            for t in trainings(protocol, card)
        ],
    }
    return json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False)


def training_lines(found: Sequence[TrainingSpec], data: Sequence[Data]) -> list[str]:
    """The command that trains each model, and what its weights are given by.

    Args:
        found: of ``trainings``.
        data: all data sets at hand.
    """
    places, lines = _places(data), list[str]()
    for training in found:
        lines += training.commands_before(places)
        lines.append(f"{training.command(places)}  # -w {training.key}=FILE")
    return list(dict.fromkeys(lines))


def _measured_how(protocol: Protocol) -> list[str]:
    metrics = [get_metric(cell.metric) for cell in protocol.cells]
    if not any(metric.needs_threshold for metric in metrics):
        return []
    return [f"Accuracies are measured at {RULES[protocol.threshold]}."]


def _starts(protocol: Protocol, ours: Sequence[Ours]) -> list[str]:
    """What the rows begin with, where they do not all begin alike."""
    names = dict.fromkeys(one.detector for one in ours) or protocol.detectors
    found: dict[str, list[str]] = {}
    for card in map(get_card, names):
        for training in trainings(protocol, card):
            row = ", ".join(filter(None, (card.name, training.row)))
            found.setdefault(training.start, []).append(row)
    if len(found) < 2:
        return []
    parts = [f"{start}: {'; '.join(dict.fromkeys(rows))}" for start, rows in found.items()]
    return [
        "Rows begin with different weights, which may explain part of a difference. "
        + ". ".join(f"{part[0].upper()}{part[1:]}" for part in parts)
    ]


def _missing_trainings(protocol: Protocol, data: Sequence[Data], ours: Sequence[Ours]) -> list[str]:
    """The commands for the weights that values of ours lack."""
    notes = {value.note for one in ours for value in one.values}
    cards = [get_card(name) for name in dict.fromkeys(one.detector for one in ours)]
    every = [training for card in cards for training in trainings(protocol, card)]
    return _training_lines([one for one in every if missing_weights(one) in notes], data)


def _what_it_takes(protocol: Protocol, data: Sequence[Data]) -> list[str]:
    """Which columns the data allow, and the trainings."""
    missing = _missing_data(protocol, data)
    columns = [f"{column}: {why or 'can be measured'}" for column, why in missing.items()]
    cards = [get_card(name) for name in protocol.detectors]
    return [
        *columns,
        *_training_lines([one for card in cards for one in trainings(protocol, card)], data),
    ]


def _training_lines(found: Sequence[TrainingSpec], data: Sequence[Data]) -> list[str]:
    return ["Trainings:", *(f"    {line}" for line in training_lines(found, data))] if found else []


def _missing_data(protocol: Protocol, data: Sequence[Data]) -> dict[str, str]:
    """By column, what of the data is not there; empty if everything is."""
    return {
        column: next(filter(None, (missing_reason(protocol, cell, data) for cell in cells)), "")
        for column, cells in protocol.columns.items()
    }


def _places(data: Sequence[Data]) -> dict[str, Path]:
    return {row.dataset: root for rows, root in data for row in rows[:1]}


def _digits(protocol: Protocol) -> int:
    """Decimals of the published values."""
    given = [repr(v) for _, values in protocol.published for v in values if v is not None]
    return max((len(text.partition(".")[2]) for text in given), default=1)
