"""Gray squares cover parts of the picture."""

from __future__ import annotations

from typing import Final

import numpy as np

from unmask.corruptions.registry import Corruption, register
from unmask.types import Pixels

BLOCK_PX: Final = 8
BLOCK_FRAME_PX: Final = 256
BLOCK_GRAY: Final = 128


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


register(
    Corruption(
        name="block",
        parameter="number of gray blocks of 8 px for each 256 px of the shorter side",
        values=(16, 32, 48, 64, 80),
        draws="clip",
        act=cover_blocks,
        stream=2,
    )
)
