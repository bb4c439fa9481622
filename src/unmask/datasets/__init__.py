"""Adapters: one file per layout of data on disk, all yielding ``LabelledVideo`` rows.

A module of this folder without a leading underscore is an adapter and holds ``ADAPTERS``; adding
one adds it to ``read_dataset``, ``unmask datasets list`` and ``check``.
"""

from __future__ import annotations

from unmask.datasets._adapter import MEDIA_SUFFIXES, VIDEO_SUFFIXES, Adapter
from unmask.datasets._read import choose_rows, read_dataset
from unmask.datasets._registry import get_adapter, list_datasets
from unmask.datasets._report import DatasetReport, check_dataset
from unmask.datasets._splits import check_splits, require_masks
from unmask.datasets.folder import read_folder

__all__ = [
    "MEDIA_SUFFIXES",
    "VIDEO_SUFFIXES",
    "Adapter",
    "DatasetReport",
    "check_dataset",
    "check_splits",
    "choose_rows",
    "get_adapter",
    "list_datasets",
    "read_dataset",
    "read_folder",
    "require_masks",
]
