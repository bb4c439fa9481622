"""The result as Markdown: aims first, then each candidate, then who wins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def to_markdown(result: Mapping[str, Any]) -> str:
    """Tables of what ``candidates.json`` holds."""
    parts = ["# Candidates", f"`{result['command']}`, {result['date']}. {result['read']}"]
    parts += ["## Which one", _told_winner(result)]
    for pair in result["compared"]:
        parts += [f"### {pair['a']} less {pair['b']}", _differences(pair)]
    for name, one in result["candidates"].items():
        parts += [f"## {name}", f"`{one['weights']}`, sha256 {one['weights_sha256'][:8]}…"]
        parts += [
            _table(
                ("aim", "asked", "value", "95 % interval", "n", "reached"),
                (
                    (row["figure"], row["asked"], *_cells(row), row["reached"])
                    for row in one["aims"]
                ),
            ),
            _table(
                ("figure", "value", "95 % interval", "n"),
                ((key, *_cells(row)) for key, row in one["figures"].items()),
            ),
            "Each source left out, judged by the others:",
            _left_out(one["sources_left_out"], "AUC"),
            "Each tool left out, with all of its sources:",
            _left_out(one["tools_left_out"], "AUC against real videos of its sources"),
        ]
    return "\n\n".join(parts) + "\n"


def _told_winner(result: Mapping[str, Any]) -> str:
    names = list(result["candidates"])
    if len(names) < 2:
        return f"One candidate, {names[0]}: nothing to compare it with."
    lines = [
        f"By {result['main']}, 95 % intervals: "
        + (f"**{result['winner']}**." if result["winner"] else "no difference.")
    ]
    for what in ("source", "tool"):
        chosen = result["chosen_apart"][what]
        times = ", ".join(f"{name} {count}" for name, count in chosen["times chosen"].items())
        lines.append(
            f"Choosing without one {what}: mean AUC {_number(chosen['mean AUC'])} on what was "
            f"left out ({chosen['folds']} folds; {times})."
        )
    return "\n".join(lines)


def _differences(pair: Mapping[str, Any]) -> str:
    rows = [(name, *_cells(one), one["better"] or "-") for name, one in pair["differences"].items()]
    delong = pair["DeLong of the pooled AUC"]
    rows.append(
        ("pooled AUC, DeLong", *_cells({**delong, "n": f"p = {delong.get('p', '-')}"}), "-")
    )
    decision = pair["better"] or "no difference"
    return (
        _table(("figure", "difference", "95 % interval", "n", "better"), rows)
        + f"\n\nDecided: {decision}."
    )


def _left_out(parts: Mapping[str, Any], area: str) -> str:
    return _table(
        ("left out", "threshold", "found", "false alarms", "AUC"),
        (
            (
                name,
                _number(part.get("threshold")),
                _share(part.get("found")),
                _share(part.get("false alarms")),
                _number(part[area]),
            )
            for name, part in parts.items()
        ),
    )


def _cells(row: Mapping[str, Any]) -> tuple[str, str, str]:
    ends = row.get("interval")
    shown = f"{_number(ends[0])} to {_number(ends[1])}" if ends else row.get("note", "-")
    return _number(row["value"]), shown, row["n"]


def _share(part: Mapping[str, Any] | None) -> str:
    return f"{part['over']} of {part['of']}" if part and part["of"] else "-"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)
