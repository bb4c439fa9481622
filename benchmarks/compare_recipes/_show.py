"""The table of all comparisons, as JSON and as Markdown, from the runs' records alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from benchmarks.compare_recipes._apart import chosen_apart
from benchmarks.compare_recipes._figures import (
    MAIN,
    SHOWN,
    differences,
    estimates,
    summed,
)
from benchmarks.compare_recipes._records import Record
from benchmarks.compare_recipes._score import chosen_score

READ: Final = (
    "Each run is a short training of one network from ImageNet on the same number of pictures, "
    "compared with its base on the same judged pictures. Intervals: bootstrap over sources, 95 %. "
    "They do not hold the noise of the training itself: the difference of two seeds of the base "
    "shows that. The first figure is the one to choose by; no run was chosen by videos of real "
    "tools."
)


def table(
    records: Mapping[str, Record], sums: Sequence[Sequence[str]], resamples: int
) -> dict[str, Any]:
    """Figures of every run, its differences from its base, and the same for sums of runs."""
    rows = {name: chosen_score(record, "class") for name, record in records.items()}
    rows |= {f"{name}, mask peak": chosen_score(r, "peak") for name, r in records.items()}
    rows |= {f"{name}, class + peak": chosen_score(r, "both") for name, r in records.items()}
    bases = {
        name: records[name.partition(",")[0]]["run"].get("base", "")
        if "," not in name
        else name.partition(",")[0]
        for name in rows
    }
    for names in sums:
        if all(name in records for name in names):
            label = " + ".join(names)
            rows[label] = summed([rows[name] for name in names])
            bases[label] = "shipped" if "shipped" in records else names[0]
    found = {}
    for name, one in rows.items():
        base = bases[name]
        found[name] = {"figures": estimates(one, resamples, SHOWN), "base": base}
        if base in rows and base != name:
            found[name]["less the base"] = differences(one, rows[base], resamples, SHOWN)
    trained = {name: rows[name] for name in records if name != "shipped"}
    apart = chosen_apart(trained, resamples) if len(trained) > 1 else None
    spent = sum(sum(record["cpu_s"].values()) for record in records.values())
    return {
        "read": READ,
        "main": MAIN,
        "chosen apart": apart,
        "runs": found,
        "cpu_hours": round(spent / 3600, 2),
    }


def to_markdown(result: Mapping[str, Any], records: Mapping[str, Record]) -> str:
    """What differs, the main figures, and the difference of the main figure from the base."""
    parts = ["# Comparisons of recipes", f"`{result['command']}`, {result['date']}."]
    parts += [result["read"], f"CPU hours behind the runs: {result['cpu_hours']}."]
    parts += ["## Against the base", _against_base(result, records)]
    if result["chosen apart"]:
        parts += ["## The run that other sources choose", _apart(result["chosen apart"])]
    parts += ["## Figures", _figure_table(result)]
    parts += ["## What the runs were", _runs(records)]
    return "\n\n".join(parts) + "\n"


def _against_base(result: Mapping[str, Any], records: Mapping[str, Record]) -> str:
    names = (MAIN, "pairs in order, raw", "pairs in order, crf32", "swaps, as is", "mask IoU, raw")
    rows = []
    for name, one in result["runs"].items():
        less = one.get("less the base")
        if less is not None:
            note = records[name]["run"].get("note", "") if name in records else ""
            rows.append([name, one["base"], note, *(_cell(less[key], "+.3f") for key in names)])
    return _lines(("run", "less", "what differs", *names), rows)


def _apart(one: Mapping[str, Any]) -> str:
    times = ", ".join(f"{name} {count}" for name, count in one["times chosen"].items())
    rows = [[key, _cell(figure, ".3f"), figure["n"]] for key, figure in one["figures"].items()]
    text = f"Each source is judged by the run with the highest {one['by']} on the others: {times}."
    return f"{text}\n\n{_lines(('figure', 'value and interval', 'n'), rows)}"


def _figure_table(result: Mapping[str, Any]) -> str:
    rows = [
        [name, *(f"{one['figures'][key]['value']:.3f}" for key in SHOWN)]
        for name, one in result["runs"].items()
    ]
    first = next(iter(result["runs"].values()))["figures"]
    counts = "; ".join(f"{key}: {first[key]['n']}" for key in SHOWN)
    return f"{_lines(('run', *SHOWN), rows)}\n\nHow many: {counts}."


def _runs(records: Mapping[str, Record]) -> str:
    rows = []
    for name, record in records.items():
        cpu = record["cpu_s"]
        spent = ", ".join(f"{key} {value:.0f}" for key, value in cpu.items())
        last = record["log"][-1]["in_order"] if record["log"] else float("nan")
        rows.append([name, record.get("images", "-"), spent, f"{last:.2f}", record["code"]])
    return _lines(("run", "pictures", "CPU seconds", "own pairs in order", "code"), rows)


def _cell(one: Mapping[str, Any], form: str) -> str:
    low, high = one["interval"]
    text = f"{one['value']:{form}} ({low:{form}} to {high:{form}})"
    return f"**{text}**" if form.startswith("+") and (low > 0 or high < 0) else text


def _lines(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)
