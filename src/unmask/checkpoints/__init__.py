"""Files of tensors: read without running code, checked, written whole; and where they are cached.

What reads pickles needs torch, so it is imported from ``unmask.checkpoints.pickle_file``.
"""

from __future__ import annotations

from unmask.checkpoints.cache import cache_dir
from unmask.checkpoints.safetensors_file import (
    check_finite,
    check_fit,
    check_hash,
    check_owner,
    file_sha256,
    read_metadata,
    read_safetensors,
    save_weights,
)

__all__ = [
    "cache_dir",
    "check_finite",
    "check_fit",
    "check_hash",
    "check_owner",
    "file_sha256",
    "read_metadata",
    "read_safetensors",
    "save_weights",
]
