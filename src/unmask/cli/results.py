"""The folder that reports go to: checked before the work starts, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from unmask.cli.inputs import unique_names
from unmask.errors import OutputError

if TYPE_CHECKING:
    from unmask.types import Verdict

SUFFIXES = (".json", ".html")

ELSEWHERE = "another folder with -o"
"""What else can be given where a result cannot be written, unless a command says it otherwise."""


class Results:
    """Where the reports of some inputs go: ``<stem>.json`` and ``<stem>.html`` in one folder.

    Args:
        folder: see ``writable``.
        inputs: what will be scanned.
        overwrite: whether reports that are there already may be replaced.

    Raises:
        OutputError: a report exists already.
    """

    def __init__(self, folder: Path, inputs: Sequence[Path], *, overwrite: bool = False) -> None:
        self.folder = folder
        self._names = unique_names(inputs)
        for name in self._names:
            for target in (folder / f"{name}{suffix}" for suffix in SUFFIXES):
                check_target(target, inputs, overwrite=overwrite)

    def write(self, number: int, verdict: Verdict) -> Path:
        """Writes both reports of the input with this number; returns the HTML file."""
        from unmask.pipeline.key_frames import key_frames
        from unmask.report import to_html, to_json

        texts = (to_json(verdict), to_html(verdict, key_frames(verdict)))
        targets = [self.folder / f"{self._names[number]}{suffix}" for suffix in SUFFIXES]
        with replacing(targets) as partials:
            for partial, text in zip(partials, texts, strict=True):
                partial.write_text(text, encoding="utf-8")
        return targets[1]


def check_target(
    target: Path, inputs: Sequence[Path] = (), *, overwrite: bool, elsewhere: str = ELSEWHERE
) -> None:
    """Refuses a file that exists (unless ``overwrite``) or that is one of the inputs."""
    if not os.path.lexists(target):
        return
    if not overwrite:
        raise OutputError(
            f"Cannot write '{target}': it exists. Add --overwrite, or give {elsewhere}."
        )
    if target.is_dir() or any(target.resolve() == path.resolve() for path in inputs):
        what = "a folder" if target.is_dir() else "what is to be read"
        raise OutputError(f"Cannot write '{target}': it is {what}. Give {elsewhere}.")


@contextmanager
def writable(folder: Path, elsewhere: str = ELSEWHERE) -> Iterator[None]:
    """Makes the folder if it is missing, tries whether it can be written to, before the work.

    A folder that was made here and in which nothing came to lie is removed at the end.

    Raises:
        OutputError: it cannot be made or written to.
    """
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = "it is not a folder" if isinstance(error, FileExistsError) else error.strerror
        raise OutputError(
            f"Cannot write to the folder '{folder}': {reason}. Give {elsewhere}."
        ) from error
    try:
        yield
    finally:
        if is_new and not any(folder.iterdir()):
            folder.rmdir()


@contextmanager
def replacing(targets: Sequence[Path], elsewhere: str = ELSEWHERE) -> Iterator[list[Path]]:
    """Names to write to, moved to the targets at the end and removed on anything else."""
    partials = [target.with_name(f".{target.name}.{os.getpid()}.part") for target in targets]
    try:
        yield partials
        for partial, target in zip(partials, targets, strict=True):
            partial.replace(target)
    except OSError as error:
        raise OutputError(
            f"Cannot write '{targets[0]}': {error.strerror}. Check the free space, or give "
            f"{elsewhere}."
        ) from error
    finally:
        for partial in partials:
            partial.unlink(missing_ok=True)
