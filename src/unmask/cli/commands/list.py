"""``unmask list``: the detectors there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from unmask.cli import options
from unmask.cli.terminal import show_json, show_table

if TYPE_CHECKING:
    from unmask.detectors import Paper

app = typer.Typer()

_Available = Annotated[
    bool,
    typer.Option("--available", help="List only detectors whose weights are on this machine."),
]


@app.command("list")
def list_detectors(available: _Available = False, as_json: options.AsJson = False) -> None:
    """List the detectors, their papers, and where their weights are."""
    from unmask import detectors
    from unmask.weights.states import in_words, is_available, states_of

    cards = [detectors.get_card(name) for name in detectors.list_detectors()]
    if available:
        cards = [card for card in cards if is_available(card)]
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
        show_json(rows)
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
