"""What the commands print: results on stdout, everything else on stderr."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from unmask.errors import UnmaskError

if TYPE_CHECKING:
    from unmask.types import Verdict


def one_line(text: str) -> str:
    r"""The text on one line, with control characters made visible.

    >>> one_line("a\nb\x1b[2J")
    'a\\nb\\x1b[2J'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


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
        print(f"error: {one_line(text)}", file=sys.stderr)
        return
    from rich.console import Console
    from rich.text import Text

    line = Text.assemble(("error: ", "bold red"), one_line(text))
    Console(file=sys.stderr, highlight=False).print(line, soft_wrap=True)


def show_note(text: str) -> None:
    """One line for people on stderr, so that stdout stays what was asked for."""
    print(one_line(text), file=sys.stderr)


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


def show_table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Columns for people; on a terminal they wrap, elsewhere a row stays one line."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    is_terminal = sys.stdout.isatty()
    if not is_terminal:
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        for row in (head, *rows):
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            print("  ".join(cells).rstrip())
        return
    table = Table(*head, box=SIMPLE_HEAD)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console(file=sys.stdout, highlight=False).print(table)


@contextmanager
def log_to_stderr() -> Iterator[None]:
    """Shows what the library logs (a download, weights of unknown origin) as plain lines."""
    log = logging.getLogger("unmask")
    handler, level = logging.StreamHandler(sys.stderr), log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
