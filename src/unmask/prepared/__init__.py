"""Faces of a data set, found once and kept on disk: what training reads over and over.

The same decode, find and follow as ``scan``; native pixels around each face, lossless.
"""

from __future__ import annotations

from unmask.prepared.index import is_prepared
from unmask.prepared.keep import Keep
from unmask.prepared.prepare import Prepared, prepare, read_prepared
from unmask.prepared.sequence import FaceSequence

__all__ = [
    "FaceSequence",
    "Keep",
    "Prepared",
    "is_prepared",
    "prepare",
    "read_prepared",
]
