"""Losses, one small file each; they take plain tensors."""

from __future__ import annotations

from unmask.losses.attention_transfer import attention_transfer_loss
from unmask.losses.binary import binary_loss
from unmask.losses.coding_distance import coding_distance_loss
from unmask.losses.ensemble import ensemble_loss
from unmask.losses.lip_reading import lip_reading_loss
from unmask.losses.pair_separation import mask_separation_loss, pair_separation_loss
from unmask.losses.radial_margin import radial_margin_loss, radii_for
from unmask.losses.screening import screening_loss
from unmask.losses.segmentation import manipulation_loss, segmentation_loss
from unmask.losses.wasserstein import gradient_penalty, wasserstein_distance

__all__ = [
    "attention_transfer_loss",
    "binary_loss",
    "coding_distance_loss",
    "ensemble_loss",
    "gradient_penalty",
    "lip_reading_loss",
    "manipulation_loss",
    "mask_separation_loss",
    "pair_separation_loss",
    "radial_margin_loss",
    "radii_for",
    "screening_loss",
    "segmentation_loss",
    "wasserstein_distance",
]
