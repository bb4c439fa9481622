"""Fills the import table of CONTRIBUTING.md from tests/import_table.toml, which the tests keep."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "tests" / "import_table.toml"
_BLOCK = re.compile(r"(<!-- import table -->\n).*?(<!-- end -->)", re.DOTALL)


def fill(text: str, table: Path = TABLE) -> str:
    """The text with the block of the import table made anew."""
    return _BLOCK.sub(lambda found: f"{found[1]}{rows(table)}{found[2]}", text)


def rows(table: Path = TABLE) -> str:
    """The table in Markdown, lowest level first; rooms of a level that may import the same share
    a row.
    """
    data = tomllib.loads(table.read_text(encoding="utf-8"))
    limits, sideways = data["may_import"], data["sideways"]
    lines = ["| level | rooms | may import |", "| --- | --- | --- |"]
    for level in data["levels"]:
        name = level["name"]
        by_text: dict[str, list[str]] = {}
        for room in level["rooms"]:
            limit = limits.get(room, limits.get(name))
            text = "all levels above" if limit is None else _code(limit) or "nothing"
            if room in sideways:
                text += f", {_code(sideways[room])}"
            by_text.setdefault(text, []).append(room)
        lines += [f"| {name} | {_code(rooms)} | {text} |" for text, rooms in by_text.items()]
    return "\n".join(lines) + "\n"


def _code(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
