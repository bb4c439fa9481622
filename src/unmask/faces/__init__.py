"""Frames in, faces out: who is where, followed over time, cut as native pixels."""

from __future__ import annotations

from unmask.faces.find import FaceFinder, FoundFaces
from unmask.faces.follow import Follower

__all__ = ["FaceFinder", "Follower", "FoundFaces"]
