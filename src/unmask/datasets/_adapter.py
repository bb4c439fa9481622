"""The type of an adapter, and what all adapters share: finding the root, listing, reading lists."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from unmask.errors import DataError
from unmask.types import LabelledVideo

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".mts", ".ts", ".wmv"}
    | {".flv", ".gif"}
)
PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
MEDIA_SUFFIXES = VIDEO_SUFFIXES | PICTURE_SUFFIXES
"""Suffixes, in lower case, of the files that are taken for media."""

SPLITS = ("train", "val", "test")
_FOLDERS_TRIED = 200


class Found(NamedTuple):
    """What a reader saw: the rows that have a file, what is listed without one, remarks."""

    rows: list[LabelledVideo]
    missing: Sequence[str] = ()
    notes: Sequence[str] = ()


def keep_all(row: LabelledVideo, methods: frozenset[str]) -> bool:
    """Keeps every real video, whatever the methods."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """One layout of data on disk.

    Attributes:
        name: its name in ``read_dataset`` and on the command line.
        title: the data set's own name and what is in it.
        paper: authors, title, venue and year; empty if there is none.
        url: where it is described.
        license: on what terms it may be used.
        obtain: how to get it.
        layout: what the root holds, in words, for error messages.
        read: index of a root; looks at names, lists and annotations, opens no media.
        roots: globs, one of which must match in the root; if empty, the reader checks the root.
        keeps: whether a real row belongs to the data of the chosen methods.
        unmasked: methods that are published without masks.
        shared: why its official splits share identities; empty if they do not.
    """

    name: str
    title: str
    paper: str
    url: str
    license: str
    obtain: str
    layout: str
    read: Callable[[Path], Found]
    roots: tuple[str, ...] = ()
    keeps: Callable[[LabelledVideo, frozenset[str]], bool] = keep_all
    unmasked: frozenset[str] = frozenset()
    shared: str = ""


def check_root(adapter: Adapter, root: Path) -> None:
    """Refuses a folder that does not hold the layout, and names one nearby that does.

    Raises:
        DataError: the folder is not there, is empty, or is the wrong one.
    """
    if not adapter.roots:
        return
    start = f"Cannot read {adapter.name} from '{root}'"
    if not root.is_dir():
        raise DataError(f"{start}: there is no such folder. Give the folder with {adapter.layout}.")
    if _is_root(adapter, root):
        return
    here = sorted(entry.name for entry in os.scandir(root))
    if not here:
        raise DataError(f"{start}: it is empty. Expected {adapter.layout}. {adapter.obtain}")
    near = _root_nearby(adapter, root)
    advice = f"'{near}' looks right: give that folder." if near else adapter.obtain
    shown = ", ".join(here[:5]) + (" …" if len(here) > 5 else "")
    raise DataError(f"{start}: expected {adapter.layout} in it, found {shown}. {advice}")


def _is_root(adapter: Adapter, folder: Path) -> bool:
    return any(next(folder.glob(pattern), None) is not None for pattern in adapter.roots)


def _root_nearby(adapter: Adapter, root: Path) -> Path | None:
    """A folder one level below, or up to four above (…/METHOD/c23/videos is four deep)."""
    below = [Path(entry.path) for entry in os.scandir(root) if entry.is_dir()]
    above = root.absolute().parents[:4]
    near = [*sorted(below)[:_FOLDERS_TRIED], *above]
    return next((folder for folder in near if _is_root(adapter, folder)), None)


def media_in(folder: Path, suffixes: frozenset[str] = VIDEO_SUFFIXES) -> dict[str, Path]:
    """Stem -> file of the media in a folder, sorted; empty if there is no such folder."""
    if not folder.is_dir():
        return {}
    # A leading dot: what macOS leaves beside every file it copies bears that file's name.
    names = sorted(
        entry.name
        for entry in os.scandir(folder)
        if not entry.name.startswith(".") and entry.is_file()
    )
    split = ((name, name.rpartition(".")) for name in names)
    return {
        stem: folder / name
        for name, (stem, dot, ending) in split
        if dot + ending.lower() in suffixes
    }


def folders_in(folder: Path) -> list[Path]:
    """The folders in a folder, sorted; empty if there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted(
        Path(entry.path)
        for entry in os.scandir(folder)
        if entry.is_dir() and not entry.name.startswith(".")
    )


def read_json(path: Path, expected: str) -> object:
    """The contents of a JSON file.

    Raises:
        DataError: it is no JSON; the message says what was ``expected``.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise DataError(
            f"Cannot read '{path}': expected JSON with {expected} ({error}). Fetch it again."
        ) from error


def read_lines(path: Path) -> list[str]:
    """The lines of a list that are not empty.

    Raises:
        DataError: it is no text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (ValueError, OSError) as error:
        raise DataError(f"Cannot read '{path}': {error}. Fetch it again.") from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def some(names: Iterable[str], most: int = 10) -> str:
    """The first of some names, and how many more there are.

    >>> some(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    names = list(names)
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest:,} more" if rest > 0 else "")


def count_of(number: int, noun: str, nouns: str = "") -> str:
    """A number and its noun, or its ``nouns`` where an s does not make them.

    >>> count_of(1, "mask"), count_of(1200, "mask"), count_of(2, "identity", "identities")
    ('1 mask', '1,200 masks', '2 identities')
    """
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"
