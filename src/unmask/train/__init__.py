"""Training: one command, everything from the detector's card."""

from __future__ import annotations

from unmask.train.data import Source
from unmask.train.run import train
from unmask.train.settings import apply_settings

__all__ = ["Source", "apply_settings", "train"]
