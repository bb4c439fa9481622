"""The six families that change one frame at a time.

Written after what the perturbation code of DeeperForensics-1.0 computes (Jiang et al., CVPR
2020; the robustness protocol of LipForensics, section 4.3, uses it). Every function takes a
frame (H, W, 3) RGB uint8, the family's parameter and a source of randomness, which three of
them need not, and returns a new frame of the same shape. Values are rounded where the original
cuts off the fraction, which differs by at most 1 of 255.
"""

from __future__ import annotations

from functools import cache
from statistics import NormalDist
from typing import Final

import cv2
import numpy as np

from unmask.types import Floats, Pixels

BLOCK_PX: Final = 8
BLOCK_FRAME_PX: Final = 256
BLOCK_GRAY: Final = 128

# BT.601, as OpenCV's YCrCb: R, G, B -> luma; and Y, Cb, Cr -> R, G, B.
_LUMA: Final = (0.299, 0.587, 0.114)
_TO_RGB: Final = ((1.0, 0.0, 1.403), (1.0, -0.344, -0.714), (1.0, 1.773, 0.0))
# The original adds its noise where luma spans 16..235 and chroma 16..240 of 255.
_NOISE_SPAN: Final = (255 / 219, 255 / 224, 255 / 224)
# Noise is made strip by strip, so that it stays in the processor's cache.
_STRIP_ROWS: Final = 32


def saturate(frame: Pixels, factor: float, rng: np.random.Generator) -> Pixels:
    """Multiplies the chroma (BT.601) by ``factor``: 1 changes nothing, 0 leaves gray."""
    gray = np.tile(np.array(_LUMA, np.float32), (3, 1))
    matrix = factor * np.eye(3, dtype=np.float32) + (1 - factor) * gray
    # In float32: on bytes OpenCV reckons with ten bits.
    return _in_bytes(cv2.convertScaleAbs(cv2.transform(frame.astype(np.float32), matrix)))


def reduce_contrast(frame: Pixels, factor: float, rng: np.random.Generator) -> Pixels:
    """Multiplies every value by ``factor``: towards black, not towards the mean, as there."""
    table = np.rint(np.arange(256) * factor).astype(np.uint8)
    return _in_bytes(cv2.LUT(frame, table))


def cover_blocks(frame: Pixels, count: float, rng: np.random.Generator) -> Pixels:
    """Covers squares of 8 px with gray (128): ``count`` for each whole 256 px of the shorter side.

    As ``block_wise`` of DeeperForensics-1.0, which covers nothing where the shorter side is below
    256 px; here such a frame gets ``count`` squares. The places are drawn one after the other as
    shares of the frame: more squares at a higher severity contain the fewer.
    """
    height, width = frame.shape[:2]
    edge = min(BLOCK_PX, height, width)
    squares = int(count) * max(1, min(height, width) // BLOCK_FRAME_PX)
    covered = frame.copy()
    for x, y in rng.random((squares, 2)):
        left, top = int(x * (width - edge + 1)), int(y * (height - edge + 1))
        covered[top : top + edge, left : left + edge] = BLOCK_GRAY
    return covered


def add_noise(frame: Pixels, variance: float, rng: np.random.Generator) -> Pixels:
    """Adds white Gaussian noise of ``variance`` (of values in 0..1) to Y, Cb and Cr.

    Back in RGB its standard deviation is about 1.98, 1.47 and 2.33 times that of the components.
    """
    noisy = np.empty(frame.shape, np.uint8)
    for top in range(0, len(frame), _STRIP_ROWS):
        part = frame[top : top + _STRIP_ROWS]
        normal = _normal(part.size, rng).reshape(part.shape)
        noise = cv2.transform(normal, noise_matrix(variance))
        noisy[top : top + _STRIP_ROWS] = cv2.add(part, noise, dtype=cv2.CV_8U)
    return noisy


def noise_matrix(variance: float) -> Floats:
    """(3, 3): three independent standard normals -> what is added to R, G, B in 0..255."""
    scale = 255 * np.sqrt(variance) * np.array(_NOISE_SPAN)
    return np.asarray(np.array(_TO_RGB) * scale, np.float32)


def blur(frame: Pixels, kernel_px: float, rng: np.random.Generator) -> Pixels:
    """Blurs with a Gaussian of ``kernel_px`` pixels (odd) and a sigma of a sixth of them."""
    edge = int(kernel_px)
    return _in_bytes(cv2.GaussianBlur(frame, (edge, edge), edge / 6))


def pixelate(frame: Pixels, factor: float, rng: np.random.Generator) -> Pixels:
    """Down by ``factor`` and up again, bilinear both ways as there; no side below 1 px."""
    height, width = frame.shape[:2]
    small = (max(1, width // int(factor)), max(1, height // int(factor)))
    return _in_bytes(cv2.resize(cv2.resize(frame, small), (width, height)))


def _normal(count: int, rng: np.random.Generator) -> Floats:
    """(count,) standard normals, of 65,536 possible values up to 4.3.

    Three times as fast as ``standard_normal``, and made of raw bits alone, which NumPy promises
    to be the same in all its versions.
    """
    words = rng.bit_generator.random_raw(-(-count // 4))
    return _quantiles().take(np.asarray(words, "<u8").view("<u2")[:count])


@cache
def _quantiles() -> Floats:
    normal = NormalDist()
    return np.array([normal.inv_cdf((i + 0.5) / 65_536) for i in range(65_536)], np.float32)


def _in_bytes(values: np.ndarray) -> Pixels:
    return np.asarray(values, np.uint8)
