"""Which videos the paths of a scan mean."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts"}
    | {".wmv", ".flv", ".3gp", ".ogv", ".mxf", ".gif"}
)


class Inputs(NamedTuple):
    """The videos to scan, and whether the caller asked for more than one."""

    paths: list[Path]
    are_many: bool


def find_inputs(paths: Sequence[Path]) -> Inputs:
    """A folder that holds video files means each of them; any other folder is one video's frames.

    Folders are not searched deeper, and hidden files are left out.
    """
    found: list[Path] = []
    has_folder = False
    for path in paths:
        videos = _videos_of(path)
        has_folder |= bool(videos)
        found += videos or [path]
    return Inputs(found, has_folder or len(paths) > 1)


def _videos_of(path: Path) -> list[Path]:
    try:
        if not path.is_dir():
            return []
        return sorted(
            file
            for file in path.iterdir()
            if file.suffix.lower() in VIDEO_SUFFIXES
            and not file.name.startswith(".")
            and file.is_file()
        )
    except OSError:
        return []  # opening it will say why


def unique_names(inputs: Sequence[Path]) -> list[str]:
    """The stem of each input; equal ones get ``-2``, ``-3`` … in their order."""
    names: list[str] = []
    taken: set[str] = set()
    for path in inputs:
        # "." has no name, and a folder keeps what stands behind a dot.
        whole = path if path.name not in ("", "..") else path.resolve()
        stem = (whole.name if path.is_dir() else whole.stem) or "result"
        name, count = stem, 1
        while name.casefold() in taken:  # some disks do not tell A from a
            count += 1
            name = f"{stem}-{count}"
        taken.add(name.casefold())
        names.append(name)
    return names
