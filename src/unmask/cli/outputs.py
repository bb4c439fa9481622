"""What a scan reads and writes: its inputs, the reports in a folder, the rows of a CSV file.

Every target is checked before the work starts. A file is written whole or not at all; the CSV gets
each row when it is finished.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

from unmask.cli.terminal import show, show_table
from unmask.errors import OutputError

if TYPE_CHECKING:
    from unmask.types import Verdict

ELSEWHERE = "another folder with -o"
"""What else can be given where a result cannot be written, unless a command says it otherwise."""

_OTHER_CSV = "another file with --csv"
_HEAD = ("video", "finding", "probability", "95 % interval", "log-likelihood ratio")


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
    from unmask.media.container import VIDEO_SUFFIXES

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


class Reports:
    """Where the reports of some inputs go: ``<stem>`` with the suffix of each writer, one folder.

    Args:
        folder: see ``writable``.
        inputs: what will be scanned.
        overwrite: whether existing reports may be replaced.

    Raises:
        OutputError: a report exists already.
    """

    def __init__(self, folder: Path, inputs: Sequence[Path], *, overwrite: bool = False) -> None:
        from unmask.report import report_writers

        self.folder = folder
        self._writers = report_writers()
        self._names = unique_names(inputs)
        for name in self._names:
            for target in (folder / f"{name}{suffix}" for suffix in self._writers):
                check_target(target, inputs, overwrite=overwrite)

    def write(self, number: int, verdict: Verdict) -> Path:
        """Writes all reports of the input with this number; returns the HTML file."""
        from unmask.pipeline.key_frames import key_frames

        shown = key_frames(verdict)
        targets = {
            suffix: self.folder / f"{self._names[number]}{suffix}" for suffix in self._writers
        }
        texts = [writer(verdict, shown) for writer in self._writers.values()]
        with replacing(list(targets.values())) as partials:
            for partial, text in zip(partials, texts, strict=True):
                partial.write_text(text, encoding="utf-8")
        return targets[".html"]


class Tally:
    """A row for each video, in the order of the inputs: on the terminal, and as a CSV file.

    Args:
        file: where the CSV goes; None: nowhere.
        inputs: what will be scanned.
        overwrite: whether the file may be replaced.

    Raises:
        OutputError: the file exists already.
    """

    def __init__(
        self, file: Path | None, inputs: Sequence[Path], *, overwrite: bool = False
    ) -> None:
        self._file = file
        self._csv: TextIO | None = None
        self._shown: list[tuple[str, ...]] = []
        if file is not None:
            check_target(file, inputs, overwrite=overwrite, elsewhere=_OTHER_CSV)

    def add(self, path: Path, verdict: Verdict) -> None:
        """Writes what was found; the verdict itself is not kept."""
        from unmask.report import short_row, table_row

        self._write(table_row(verdict))
        self._shown.append((path.name or str(path), *short_row(verdict)))

    def add_failure(self, path: Path, error: str) -> None:
        """Writes that a file could not be scanned, and why."""
        from unmask.report import failed_row

        self._write(failed_row(path, error))
        self._shown.append((path.name or str(path), "could not be scanned", "", "", ""))

    def show(self) -> None:
        """All rows as one table; nothing for fewer than two."""
        if len(self._shown) > 1:
            show("")
            show_table(_HEAD, self._shown)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keeps the file open. It appears with the first row, and each row is on disk at once.

        Raises:
            OutputError: the file cannot be written.
        """
        if self._file is None:
            yield
            return
        with writable(self._file.parent, _OTHER_CSV):
            try:
                yield
            finally:
                if self._csv is not None:
                    self._csv.close()

    def _write(self, row: tuple[str, ...]) -> None:
        from unmask.report import to_csv

        if self._file is None:
            return
        try:
            is_new = self._csv is None
            if self._csv is None:
                self._csv = self._file.open("w", encoding="utf-8", newline="")
            self._csv.write(to_csv([row], has_head=is_new))
            self._csv.flush()
        except OSError as error:
            raise _no_space(self._file, error, _OTHER_CSV) from error


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


def check_new_folder(folder: Path) -> None:
    """Refuses a folder that holds something, and a file of that name."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        what = "it is not empty" if folder.is_dir() else "it is a file"
        raise OutputError(f"Cannot write to '{folder}': {what}. Give a new folder with -o.")


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
def replacing(targets: Sequence[Path]) -> Iterator[list[Path]]:
    """Names to write to, moved to the targets at the end and removed on anything else."""
    partials = [target.with_name(f".{target.name}.{os.getpid()}.part") for target in targets]
    try:
        yield partials
        for partial, target in zip(partials, targets, strict=True):
            partial.replace(target)
    except OSError as error:
        raise _no_space(targets[0], error, ELSEWHERE) from error
    finally:
        for partial in partials:
            partial.unlink(missing_ok=True)


def _no_space(target: Path, error: OSError, elsewhere: str) -> OutputError:
    return OutputError(
        f"Cannot write '{target}': {error.strerror}. Check the free space, or give {elsewhere}."
    )
