"""The metrics that a table can show: ``METRICS`` of every module of this folder."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unmask.errors import UnknownNameError, explain_unknown
from unmask.metrics._check import Values

_PACKAGE: Final = "unmask.metrics"

Class = Literal["real", "fake"]

BOTH: Final[tuple[Class, Class]] = ("real", "fake")
"""The classes, in the order of their labels."""

_NONE: Final = np.zeros(0)
_NO_PIXELS: Final = np.zeros((0, 2, 2), np.int64)


class Items(NamedTuple):
    """What a metric is computed from: items of its classes, with what it needs of them.

    Attributes:
        labels: (N,), 1 = fake.
        scores: (N,), higher = more likely fake.
        threshold: scores at or above it are called fake; NaN: none was chosen.
        pixels: (N, 2, B) histograms of ``count_pixels``, one for each item.
    """

    labels: Values = _NONE
    scores: Values = _NONE
    threshold: float = float("nan")
    pixels: NDArray[np.int64] = _NO_PIXELS


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A column of a table. A module of this folder lists its own in ``METRICS``.

    Attributes:
        name: heading of the column.
        order: columns are sorted by it.
        compute: items and weights (R, N) to (R,) values, see ``unmask.metrics``.
        classes: whose items it is computed from.
        needs_threshold: whether a threshold must be chosen on other data.
        needs_masks: whether it is computed from pixels instead of scores.
        is_default: whether it is measured when no metric is named; one of masks only where there
            are masks.
        is_compared: whether the difference between two detectors is measured.
        is_share: whether its values are shares, 0..1; tables show them in percent.
        note: what a reader must know of the value of some items; "": nothing.
    """

    name: str
    order: int
    compute: Callable[[Items, Values], Values]
    classes: tuple[Class, ...] = BOTH
    needs_threshold: bool = False
    needs_masks: bool = False
    is_default: bool = False
    is_compared: bool = False
    is_share: bool = True
    note: Callable[[Items], str] = lambda items: ""


@cache
def metrics() -> dict[str, Metric]:
    """All metrics by name, in the order of a table's columns."""
    package = importlib.import_module(_PACKAGE)
    names = [module.name for module in pkgutil.iter_modules(package.__path__)]
    modules = [importlib.import_module(f"{_PACKAGE}.{n}") for n in names if n[0] != "_"]
    found: list[Metric] = [
        metric for module in modules for metric in getattr(module, "METRICS", ())
    ]
    return {metric.name: metric for metric in sorted(found, key=lambda metric: metric.order)}


def list_metrics() -> list[str]:
    """Names of all metrics, in the order of a table's columns."""
    return list(metrics())


def get_metric(name: str) -> Metric:
    """The metric of a name.

    Raises:
        UnknownNameError: there is none; the message lists the known ones.
    """
    known = metrics()
    if name not in known:
        raise UnknownNameError(explain_unknown("metric", name, list(known)))
    return known[name]
