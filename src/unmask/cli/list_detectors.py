"""``unmask list``: the detectors there are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from unmask.cli.printing import show_table

if TYPE_CHECKING:
    from unmask.detectors import Paper


def list_detectors(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the detectors, their papers, and where their weights are."""
    from unmask.cli.weights_state import in_words, states_of
    from unmask.detectors import get_card
    from unmask.detectors import list_detectors as names

    cards = [get_card(name) for name in names()]
    if as_json:
        rows = [
            {
                "name": card.name,
                "summary": card.summary,
                "is_default": card.is_default,
                "paper": card.paper.title,
                "venue": card.paper.venue,
                "year": card.paper.year,
                "weights": [
                    {"tag": entry.tag, "state": state, "license": entry.license}
                    for _, entry, state, _ in states_of(card)
                ],
            }
            for card in cards
        ]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    show_table(
        ("NAME", "SUMMARY", "PAPER", "LICENSE", "WEIGHTS"),
        [
            (
                card.name,
                card.summary,
                _short(card.paper),
                ", ".join(dict.fromkeys(entry.license for entry in card.weights)) or "-",
                in_words(card),
            )
            for card in cards
        ],
    )


def _short(paper: Paper) -> str:
    """The paper as one cites it in passing."""
    first, *others = paper.authors.split(", ")
    return f"{first.split()[-1]}{' et al.' if others else ''} {paper.year}"
