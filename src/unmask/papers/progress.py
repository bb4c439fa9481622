"""Lines that say how far a run is and how long it will take."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

Log = Callable[[str], None]
"""Receives lines for a person."""

_LEAST_S: Final = 5.0
"""Between two lines that are not the last."""


class Count:
    """Counts what is done, and logs it at most every few seconds.

    Args:
        what: is counted.
        total: of these.
        log: receives the lines.
        done: before, which takes no part in the guess of the time left; None: as many as the
            first call of ``reached`` says.
    """

    def __init__(self, what: str, total: int, log: Log, *, done: int | None = None) -> None:
        self._what, self._total, self._log = what, total, log
        self._first, self._done = done, done or 0
        self._begun_s, self._logged_s = time.monotonic(), -_LEAST_S

    def tick(self) -> None:
        """One more is done."""
        self.reached(self._done + 1)

    def reached(self, done: int) -> None:
        """So many are done."""
        self._done, now = done, time.monotonic()
        if self._first is None:
            self._first, self._begun_s = done, now
        is_last = done >= self._total
        if not is_last and now - self._logged_s < _LEAST_S:
            return
        self._logged_s = now
        self._log(f"{self._what}: {done} of {self._total}{'' if is_last else self._left(now)}")

    def _left(self, now: float) -> str:
        new = self._done - (self._first or 0)
        if new <= 0:
            return ""
        left = (now - self._begun_s) / new * (self._total - self._done)
        return f", about {left / 60:.0f} min left" if left >= 90 else f", about {left:.0f} s left"
