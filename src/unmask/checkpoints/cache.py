"""Where files lie that were fetched or imported."""

from __future__ import annotations

import os
from pathlib import Path


def cache_dir() -> Path:
    """Where downloaded and imported weights lie: ``$UNMASK_CACHE``, else ``~/.cache/unmask``."""
    given = os.environ.get("UNMASK_CACHE")
    return Path(given).expanduser() if given else Path.home() / ".cache" / "unmask"
