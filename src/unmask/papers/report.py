"""The report of a run: every table ours beside the paper's, and how it was made."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from unmask._version import __version__
from unmask.evaluate.data import Data
from unmask.minibench.settings import SENTENCE
from unmask.papers import show as show_protocol
from unmask.papers.plan import OCCLUSION, TrainingJob
from unmask.papers.protocol import Protocol
from unmask.papers.score import Scored
from unmask.papers.train import Trained, cannot_write

_FORMAT: Final = 1
_SHOWN: Final = "-test-all"
"""End of the names of plots that the report shows; the others lie beside them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Everything that a report tells.

    Attributes:
        scored: protocols with values, in their order.
        maps: protocols that are pictures alone.
        trained, jobs: by name of the training.
        data: the benchmark's indexes.
        plots: files, relative to the report.
        settings: setting, benchmark, machine and times.
    """

    scored: tuple[Scored, ...]
    maps: tuple[Protocol, ...]
    trained: Mapping[str, Trained]
    jobs: Mapping[str, TrainingJob]
    data: tuple[Data, ...]
    plots: tuple[Path, ...]
    settings: Mapping[str, Any]


def write_report(out: Path, findings: Findings) -> Path:
    """Writes ``report.md`` and ``report.json``; returns the first.

    Raises:
        OutputError: they cannot be written.
    """
    content = json.dumps(_content(findings), indent=1, ensure_ascii=False) + "\n"
    try:
        (out / "report.json").write_text(content, encoding="utf-8")
        (out / "report.md").write_text(to_markdown(findings), encoding="utf-8")
    except OSError as error:
        raise cannot_write(out, error) from error
    return out / "report.md"


def to_markdown(findings: Findings) -> str:
    """The report for people."""
    lines = [
        "# All protocols of the papers, on the miniature benchmark",
        "",
        *_what_it_is(findings),
        "",
        *_times(findings.settings["times"]),
        "",
    ]
    for one in findings.scored:
        lines += [f"## {one.protocol.name}", "", _table(one, findings.data), ""]
        text = f"Not run: {one.reason}" if one.reason else f"Took {one.seconds:g} s."
        lines += [text, ""]
        lines += _pictures(one.protocol, findings.plots)
    for protocol in findings.maps:
        lines += [f"## {protocol.name}", "", f"{protocol.title} ({protocol.kind}).", ""]
        lines += _pictures(protocol, findings.plots)
    return "\n".join([*lines, *_trainings(findings)]) + "\n"


def _what_it_is(findings: Findings) -> list[str]:
    about = findings.settings
    counts, done = about["benchmark"]["counts"], [t for t in findings.trained.values() if t.file]
    steps = sorted({one.steps for one in done})
    text = f"{steps[0]} to {steps[-1]} steps" if len(steps) > 1 else f"{(steps or [0])[0]} steps"
    seeds = ", ".join(str(seed) for seed in sorted({one.seed for one in done})) or "none"
    made = datetime.datetime.now(datetime.UTC).date().isoformat()
    lines = [
        f"**{SENTENCE}** The paper's values are of other data and of networks trained to the "
        "end; they stand beside ours to show that the table is the same, not to be met.",
        "",
        f"Made by `unmask minibench run` {__version__} on {made}, at the {about['setting']} "
        f"setting, on a benchmark of {counts['sources']} real videos of {counts['people']} "
        f"people ({about['benchmark']['settings']['seconds']:g} s each; of the first tree "
        f"{_per_split(counts)}). {len(done)} of {len(findings.trained)} networks were trained, "
        f"each for {text} (seed {seeds}), all from random weights: the files that the papers "
        "start from are not used, so a part that a recipe freezes stays random. "
        f"Intervals are of {about['resamples']} resamples.",
    ]
    if about["setting"] == "small":
        lines += [
            "",
            "At this setting nothing is learned: values near chance are what is expected.",
        ]
    return lines


def _per_split(counts: Mapping[str, Any]) -> str:
    return ", ".join(f"{n} {split}" for split, n in sorted(counts["sources_per_split"].items()))


def _times(times: Mapping[str, Mapping[str, float]]) -> list[str]:
    rows = [f"| {part} | {t['wall_s']:.0f} | {t['cpu_s']:.0f} |" for part, t in times.items()]
    wall, cpu = (sum(t[key] for t in times.values()) for key in ("wall_s", "cpu_s"))
    head = ["| part | seconds | CPU seconds |", "| --- | --- | --- |"]
    return [*head, *rows, f"| all | {wall:.0f} | {cpu:.0f} |"]


def _machine(about: Mapping[str, Any]) -> str:
    load = "" if about["load"] is None else f", load {about['load']} at the end"
    return f"{about['machine']}; {about['workers']} workers on {about['device']}{load}"


def _table(one: Scored, data: Sequence[Data]) -> str:
    """Of ``unmask evaluate``, without the commands for trainings that this run makes itself."""
    text = show_protocol.show_protocol(one.protocol, data, one.ours)
    return text.partition("\nTrainings:")[0].strip()


def _pictures(protocol: Protocol, plots: Sequence[Path]) -> list[str]:
    """What the protocol shows itself, and the rankings over all methods of its test split."""
    stem = protocol.name.replace("/", "-")
    mine = [path for path in plots if path.suffix == ".svg" and path.parts[1] == stem]
    shown = [p for p in mine if p.stem.startswith(stem) or p.stem.endswith(_SHOWN)]
    if protocol.kind == OCCLUSION:
        shown = [p for p in plots if p.suffix == ".png" and p.parts[1].startswith(f"{stem}-")]
    return [*(f"![{path.stem}]({path.as_posix()})" for path in shown), ""] if shown else []


def _trainings(findings: Findings) -> list[str]:
    lines = ["## Trainings", "", f"Machine: {_machine(findings.settings)}.", ""]
    lines += ["| name | steps | seconds | settings |", "| --- | --- | --- | --- |"]
    for name, one in findings.trained.items():
        settings = " ".join(findings.jobs[name].settings).replace("|", "\\|")
        text = str(one.steps) if one.file else f"not trained: {one.reason}"
        lines.append(f"| {name} | {text} | {one.seconds:g} | `{settings}` |")
    return lines


def _content(findings: Findings) -> dict[str, object]:
    tables = []
    for one in findings.scored:
        table = json.loads(show_protocol.to_json(one.protocol, findings.data, one.ours))
        del table["trainings"]  # Commands for what this run makes itself, with the paths of here.
        tables.append(table | {"seconds": one.seconds, "reason": one.reason})
    return {
        "format": _FORMAT,
        "unmask": __version__,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "measures": SENTENCE,
        **findings.settings,
        "tables": tables,
        "maps": [protocol.name for protocol in findings.maps],
        "trainings": [
            {
                "name": name,
                "detector": findings.jobs[name].training.detector,
                "settings": list(findings.jobs[name].settings),
                "is_trained": one.file is not None,
                "reason": one.reason,
                "steps": one.steps,
                "seed": one.seed,
                "seconds": one.seconds,
            }
            for name, one in findings.trained.items()
        ],
        "plots": [path.as_posix() for path in findings.plots],
    }
