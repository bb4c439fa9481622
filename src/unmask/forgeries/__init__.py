"""Pseudo-forgeries made from real faces alone, and the augmentation both classes share.

What is pasted comes from the same picture or from another moment of the same clip. One kind, for
recipes that name it, takes another real face instead (``cross_blend``, after Face X-ray); no
command offers it for faces that a user chooses. This makes training data, not deepfakes.
"""

from __future__ import annotations

from unmask.forgeries.augment import Augmentation, augment_clip, augment_pair
from unmask.forgeries.clip import Face, FaceClip, ForgedFrame, Forgery, Material
from unmask.forgeries.kinds import KINDS, forge, get_kind
from unmask.forgeries.masks import REGIONS, draw_mask
from unmask.forgeries.registry import Kind

__all__ = [
    "KINDS",
    "REGIONS",
    "Augmentation",
    "Face",
    "FaceClip",
    "ForgedFrame",
    "Forgery",
    "Kind",
    "Material",
    "augment_clip",
    "augment_pair",
    "draw_mask",
    "forge",
    "get_kind",
]
