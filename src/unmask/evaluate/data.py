"""A data set on disk -> the rows that are scored, and the root that their paths belong to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from unmask.datasets import choose_rows, read_dataset, read_folder
from unmask.types import LabelledVideo


class Data(NamedTuple):
    """The index of a data set, and its root."""

    rows: Sequence[LabelledVideo]
    root: Path


def read_data(
    path: Path,
    layout: str | None = None,
    split: str | None = None,
    methods: Sequence[str] | None = None,
    compressions: Sequence[str] | None = None,
) -> Data:
    """Reads what is evaluated; no media is opened.

    Args:
        path: root of the data set; of ``csv``, the file.
        layout: one of ``list_datasets()``; None is a plain folder. Nothing is trained on it, so
            all of it is one split.
        split: keeps one split; of a plain folder, the name of its only one (``test``).
        methods: keeps these forgery methods, see ``read_dataset``.
        compressions: keeps these compressions.

    Returns:
        The rows, and the root; of a file, its folder.

    Raises:
        UnknownNameError: there is no such data set.
        DataError: the path does not hold the layout, or a split, a method or a compression is not
            in it.
    """
    if layout in (None, "folder"):
        rows = read_folder(path, split=split or "test")
        rows = choose_rows(rows, methods=methods, compressions=compressions)
    else:
        assert layout is not None
        rows = read_dataset(layout, path, split=split, methods=methods, compressions=compressions)
    return Data(rows, path if path.is_dir() else path.parent)
