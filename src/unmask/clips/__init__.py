"""Faces in, detector input out: which frames, which region, which size."""

from __future__ import annotations

from unmask.clips.cut import Cutter, cut_face
from unmask.clips.order import ORDERS, reorder
from unmask.clips.plan import Plan, needs, region_of
from unmask.clips.tensor import normalize, to_tensor

__all__ = [
    "ORDERS",
    "Cutter",
    "Plan",
    "cut_face",
    "needs",
    "normalize",
    "region_of",
    "reorder",
    "to_tensor",
]
