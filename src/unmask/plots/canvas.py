"""The paper that plots are drawn on: one look for all, and the same bytes for the same input."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from unmask.errors import OutputError, import_optional

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

GRAY = "#8A8A8A"
"""Of real videos, of what is not measurable and of chance."""

# Okabe and Ito's colors, which people with any color vision tell apart; without the yellow,
# which is lost on white.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_LINES = ("-", "--", "-.", ":")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")

_SETTINGS: dict[str, object] = {
    "svg.hashsalt": "unmask",  # else the ids in a file are drawn anew each time
    "svg.fonttype": "none",  # text stays text
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "legend.title_fontsize": 8,
    "lines.linewidth": 1.5,
}

_DOTS_PER_INCH = 150


class Look(NamedTuple):
    """How one series is text from the others."""

    color: str
    line: str
    marker: str


def look_of(number: int) -> Look:
    """The look of a series; the colors come again with another line.

    >>> look_of(0) == look_of(1)
    False
    """
    turn, place = divmod(number, len(_COLORS))
    return Look(_COLORS[place], _LINES[turn % len(_LINES)], _MARKERS[place])


@contextmanager
def drawing() -> Iterator[None]:
    """Inside, matplotlib draws as here, whatever the user's settings are; outside, as before.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    matplotlib = import_optional("matplotlib", "evaluate")
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        yield


def new_canvas(width_in: float, height_in: float) -> Canvas:
    """A plot without the state of pyplot; its sizes are in inches.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    import_optional("matplotlib", "evaluate")
    from matplotlib.figure import Figure as Canvas

    return Canvas(figsize=(width_in, height_in), layout="constrained")


def save(canvas: Canvas, stem: Path) -> list[Path]:
    """Writes ``stem.svg`` and ``stem.png``, replacing those of an earlier run.

    Raises:
        OutputError: they cannot be written.
    """
    paths = [stem.with_name(f"{stem.name}.{ending}") for ending in ("svg", "png")]
    # No dates and no version of the program that drew, so that nothing differs without reason.
    notes: list[dict[str, str | None]] = [{"Date": None, "Creator": None}, {"Software": None}]
    for path, metadata in zip(paths, notes, strict=True):
        try:
            stem.parent.mkdir(parents=True, exist_ok=True)
            canvas.savefig(path, dpi=_DOTS_PER_INCH, metadata=metadata)
        except OSError as error:
            raise OutputError(
                f"Cannot write '{path}': {error.strerror}. Make room there or make it writable, "
                "or give another folder with -o."
            ) from error
    return paths


def stem_of(parts: Sequence[str]) -> str:
    """A file name without ending, out of names that may hold anything.

    >>> stem_of(["roc", "FF++ c23", "", "a/b"])
    'roc-FF-c23-a-b'
    """
    return "-".join(filter(None, (re.sub(r"[^\w.]+", "-", part).strip("-") for part in parts)))


def legend_below(axes: Axes, title: str = "", *, gap: float = 0.14, columns: int = 1) -> None:
    """A legend under the axes, where long labels hide no curve; ``gap`` in heights of them."""
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -gap),
        borderaxespad=0.0,
        title=title,
        ncols=columns,
    )
