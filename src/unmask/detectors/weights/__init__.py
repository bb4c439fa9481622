"""Weights files from close by: what they say of themselves, where they lie, whether they fit.

Who only wants a detector needs ``load_detector`` and ``import_weights``.
"""

from __future__ import annotations

from unmask.detectors._download import cache_dir, download, published_path
from unmask.detectors._license import Terms
from unmask.detectors._safetensors import (
    check_fit,
    check_hash,
    file_sha256,
    read_metadata,
    read_safetensors,
    save_weights,
)
from unmask.detectors._weights import (
    card_of_weights,
    installed_path,
    is_here,
    load_weights,
    shipped_path,
    terms_of_weights,
)

__all__ = [
    "Terms",
    "cache_dir",
    "card_of_weights",
    "check_fit",
    "check_hash",
    "download",
    "file_sha256",
    "installed_path",
    "is_here",
    "load_weights",
    "published_path",
    "read_metadata",
    "read_safetensors",
    "save_weights",
    "shipped_path",
    "terms_of_weights",
]
