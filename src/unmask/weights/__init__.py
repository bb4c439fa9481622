"""Weights into detectors: where they lie, how missing ones come, under which license."""

from __future__ import annotations

from unmask.weights.download import download
from unmask.weights.importing import import_weights
from unmask.weights.license import Terms
from unmask.weights.load import card_of_weights, load_detector, load_weights, terms_of_weights
from unmask.weights.store import installed_path, is_here, published_path, shipped_path

__all__ = [
    "Terms",
    "card_of_weights",
    "download",
    "import_weights",
    "installed_path",
    "is_here",
    "load_detector",
    "load_weights",
    "published_path",
    "shipped_path",
    "terms_of_weights",
]
