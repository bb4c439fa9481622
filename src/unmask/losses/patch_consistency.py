"""Whether two places of a picture are of one origin, learned from their features."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

_SHARPNESS: Final = 5.0
"""Factor on the cosine, so that it can reach both ends of the sigmoid."""


def patch_consistency_loss(features: Tensor, true_mask: Tensor) -> Tensor:
    """Cross entropy of the likeness of all pairs of places against whether they belong together.

    After Zhao et al., "Learning Self-Consistency for Deepfake Detection" (ICCV 2021): two places
    belong together by 1 - |m_i - m_j|. Their likeness is the sigmoid of 5 times the cosine of
    their features.

    Args:
        features: (B, C, h, w).
        true_mask: (B, T, H, W) in 0..1, 1 = forged; the mean over T, averaged down to (h, w).

    Returns:
        A scalar.

    >>> features = torch.tensor([[[[1.0, 1.0]], [[0.0, 0.0]]]])
    >>> round(float(patch_consistency_loss(features, torch.zeros(1, 1, 1, 2))), 4)
    0.0067
    """
    size = (features.shape[-2], features.shape[-1])
    mask = functional.adaptive_avg_pool2d(true_mask.mean(dim=1, keepdim=True), size).flatten(1)
    places = functional.normalize(features.flatten(2), dim=1)
    likeness = torch.einsum("bci,bcj->bij", places, places)
    together = 1 - (mask[:, :, None] - mask[:, None, :]).abs()
    return functional.binary_cross_entropy_with_logits(_SHARPNESS * likeness, together)
