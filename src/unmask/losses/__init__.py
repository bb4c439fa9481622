"""Losses, one small file each; they take plain tensors."""

from __future__ import annotations

from unmask.losses.binary import binary_loss
from unmask.losses.ensemble import ensemble_loss
from unmask.losses.lip_reading import lip_reading_loss
from unmask.losses.screening import screening_loss
from unmask.losses.segmentation import manipulation_loss, segmentation_loss

__all__ = [
    "binary_loss",
    "ensemble_loss",
    "lip_reading_loss",
    "manipulation_loss",
    "screening_loss",
    "segmentation_loss",
]
