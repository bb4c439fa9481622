"""Adapters: one file per layout of data on disk, all yielding ``LabelledVideo`` rows."""

from __future__ import annotations

from unmask.datasets.folder import read_folder

__all__ = ["read_folder"]
