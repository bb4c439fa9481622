"""The source of 68 points, where it is installed."""

from __future__ import annotations

from functools import lru_cache

from unmask import faces
from unmask.checkpoints import cache_dir
from unmask.errors import MissingDependencyError


def landmarks_missing_reason() -> str | None:
    """What must be installed or downloaded before 68 points can be found; None if nothing."""
    return faces.landmarks_missing_reason(cache_dir() / faces.POINT_WEIGHTS.file)


@lru_cache(maxsize=1)
def load_landmarks() -> faces.PointFinder:
    """The finder of 68 points, loaded once in every process.

    Raises:
        MissingDependencyError: it is not installed, or its weights are not downloaded.
        WeightsError: the weights are damaged.
    """
    reason = landmarks_missing_reason()
    if reason:
        raise MissingDependencyError(f"{reason}. Or keep five points: PrepareSpec(landmarks=5).")
    return faces.PointFinder.load(cache_dir() / faces.POINT_WEIGHTS.file)
