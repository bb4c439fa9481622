"""Corruptions at five severities each, on clips and on single frames."""

from unmask.corruptions.clip import corrupt, corrupt_frame
from unmask.corruptions.kinds import CORRUPTIONS, get_corruption
from unmask.corruptions.registry import SEVERITIES, Corruption

__all__ = [
    "CORRUPTIONS",
    "SEVERITIES",
    "Corruption",
    "corrupt",
    "corrupt_frame",
    "get_corruption",
]
