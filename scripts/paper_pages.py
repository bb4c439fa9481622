"""The pages docs/reproduce/PAPER.md: every table of a paper with the commands that make ours."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from markdown_tables import table

from unmask.detectors import get_card
from unmask.papers import protocols
from unmask.papers.protocol import Protocol
from unmask.papers.registry import PROTOCOLS
from unmask.papers.show import remarks, shown_values, training_lines
from unmask.papers.trainings import trainings

_NAMES = {
    "faceforensics": "FF",
    "celeb_df": "CELEB",
    "dfdc_preview": "PREVIEW",
}


def paper_names() -> tuple[str, ...]:
    """Short names of the papers, in the order of their protocols."""
    return tuple(dict.fromkeys(protocol.paper for protocol in PROTOCOLS))


def paper_page(name: str) -> str:
    """One paper: its tables as published, what ours differ in, and the commands of ours."""
    mine = [protocol for protocol in PROTOCOLS if protocol.paper == name]
    about = inspect.getdoc(getattr(protocols, name)) or ""
    lines = [f"# Commands: {name}", "", " ".join(about.split()), ""]
    lines += [
        "`unmask evaluate paper:NAME/TABLE` prints each table with ours beside it; "
        "[Reproducing the papers](../reproduce.md) explains data and tables. A command "
        "of an earlier table on this page is not repeated.",
        "",
    ]
    seen: set[str] = set()
    for protocol in mine:
        lines += _section(protocol, seen)
    return "\n".join(lines).rstrip() + "\n"


def _section(protocol: Protocol, seen: set[str]) -> Iterator[str]:
    yield from (f"## {protocol.table}", "", f"{_sentence(protocol.title)} ({protocol.kind}).", "")
    if protocol.published:
        rows = [(model, *shown_values(protocol, values)) for model, values in protocol.published]
        yield table(("published", *protocol.headings), rows)
    for remark in remarks(protocol):
        yield f"- {remark}"
    if remarks(protocol):
        yield ""
    found = [t for name in protocol.detectors for t in trainings(protocol, get_card(name))]
    commands = [line for line in training_lines(found, []) if line not in seen]
    seen |= set(commands)
    yield from (
        "```bash",
        *commands,
        *([""] if commands else []),
        *_evaluation(protocol),
        "```",
        "",
    )


def _evaluation(protocol: Protocol) -> list[str]:
    """The lines that measure the table."""
    if protocol.elsewhere:
        return [protocol.elsewhere]
    sets = dict.fromkeys((protocol.train_dataset, *protocol.datasets))
    words = ["unmask evaluate", f"paper:{protocol.name}"]
    words += [f"--data {_NAMES.get(name, name.upper())} --dataset {name}" for name in sets]
    words += [f"-d {name}" for name in protocol.detectors]
    return [" ".join([*words, "-w … -o RESULTS"])]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
