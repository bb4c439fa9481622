"""Measuring detectors, and making what they are measured on."""

from unmask.evaluate.corrupt_video import CorruptedVideo, corrupt_video

__all__ = ["CorruptedVideo", "corrupt_video"]
