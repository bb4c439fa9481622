"""Measuring detectors, and making what they are measured on."""

from unmask.evaluate.compare import compare
from unmask.evaluate.condition import find_conditions
from unmask.evaluate.corrupt_video import CorruptedVideo, corrupt_video
from unmask.evaluate.data import Data, read_data
from unmask.evaluate.printed import print_differences, progress_line
from unmask.evaluate.run import evaluate
from unmask.evaluate.scores import read_scores
from unmask.evaluate.settings import Measuring
from unmask.evaluate.tables import measure

__all__ = [
    "CorruptedVideo",
    "Data",
    "Measuring",
    "compare",
    "corrupt_video",
    "evaluate",
    "find_conditions",
    "measure",
    "print_differences",
    "progress_line",
    "read_data",
    "read_scores",
]
