"""Faces of a data set, found once and kept on disk: what training reads over and over.

The same decode, find and follow as ``scan``; native pixels around each face, lossless.
"""

from __future__ import annotations

from unmask.prepare.dataset import Prepared, prepare, read_prepared
from unmask.prepare.index import VERSION, is_prepared
from unmask.prepare.landmarks import landmarks_missing_reason
from unmask.prepare.sequence import FaceSequence
from unmask.prepare.spec import PrepareSpec

__all__ = [
    "VERSION",
    "FaceSequence",
    "PrepareSpec",
    "Prepared",
    "is_prepared",
    "landmarks_missing_reason",
    "prepare",
    "read_prepared",
]
