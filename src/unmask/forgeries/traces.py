"""Traces that generators leave in a picture, imitated without a generator.

Each takes pixels (H, W, 3) RGB uint8 and a source of randomness and returns as many pixels.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from unmask.forgeries.blend import log_uniform
from unmask.types import Floats, Pixels

_PATCH: Final = 8
_STEP: Final = 4
_FITTED_PATCHES: Final = 1500


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


def patch_code(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Re-rendering by a linear autoencoder: what its code of a patch cannot hold is lost.

    Overlapping 8 x 8 patches are projected onto the first principal components of patches of the
    same picture, brightness onto 5 to 20 and each color difference onto 2 to 5. It takes
    milliseconds, where fitting a network takes seconds.
    """
    code, chroma_code = int(log_uniform(rng, 5, 20)), int(rng.integers(2, 6))
    seed = int(rng.integers(2**32))
    planes = cv2.split(cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb))
    drawn = [
        _projected(plane, size, np.random.default_rng(seed))
        for plane, size in zip(planes, (code, chroma_code, chroma_code), strict=True)
    ]
    made: Pixels = cv2.cvtColor(cv2.merge(drawn), cv2.COLOR_YCrCb2RGB)
    return made


def _projected(plane: Pixels, components: int, rng: np.random.Generator) -> Pixels:
    height, width = plane.shape
    room = [(_STEP, _STEP + -length % _STEP) for length in (height, width)]
    padded = np.pad(plane, room, mode="reflect").astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (_PATCH, _PATCH))[::_STEP, ::_STEP]
    rows, columns = windows.shape[:2]
    patches = windows.reshape(rows * columns, _PATCH * _PATCH)
    fitted = patches[rng.integers(len(patches), size=min(len(patches), _FITTED_PATCHES))]
    mean = fitted.mean(axis=0)
    _, axes = np.linalg.eigh((fitted - mean).T @ (fitted - mean))
    basis = axes[:, -components:]
    coded = (patches - mean) @ (basis @ basis.T) + mean
    # Patches overlap by half: every block of 4 x 4 is the mean of what four patches say.
    halves = coded.reshape(rows, columns, 2, _STEP, 2, _STEP)
    total = np.zeros((rows + 1, _STEP, columns + 1, _STEP), np.float32)
    for y in (0, 1):
        for x in (0, 1):
            part = halves[:, :, y, :, x].transpose(0, 2, 1, 3)
            total[y : y + rows, :, x : x + columns] += part / 4
    whole = total.reshape((rows + 1) * _STEP, (columns + 1) * _STEP)
    made = whole[_STEP : _STEP + height, _STEP : _STEP + width]
    return np.asarray(np.clip(np.rint(made), 0, 255), np.uint8)


def smooth_skin(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Skin without pores between rims that are too sharp."""
    color, space = rng.uniform(18, 42), rng.uniform(2.5, 5)
    sigma, amount = rng.uniform(0.8, 1.6), rng.uniform(0.3, 1.0)
    smooth = cv2.bilateralFilter(pixels, 7, color, space)
    smooth = cv2.bilateralFilter(smooth, 5, color / 2, space)
    return _sharpened(np.asarray(smooth, np.uint8), sigma, amount)


def super_resolution(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Small, enlarged by Lanczos and sharpened until it rings."""
    share = rng.uniform(0.25, 0.6)
    sigma, amount = rng.uniform(0.9, 1.8), rng.uniform(0.5, 1.5)
    return _sharpened(_through(pixels, share, cv2.INTER_LANCZOS4), sigma, amount)


def plainly_resampled(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """What happens to any picture on the web: smaller, and large again."""
    return _through(pixels, rng.uniform(0.35, 0.9), cv2.INTER_CUBIC)


def _through(pixels: Pixels, share: float, up: int) -> Pixels:
    height, width = pixels.shape[:2]
    size = (max(8, round(width * share)), max(8, round(height * share)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=up), np.uint8)


def _sharpened(pixels: Pixels, sigma: float, amount: float) -> Pixels:
    blurred = cv2.GaussianBlur(pixels, (0, 0), sigma)
    return np.asarray(cv2.addWeighted(pixels, 1 + amount, blurred, -amount, 0), np.uint8)
