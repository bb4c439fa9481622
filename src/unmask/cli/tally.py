"""What the scans of several videos found, side by side: on the terminal, and as a CSV file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from unmask.cli.printing import one_line, show_table
from unmask.cli.results import check_target, replacing, writable

if TYPE_CHECKING:
    from unmask.types import Verdict

_HEAD = ("video", "finding", "probability", "95 % interval", "log-likelihood ratio")

_ELSEWHERE = "another file with --csv"


class Tally:
    """A row for each video, in the order of the inputs.

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
        self._rows: list[tuple[str, ...]] = []
        self._shown: list[tuple[str, ...]] = []
        if file is not None:
            check_target(file, inputs, overwrite=overwrite, elsewhere=_ELSEWHERE)

    def add(self, path: Path, verdict: Verdict) -> None:
        """Notes what was found; the verdict itself is not kept."""
        from unmask.report import short_row, table_row

        self._rows.append(table_row(verdict))
        self._shown.append((one_line(path.name or str(path)), *short_row(verdict)))

    def add_failure(self, path: Path, error: str) -> None:
        """Notes that a file could not be scanned, and why."""
        from unmask.report import failed_row

        self._rows.append(failed_row(path, error))
        self._shown.append((one_line(path.name or str(path)), "could not be scanned", "", "", ""))

    def show(self) -> None:
        """All rows as one table; nothing for fewer than two."""
        if len(self._shown) > 1:
            print()
            show_table(_HEAD, self._shown)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Writes the file at the end, also when the scan is stopped: what was finished stays.

        Raises:
            OutputError: the file cannot be written.
        """
        if self._file is None:
            yield
            return
        with writable(self._file.parent, _ELSEWHERE):
            try:
                yield
            finally:
                if self._rows:
                    self._write(self._file)

    def _write(self, file: Path) -> None:
        from unmask.report import to_csv

        with replacing([file], _ELSEWHERE) as (partial,):
            partial.write_text(to_csv(self._rows), encoding="utf-8", newline="")
