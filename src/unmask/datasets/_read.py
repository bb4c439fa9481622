"""A data set's name and path -> its rows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from unmask.datasets._adapter import Adapter, Found, check_root, count_of, some
from unmask.datasets._registry import adapters, get_adapter
from unmask.errors import DataError, explain_unknown
from unmask.types import LabelledVideo

_log = logging.getLogger(__name__)


def read_dataset(
    name: str,
    path: str | Path,
    *,
    split: str | None = None,
    methods: Sequence[str] | None = None,
    compressions: Sequence[str] | None = None,
) -> list[LabelledVideo]:
    """The index of a data set on disk: looks at names and lists, opens no media.

    Files that the data set lists but that are not there are left out and logged.

    Args:
        name: one of ``list_datasets()``.
        path: root of the data set; for ``csv`` the file.
        split: keeps one split; None keeps all.
        methods: keeps forgeries of these methods, and the real videos that belong to them;
            an empty list keeps real videos alone; None keeps all.
        compressions: keeps these levels; None keeps all.

    Raises:
        UnknownNameError: there is no such data set.
        DataError: the path does not hold the layout, a list of it is missing or damaged, or the
            split, a method or a level is not in it.
    """
    adapter = get_adapter(name)
    found = find(adapter, Path(path))
    if found.missing:
        _log.warning(
            "%s at '%s': missing %s that it lists, such as %s; see: unmask datasets check %s PATH",
            name,
            path,
            count_of(len(found.missing), "file"),
            some(found.missing, 3),
            name,
        )
    return _chosen(found.rows, adapter.keeps, split, methods, compressions)


def choose_rows(
    rows: Iterable[LabelledVideo],
    *,
    methods: Sequence[str] | None = None,
    compressions: Sequence[str] | None = None,
) -> list[LabelledVideo]:
    """The rows of any index that ``read_dataset`` would have kept.

    Raises:
        DataError: a method or a level is not in it.
    """
    return _chosen(list(rows), _keeps_as_adapted, None, methods, compressions)


def _keeps_as_adapted(row: LabelledVideo, methods: frozenset[str]) -> bool:
    adapter = adapters().get(row.dataset)
    return adapter is None or adapter.keeps(row, methods)


def find(adapter: Adapter, root: Path) -> Found:
    """Everything that an adapter sees in a root.

    Raises:
        DataError: it is the wrong folder, or nothing is there.
    """
    check_root(adapter, root)
    found = adapter.read(root)
    if not found.rows:
        missing = f" (missing: {some(found.missing, 3)})" if found.missing else ""
        raise DataError(
            f"No {adapter.name} media in '{root}'{missing}: expected {adapter.layout}. "
            f"{adapter.obtain}"
        )
    return found


def _chosen(
    rows: list[LabelledVideo],
    keeps: Callable[[LabelledVideo, frozenset[str]], bool],
    split: str | None,
    methods: Sequence[str] | None,
    compressions: Sequence[str] | None,
) -> list[LabelledVideo]:
    """The rows of a split, of methods and of levels, each of which must be there."""
    if methods is not None:
        wanted = frozenset(methods)
        _check_known("method", wanted, (row.method for row in rows))
        rows = [row for row in rows if (row.method in wanted if row.method else keeps(row, wanted))]
    if compressions is not None:
        _check_known("level of compression", compressions, (row.compression for row in rows))
        rows = [row for row in rows if row.compression in compressions]
    if split is not None:
        _check_known("split", [split], (row.split for row in rows))
        rows = [row for row in rows if row.split == split]
    return rows


def _check_known(kind: str, wanted: Iterable[str], there: Iterable[str]) -> None:
    known = sorted({value for value in there if value})
    for value in wanted:
        if value not in known:
            raise DataError(explain_unknown(f"{kind} in this data set", value, known))
