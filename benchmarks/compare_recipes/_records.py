"""Records of runs in ``benchmarks/runs``: settings, cost, curve and scores.

What is judged is the same for all runs, so it stands once in ``recipe_items.json``; a record holds
numbers in that order.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from unmask.errors import DataError

PREFIX: Final = "recipe-"
ITEMS: Final = "recipe_items.json"
_ITEM_FIELDS: Final = 5

Record = dict[str, Any]


def record_path(folder: Path, name: str) -> Path:
    """Where the record of a run stands."""
    return folder / f"{PREFIX}{name}.json"


def write_record(folder: Path, name: str, record: Mapping[str, Any]) -> Path:
    """Writes a run's record; ``scores`` holds rows as ``scores_of`` makes them.

    Raises:
        DataError: the rows are not of what earlier runs were judged on.
    """
    scores = record["scores"]
    items = {kind: [row[:_ITEM_FIELDS] for row in rows] for kind, rows in scores.items()}
    values = {kind: [row[_ITEM_FIELDS:] for row in rows] for kind, rows in scores.items()}
    folder.mkdir(parents=True, exist_ok=True)
    listed = folder / ITEMS
    if not listed.is_file():
        listed.write_text(_lines(items))
    if json.loads(listed.read_text()) != items:
        raise DataError(
            f"Cannot write the record of {name}: it was judged on other videos or pairs than those "
            f"in '{listed}'. Judge all runs on one media pack, or give another folder with --out."
        )
    path = record_path(folder, name)
    partial = path.with_suffix(".part")
    partial.write_text(_lines({**record, "scores": values}))
    partial.replace(path)
    return path


def read_records(folder: Path) -> dict[str, Record]:
    """The records of all runs by name, with rows of scores."""
    listed = folder / ITEMS
    items = json.loads(listed.read_text()) if listed.is_file() else {}
    found = {}
    for file in sorted(folder.glob(f"{PREFIX}*.json")):
        record = json.loads(file.read_text())
        record["scores"] = {
            kind: [[*item, *row] for item, row in zip(items[kind], rows, strict=True)]
            for kind, rows in record["scores"].items()
        }
        found[file.stem.removeprefix(PREFIX)] = record
    return found


def _lines(content: Mapping[str, Any]) -> str:
    """JSON without blanks, a line for each member."""
    members = (
        f"{json.dumps(k)}:{json.dumps(v, separators=(',', ':'))}" for k, v in content.items()
    )
    return "{" + ",\n".join(members) + "}\n"
