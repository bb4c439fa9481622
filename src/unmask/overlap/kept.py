"""Fingerprints on disk: a line of JSON for each file, added as it is made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import numpy as np

from unmask.errors import OutputError
from unmask.overlap.fingerprint import MOST_MOMENTS, SIDE, Fingerprint, Mark

# Fingerprints made otherwise are made anew.
_HOW: Final = [2, SIDE, MOST_MOMENTS]
_START: Final = '{"key": "'


class KeptFingerprints:
    """What earlier runs hashed; a file that changed since (size or time) counts as new.

    A last line that was cut off by an interruption is ignored, and its file hashed again.

    Args:
        path: the file; None keeps nothing.

    Raises:
        OutputError: it cannot be read, or is something else.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lines: dict[str, str] = {}
        if path is not None and path.exists():
            try:
                lines = path.read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError) as error:
                raise OutputError(
                    f"Cannot go on from '{path}': {error}. Expected hashes that an earlier run "
                    "kept. Remove the file, or give another name."
                ) from error
            self._lines = {key: line for line in lines if (key := _key_of(line))}
            if lines and not self._lines and not lines[0].startswith(_START):
                raise OutputError(
                    f"Cannot keep hashes in '{path}': expected none or those of an earlier run, "
                    "got another file. Give another name."
                )

    def get(self, path: Path) -> Fingerprint | None:
        """What is kept of a file, if it is still the same."""
        line = self._lines.get(_key(path)) if self._path is not None else None
        return None if line is None else _decoded(line)

    def put(self, path: Path, found: Fingerprint) -> None:
        """Keeps a fingerprint.

        Raises:
            OutputError: it cannot be written.
        """
        if self._path is None:
            return
        marks = [
            [mark.time_s, mark.is_face, mark.bits.tobytes().hex(), mark.mirrored.tobytes().hex()]
            for mark in found.marks
        ]
        line = json.dumps({"key": _key(path), "sha256": found.sha256, "marks": marks})
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")
        except OSError as error:
            raise OutputError(
                f"Cannot write '{self._path}': {error.strerror}. Choose another place."
            ) from error


def _key(path: Path) -> str:
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    stats = [file.stat() for file in files]
    size, time = sum(s.st_size for s in stats), max((s.st_mtime_ns for s in stats), default=0)
    return json.dumps([str(path.absolute()), size, time, *_HOW])


def _key_of(line: str) -> str | None:
    try:
        return str(json.loads(line)["key"])
    except (ValueError, KeyError, TypeError):
        return None


def _decoded(line: str) -> Fingerprint:
    kept = json.loads(line)
    marks = tuple(
        Mark(
            time_s,
            is_face,
            np.frombuffer(bytes.fromhex(bits), np.uint64),
            np.frombuffer(bytes.fromhex(mirrored), np.uint64),
        )
        for time_s, is_face, bits, mirrored in kept["marks"]
    )
    return Fingerprint(sha256=kept["sha256"], marks=marks)
