"""Frames in, faces out: who is where, followed over time, cut as native pixels."""

from __future__ import annotations

from unmask.faces.find import FaceFinder, FoundFaces
from unmask.faces.follow import Follower
from unmask.faces.landmarks import POINT_WEIGHTS, PointFinder, landmarks_missing_reason

__all__ = [
    "POINT_WEIGHTS",
    "FaceFinder",
    "Follower",
    "FoundFaces",
    "PointFinder",
    "landmarks_missing_reason",
]
