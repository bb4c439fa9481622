"""From a decoded frame to an upright RGB array.

The matrix (BT.601, 709, 2020) and the range come from the file's tags. Where a file has none,
pictures of 720 lines and more are taken for BT.709 and smaller ones for BT.601, as players do.
Ten and more bits are reduced to eight. HDR (PQ, HLG) is NOT tone mapped: the code values are
kept, so an HDR face looks flat and gray, but its edges and texture are all there.
Pixels are never resampled, so a file with non-square pixels gives a squeezed picture, and
interlaced fields stay woven.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

import numpy as np
from av.buffer import Buffer
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from unmask.types import Pixels

# AVColorSpace numbers (libavutil/pixfmt.h), which PyAV does not name.
_UNTAGGED: Final = (0, 2, 3)  # RGB (nothing to convert), unspecified, reserved
_HDR_CURVES: Final = {16: "PQ", 18: "HLG"}  # AVColorTransferCharacteristic
_HD_LINES: Final = 720


@dataclass(frozen=True, slots=True)
class Orientation:
    """How a stored picture is turned to be upright: transposed first, then mirrored."""

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False
    rotation_deg: int = 0

    def apply(self, pixels: Pixels) -> Pixels:
        """The upright picture (H, W, 3), contiguous."""
        if self.transpose:
            pixels = pixels.transpose(1, 0, 2)
        if self.mirror_x:
            pixels = pixels[:, ::-1]
        if self.mirror_y:
            pixels = pixels[::-1]
        return np.ascontiguousarray(pixels)

    def size(self, width_px: int, height_px: int) -> tuple[int, int]:
        """Upright (width, height) of a picture stored with these."""
        return (height_px, width_px) if self.transpose else (width_px, height_px)


def orientation(frame: VideoFrame) -> Orientation:
    """The turn that the container's display matrix asks for, to the nearest quarter.

    The matrix takes a stored point (p, q), y downwards, to (a p + c q, b p + d q).
    ``rotation_deg`` is clockwise, 0, 90, 180 or 270.
    """
    # PyAV's stubs take this for a TypedDict; it is a mapping from Type to Buffer.
    side_data = cast(Mapping[Type, Buffer], frame.side_data)
    if Type.DISPLAYMATRIX not in side_data:
        return Orientation()
    matrix = np.frombuffer(bytes(side_data[Type.DISPLAYMATRIX]), np.int32)
    a, b, _, c, d = (int(number) for number in matrix[:5])
    rotation_deg = round(math.degrees(math.atan2(b, a)) / 90) % 4 * 90
    if abs(b) > abs(a):
        return Orientation(True, c < 0, b < 0, rotation_deg)
    return Orientation(False, a < 0, d < 0, rotation_deg)


class Converter:
    """Turns the decoded frames of one stream into upright RGB.

    It keeps its scaling tables from frame to frame, and the orientation of the first: a
    container has one display matrix, and asking a PyAV frame for its side data ties it into a
    reference cycle, so that every frame would live until the garbage collector comes by.
    """

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._orientation: Orientation | None = None

    def to_rgb(self, frame: VideoFrame) -> Pixels:
        """Upright (H, W, 3) RGB uint8."""
        matrix = None
        if frame.colorspace in _UNTAGGED and frame.format.is_rgb is False:
            matrix = Colorspace.ITU709 if frame.height >= _HD_LINES else Colorspace.ITU601
        rgb = self._reformatter.reformat(
            frame,
            format="rgb24",
            src_colorspace=matrix,
            dst_color_range=ColorRange.JPEG,
            threads=1,
        )
        # A view of FFmpeg's own buffer: to_ndarray() would copy it, which at 8K is 100 MB.
        plane = rgb.planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        pixels = rows[: rgb.height, : 3 * rgb.width].reshape(rgb.height, rgb.width, 3)
        if self._orientation is None:
            self._orientation = orientation(frame)
        return self._orientation.apply(pixels)


def hdr_curve(frame: VideoFrame) -> str | None:
    """``PQ`` or ``HLG`` when the frame says that it is HDR."""
    return _HDR_CURVES.get(int(frame.color_trc))
