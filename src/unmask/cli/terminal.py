"""What the commands print: results on stdout, everything else on stderr.

No command prints directly: all text for a terminal goes through ``printable``.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from unmask.errors import MediaError, UnmaskError
from unmask.printable import printable

if TYPE_CHECKING:
    from unmask.types import Verdict


class Count(Protocol):
    """Moves a bar of ``count_progress``."""

    def __call__(self, done: int, total: int, label: str | None = None) -> None:
        """Shows that ``done`` of ``total`` are done, under another label if one is given."""


def show(text: object) -> None:
    """One line on stdout."""
    print(printable(str(text)))


def show_lines(lines: Sequence[str]) -> None:
    """Several lines on stdout."""
    for line in lines:
        show(line)


def show_with_notes(text: str, notes: Sequence[str]) -> None:
    """A text on stdout, and before it lines about it on stderr."""
    for note in notes:
        show_note(note)
    show_lines(text.splitlines())


def show_json(content: object, *, is_one_line: bool = False) -> None:
    """JSON on stdout; what JSON does not know is written as its text."""
    if is_one_line:
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=str)
    else:
        text = json.dumps(content, ensure_ascii=False, indent=2, default=str)
    print(text)


def show_note(text: object) -> None:
    """One line for people on stderr, so that stdout stays what was asked for."""
    print(printable(str(text)), file=sys.stderr)


def explain(error: Exception, where: str = "") -> str:
    """One sentence on an error: ours speaks for itself, any other says how to learn more."""
    if isinstance(error, UnmaskError):
        return str(error)
    what = f"{type(error).__name__}: {error}".removesuffix(": ").rstrip(".")
    place = f" with {where}" if where else ""
    return (
        f"Something unexpected went wrong{place}: {what}. Run again with --debug for the traceback."
    )


def show_error(text: str) -> None:
    """One line on stderr, red in front on a terminal."""
    if not sys.stderr.isatty():
        show_note(f"error: {text}")
        return
    from rich.console import Console
    from rich.text import Text

    line = Text.assemble(("error: ", "bold red"), printable(text))
    Console(file=sys.stderr, highlight=False).print(line, soft_wrap=True)


def show_traceback(error: BaseException) -> None:
    """The traceback on stderr."""
    for line in "".join(traceback.format_exception(error)).splitlines():
        show_note(line)


def show_summary(verdict: Verdict) -> None:
    """The verdict in a few lines, the finding in color on a terminal."""
    from rich.console import Console
    from rich.text import Text

    from unmask.report import summary
    from unmask.types import Finding

    # No green: that nothing was found does not prove that a video is real.
    styles = {Finding.MANIPULATED: "bold red", Finding.INCONCLUSIVE: "bold yellow"}
    text = Text(summary(verdict))
    first = len(text.plain.split("\n", 1)[0])
    start = text.plain.rfind(": ", 0, first) + 2
    text.stylize(styles.get(verdict.finding, "bold"), start, first)
    Console(file=sys.stdout, highlight=False).print(text, soft_wrap=True)


def show_verdict(
    verdict: Verdict, report: Path | None, *, as_json: bool, is_one_line: bool
) -> None:
    """The verdict and the path of its report, or its JSON; it is flushed at once."""
    if as_json:
        from unmask.report import to_json

        show_json(json.loads(to_json(verdict)), is_one_line=is_one_line)
    else:
        show_summary(verdict)
        if report:
            show(f"  Report: {report}")
    sys.stdout.flush()


def show_table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Columns for people; on a terminal they wrap, elsewhere a row stays one line.

    The first column is what a reader copies, so that it is never wrapped or cut.
    """
    rows = [tuple(map(printable, row)) for row in rows]
    if not sys.stdout.isatty():
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        for row in (head, *rows):
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            print("  ".join(cells).rstrip())
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD)
    longest = max((len(row[0]) for row in rows), default=0)
    for number, title in enumerate(head):
        table.add_column(title, min_width=None if number else longest, no_wrap=number == 0)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console(file=sys.stdout, highlight=False).print(table)


@contextmanager
def log_to_stderr() -> Iterator[None]:
    """Shows what the library logs (a download, weights of unknown origin) as plain lines."""
    log = logging.getLogger("unmask")
    handler, level = logging.StreamHandler(sys.stderr), log.level
    handler.setFormatter(_PrintableFormatter())
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


class _PrintableFormatter(logging.Formatter):
    """The message alone, safe to show."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(map(printable, super().format(record).splitlines()))


@contextmanager
def count_progress(label: str) -> Iterator[Count]:
    """A bar of what is done on a terminal's stderr, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda done, total, label=None: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    text = TextColumn("{task.description}", markup=False)
    columns = (text, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task(label, total=None)

        def update(done: int, total: int, label: str | None = None) -> None:
            shown = None if label is None else printable(label)
            bar.update(task, completed=done, total=total, description=shown)

        yield update


@contextmanager
def video_progress(path: Path, label: str) -> Iterator[Callable[[int, float], None] | None]:
    """A live line on stderr while a video is read: position, and frames per second.

    Yields:
        The callback for ``scan``, of frames and seconds; None without a terminal on stderr.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    from unmask.report.wording import clock

    length_s = _length_s(path)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        *([BarColumn()] if length_s else []),
        TextColumn("{task.fields[state]}", markup=False),
    )
    console = Console(file=sys.stderr, highlight=False)
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(printable(label), total=length_s, state="opening")
        started: list[float] = []

        def update(frames: int, time_s: float) -> None:
            if not started:  # loading the networks is over now, and no part of the rate
                started.append(time.monotonic())
            rate = frames / max(time.monotonic() - started[0], 0.2)
            where = clock(time_s, decimals=0)
            if length_s:
                where += f" of {clock(length_s, decimals=0)}"
            state = f"{where}  {rate:.0f} frames/s"
            bar.update(task, completed=min(time_s, length_s or time_s), state=state)

        yield update


def _length_s(path: Path) -> float | None:
    """What the container says of its length; None where it says nothing (or is a folder)."""
    from unmask.media.container import MAX_PIXELS, opened

    try:
        with opened(path, MAX_PIXELS) as (container, _):
            return container.duration / 1_000_000 if container.duration else None
    except (MediaError, OSError):
        return None
