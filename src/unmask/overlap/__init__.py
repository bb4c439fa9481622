"""Leakage between splits: near-duplicate pictures, and persons by name."""

from __future__ import annotations

from unmask.overlap.find import (
    FACE_LIMIT,
    FRAME_LIMIT,
    check_rest,
    find_overlap,
    read_sides,
    write_rest,
)
from unmask.overlap.report import Match, OverlapReport

__all__ = [
    "FACE_LIMIT",
    "FRAME_LIMIT",
    "Match",
    "OverlapReport",
    "check_rest",
    "find_overlap",
    "read_sides",
    "write_rest",
]
