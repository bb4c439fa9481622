"""What ``unmask evaluate`` is given, and what it says meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from unmask.cli.printing import show_note
from unmask.errors import UsageError

if TYPE_CHECKING:
    from unmask.evaluate.level import Level
    from unmask.evaluate.scores import VideoScore
    from unmask.types import LabelledVideo


def find_places(data: Sequence[Path], layouts: Sequence[str]) -> list[tuple[Path, str]]:
    """Each path with its layout."""
    if len(layouts) > len(data):
        raise UsageError(
            f"Cannot evaluate: {len(layouts)} --dataset for {len(data)} --data. "
            "Give each layout with its path."
        )
    filled = [*layouts, *["folder"] * (len(data) - len(layouts))]
    return list(zip(data, filled, strict=True))


def check_together(
    table: str | None, compare: tuple[str, str] | None, level: str, *, figures: bool
) -> None:
    """Refuses options that a paper's table or a comparison would not heed."""
    what = "a paper's table" if table is not None else "--compare"
    if table is None and compare is None:
        return
    option = "--figures" if figures else f"--level {level}"
    if figures or level != "video":
        raise UsageError(
            f"Cannot use {option} with {what}: it is measured at video level and not drawn. "
            f"Leave {option} out, or run 'unmask evaluate -o RESULTS {option}' by itself."
        )


def show_figures(out: Path, level: Level, threshold_from: str | None, resamples: int) -> None:
    """Draws into ``out``; on stderr a line for each file and for each figure that is lacking."""
    from unmask.evaluate.figures import write_figures

    drawn = write_figures(
        out, out / "figures", level=level, threshold_from=threshold_from, resamples=resamples
    )
    for path in drawn.paths:
        show_note(str(path))
    for reason in drawn.lacking:
        show_note(f"no figure: {reason}")


def find_weights(choices: Sequence[str]) -> dict[str, str | Path]:
    """``NAME=TAG|FILE`` as a mapping."""
    chosen: dict[str, str | Path] = {}
    for choice in choices:
        name, equals, value = choice.partition("=")
        if not (name and equals and value) or name in chosen:
            raise UsageError(
                f"Cannot use -w '{choice}': expected NAME=TAG or NAME=FILE, each name once."
            )
        chosen[name] = value
    return chosen


def find_rows(
    path: Path,
    layout: str,
    split: str | None = None,
    methods: Sequence[str] | None = None,
    compressions: Sequence[str] | None = None,
) -> list[LabelledVideo]:
    """The index of a data set; a plain folder is one split, since nothing is trained on it."""
    from unmask.datasets import choose_rows, read_dataset, read_folder

    if layout == "folder":
        rows = read_folder(path, split=split or "test")
        return choose_rows(rows, methods=methods, compressions=compressions)
    return read_dataset(layout, path, split=split, methods=methods, compressions=compressions)


def root_of(path: Path) -> Path:
    """What paths are noted relative to: a list's folder, else the data set's root."""
    return path if path.is_dir() else path.parent


def report(number: int, total: int, video: VideoScore) -> None:
    """One line on stderr for each score."""
    shown = video.reason if video.score is None else f"{video.score:.3f}"
    show_note(f"{number}/{total} {video.key.path} {video.key.detector}: {shown}")
