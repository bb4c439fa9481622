"""A sheet of pictures: real and every kind of forgery at one moment of some sources, with masks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

from unmask.media import open_video
from unmask.minibench.make import forged_path, real_path, root_of
from unmask.minibench.plan import Source
from unmask.minibench.settings import KINDS, SENTENCE
from unmask.train.sheet import fit_into
from unmask.types import Pixels

_CELL_PX: Final = 200
_GAP_PX: Final = 4
_TEXT_PX: Final = 16
_MOST: Final = 6
_COMPRESSION: Final = "raw"


def contact_sheet(out: Path, sources: Sequence[Source]) -> Image.Image:
    """Two rows for each of the first sources of every split: pictures, and masks below.

    Args:
        out: the tree.
        sources: all that are in it.

    Returns:
        An RGB picture; the first column is real.
    """
    chosen = _some_of_each(sources)
    columns = ["real", *KINDS]
    step = _CELL_PX + _GAP_PX
    height = 2 * _TEXT_PX + len(chosen) * (2 * step + _TEXT_PX)
    sheet = Image.new("RGB", (len(columns) * step + _GAP_PX, height), "white")
    draw = ImageDraw.Draw(sheet)
    draw.text((_GAP_PX, 0), f"unmask minibench, c0. {SENTENCE}", fill="dimgray")
    for column, title in enumerate(columns):
        draw.text((_GAP_PX + column * step, _TEXT_PX), title, fill="black")
    for row, source in enumerate(chosen):
        top = 2 * _TEXT_PX + row * (2 * step + _TEXT_PX)
        draw.text((_GAP_PX, top), f"{source.name}  {source.part} {source.split}", fill="dimgray")
        for place, path in _paths(out, source):
            column, below = place
            cell = fit_into(_frame(path, source.stretch.frames // 3), _CELL_PX)
            sheet.paste(cell, (_GAP_PX + column * step, top + _TEXT_PX + below * step))
    return sheet


def _some_of_each(sources: Sequence[Source]) -> list[Source]:
    """In turn one of every split of every part, until there are enough."""
    groups: dict[tuple[str, str], list[Source]] = {}
    for source in sources:
        groups.setdefault((source.part, source.split), []).append(source)
    most = max(map(len, groups.values()), default=0)
    in_turn = [group[n] for n in range(most) for group in groups.values() if n < len(group)]
    return in_turn[:_MOST]


def _paths(out: Path, source: Source) -> list[tuple[tuple[int, int], Path]]:
    """(column, 0 for the picture or 1 for the mask) and the file."""
    root = root_of(out, source.part)
    cells = [((0, 0), real_path(root, _COMPRESSION, source.name))]
    for column, kind in enumerate(KINDS, 1):
        cells.append(((column, 0), forged_path(root, kind, _COMPRESSION, source.name)))
        cells.append(((column, 1), forged_path(root, kind, "masks", source.name)))
    return cells


def _frame(path: Path, index: int) -> Pixels:
    with open_video(path) as video:
        return next(video.frames(lambda number, *_: number == index)).pixels
