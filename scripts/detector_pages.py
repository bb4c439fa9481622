"""The pages on detectors: docs/detectors.md and docs/detectors/NAME.md, read from the cards."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import torch
from markdown_tables import table

from unmask.detectors import Card, Weights, build

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "tests" / "fixtures"
LEARN = ROOT / "benchmarks" / "learn"

_INTRODUCTION = """# Detectors

A detector is a network. It gives one logit for each clip of a face; above 0 means fake. Only \
`screener` has weights in the package. The others need [weights](weights.md) that you download, \
import or [train](training.md).

Each name links to the detector's page: parameters, departures from the paper, weights, input, \
recipe. Everything here is read from the cards in `src/unmask/detectors`. \
[MODEL_CARD.md](../MODEL_CARD.md) measures the shipped weights; [how_it_works.md](how_it_works.md) \
explains how logits become a finding.
"""

_VERIFIED = """## Papers and verification

Every detector passes the same contract tests (`tests/detectors/test_contract.py`). The last \
column says what else was compared:

- *fixture*: outputs match those of the authors' code, with weights from a formula.
- *parts*: the same for some of its parts.
- *published file available*: the authors' trained file was imported and run.
- *layout only*: tensors have the names and shapes of published code; no output was compared.
- *not verified*: built from a description.
"""

_LEARNED = """## Short trainings

Short runs from a random start on two shared cores, in reduced size, on easy pseudo-forgeries of \
real videos (`python -m benchmarks learn NAME`; commands, settings and curves in \
`benchmarks/learn`). Nobody stands in both training and validation. These runs show that network, \
loss and recipe work together. They do not show how well a detector finds deepfakes.
"""


def index_page(cards: Sequence[Card]) -> str:
    """The tables over all detectors."""
    rows = [
        (
            f"[`{card.name}`](detectors/{card.name}.md)"
            + (" (default)" if card.is_default else ""),
            f"[{card.paper.title}]({card.paper.url}), {card.paper.venue}, {card.paper.year}",
            _weights_short(card.weights),
            ", ".join(sorted({entry.license for entry in card.weights})) or "no weights",
        )
        for card in cards
    ]
    head = ["name", "paper", "weights", "license of the weights"]
    return "\n".join([_INTRODUCTION, table(head, rows), verified(cards), *_learned(LEARN)])


def verified(cards: Iterable[Card]) -> str:
    """Which papers compare with a detector, and what its code was verified against."""
    rows = [
        (
            _link(card),
            ", ".join(card.compared_in) or "none",
            _verified(card),
        )
        for card in cards
    ]
    return f"{_VERIFIED}\n{table(['name', 'compared in', 'verified against'], rows)}"


def _link(card: Card) -> str:
    return f"[`{card.name}`](detectors/{card.name}.md)"


def detector_page(card: Card) -> str:
    """Everything on one detector's card."""
    paper = card.paper
    source = f"*{paper.title}*, {paper.authors}, {paper.venue}, {paper.year}. <{paper.url}>."
    code = f" Code: <{paper.code}>." if paper.code else ""
    differences = "\n".join(f"- {text}" for text in paper.differences) or "- none"
    return "\n".join(
        [
            f"# {card.name}\n",
            f"{card.summary.rstrip('.')}. [All detectors](../detectors.md)\n",
            f"{source}{code}\n",
            table(["fact", "value"], _facts(card)),
            "## Differences from the paper\n",
            f"{differences}\n",
            "## Weights\n",
            _weights_table(card.weights),
            "## Input\n",
            table(["field", "value"], _fields(card.input)),
            "## Recipe\n",
            "What is off (0, false, none) is left out.\n",
            table(["field", "value"], _set(card.recipe.values())),
        ]
    )


def _facts(card: Card) -> Iterator[tuple[str, str]]:
    with torch.device("meta"):  # sizes alone; no memory, no random numbers
        parameters = sum(weight.numel() for weight in build(card).parameters())
    yield "parameters", f"{parameters:,}"
    yield "outputs besides the logit", ", ".join(card.outputs) or "none"
    yield "layer for class activation maps", f"`{card.cam_layer}`" if card.cam_layer else "none"
    yield "clips of a face are joined by", f"`{card.aggregate}`"
    for name, value in sorted(card.args.items()):
        yield f"argument `{name}`", f"`{value!r}`"
    for name, pretraining in sorted(card.pretraining.items()):
        yield f"pretraining `{name}`", pretraining.summary
    yield "verified against", _verified(card)


def _learned(folder: Path) -> Iterator[str]:
    """What ``python -m benchmarks learn`` measured."""
    runs = [json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))]
    rows = []
    for run in runs:
        if isinstance(run, dict) and "validation" in run:
            metrics = run["validation"]
            low, high = metrics["auc_interval"]
            size = ", ".join(s for s in run["settings"] if s.startswith("input."))
            counts = f"{metrics['pairs']} pairs of {metrics['videos']} videos"
            auc = f"{metrics['auc']:.2f} ({low:.2f} to {high:.2f})"
            rows.append(
                (f"`{run['benchmark']}`", size, auc, counts, f"{run['hours']:.2f}", run["date"])
            )
    if rows:
        yield _LEARNED
        yield table(["name", "reduced to", "AUC (95 %)", "n", "hours", "date"], rows)


def _weights_short(weights: Sequence[Weights]) -> str:
    return ", ".join(f"`{entry.tag}` ({_where(entry)})" for entry in weights) or "none: train it"


def _where(weights: Weights) -> str:
    if weights.file is not None:
        return "in the package"
    return "download by its tag" if weights.url is not None else "import"


def _verified(card: Card) -> str:
    """How far a detector was compared with its authors' code, and whose numbers its tests use."""
    parts = [card.verified or "not stated"]
    for name in card.fixtures:
        source = json.loads((FIXTURES / name).read_text(encoding="utf-8"))["source"]
        code, commit = source.get("repo") or source["package"], source.get("commit", "")
        at = commit if " " in commit else commit[:7]
        parts.append(f"numbers of {code}{at and f' at {at}'} (`tests/fixtures/{name}`)")
    return "; ".join(parts)


def _weights_table(weights: Sequence[Weights]) -> str:
    if not weights:
        return "None. Without weights the network is untrained and its scores mean nothing.\n"
    rows = [
        (
            f"`{entry.tag}`" + (" (default)" if entry is weights[0] else ""),
            _where(entry) + (f": <{entry.url}>" if entry.url else ""),
            f"{entry.size_bytes:,} bytes" if entry.size_bytes else "",
            f"`{entry.sha256}`" if entry.sha256 else "",
            entry.license,
            entry.trained_on,
            entry.polarity,
        )
        for entry in weights
    ]
    head = ["tag", "where", "size", "SHA-256", "license", "trained on", "polarity"]
    return table(head, rows)


def _fields(thing: object) -> Iterator[tuple[str, str]]:
    """The fields of a dataclass that are set, those of dataclasses in it too.

    What is off (None, False, 0, empty) is left out, so that a new field changes few pages.
    """
    assert dataclasses.is_dataclass(thing)
    yield from _set({f.name: getattr(thing, f.name) for f in dataclasses.fields(thing)})


def _set(values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """The values that are set."""
    for key, value in values.items():
        if not value:
            continue
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            yield from _fields(value)
        else:
            yield f"`{key}`", _value(value)


def _value(value: object) -> str:
    """A function is named with its first line."""
    if callable(value):
        first = (inspect.getdoc(value) or "").split("\n")[0]
        return first or f"`{getattr(value, '__qualname__', 'function')}` of the detector's file"
    if isinstance(value, Mapping):
        value = dict(value)
    return f"`{value!r}`"
