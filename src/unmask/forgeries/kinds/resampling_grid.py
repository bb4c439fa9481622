"""The grid that a generator's upsampling leaves: peaks in the spectrum."""

from __future__ import annotations

import cv2
import numpy as np

from unmask.forgeries.disturb import log_uniform
from unmask.forgeries.registry import kind
from unmask.forgeries.traced import everywhere, on_face
from unmask.types import Floats, Pixels


def resampling_grid(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Upsampling by a transposed convolution or by repetition: peaks at fixed frequencies.

    The picture is halved one to three times and doubled as often. A transposed convolution puts
    zeros between the values and filters with a learned kernel, whose phases never weigh quite the
    same (Odena et al., "Deconvolution and Checkerboard Artifacts", 2016; Zhang et al., "Detecting
    and Simulating Artifacts in GAN Fake Images", WIFS 2019). Most of the
    lost detail is then added again: a good generator has detail too.
    """
    times = int(rng.choice([1, 2, 3], p=[0.4, 0.4, 0.2]))
    is_transposed = rng.random() < 0.7
    unevenness = log_uniform(rng, 0.02, 0.08)
    kept = rng.uniform(0.5 + 0.12 * times, 0.97)  # the more halvings, the more was lost
    height, width = pixels.shape[:2]
    step = 2**times
    room = ((0, -height % step), (0, -width % step), (0, 0))
    padded = np.pad(pixels, room, mode="edge").astype(np.float32)
    size = (padded.shape[1], padded.shape[0])
    small = cv2.resize(padded, (size[0] // step, size[1] // step), interpolation=cv2.INTER_AREA)
    smooth = cv2.resize(small, size, interpolation=cv2.INTER_CUBIC)
    made = small
    for _ in range(times):
        made = _transposed(made, unevenness, rng) if is_transposed else _repeated(made, rng)
    made = made + np.float32(kept) * (padded - smooth)
    return np.asarray(np.clip(np.rint(made[:height, :width]), 0, 255), np.uint8)


def _transposed(small: Floats, unevenness: float, rng: np.random.Generator) -> Floats:
    """Stride 2, kernel 4 x 4: bilinear, every weight a little off, all channels alike."""
    row = np.array([1, 3, 3, 1], np.float32) / 4
    kernel = np.outer(row, row) * (1 + unevenness * rng.standard_normal((4, 4)))
    kernel *= 4 / kernel.sum()
    spread = np.zeros((2 * small.shape[0], 2 * small.shape[1], small.shape[2]), np.float32)
    spread[::2, ::2] = small
    made: Floats = cv2.filter2D(
        spread, -1, kernel.astype(np.float32), anchor=(2, 2), borderType=cv2.BORDER_REFLECT_101
    )
    return made


def _repeated(small: Floats, rng: np.random.Generator) -> Floats:
    """Every value four times, then a 3 x 3 convolution that smooths the steps in part."""
    share = rng.uniform(0.25, 0.7)
    box = np.full((3, 3), share / 9, np.float32)
    box[1, 1] += 1 - share
    large = small.repeat(2, axis=0).repeat(2, axis=1)
    made: Floats = cv2.filter2D(large, -1, box, borderType=cv2.BORDER_REPLICATE)
    return made


kind("upsampling as in a generator: peaks in the spectrum", name="resampling_grid")(
    on_face(resampling_grid)
)
kind("the grid over the whole picture: no border", name="resampling_grid_everywhere")(
    everywhere(resampling_grid)
)
