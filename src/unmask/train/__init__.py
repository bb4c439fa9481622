"""Training: one command, everything from the detector's card."""

from __future__ import annotations

from unmask.train.run import train
from unmask.train.settings import apply_settings

__all__ = ["apply_settings", "train"]
