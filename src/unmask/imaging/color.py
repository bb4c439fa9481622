"""RGB to video's YUV and back, by BT.709 in limited range; and sizes that 4:2:0 can hold."""

from __future__ import annotations

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace

from unmask.types import Pixels


def even(pixels: Pixels) -> Pixels:
    """A picture (H, W, 3) whose odd last row or column is repeated, as 4:2:0 needs it."""
    height, width = pixels.shape[:2]
    if not height % 2 and not width % 2:
        return pixels
    return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def to_yuv(pixels: Pixels) -> VideoFrame:
    """RGB (H, W, 3) uint8 as an 8-bit 4:2:0 frame of even size."""
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(even(pixels)), format="rgb24")
    return frame.reformat(
        format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
    )


def to_rgb(frame: VideoFrame) -> Pixels:
    """A frame that ``to_yuv`` made, or a decoder of it, as RGB (H, W, 3) uint8."""
    rgb = frame.reformat(
        format="rgb24", src_colorspace=Colorspace.ITU709, src_color_range=ColorRange.MPEG
    )
    return np.asarray(rgb.to_ndarray(), np.uint8)
