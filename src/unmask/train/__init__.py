"""Training: one command, everything from the detector's card."""

from __future__ import annotations

from unmask.train.data import Source, prepare_spec_for
from unmask.train.dry_run import DryRun, dry_run
from unmask.train.pretraining import pretrain, pretraining_of
from unmask.train.run import train
from unmask.train.settings import apply_settings

__all__ = [
    "DryRun",
    "Source",
    "apply_settings",
    "dry_run",
    "prepare_spec_for",
    "pretrain",
    "pretraining_of",
    "train",
]
