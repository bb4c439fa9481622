"""Where weights lie: in the package, in another one, or in the cache."""

from __future__ import annotations

from importlib import resources
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import urlsplit

from unmask.checkpoints import cache_dir, read_metadata
from unmask.detectors import Weights


def shipped_path(weights: Weights) -> Path | None:
    """Where the package keeps these weights; None when they do not ship."""
    if weights.file is None:
        return None
    return Path(str(resources.files("unmask"))) / "weights" / "files" / weights.file


def installed_path(weights: Weights) -> Path | None:
    """Where an installed package keeps these weights; None where it is not installed."""
    if weights.in_package is None:
        return None
    package, file = weights.in_package
    try:
        path = Path(str(distribution(package).locate_file(file)))
    except PackageNotFoundError:
        return None
    return path if path.is_file() else None


def is_here(detector: str, weights: Weights) -> bool:
    """Whether these weights can be loaded without the network: shipped, installed, cached or
    imported.
    """
    if weights.file is not None or installed_path(weights) is not None:
        return True
    published = published_path(detector, weights)
    if published is None:
        return False
    is_imported = is_import_of(weights, published.with_suffix(".safetensors"))
    # What must be accepted is here only as a file that records it.
    return is_imported or (published.is_file() and not weights.is_non_commercial)


def published_path(detector: str, weights: Weights) -> Path | None:
    """Where the published file of these weights lies in the cache once it is there."""
    if weights.url is None:
        return None
    return cache_dir() / f"{detector}-{Path(urlsplit(weights.url).path).name}"


def is_import_of(entry: Weights, path: Path) -> bool:
    """Whether ``path`` was made by ``import_weights`` from the very file the entry names."""
    if not path.is_file() or entry.sha256 is None:
        return False
    return read_metadata(path).get("source_sha256") == entry.sha256
