"""A miniature benchmark that anybody can rebuild from a folder of real videos.

It measures machinery and trends, not field accuracy: its forgeries are pseudo-forgeries, each made
of its own clip, and its people are few.
"""

from __future__ import annotations

from unmask.minibench.build import Built, build
from unmask.minibench.settings import COMPRESSIONS, SENTENCE, Settings

__all__ = ["COMPRESSIONS", "SENTENCE", "Built", "Settings", "build"]
