"""Shards: files that hold the sequences of several videos.

A shard is a zip file without compression: pictures as PNG, ``frames.npy`` with one record per
frame, and ``sequences.json`` with one entry per sequence. Everything is read by its place in the
file, which the records give, and for the list the zip's comment: a zip's own list of tens of
thousands of names would have to be read whole.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from unmask.errors import DataError
from unmask.types import Floats

_LIST = "sequences.json"
_FRAMES = "frames.npy"
_HEADER_BYTES = 30
_NO_DATE = (1980, 1, 1, 0, 0, 0)
_COMMENT = struct.Struct("<qqQ")
"""Of the zip: where the list stands."""

ENDINGS = ("png", "mask.png", "twin.png")
"""Of the names inside of a shard: the frame, its mask, and the same frame of its twin."""

RECORD = np.dtype(
    [
        ("frame", "<i8"),
        ("time_s", "<f8"),
        ("is_real", "?"),
        ("points", "<f4", (5, 2)),
        ("points68", "<f4", (68, 2)),
        ("box", "<f4", (4,)),
        ("start", "<i8", (3,)),
        ("bytes", "<u4", (3,)),
        ("crc", "<u4", (3,)),
    ]
)
"""One frame: geometry in stored pixels (NaN: not known), then where each of ``ENDINGS`` stands."""

Records = npt.NDArray[np.void]


class Stored(NamedTuple):
    """Where something stands in a shard: its first byte, its length, its CRC-32."""

    start: int
    size: int
    crc: int


class Entry(NamedTuple):
    """One sequence of a shard: the number of its file's row, its person, and its records."""

    group: int
    track: int
    frames: int
    records: Stored
    has_masks: bool
    has_twins: bool


class Content(NamedTuple):
    """The list of a shard."""

    entries: list[Entry]
    problems: list[str]


class ShardWriter:
    """Writes a shard; the same contents give the same bytes."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._sequences: list[tuple[int, int, bool, bool]] = []
        self._records: list[Records] = []
        self._problems: list[str] = []

    def put(self, name: str, data: bytes) -> Stored:
        """Stores something under a name of its own."""
        info = zipfile.ZipInfo(name, _NO_DATE)
        self._archive.writestr(info, data)
        start = info.header_offset + _HEADER_BYTES + len(name.encode()) + len(info.extra)
        return Stored(start, len(data), zlib.crc32(data))

    def add(
        self, group: int, track: int, records: Records, *, has_masks: bool, has_twins: bool
    ) -> None:
        """Lists a sequence whose pictures are stored."""
        self._sequences.append((group, track, has_masks, has_twins))
        self._records.append(records)

    def add_problem(self, text: str) -> None:
        """Lists what is wrong with a file."""
        self._problems.append(text)

    def finish(self, index: str) -> None:
        """Writes the lists; ``index`` says which prepared data set the shard belongs to."""
        packed, raw = io.BytesIO(), [records.tobytes() for records in self._records]
        np.save(packed, np.concatenate([np.zeros(0, RECORD), *self._records]))
        whole = self.put(_FRAMES, packed.getvalue())
        at = whole.start + whole.size - sum(map(len, raw))
        entries = []
        for (group, track, has_masks, has_twins), records in zip(self._sequences, raw, strict=True):
            entries.append(
                {
                    "group": group,
                    "track": track,
                    "frames": len(records) // RECORD.itemsize,
                    "records": [at, len(records), zlib.crc32(records)],
                    "has_masks": has_masks,
                    "has_twins": has_twins,
                }
            )
            at += len(records)
        content = {"index": index, "sequences": entries, "problems": self._problems}
        place = self.put(_LIST, json.dumps(content).encode())
        self._archive.comment = _COMMENT.pack(*place)


def to_records(
    frames: Sequence[tuple[int, float, bool]],
    points: Floats,
    points68: Floats | None,
    boxes: Floats,
    stored: Mapping[str, Sequence[Stored]],
) -> Records:
    """The records of T frames.

    Args:
        frames: (index, time in seconds, is real) of each.
        points: (T, 5, 2).
        points68: (T, 68, 2) or None.
        boxes: (T, 4).
        stored: for some of ``ENDINGS``, where each frame's picture stands.
    """
    records: Records = np.zeros(len(frames), RECORD)
    records["frame"], records["time_s"], records["is_real"] = zip(*frames, strict=True)
    records["points"], records["box"] = points, boxes
    records["points68"] = np.nan if points68 is None else points68
    for ending, places in stored.items():
        at = ENDINGS.index(ending)
        records["start"][:, at], records["bytes"][:, at], records["crc"][:, at] = zip(
            *places, strict=True
        )
    return records


def read_list(path: Path, index: str) -> Content:
    """Reads the list of a shard.

    Raises:
        DataError: it is damaged, or belongs to another prepared data set.
    """
    try:
        with path.open("rb") as file:
            file.seek(-_COMMENT.size, io.SEEK_END)
            place = Stored(*_COMMENT.unpack(file.read()))
        content: dict[str, Any] = json.loads(read_bytes(path, [place])[0])
        entries = [
            Entry(**entry | {"records": Stored(*entry["records"])})
            for entry in content["sequences"]
        ]
        found, problems = content["index"], list(content["problems"])
    except (OSError, struct.error, KeyError, TypeError, ValueError) as error:
        raise _is_damaged(path) from error
    if found != index:
        raise DataError(
            f"'{path}' belongs to another prepared data set than the index beside it. Delete the "
            "folder and prepare again."
        )
    return Content(entries, problems)


def read_bytes(path: Path, places: Sequence[Stored]) -> list[bytes]:
    """Reads what stands at some places of a shard.

    Raises:
        DataError: it is damaged or gone.
    """
    found = []
    try:
        with path.open("rb") as file:
            end = file.seek(0, io.SEEK_END)
            for start, size, crc in places:
                if not 0 <= start <= start + size <= end:
                    raise _is_damaged(path)
                file.seek(start)
                found.append(file.read(size))
                if zlib.crc32(found[-1]) != crc:
                    raise _is_damaged(path)
    except OSError as error:
        raise _is_damaged(path) from error
    return found


def read_records(path: Path, place: Stored) -> Records:
    """Reads the records of one sequence.

    Raises:
        DataError: they are damaged or gone.
    """
    return np.frombuffer(read_bytes(path, [place])[0], RECORD)


def _is_damaged(path: Path) -> DataError:
    return DataError(
        f"'{path}' is damaged or gone. Delete it and run the same prepare command again; it makes "
        "this file anew."
    )
