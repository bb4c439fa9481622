"""Faces of a data set, found once and kept on disk: what training reads over and over.

The same decode, find and follow as ``scan``; native pixels around each face, lossless.
"""

from __future__ import annotations

from unmask.prepare.index import VERSION, is_prepared
from unmask.prepare.keep import Keep
from unmask.prepare.points import landmarks_missing_reason
from unmask.prepare.prepare import Prepared, prepare, read_prepared
from unmask.prepare.sequence import FaceSequence

__all__ = [
    "VERSION",
    "FaceSequence",
    "Keep",
    "Prepared",
    "is_prepared",
    "landmarks_missing_reason",
    "prepare",
    "read_prepared",
]
