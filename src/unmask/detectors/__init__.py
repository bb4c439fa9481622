"""Clips to scores: one file per detector, found by name."""

from __future__ import annotations

from unmask.detectors._card import Card, Output, Paper, Stage, Target, Weights
from unmask.detectors._detector import Detector
from unmask.detectors._import import import_weights
from unmask.detectors._recipe import Recipe
from unmask.detectors._registry import build, default_detectors, detector, get_card, list_detectors
from unmask.detectors._weights import load_detector

__all__ = [
    "Card",
    "Detector",
    "Output",
    "Paper",
    "Recipe",
    "Stage",
    "Target",
    "Weights",
    "build",
    "default_detectors",
    "detector",
    "get_card",
    "import_weights",
    "list_detectors",
    "load_detector",
]
