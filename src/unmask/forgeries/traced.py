"""Forgeries that carry a generator's trace: on a region of the face, or over the whole picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import cv2
import numpy as np

from unmask.forgeries.blend import Face, log_uniform, recolor
from unmask.forgeries.face_clip import match_color
from unmask.forgeries.forgery import (
    Forgery,
    Maker,
    Material,
    gather,
    in_crop,
    lay_over,
    region_mask,
)
from unmask.forgeries.traces import plainly_resampled
from unmask.types import Pixels

Trace = Callable[[Pixels, np.random.Generator], Pixels]

_REGION_SHARES: Final = {"whole": 0.45, "inner": 0.35, "lower": 0.2}


def draw_region(rng: np.random.Generator, material: Material) -> str:
    """The material's region, or one that face generators replace."""
    drawn = str(rng.choice(list(_REGION_SHARES), p=list(_REGION_SHARES.values())))
    return material.region or drawn


def on_face(trace: Trace, *, is_steady: bool = True) -> Maker:
    """A kind that puts a trace on a region of the face.

    In two of three the face is taken to a generator's crop and back, so that the trace is turned
    and scaled with the face. A steady one is the same draw in every frame.
    """

    def make(faces: Sequence[Face], rng: np.random.Generator, material: Material) -> Forgery:
        region = draw_region(rng, material)
        is_cropped, side = rng.random() < 0.67, round(log_uniform(rng, 96, 288))
        outline, seed = (int(n) for n in rng.integers(2**32, size=2))
        parts = []
        for number, face in enumerate(faces):
            own = np.random.default_rng(seed if is_steady else [seed, number])

            def change(pixels: Pixels, own: np.random.Generator = own) -> Pixels:
                return trace(pixels, own)

            changed = in_crop(face, side, change) if is_cropped else change(face.pixels)
            weight = region_mask(face, region, outline)
            parts.append((face.pixels, *lay_over(face.pixels, changed, weight)))
        return gather(parts)

    return make


def everywhere(trace: Trace) -> Maker:
    """A kind that puts a trace over the whole picture: there is no border, the mask is 1.

    In half of them the real picture is made smaller and large again: lost detail as such must not
    tell the classes apart.
    """

    def make(faces: Sequence[Face], rng: np.random.Generator, material: Material) -> Forgery:
        is_real_resampled = rng.random() < 0.5
        seed, plain_seed = (int(n) for n in rng.integers(2**32, size=2))
        parts = []
        for face in faces:
            real = face.pixels
            fake = trace(real, np.random.default_rng(seed))
            if is_real_resampled:
                real = plainly_resampled(real, np.random.default_rng(plain_seed))
            parts.append((real, fake, np.ones(real.shape[:2], np.float32)))
        return gather(parts)

    return make


def warped_face(faces: Sequence[Face], rng: np.random.Generator, material: Material) -> Forgery:
    """A face taken to a small size, blurred, and warped back over itself.

    After Li & Lyu, "Exposing DeepFake Videos By Detecting Face Warping Artifacts" (CVPRW 2019,
    section 3): scale, Gaussian blur, inverse warp, then the whole face or a part of it. In half of
    them the color is changed too; scale, blur and shape are drawn once for a clip.
    """
    region = draw_region(rng, material)
    side = round(log_uniform(rng, 64, 192))
    sigma = rng.uniform(0.6, 1.4)  # 1.1 is what OpenCV takes for the paper's 5 x 5 window
    is_recolored = rng.random() < 0.5
    outline, color = (int(n) for n in rng.integers(2**32, size=2))

    def blur(crop: Pixels) -> Pixels:
        return np.asarray(cv2.GaussianBlur(crop, (5, 5), sigma), np.uint8)

    parts = []
    for face in faces:
        changed = in_crop(face, side, blur)
        if is_recolored:
            changed = recolor(changed, np.random.default_rng(color))
        weight = region_mask(face, region, outline)
        changed = match_color(changed, face.pixels, weight, 0.5)
        parts.append((face.pixels, *lay_over(face.pixels, changed, weight)))
    return gather(parts)
