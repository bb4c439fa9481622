"""The pages on commands: docs/cli.md and docs/cli/COMMAND.md, read from the commands' own help."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol, cast

import typer
import typer.main
from markdown_tables import table

# What is worked out when the command runs differs from machine to machine.
_COMPUTED = "worked out when it runs"


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


def index_page(app: typer.Typer) -> str:
    """Every command in one line, with links to their pages."""
    root = typer.main.get_command(app)
    rows = [
        (f"[`{name}`](cli/{_page(name)}.md{_anchor(name)})", _first_sentence(_help(command)))
        for name, command in _walk(root, "unmask")
        if name != "unmask" and not getattr(command, "commands", None)
    ]
    return "\n".join(
        [
            "# Commands\n",
            f"{_help(root)}\n",
            table(["command", "what it does"], rows),
            _command("unmask", root),
        ]
    )


def command_names(app: typer.Typer) -> list[str]:
    """The words that may follow ``unmask``; each has a page."""
    root = typer.main.get_command(app)
    return [name.partition(" ")[2] for name, _ in _walk(root, "unmask") if name.count(" ") == 1]


def command_page(app: typer.Typer, word: str) -> str:
    """One command with its arguments and options, and those below it."""
    root = typer.main.get_command(app)
    sections = [
        _command(name, command)
        for name, command in _walk(root, "unmask")
        if name.split()[1:2] == [word]
    ]
    first, *below = sections
    return "\n".join([first.removeprefix("#"), "[All commands](../cli.md)\n", *below])


def _page(name: str) -> str:
    return name.split()[1]


def _anchor(name: str) -> str:
    return f"#{name.replace(' ', '-')}" if name.count(" ") > 1 else ""


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
    rows = [(f"`{_metavar(p)}`", _describe(p)) for p in arguments]
    rows += [(_spelled(p), _describe(p)) for p in options]
    if rows:
        lines.append(table(["argument or option", "meaning"], rows))
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
