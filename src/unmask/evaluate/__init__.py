"""Measuring detectors, and making what they are measured on."""

from unmask.evaluate.compare import compare
from unmask.evaluate.corrupt_video import CorruptedVideo, corrupt_video
from unmask.evaluate.run import evaluate
from unmask.evaluate.scores import read_scores
from unmask.evaluate.tables import measure

__all__ = ["CorruptedVideo", "compare", "corrupt_video", "evaluate", "measure", "read_scores"]
