"""A live line on stderr while a video is read; nothing where nobody watches."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from unmask.errors import MediaError


@contextmanager
def show_progress(path: Path, label: str) -> Iterator[Callable[[int, float], None] | None]:
    """Gives the callback for ``scan``; None without a terminal on stderr."""
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
        task = bar.add_task(label, total=length_s, state="opening")
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
