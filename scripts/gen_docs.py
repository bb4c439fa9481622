"""Writes docs/detectors.md, docs/cli.md, and the tables of MODEL_CARD.md and CONTRIBUTING.md.

They come from the detectors' cards, the commands' own help, benchmarks/results and
tests/import_table.toml.

python scripts/gen_docs.py            writes them
python scripts/gen_docs.py --check    writes nothing; exit code 1 if a file is not up to date
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol, cast

import card_figures
import import_table
import typer
import typer.main

from unmask.detectors import Card, Recipe, Weights, get_card, list_detectors
from unmask.types import InputSpec

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
MODEL_CARD = ROOT / "MODEL_CARD.md"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
FIXTURES = ROOT / "tests" / "fixtures"
NOTICE = "<!-- Made by scripts/gen_docs.py. Do not edit: change the code and run it again. -->\n"

_COMPARED = (
    "## Who is in which paper, what is verified how\n\nEvery detector passes the same contract "
    "tests (`tests/detectors/test_contract.py`). *Fixture*: it also meets outputs of the authors' "
    "code, with weights from a formula; *parts*: some of its parts do. *Published file at hand*: "
    "the authors' trained file was imported and run. *Layout only*: tensors have the names and "
    "shapes of published code; no output was compared. *Not verified*: built from a description.\n"
)

# What is worked out when the command runs differs from machine to machine.
_COMPUTED = "worked out when it runs"


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes or checks the generated files.

    Args:
        arguments: of the command line; None takes the program's own.

    Returns:
        The exit code: 1 if ``--check`` found a file that is not up to date.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, report what differs")
    parser.add_argument("--out", type=Path, default=DOCS, help="folder of the files")
    options = parser.parse_args(arguments)
    outdated = [
        path for path, text in generated(options.out) if not _keeps(path, text, options.check)
    ]
    for path in outdated:
        print(
            f"{_shown(path)} is not up to date with the code. Run: python scripts/gen_docs.py",
            file=sys.stderr,
        )
    return int(bool(outdated))


def generated(folder: Path) -> Iterator[tuple[Path, str]]:
    """Each generated file with the text that it should hold."""
    from unmask.cli.main import app

    yield folder / "detectors.md", detectors_page()
    yield folder / "cli.md", cli_page(app)
    if folder == DOCS:
        yield MODEL_CARD, card_figures.fill(MODEL_CARD.read_text(encoding="utf-8"))
        yield CONTRIBUTING, import_table.fill(CONTRIBUTING.read_text(encoding="utf-8"))


def _keeps(path: Path, text: str, check: bool) -> bool:
    """Whether the file holds the text; writes it where that is allowed."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return True
    if check:
        return False
    path.write_text(text, encoding="utf-8")
    print(f"wrote {_shown(path)}")
    return True


def _shown(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(text) for text in line)} |" for line in lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def detectors_page() -> str:
    """The table of all detectors and a section for each, from their cards."""
    cards = [get_card(name) for name in list_detectors()]
    rows = [
        (
            f"[`{card.name}`](#{card.name})" + (" (default)" if card.is_default else ""),
            f"[{card.paper.title}]({card.paper.url}), {card.paper.venue}, {card.paper.year}",
            _weights_short(card.weights),
            ", ".join(sorted({entry.license for entry in card.weights})) or "no weights",
        )
        for card in cards
    ]
    return "\n".join(
        [
            NOTICE,
            "# Detectors\n",
            "Everything here is read from the cards in `src/unmask/detectors`. A detector is a "
            "network: it gives one logit for each clip of a face, above 0 for fake. How well the "
            "shipped weights do is measured in [MODEL_CARD.md](../MODEL_CARD.md); how logits "
            "become a finding stands in [how_it_works.md](how_it_works.md).\n",
            _table(["name", "paper", "weights", "license of the weights"], rows),
            *_compared(cards),
            *_learned(ROOT / "benchmarks" / "learn"),
            *[_section(card) for card in cards],
        ]
    )


def _compared(cards: Sequence[Card]) -> Iterator[str]:
    """Who is in which paper, and what is verified how."""
    yield _COMPARED
    rows = [
        (
            f"[`{card.name}`](#{card.name})",
            f"[{card.paper.title}]({card.paper.url}), {card.paper.year}",
            ", ".join(card.compared_in) or "none",
            _verified(card),
        )
        for card in cards
    ]
    yield _table(["name", "paper", "compared in", "verified how"], rows)


def _learned(folder: Path) -> Iterator[str]:
    """What `python -m benchmarks learn` measured."""
    found = [json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))]
    rows = []
    for one in found:
        if isinstance(one, dict) and "validation" in one:
            figure = one["validation"]
            low, high = figure["auc_interval"]
            size = ", ".join(s for s in one["settings"] if s.startswith("input."))
            counts = f"{figure['pairs']} pairs of {figure['videos']} videos"
            auc = f"{figure['auc']:.2f} ({low:.2f} to {high:.2f})"
            hours = f"{one['hours']:.2f}"
            rows.append((f"`{one['benchmark']}`", size, auc, counts, hours, one["date"]))
    if rows:
        yield (
            "## Proof that they learn\n\nShort runs from a random start on two shared cores, in "
            "reduced size, on easy pseudo-forgeries of real videos (`python -m benchmarks learn "
            "NAME`; commands, settings and curves in `benchmarks/learn`). Validation people are "
            "other people. This says that network, loss and recipe work together; it says nothing "
            "about how well a detector finds deepfakes.\n"
        )
        head = ["name", "reduced to", "AUC (95 %)", "n", "hours", "date"]
        yield _table(head, rows)


def _weights_short(weights: Sequence[Weights]) -> str:
    return ", ".join(f"`{entry.tag}` ({_where(entry)})" for entry in weights) or "none: train it"


def _where(weights: Weights) -> str:
    if weights.file is not None:
        return "in the package"
    return "downloaded when its tag is named" if weights.url is not None else "import only"


def _verified(card: Card) -> str:
    """How far a detector was compared with its authors' code, and whose numbers its tests use."""
    found = [card.verified or "not said"]
    for name in card.fixtures:
        source = json.loads((FIXTURES / name).read_text(encoding="utf-8"))["source"]
        code, commit = source.get("repo") or source["package"], source.get("commit", "")
        at = commit if " " in commit else commit[:7]
        found.append(f"numbers of {code}{at and f' at {at}'} (`tests/fixtures/{name}`)")
    return "; ".join(found)


def _section(card: Card) -> str:
    paper = card.paper
    source = f"*{paper.title}*, {paper.authors}, {paper.venue}, {paper.year}. <{paper.url}>."
    code = f" Code: <{paper.code}>." if paper.code else ""
    parameters = sum(weight.numel() for weight in card.build().parameters())
    facts = [
        ("parameters", f"{parameters:,}"),
        ("returns besides the logit", ", ".join(card.outputs) or "nothing"),
        ("layer for class activation maps", f"`{card.cam_layer}`" if card.cam_layer else "none"),
        ("clips of a face are joined by", f"`{card.aggregate}`"),
        *((f"argument `{name}`", f"`{value!r}`") for name, value in sorted(card.args.items())),
    ]
    facts += [(f"stage `{name}`", stage.summary) for name, stage in sorted(card.stages.items())]
    differences = "\n".join(f"- {text}" for text in paper.differences) or "- none"
    return "\n".join(
        [
            f"## {card.name}\n",
            f"{card.summary.rstrip('.')}.\n",
            f"{source}{code}\n",
            _table(["fact", "value"], facts),
            "### Differences from the paper\n",
            f"{differences}\n",
            "### Weights\n",
            _weights_table(card.weights),
            "### Input\n",
            _table(["field", "value"], _fields(card.input)),
            "### Recipe\n",
            _table(["field", "value"], _fields(card.recipe)),
        ]
    )


def _weights_table(weights: Sequence[Weights]) -> str:
    if not weights:
        return "None. Without weights the network is untrained and its scores mean nothing.\n"
    rows = [
        (
            f"`{entry.tag}`" + (" (default)" if entry is weights[0] else ""),
            _where(entry) + (f": <{entry.url}>" if entry.url else ""),
            f"{entry.size_bytes:,} bytes" if entry.size_bytes else "",
            f"`{entry.sha256}`" if entry.sha256 else "",
            entry.license,
            entry.trained_on,
            entry.polarity,
        )
        for entry in weights
    ]
    head = ["tag", "where", "size", "SHA-256", "license", "trained on", "polarity"]
    return _table(head, rows)


def _fields(thing: InputSpec | Recipe) -> Iterator[tuple[str, str]]:
    """The fields of a dataclass that say something; a function is named with its first line."""
    for field in dataclasses.fields(thing):
        value = getattr(thing, field.name)
        if value is None or value == () or value == {}:
            continue
        yield f"`{field.name}`", _value(value)


def _value(value: object) -> str:
    if callable(value):
        first = (inspect.getdoc(value) or "").split("\n")[0]
        return first or f"`{getattr(value, '__qualname__', 'function')}` of the detector's file"
    if isinstance(value, Mapping):
        value = dict(value)
    return f"`{value!r}`"


class _Parameter(Protocol):
    """What is read of a parameter: what click's and typer's own classes have in common.

    Newer typers bring a changed copy of click, so neither is imported and types are not read.
    """

    param_type_name: str
    opts: list[str]
    secondary_opts: list[str]
    required: bool
    multiple: bool
    nargs: int
    default: object
    hidden: bool
    is_flag: bool
    help: str | None
    name: str
    metavar: str | None


def cli_page(app: typer.Typer) -> str:
    """Every command with its arguments and options, as typer knows them."""
    root = typer.main.get_command(app)
    commands = list(_walk(root, "unmask"))
    rows = [
        (f"[`{name}`](#{name.replace(' ', '-')})", _first_sentence(_help(command)))
        for name, command in commands
        if name != "unmask" and not getattr(command, "commands", None)
    ]
    return "\n".join(
        [
            NOTICE,
            "# Commands\n",
            f"{_help(root)}\n",
            _table(["command", "what it does"], rows),
            *[_command(name, command) for name, command in commands],
        ]
    )


def _walk(command: object, name: str) -> Iterator[tuple[str, object]]:
    """The command, then those below it, depth first."""
    yield name, command
    below: Mapping[str, object] = getattr(command, "commands", None) or {}
    for word, child in below.items():
        if not getattr(child, "hidden", False):
            yield from _walk(child, f"{name} {word}")


def _help(command: object) -> str:
    """The help text, one paragraph a line."""
    text = inspect.cleandoc(getattr(command, "help", None) or "").split("\f")[0]
    paragraphs = re.split(r"\n\s*\n", text.replace("\b", ""))
    return "\n\n".join(" ".join(p.split()) for p in paragraphs)


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=\.)\s", text, maxsplit=1)[0]


def _command(name: str, command: object) -> str:
    parameters = [
        cast(_Parameter, p)
        for p in getattr(command, "params", [])
        if not getattr(p, "hidden", False)
    ]
    arguments = [p for p in parameters if p.param_type_name == "argument"]
    options = [p for p in parameters if p.param_type_name == "option"]
    lines = [f"## {name}\n", f"    {_usage(name, command, arguments, options)}\n"]
    if name != "unmask":
        lines.append(f"{_help(command)}\n")
    if arguments:
        rows = [(f"`{_metavar(p)}`", _describe(p)) for p in arguments]
        lines.append(_table(["argument", "meaning"], rows))
    if options:
        rows = [(_spelled(p), _describe(p)) for p in options]
        lines.append(_table(["option", "meaning"], rows))
    return "\n".join(lines)


def _usage(
    name: str, command: object, arguments: Sequence[_Parameter], options: Sequence[_Parameter]
) -> str:
    parts = [name, *(["[OPTIONS]"] if options else [])]
    for argument in arguments:
        word = _metavar(argument).removesuffix("...").strip("[]")
        word += "..." if argument.nargs == -1 else ""
        parts.append(word if argument.required else f"[{word}]")
    if getattr(command, "commands", None):
        parts.append("COMMAND")
    return " ".join(parts)


def _metavar(parameter: _Parameter) -> str:
    return parameter.metavar or parameter.name.upper()


def _spelled(option: _Parameter) -> str:
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    return names if option.is_flag else f"{names} `{_metavar(option)}`"


def _describe(parameter: _Parameter) -> str:
    text = (parameter.help or "").strip()
    notes = []
    if parameter.required and parameter.param_type_name == "option":
        notes.append("required")
    if parameter.multiple and "repeat" not in text.lower():
        notes.append("may be repeated")
    default = _default(parameter)
    if default:
        notes.append(f"default: {default}")
    extra = f" ({'; '.join(notes)})" if notes else ""
    return f"{text.rstrip('.')}{extra}" if text else extra.strip()


def _default(parameter: _Parameter) -> str:
    """The default as text; empty where there is none or where it says nothing."""
    value = parameter.default
    if value is None or value is False or value in ((), [], "", ...):
        return ""
    if "UNSET" in repr(value):  # click's own word for "none", since 8.3
        return ""
    if getattr(parameter, "is_flag", False):  # arguments are not asked
        return f"`{parameter.opts[0]}`" if parameter.secondary_opts else ""
    if callable(value) and not isinstance(value, type):
        return _COMPUTED
    if isinstance(value, Path):
        return f"`{value.as_posix()}`"
    if isinstance(value, list | tuple):
        return ", ".join(f"`{_plain(item)}`" for item in value)
    return f"`{_plain(value)}`"


def _plain(value: object) -> object:
    return getattr(value, "value", value)


if __name__ == "__main__":
    raise SystemExit(main())
