"""The folder of a run: opened once, read again by a resumed run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unmask.errors import OutputError

_RECORD = "run.json"


def open_folder(folder: Path, resume: bool) -> None:
    """Makes a new folder, or makes sure that there is a run to go on with.

    Raises:
        OutputError: it is not empty (without ``resume``), holds no whole epoch (with it), or
            cannot be made.
    """
    last = folder / "last.ckpt"
    if resume and not last.is_file():
        raise OutputError(
            f"Cannot resume in '{folder}': there is no last.ckpt, so no epoch was finished there. "
            "Train anew, without --resume, into another folder."
        )
    if not resume and folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise OutputError(
            f"The run folder '{folder}' exists and is not empty. Give another one with -o, "
            "or continue it with --resume."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"Cannot make the run folder '{folder}': {error.strerror}. Give another with -o."
        ) from error


def read_record(folder: Path) -> dict[str, Any]:
    """What a run wrote down of itself; empty if nothing can be read."""
    try:
        record = json.loads((folder / _RECORD).read_text())
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def settings_in(record: Mapping[str, Any], key: str = "settings") -> list[str]:
    """The settings in a run's record; none if it does not say."""
    settings = record.get(key)
    return [str(setting) for setting in settings] if isinstance(settings, list) else []


def write_record(folder: Path, content: dict[str, Any]) -> None:
    """Writes down what a run is and what came of it.

    Raises:
        OutputError: the folder cannot be written to (a full disk).
    """
    path = folder / _RECORD
    partial = path.with_suffix(".partial")
    try:
        partial.write_text(json.dumps(content, indent=1) + "\n")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OutputError(
            f"Cannot write '{path}': {error.strerror}. Free some space, or give another folder "
            "with -o; a run whose epochs are whole goes on with --resume."
        ) from error
