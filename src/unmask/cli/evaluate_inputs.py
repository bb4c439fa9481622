"""What ``unmask evaluate`` is given, and what it says meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from unmask.cli.terminal import show_note
from unmask.errors import UsageError

if TYPE_CHECKING:
    from unmask.evaluate.scores import VideoScore
    from unmask.types import LabelledVideo


def find_places(
    data: Sequence[Path], layouts: Sequence[str], stand_in: str | None = None
) -> list[tuple[Path, str]]:
    """Each path with its layout; one that is given none has those of the stand-in."""
    if len(layouts) > len(data):
        raise UsageError(
            f"Cannot evaluate: {len(layouts)} --dataset for {len(data)} --data. "
            "Give each layout with its path."
        )
    places = list(zip(data, layouts, strict=False))
    for path in data[len(layouts) :]:
        if stand_in is None:
            places.append((path, "folder"))
        else:
            from unmask.papers.stand_in import get_stand_in

            places += [(path, layout) for layout in get_stand_in(stand_in).layouts(path)]
    return places


def check_together(
    table: str | None,
    compare: tuple[str, str] | None,
    granularity: str,
    conditions: Sequence[str] | None,
    *,
    plots: bool,
    embeddings: bool,
    stand_in: str | None,
) -> None:
    """Refuses options that a paper's table or a comparison would not heed."""
    if stand_in is not None and table is None:
        raise UsageError(
            "Cannot use --stand-in without a paper's table: it says what stands for a paper's "
            "data. Name a table (paper:NAME/TABLE), or leave it out."
        )
    what = "a paper's table" if table is not None else "--compare"
    if table is None and compare is None:
        return
    if conditions or embeddings:
        option = "--condition" if conditions else "--embeddings"
        raise UsageError(
            f"Cannot use {option} with {what}: it says itself what is scored, or scores nothing. "
            f"Leave {option} out."
        )
    option = "--plots" if plots else f"--granularity {granularity}"
    if plots or granularity != "video":
        raise UsageError(
            f"Cannot use {option} with {what}: it is measured at video level, and draws "
            f"what it has unasked. Leave {option} out, or run 'unmask evaluate -o RESULTS "
            f"{option}' alone."
        )


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
