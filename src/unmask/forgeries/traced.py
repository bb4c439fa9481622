"""Forgeries that carry a generator's trace: on a region of the face, or over the whole picture."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from unmask.forgeries.clip import FaceClip, ForgedFrame, Material
from unmask.forgeries.disturb import log_uniform
from unmask.forgeries.paste import draw_region, in_crop, lay_over, region_mask
from unmask.forgeries.registry import Maker
from unmask.types import Pixels

Trace = Callable[[Pixels, np.random.Generator], Pixels]
"""Draws a picture (H, W, 3) RGB uint8 anew as a generator would; as many pixels."""


def on_face(trace: Trace, *, is_steady: bool = True) -> Maker:
    """A kind that puts a trace on a region of the face.

    In two of three the face is taken to a generator's crop and back, so that the trace is turned
    and scaled with the face. A steady one is the same draw in every frame.
    """

    def make(clip: FaceClip, rng: np.random.Generator, material: Material) -> list[ForgedFrame]:
        region = draw_region(rng, material)
        is_cropped, side = rng.random() < 0.67, round(log_uniform(rng, 96, 288))
        outline, seed = (int(n) for n in rng.integers(2**32, size=2))
        frames = []
        for number, face in enumerate(clip.faces):
            own = np.random.default_rng(seed if is_steady else [seed, number])

            def change(pixels: Pixels, own: np.random.Generator = own) -> Pixels:
                return trace(pixels, own)

            changed = in_crop(face, side, change) if is_cropped else change(face.pixels)
            weight = region_mask(face, region, outline)
            frames.append(ForgedFrame(face.pixels, *lay_over(face.pixels, changed, weight)))
        return frames

    return make


def everywhere(trace: Trace) -> Maker:
    """A kind that puts a trace over the whole picture: there is no border, the mask is 1.

    In half of them the real picture is made smaller and large again: lost detail as such must not
    give the class away.
    """

    def make(clip: FaceClip, rng: np.random.Generator, material: Material) -> list[ForgedFrame]:
        is_real_resampled = rng.random() < 0.5
        seed, plain_seed = (int(n) for n in rng.integers(2**32, size=2))
        frames = []
        for real in clip.frames:
            fake = trace(real, np.random.default_rng(seed))
            shown = real
            if is_real_resampled:
                shown = _plainly_resampled(real, np.random.default_rng(plain_seed))
            frames.append(ForgedFrame(shown, fake, np.ones(real.shape[:2], np.float32)))
        return frames

    return make


def _plainly_resampled(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """What happens to any picture on the web: smaller, and large again."""
    return through_size(pixels, rng.uniform(0.35, 0.9), cv2.INTER_CUBIC)


def through_size(pixels: Pixels, share: float, up: int) -> Pixels:
    """Smaller by ``share`` and large again, by an interpolation of OpenCV."""
    height, width = pixels.shape[:2]
    size = (max(8, round(width * share)), max(8, round(height * share)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=up), np.uint8)


def sharpened(pixels: Pixels, sigma: float, amount: float) -> Pixels:
    """Unsharp masking: what a blur of ``sigma`` pixels takes away is added ``amount`` times."""
    blurred = cv2.GaussianBlur(pixels, (0, 0), sigma)
    return np.asarray(cv2.addWeighted(pixels, 1 + amount, blurred, -amount, 0), np.uint8)
