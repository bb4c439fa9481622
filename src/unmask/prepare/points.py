"""The source of 68 points, where it is installed."""

from __future__ import annotations

from functools import lru_cache

from unmask.detectors.weights import cache_dir
from unmask.errors import MissingDependencyError
from unmask.faces import POINT_WEIGHTS, PointFinder, what_points_lack


def lacking_points() -> str:
    """What must be installed or downloaded before 68 points can be found; empty if nothing."""
    return what_points_lack(cache_dir() / POINT_WEIGHTS.file)


@lru_cache(maxsize=1)
def load_points() -> PointFinder:
    """The finder of 68 points, loaded once in every process.

    Raises:
        MissingDependencyError: it is not installed, or its weights are not downloaded.
        WeightsError: the weights are damaged.
    """
    lacking = lacking_points()
    if lacking:
        raise MissingDependencyError(f"{lacking}. Or keep five points: Keep(landmarks=5).")
    return PointFinder.load(cache_dir() / POINT_WEIGHTS.file)
