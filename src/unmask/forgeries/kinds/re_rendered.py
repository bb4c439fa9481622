"""Re-rendering by a linear autoencoder of patches: what its code cannot hold is lost."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from unmask.forgeries.disturb import log_uniform
from unmask.forgeries.registry import kind
from unmask.forgeries.traced import everywhere, on_face
from unmask.types import Pixels

_PATCH: Final = 8
_STEP: Final = 4
_FITTED_PATCHES: Final = 1500


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
    # Patches overlap by half: every block of 4 x 4 is the mean of four patches.
    halves = coded.reshape(rows, columns, 2, _STEP, 2, _STEP)
    total = np.zeros((rows + 1, _STEP, columns + 1, _STEP), np.float32)
    for y in (0, 1):
        for x in (0, 1):
            part = halves[:, :, y, :, x].transpose(0, 2, 1, 3)
            total[y : y + rows, :, x : x + columns] += part / 4
    whole = total.reshape((rows + 1) * _STEP, (columns + 1) * _STEP)
    made = whole[_STEP : _STEP + height, _STEP : _STEP + width]
    return np.asarray(np.clip(np.rint(made), 0, 255), np.uint8)


kind("the face through a small linear autoencoder of its patches", name="re_rendered")(
    on_face(patch_code)
)
kind("the whole picture through the autoencoder", name="re_rendered_everywhere")(
    everywhere(patch_code)
)
kind(
    "the autoencoder fitted anew to every frame: its texture flickers",
    name="re_rendered_per_frame",
    least_frames=2,
)(on_face(patch_code, is_steady=False))
