"""Where a blend shows most: a map of the mask's soft rim, learned beside the mask."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

_LEAST_PEAK: Final = 0.05
"""A rim that never rises above this is left as it is: scaling it up would invent a border."""


def vulnerable_points(mask: Tensor) -> Tensor:
    """4 m (1 - m) of a soft mask, scaled so that each map's highest value is 1.

    It is 1 where half of a pixel is forged and 0 both inside and outside, so it follows the border
    of the blend. After the heat maps of LAA-Net (Nguyen et al., CVPR 2024).

    Args:
        mask: (B, T, h, w) in 0..1, 1 = forged.

    Returns:
        (B, T, h, w) in 0..1; 0 for a real picture.

    >>> vulnerable_points(torch.tensor([[[[0.0, 0.25, 1.0]]]]))
    tensor([[[[0., 1., 0.]]]])
    """
    rim = 4 * mask * (1 - mask)
    peak = rim.amax(dim=(2, 3), keepdim=True)
    return torch.where(peak > _LEAST_PEAK, rim / peak.clamp(min=_LEAST_PEAK), rim)


def vulnerable_points_loss(
    points: Tensor, true_mask: Tensor, *, positive_weight: float = 5.0
) -> Tensor:
    """Cross entropy of a predicted map against ``vulnerable_points`` of the true mask.

    Args:
        points: (B, T, h, w) logits.
        true_mask: (B, T, H, W) in 0..1, 1 = forged; averaged down to the size of ``points``.
        positive_weight: weight of the rim, which covers few places.

    Returns:
        A scalar.
    """
    small = functional.adaptive_avg_pool2d(true_mask, (points.shape[-2], points.shape[-1]))
    return functional.binary_cross_entropy_with_logits(
        points,
        vulnerable_points(small),
        pos_weight=torch.tensor(positive_weight, device=points.device),
    )
