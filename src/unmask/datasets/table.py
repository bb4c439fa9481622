"""A CSV file that lists media, for data in no known layout.

Columns ``path``, ``label`` (1 or fake, 0 or real) and ``split``; further ones bear the names of
``LabelledVideo``'s fields. Relative paths count from the file's folder; several identities are
separated by spaces.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path, PurePath

from unmask.datasets._adapter import Adapter, Found, count_of, some
from unmask.errors import DataError
from unmask.types import LabelledVideo

_LABELS = {"0": 0, "real": 0, "1": 1, "fake": 1}
_NEEDED = ("path", "label", "split")
_KNOWN = tuple(item.name for item in fields(LabelledVideo))


def _read(path: Path) -> Found:
    """Raises ``DataError`` with line numbers: a list of one's own can be corrected."""
    if not path.is_file():
        raise DataError(
            f"Cannot read csv from '{path}': it is not a file. Give a CSV file with the columns "
            f"{', '.join(_NEEDED)}."
        )
    rows: list[LabelledVideo] = []
    lost: list[str] = []
    for line, row in _rows(path):
        files = [row.path] if row.mask_path is None else [row.path, row.mask_path]
        lost += [f"'{file}' (line {line})" for file in files if not file.exists()]
        rows.append(row)
    if lost:
        raise DataError(
            f"'{path}' names {count_of(len(lost), 'file')} that cannot be found: {some(lost)}. "
            "Relative paths start at its folder. Correct or remove these lines."
        )
    return Found(rows)


def _rows(path: Path) -> Iterator[tuple[int, LabelledVideo]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        table = csv.DictReader(file, strict=True)
        try:
            _check_columns(path, list(table.fieldnames or ()))
            for entry in table:
                yield table.line_num, _row(path, table.line_num, entry)
        except (csv.Error, UnicodeDecodeError) as error:
            raise DataError(
                f"Cannot read '{path}' after line {table.line_num}: {error}. Write it as CSV."
            ) from error


def _check_columns(path: Path, names: list[str]) -> None:
    missing = [name for name in _NEEDED if name not in names]
    unknown = [name for name in names if name not in _KNOWN]
    if missing or unknown:
        what = f"no column {', '.join(missing)}" if missing else f"columns {', '.join(unknown)}"
        raise DataError(
            f"Cannot read '{path}': it has {what}. Expected {', '.join(_NEEDED)} and optionally "
            f"{', '.join(name for name in _KNOWN if name not in _NEEDED)}. Correct line 1."
        )


def _row(path: Path, line: int, entry: dict[str, str | None]) -> LabelledVideo:
    if None in entry or None in entry.values():
        raise DataError(
            f"Cannot read '{path}', line {line}: it has more or fewer values than line 1. "
            "Quote values with a comma in them."
        )
    values = {name: (value or "").strip() for name, value in entry.items()}
    label = _LABELS.get(values["label"].lower())
    if label is None or not values["path"] or not values["split"]:
        got = ", ".join(f"{name}={values[name]!r}" for name in _NEEDED)
        raise DataError(
            f"Cannot read '{path}', line {line}: expected a path, the label 1 or fake, 0 or real, "
            f"and a split; got {got}. Correct the line."
        )
    mask = values.get("mask_path", "")
    name = values["path"]
    stem = PurePath(name).with_suffix("").as_posix()
    return LabelledVideo(
        path=path.parent / name,
        label=label,
        dataset=values.get("dataset", "") or path.stem,
        split=values["split"],
        method=values.get("method", "") or ("forged" if label else ""),
        source_id=values.get("source_id", "") or stem,
        subject=values.get("subject", ""),
        compression=values.get("compression", ""),
        mask_path=path.parent / mask if mask else None,
        video_id=values.get("video_id", "") or stem,
        identities=tuple(values.get("identities", "").split()),
    )


ADAPTERS = (
    Adapter(
        name="csv",
        title="A CSV file that lists media",
        paper="",
        url="",
        license="your own",
        obtain=f"Write a CSV file with the columns {', '.join(_NEEDED)}.",
        layout="a CSV file",
        read=_read,
    ),
)
