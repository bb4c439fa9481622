"""Faces in, detector input out: which frames, which region, which size."""

from __future__ import annotations

from unmask.clips.cut import Cutter, cut_face
from unmask.clips.mouth_run import MouthRun, is_by_68_points
from unmask.clips.order import ORDERS, reorder
from unmask.clips.plan import Plan, needs, region_of
from unmask.clips.tensor import normalize, to_tensor

__all__ = [
    "ORDERS",
    "Cutter",
    "MouthRun",
    "Plan",
    "cut_face",
    "is_by_68_points",
    "needs",
    "normalize",
    "region_of",
    "reorder",
    "to_tensor",
]
