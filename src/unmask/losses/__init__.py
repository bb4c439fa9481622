"""Losses, one small file each; they take plain tensors."""

from __future__ import annotations

from unmask.losses.binary import binary_loss
from unmask.losses.screening import screening_loss

__all__ = ["binary_loss", "screening_loss"]
