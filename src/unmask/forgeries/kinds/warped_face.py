"""A face warped to a small size and back."""

from __future__ import annotations

import cv2
import numpy as np

from unmask.forgeries.clip import FaceClip, ForgedFrame, Material
from unmask.forgeries.disturb import log_uniform, recolor
from unmask.forgeries.paste import draw_region, in_crop, lay_over, match_color, region_mask
from unmask.forgeries.registry import kind
from unmask.types import Pixels


@kind("the face made small, blurred and warped back (FWA)")
def warped_face(clip: FaceClip, rng: np.random.Generator, material: Material) -> list[ForgedFrame]:
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

    frames = []
    for face in clip.faces:
        changed = in_crop(face, side, blur)
        if is_recolored:
            changed = recolor(changed, np.random.default_rng(color))
        weight = region_mask(face, region, outline)
        changed = match_color(changed, face.pixels, weight, 0.5)
        frames.append(ForgedFrame(face.pixels, *lay_over(face.pixels, changed, weight)))
    return frames
