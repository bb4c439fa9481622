"""The command ``unmask``: its commands, and how every error becomes one line and an exit code.

Nothing heavy is imported here: a command imports what it needs when it runs.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pkgutil import iter_modules
from types import FrameType
from typing import Annotated

import typer

from unmask._version import __version__
from unmask.cli import commands
from unmask.cli.terminal import explain, log_to_stderr, show_error, show_traceback
from unmask.errors import UnknownNameError, UsageError

FAILURE, USAGE, INTERRUPTED, TERMINATED = 1, 2, 130, 143

app = typer.Typer(
    name="unmask",
    epilog="Exit codes: 0 done, 1 failure, 2 wrong usage, 3 --fail-on, 130 Ctrl-C, 143 SIGTERM.",
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _add_commands(parent: typer.Typer, package: str, folders: Sequence[str]) -> None:
    """Adds the command of every file and the group of every folder."""
    for module in iter_modules(folders):
        name = f"{package}.{module.name}"
        child = import_module(name)
        if module.ispkg:
            _add_commands(child.app, name, child.__path__)
        parent.add_typer(child.app)


_add_commands(app, commands.__name__, commands.__path__)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"unmask {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show tracebacks; may stand anywhere.")
    ] = False,
) -> None:
    """Checks video for deepfaked faces: which face, when, where in it, and what was not checked."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: without the program's name; None takes those of the process.

    Returns:
        The exit code: 0 done, 1 failure, 2 wrong usage, 3 ``--fail-on``, 130 Ctrl-C, 143 SIGTERM.
    """
    words, is_debug = _without_debug(sys.argv[1:] if arguments is None else list(arguments))
    for stream in (sys.stdout, sys.stderr):
        # A file name need not be valid text, and a terminal need not know every letter.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    command = typer.main.get_command(app)
    signals: list[int] = []
    try:
        with log_to_stderr(), _sigterm_stops(signals):
            code = command.main(args=words, prog_name="unmask", standalone_mode=False) or 0
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Exception as error:
        if is_debug:
            show_traceback(error)
        code = _explain(error)
    if code == INTERRUPTED:  # newer Typers catch KeyboardInterrupt and return it
        code = TERMINATED if signals else INTERRUPTED
        show_error("Stopped. What was finished stays; partial files were removed.")
    return int(code)


@contextmanager
def _sigterm_stops(signals: list[int]) -> Iterator[None]:
    """Lets SIGTERM end a command in the same way as Ctrl-C, and notes it in ``signals``."""

    def stop(number: int, frame: FrameType | None) -> None:
        signals.append(number)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _without_debug(words: list[str]) -> tuple[list[str], bool]:
    """The words without ``--debug``, which may stand before or behind the command's name."""
    end = words.index("--") if "--" in words else len(words)
    kept = [word for word in words[:end] if word != "--debug"]
    return kept + words[end:], len(kept) < end


def _explain(error: Exception) -> int:
    """Prints one line and returns the exit code."""
    if hasattr(error, "format_message"):  # Typer's own, which newer Typers do not export
        return _explain_usage(error)
    show_error(explain(error))
    return USAGE if isinstance(error, UsageError | UnknownNameError) else FAILURE


def _explain_usage(error: Exception) -> int:
    message = str(error.format_message())  # type: ignore[attr-defined]
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        return USAGE  # the help is printed already
    place = context.command_path if context is not None else "unmask"
    stop = "" if message.endswith((".", "?")) else "."
    show_error(f"{message}{stop} See: {place} --help")
    return USAGE
