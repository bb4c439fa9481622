"""The index of a prepared data set: which files it was made of, and how."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import hashlib
import json
import os
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from unmask.errors import DataError, OutputError
from unmask.prepare.spec import PrepareSpec
from unmask.types import LabelledVideo

VERSION = 2
"""Of the format on disk; what another one wrote is refused."""

VIDEOS_PER_SHARD = 16
_INDEX = "prepared.json"
_PARTIAL = ".partial"

Pairs = list[tuple[int, LabelledVideo, Path | None]]
"""Number, row and twin of every file."""


class Index(NamedTuple):
    """What ``prepared.json`` says; ``digest`` is of its contents."""

    rows: tuple[LabelledVideo, ...]
    spec: PrepareSpec
    digest: str

    @property
    def shards(self) -> int:
        """How many there are, or will be."""
        return -(-len(self.rows) // VIDEOS_PER_SHARD)


def is_prepared(path: str | Path) -> bool:
    """Whether a folder was made by ``prepare``, if only in part."""
    return (Path(path) / _INDEX).is_file()


def with_twins(rows: Sequence[LabelledVideo], spec: PrepareSpec) -> Pairs:
    """Every row with its twin; of two compression levels the better row stands for both.

    Raises:
        DataError: there is no row, or a twin is missing.
    """
    if not rows:
        raise DataError("There is nothing to prepare: the index has no row. Check the filters.")
    if spec.twins is None:
        return [(number, row, None) for number, row in enumerate(rows)]
    better, worse = spec.twins
    others = {_video(row): row.path for row in rows if row.compression == worse and row.video_id}
    firsts = [row for row in rows if row.compression == better]
    if not firsts:
        levels = ", ".join(sorted({row.compression for row in rows} - {""})) or "none named"
        raise DataError(
            f"Cannot pair {better} with {worse}: there is no video at {better} (levels found: "
            f"{levels}). Give data at both, or train a detector that needs no pairs."
        )
    lonely = [row for row in firsts if _video(row) not in others]
    if lonely:
        names = ", ".join(f"'{row.path}'" for row in lonely[:3])
        raise DataError(
            f"{len(lonely)} of {len(firsts)} videos at {better} have no twin at {worse}. First of "
            f"them: {names}. Download both compression levels, or train a detector that needs no "
            "pairs."
        )
    return [(number, row, others[_video(row)]) for number, row in enumerate(firsts)]


def _video(row: LabelledVideo) -> tuple[str, str]:
    return row.dataset, row.video_id


def open_folder(folder: Path, pairs: Pairs, spec: PrepareSpec) -> str:
    """Makes the folder, or makes sure that it holds the same work.

    Returns:
        The index's digest.

    Raises:
        OutputError: it holds something else, or cannot be written.
        DataError: its index is damaged, or of another version.
    """
    index = {
        "version": VERSION,
        "keep": spec.plain(),
        "rows": [_plain(row) for _, row, _ in pairs],
        "twins": [str(twin) if twin else None for _, _, twin in pairs],
    }
    text = json.dumps(index)
    try:
        if not is_prepared(folder):
            _make(folder, text)
    except OSError as error:
        raise cannot_write(folder, error) from error
    # Also what was just made: another process may have been faster.
    earlier = _read(folder)
    changed = [key for key, value in json.loads(text).items() if earlier.get(key) != value]
    if changed:
        raise OutputError(
            f"'{folder}' was prepared from another index or with other settings (different: "
            f"{', '.join(changed)}). Give another folder, or delete this one."
        )
    return _digest(earlier)


def _make(folder: Path, text: str) -> None:
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"Cannot prepare into '{folder}': it is a file. Give a folder.")
    if folder.is_dir() and any(not e.name.endswith(_PARTIAL) for e in folder.iterdir()):
        if is_prepared(folder):
            return
        raise OutputError(
            f"Cannot prepare into '{folder}': it exists and is not empty. Give another folder."
        )
    folder.mkdir(parents=True, exist_ok=True)
    partial = partial_of(folder / _INDEX)
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(folder / _INDEX)
    finally:
        partial.unlink(missing_ok=True)


def read_index(folder: Path) -> Index:
    """Reads the index.

    Raises:
        DataError: it is missing, damaged, or of another version.
    """
    index = _read(folder)
    try:
        rows = tuple(_row(entry) for entry in index["rows"])
        twins = index["keep"]["twins"]
        spec = PrepareSpec(**index["keep"] | {"twins": tuple(twins) if twins else None})
    except (KeyError, TypeError, AttributeError) as error:
        raise _is_no_index(folder) from error
    return Index(rows, spec, _digest(index))


def _read(folder: Path) -> dict[str, Any]:
    try:
        index: dict[str, Any] = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
        version = index.get("version")
    except (OSError, ValueError, AttributeError) as error:
        raise _is_no_index(folder) from error
    if version != VERSION:
        raise DataError(
            f"'{folder}' was prepared by another version of unmask (format {version}, this one "
            f"reads {VERSION}). Delete the folder and prepare again."
        )
    return index


def _is_no_index(folder: Path) -> DataError:
    return DataError(
        f"'{folder}' is not a prepared data set: {_INDEX} is missing or damaged. "
        "Make one with: unmask prepare LAYOUT PATH -o FOLDER"
    )


def _digest(index: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(index, sort_keys=True).encode()).hexdigest()[:16]


def _plain(row: LabelledVideo) -> dict[str, Any]:
    entry = dataclasses.asdict(row)
    entry["path"] = str(row.path)
    entry["mask_path"] = str(row.mask_path) if row.mask_path else None
    entry["identities"] = list(row.identities)
    return entry


def _row(entry: dict[str, Any]) -> LabelledVideo:
    mask = entry["mask_path"]
    changed = {
        "path": Path(entry["path"]),
        "mask_path": Path(mask) if mask else None,
        "identities": tuple(entry["identities"]),
    }
    return LabelledVideo(**entry | changed)


def shard_of(folder: Path, number: int) -> Path:
    """The file of a shard."""
    return folder / f"faces-{number:05d}.zip"


def partial_of(path: Path) -> Path:
    """A name for the unfinished file that no other process uses, on no other machine."""
    return path.with_name(f"{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}{_PARTIAL}")


def sweep(folder: Path) -> None:
    """Removes what killed processes left in a finished folder."""
    for partial in folder.glob(f"*{_PARTIAL}"):
        with contextlib.suppress(OSError):
            partial.unlink()


def remove(folder: Path, shards: int) -> None:
    """Removes a prepared data set in which there is nothing."""
    for path in (*(shard_of(folder, number) for number in range(shards)), folder / _INDEX):
        path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


def cannot_write(folder: Path, error: OSError) -> OutputError:
    """What to say of a disk that is full, or may not be written to."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutputError(
            f"Cannot go on in '{folder}': the disk is full. Finished shards are kept; free some "
            "space and run the same command again."
        )
    reason = error.strerror or type(error).__name__
    return OutputError(f"Cannot write to '{folder}': {reason}. Give another folder.")
