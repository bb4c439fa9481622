"""The formats of a report: each is a function in a file ``to_*.py`` that registers itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TypeVar

from unmask.types import KeyFrame, Verdict

ReportWriter = Callable[[Verdict, Sequence[KeyFrame]], str]
"""Makes the text of a file of a verdict and its key frames."""

_Function = TypeVar("_Function", bound=Callable[..., str])
_WRITERS: dict[str, ReportWriter] = {}


def report_writer(suffix: str) -> Callable[[_Function], _Function]:
    """Registers a function as what writes files with this suffix, such as ``.html``."""

    def register(function: _Function) -> _Function:
        _WRITERS[suffix] = function
        return function

    return register


def report_writers() -> dict[str, ReportWriter]:
    """By suffix, in order of the suffixes."""
    for module in iter_modules([str(Path(__file__).parent)]):
        if module.name.startswith("to_"):
            import_module(f"unmask.report.{module.name}")
    return dict(sorted(_WRITERS.items()))
