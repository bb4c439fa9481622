"""Fills the table of docs/corruptions.md from the registry of corruptions."""

from __future__ import annotations

import re

from unmask.corruptions import CORRUPTIONS, SEVERITIES

_BLOCK = re.compile(r"(<!-- corruptions -->\n).*?(<!-- end -->)", re.DOTALL)


def fill(text: str) -> str:
    """The text with the block of the corruptions made anew."""
    return _BLOCK.sub(lambda found: f"{found[1]}{rows()}{found[2]}", text)


def rows() -> str:
    """The table in Markdown: a row for each corruption, its parameter at every severity."""
    lines = [
        f"| kind | parameter | {' | '.join(map(str, SEVERITIES))} |",
        "|---|---|" + "---|" * len(SEVERITIES),
    ]
    for name, corruption in CORRUPTIONS.items():
        values = " | ".join(f"{value:g}" for value in corruption.values)
        lines.append(f"| `{name}` | {corruption.parameter} | {values} |")
    return "\n".join(lines) + "\n"
