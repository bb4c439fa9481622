"""A video file in, the same video at half its width and height out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2

from unmask.evaluate.corrupt_video import NEARLY_LOSSLESS_CRF
from unmask.media import Video, open_video, write_video
from unmask.types import Frame


def halve_video(path: str | Path, out: str | Path) -> None:
    """Writes a copy whose pixels are means of two by two, each frame at its own time.

    As H.264 at ``NEARLY_LOSSLESS_CRF``, upright, without sound; half a pixel is left out.

    Args:
        path: the video; it is only read.
        out: where to, such as ``half.mp4``.

    Raises:
        MediaError: the video cannot be read.
        OutputError: the copy cannot be written, or exists.
    """
    with open_video(path) as video:
        write_video(out, _halved(video), video.info.fps, crf=NEARLY_LOSSLESS_CRF)


def _halved(video: Video) -> Iterator[Frame]:
    for frame in video.frames():
        height, width = frame.pixels.shape[:2]
        size = (max(1, width // 2), max(1, height // 2))
        yield replace(frame, pixels=cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA))
