"""Pseudo-forgeries made from real faces alone, and the augmentation both classes share.

What is pasted comes from the same picture or from another moment of the same clip. One kind, for
recipes that name it, takes another real face instead (``cross_blend``, after Face X-ray); no
command offers it for faces that a user chooses. This makes training data, not deepfakes.
"""

from __future__ import annotations

from unmask.forgeries.augment import Augmentation, augment_clip, augment_pair
from unmask.forgeries.blend import Face, Pair, self_blend
from unmask.forgeries.face_clip import FaceClip, ForgedClip
from unmask.forgeries.families import FAMILIES, forge
from unmask.forgeries.masks import REGIONS, draw_mask

__all__ = [
    "FAMILIES",
    "REGIONS",
    "Augmentation",
    "Face",
    "FaceClip",
    "ForgedClip",
    "Pair",
    "augment_clip",
    "augment_pair",
    "draw_mask",
    "forge",
    "self_blend",
]
