"""Fills the results in pages written by hand, so that no number is typed.

What stands between ``<!-- results: KIND FILE -->`` and ``<!-- end -->`` is replaced by a table or
a sentence made of ``benchmarks/results/FILE.json``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from markdown_tables import table
from scipy.stats import binomtest

RESULTS = Path(__file__).resolve().parent.parent / "benchmarks" / "results"
CARD_OF = "screener"
MODEL_CARD = "[MODEL_CARD.md](MODEL_CARD.md)"
_GROUPS = {
    "face swaps": ("face swap",),
    "lip-sync and dubbing": ("lip-sync", "dubbing"),
    "animated portraits and reenactment": ("portrait", "photo animation", "reenactment"),
}
"""Kinds of manipulation, by words in the names of the tools."""

_BLOCK = re.compile(r"(<!-- results: (\w+) ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill(text: str) -> str:
    """The text with every block of results made anew.

    Raises:
        KeyError: a block names a kind of result that does not exist.
        FileNotFoundError: a block names a result that is not committed.
    """
    seen: set[str] = set()

    def block(found: re.Match[str]) -> str:
        begin, kind, name, end = found.groups()
        result = json.loads((RESULTS / f"{name}.json").read_text())
        lines = [_KINDS[kind](result).strip()]
        if kind not in _WITH_ORIGIN:
            lines += ["", "From the same run." if name in seen else _origin(result)]
            seen.add(name)
        return begin + "\n".join([*lines, end])

    return _BLOCK.sub(block, text)


def _origin(result: dict[str, Any]) -> str:
    return f"`{result['command']}`, {result['date']}, {_machine(result)}."


def _machine(result: dict[str, Any]) -> str:
    return f"{result['device']}, {result['cores']} cores"


def _between(interval: Sequence[float]) -> str:
    return f"{interval[0]:.2f} to {interval[1]:.2f}"


def _headline(result: dict[str, Any]) -> str:
    """One paragraph for the README."""
    found, alarms, undecided, videos = _shares(result)
    flagged = found.replace(" (", " manipulated videos (")
    accused = alarms.replace(" (", " real videos (")
    return (
        f"On {videos} validation videos, the default detector flagged {flagged} and {accused}. "
        f"{undecided} ended `inconclusive`. In parentheses: 95 % intervals. Measured on "
        f"{result['date']}; {MODEL_CARD} has the details and the kinds of manipulation."
    )


def _box(result: dict[str, Any]) -> str:
    """The first lines of the model card: what the shipped weights find."""
    found, alarms, undecided, videos = _shares(result)
    sources = len({row["source"] for row in result["scores"]})
    rows = [
        ["Manipulated videos found", found],
        ["By kind", "; ".join(f"{name}: {share}" for name, share in _by_group(result))],
        ["Real videos flagged (false alarms)", alarms],
        ["Videos left `inconclusive`", undecided],
        [
            "Measured on",
            f"{videos} videos from {sources} sources, most of them demo clips of public deepfake "
            "tools. Age, sex and skin color of the people were not recorded",
        ],
        [
            "How",
            f"each video judged by a calibration made without its source; {result['date']}, "
            f"{_machine(result)}; 95 % intervals (bootstrap over sources; Wilson for kinds and "
            "for `inconclusive`)",
        ],
    ]
    return table(["", "`screener`, the shipped weights"], rows)


def _shares(result: dict[str, Any]) -> tuple[str, str, str, int]:
    """Found, false alarms, inconclusive, each with n and interval; and the number of videos."""
    group = result["calibration"]["sources left out"]["as they are"]
    videos = group["real"] + group["forged"]
    keys = ("found", "false alarms", "misses", "nothing found in real ones")
    answered = sum(_hits(group[key]) for key in keys)
    shares = [_percent(group[key]["n"], group[key]["interval"]) for key in keys[:2]]
    undecided = videos - answered
    return *shares, _percent(f"{undecided} of {videos}", _wilson(undecided, videos)), videos


def _by_group(result: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What was found of each kind of manipulation, each tool judged without its source."""
    tools = result["calibration"]["tools left out"]
    for name in _GROUPS:
        group = [row["found"] for tool, row in tools.items() if _group_of(tool) == name]
        hits, count = sum(map(_hits, group)), sum(int(row["n"].split()[-1]) for row in group)
        yield name, _percent(f"{hits} of {count}", _wilson(hits, count))


def _group_of(tool: str) -> str:
    """The kind of manipulation that a tool makes, by the words of its description."""
    return next(name for name, words in _GROUPS.items() if any(word in tool for word in words))


def _hits(share: dict[str, Any]) -> int:
    return int(share["n"].split()[0])


def _wilson(hits: int, count: int) -> tuple[float, float]:
    bounds = binomtest(hits, count).proportion_ci(method="wilson")
    return bounds.low, bounds.high


def _percent(n: str, interval: Sequence[float]) -> str:
    return f"{n} ({100 * interval[0]:.0f} to {100 * interval[1]:.0f} %)"


def _overall(result: dict[str, Any]) -> str:
    within = result["within_source"]
    count = f"{len(within)} sources"
    return table(
        ["metric", "value", "95 % interval", "n"],
        [
            [
                "mean of the AUCs within sources",
                f"{result['within_source_auc_mean']:.2f}",
                _between(result["within_source_auc_interval"]),
                count,
            ],
            [
                "pooled AUC",
                f"{result['pooled_auc']:.2f}",
                _between(result["pooled_auc_interval"]),
                f"{result['real']} real, {result['fake']} fake",
            ],
            [
                "videos in which no face could decide",
                str(result["videos"] - result["decided"]),
                "",
                f"{result['videos']} videos",
            ],
        ],
    )


def _tools(result: dict[str, Any]) -> str:
    """The card's own detector, by forgery tool."""
    (mine,) = (one for one in result["detectors"] if one["detector"] == CARD_OF)
    rows = [
        [
            method,
            *_found(row["found"]),
            *_auc(row["AUC"]),
            f"{row['real']} real, {row['forged']} fake",
        ]
        for method, row in mine["tools"].items()
    ]
    head = ["tool", "found", "95 % interval", "AUC against all real videos"]
    return table([*head, "95 % interval", "n"], rows)


def _entrants(result: dict[str, Any]) -> str:
    """Every detector with weights, on all tools together."""
    rows = [
        [
            f"`{one['detector']}`, `{one['weights']}`",
            f"{one['within_source_auc_mean']:.2f}",
            _between(one["within_source_auc_interval"]),
            *_auc(one["tools"]["all"]["AUC"]),
            *_found(one["tools"]["all"]["found"]),
            *_found(one["false_alarms"]),
            len(one["unscored"]),
        ]
        for one in result["detectors"]
    ]
    between = "95 % interval"
    head = ["detector, weights", "mean of the AUCs within sources", between, "pooled AUC", between]
    return table([*head, "found", between, "false alarms", between, "unscored"], rows)


def _found(row: dict[str, Any]) -> tuple[str, str]:
    return f"{row['over']} of {row['of']}", _between(row["interval"]) if row["of"] else ""


def _auc(figure: dict[str, Any]) -> tuple[str, str]:
    if figure["value"] is None:
        return "not measurable", ""
    return f"{figure['value']:.2f}", _between(figure["interval"]) if figure["interval"] else ""


def _sources(result: dict[str, Any]) -> str:
    rows = [
        [source, f"{row['auc']:.2f}", row["real"], row["fake"]]
        for source, row in result["within_source"].items()
    ]
    return table(["source", "AUC within", "real", "fake"], rows)


def _highest_real(result: dict[str, Any]) -> str:
    real = [row for row in result["scores"] if row["logit"] is not None and not row["label"]]
    real.sort(key=lambda row: -row["logit"])
    rows = [[r["path"], r["source"], f"{r['logit']:.2f}", f"{r['face_px']:.0f}"] for r in real[:6]]
    return table(["video", "source", "score", "face, px"], rows)


def _pseudo(result: dict[str, Any]) -> str:
    rows = [
        [
            name,
            f"{row['auc']:.3f}",
            f"{row['auc_interval'][0]:.3f} to {row['auc_interval'][1]:.3f}",
            f"{100 * row['pair_accuracy']:.0f} %",
            f"{row['mask_iou']:.2f}",
            f"{row['mask_accuracy']:.2f}",
            row["pairs"],
        ]
        for name, row in result["sets"].items()
    ]
    head = ["set", "AUC", "95 % interval", "pairs in order", "mask IoU", "mask accuracy", "pairs"]
    return table(head, rows)


def _speed(result: dict[str, Any]) -> str:
    stages = list(dict.fromkeys(s for run in result["runs"] for s in run["stages_s"]))
    rows = [
        [
            f"{run['video_s']:.0f} s",
            f"{run['scan_s']:.1f} s",
            f"{run['times_real_time']:.1f} times",
            f"{run['peak_memory_mb']} MB",
            f"{run['loading_s']:.1f} s",
            *(f"{run['stages_s'].get(stage, 0):.2f}" for stage in stages),
        ]
        for run in result["runs"]
    ]
    head = ["video", "scan", "against real time", "peak memory", "loading"]
    head += [f"{stage}, s" for stage in stages]
    return table(head, rows)


def _candidates(result: dict[str, Any]) -> str:
    """The aims, with a column for each of the weights that were judged on the same videos."""
    judged = list(result["candidates"].values())
    names = [Path(one["weights"].partition("=")[2]).stem for one in judged]
    head = ["metric", "aim", *(f"`{name}`" if name else "shipped" for name in names), "n"]
    rows = []
    for number, aim in enumerate(judged[0]["aims"]):
        values = [_value(one["aims"][number]) for one in judged]
        # Of a share, n tells the hits of one candidate as well: "1 of 35".
        count = re.sub(r"^\d+ of (\d+)$", r"\1 real videos", aim["n"])
        rows.append([aim["figure"], aim["asked"], *values, count.replace("forged", "fake")])
        if aim["figure"].startswith("false alarms"):
            found = aim["figure"].replace("false alarms", "found")
            shares = [one["figures"][found] for one in judged]
            total = shares[0]["n"].split()[-1]
            rows.append([found, "", *map(_value, shares), f"{total} manipulated videos"])
    chosen = (
        f"{one['mean AUC']:.2f} where each {what} is judged by weights chosen without it "
        f"({one['folds']} folds)"
        for what, one in result["chosen_apart"].items()
    )
    first = f"Mean AUC on what was left out: {'; '.join(chosen)}."
    return f"{first}\n\n{table(head, rows)}\n\n{_difference(result, names)}"


def _difference(result: dict[str, Any], names: Sequence[str]) -> str:
    """The first two candidates on the same draws of sources."""
    both = result["compared"][0]["differences"]
    rows = [
        [figure, f"{one['value']:+.2f}", f"{one['interval'][0]:+.2f} to {one['interval'][1]:+.2f}"]
        for figure, one in both.items()
    ]
    what = " less ".join(f"`{name}`" if name else "shipped" for name in names[:2])
    return table([f"{what}, on the same draws", "difference", "95 % interval"], rows)


def _panel(result: dict[str, Any]) -> str:
    """What a sum with a second detector brings, with every source left out once."""
    found = result["panel"]
    rows = []
    for figure in ("AUC within sources", "Cllr"):
        shares = [_value(found[f"{figure}, {who}"]) for who in ("panel", "first alone")]
        rows.append([figure, *shares, _value(found[f"{figure}, difference"])])
    return table(["metric", "panel", "`screener` alone", "difference"], rows)


def _mixes(result: dict[str, Any]) -> str:
    """Pairs in order of each family, by what a short training left out; intervals by Wilson."""
    families = list(next(iter(result["arms"].values()))["families"])
    rows = []
    for name, arm in result["arms"].items():
        shares = []
        for family in families:
            share = arm["families"][family]["pair_accuracy"]
            interval = _wilson(round(share * result["pairs"]), result["pairs"])
            shares.append(f"{share:.2f} ({_between(interval)})")
        tools = arm["tools"]
        within = _between(tools["within_source_auc_interval"])
        rows.append([name, *shares, f"{tools['within_source_auc_mean']:.2f} ({within})"])
    return table(["trained with", *families, "real tools, AUC within sources"], rows)


def _kinds(result: dict[str, Any]) -> str:
    """Pairs in order of every kind of pseudo-forgery, for each detector and codec."""
    names = list(result["detectors"])
    first = result["detectors"][names[0]]["kinds"]
    codecs = list(next(iter(first.values())))
    head = ["kind", *(f"`{name}`, {_CODECS[codec]}" for name in names for codec in codecs)]
    rows = []
    for kind in first:
        cells = []
        for name in names:
            for figure in result["detectors"][name]["kinds"][kind].values():
                between = _between(figure["pair_accuracy_interval"])
                cells.append(f"{figure['pair_accuracy']:.2f} ({between})")
        rows.append([f"`{kind}`", *cells])
    pairs = next(iter(first.values()))[codecs[0]]
    return f"{table(head, rows)}\n\n{pairs['pairs']} pairs each, of {pairs['videos']} videos."


def _conditions(result: dict[str, Any]) -> str:
    """What the calibration does with videos of a source that it was not made of."""
    return _judged(result["calibration"]["sources left out"], "videos")


def _qualities(result: dict[str, Any]) -> str:
    """The same by class of quality; every video counts as it is, at CRF 40 and at half size."""
    return _judged(result["calibration"]["sources left out, by quality"], "copies of a class")


def _judged(groups: dict[str, Any], what: str) -> str:
    columns = {
        "false alarms": "real, flagged",
        "found": "manipulated, found",
        "misses": "manipulated, nothing found",
        "nothing found in real ones": "real, nothing found",
    }
    rows = []
    for name, group in groups.items():
        shares = [_share(group.get(key)) for key in columns]
        figures = [_value(group.get(key)) for key in ("AUC within sources", "ECE", "Cllr")]
        rows.append([_CONDITIONS.get(name, name), *shares, *figures])
    return table([what, *columns.values(), "AUC within sources", "ECE", "Cllr"], rows)


def _share(figure: dict[str, Any] | None) -> str:
    if figure is None:
        return ""
    between = f" ({_between(figure['interval'])})" if figure["interval"] else ""
    return f"{figure['n']}{between}"


def _value(figure: dict[str, Any] | None) -> str:
    if figure is None:
        return ""
    between = f" ({_between(figure['interval'])})" if figure["interval"] else ""
    return f"{figure['value']:.2f}{between}"


_CONDITIONS = {"compression 5": "H.264 at CRF 40", "half_size": "half size"}

_CODECS = {"none": "raw", "H.264": "H.264"}

_WITH_ORIGIN = {"headline", "box"}
"""Kinds whose text names date and machine itself."""

_KINDS: dict[str, Callable[[dict[str, Any]], str]] = {
    "headline": _headline,
    "box": _box,
    "overall": _overall,
    "candidates": _candidates,
    "panel": _panel,
    "mixes": _mixes,
    "kinds": _kinds,
    "tools": _tools,
    "entrants": _entrants,
    "sources": _sources,
    "highest_real": _highest_real,
    "pseudo": _pseudo,
    "speed": _speed,
    "conditions": _conditions,
    "qualities": _qualities,
}
