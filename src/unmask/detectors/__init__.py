"""Clips to scores: one file per detector, found by name."""

from __future__ import annotations

from unmask.detectors.card import Card, Output, Paper, Pretraining, Target, Weights
from unmask.detectors.detector import Detector
from unmask.detectors.recipe import Recipe
from unmask.detectors.registry import build, default_detectors, detector, get_card, list_detectors

__all__ = [
    "Card",
    "Detector",
    "Output",
    "Paper",
    "Pretraining",
    "Recipe",
    "Target",
    "Weights",
    "build",
    "default_detectors",
    "detector",
    "get_card",
    "list_detectors",
]
