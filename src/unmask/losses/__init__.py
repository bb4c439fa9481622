"""Losses, one small file each; they take plain tensors."""

from __future__ import annotations

from unmask.losses.screening import screening_loss

__all__ = ["screening_loss"]
