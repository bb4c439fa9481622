"""The loss of detectors that say which pixels are forged: of the picture, and of its mask."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from unmask.losses.binary import binary_loss


def segmentation_loss(mask: Tensor, true_mask: Tensor, *, threshold: float = 0.1) -> Tensor:
    """Cross entropy of every pixel, mean over pixels and pictures (EMD, Eq. 7).

    A smaller mask is first enlarged to the true mask's size, bilinear from corner to corner.

    Args:
        mask: (B, T, h, w) logits, above 0 = forged.
        true_mask: (B, T, H, W) in 0..1; a pixel above ``threshold`` counts as forged.
        threshold: in 0..1.

    Returns:
        A scalar.

    >>> import torch
    >>> segmentation_loss(torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 8, 8))
    tensor(0.6931)
    """
    size = (true_mask.shape[-2], true_mask.shape[-1])
    full = functional.interpolate(mask, size, mode="bilinear", align_corners=True)
    is_forged = (true_mask > threshold).to(full.dtype)
    return functional.binary_cross_entropy_with_logits(full, is_forged)


def manipulation_loss(logit: Tensor, mask: Tensor, label: Tensor, true_mask: Tensor) -> Tensor:
    """Cross entropy of the picture plus that of its pixels (EMD, Eq. 6 to 8).

    Args:
        logit: (B,), above 0 = fake.
        mask: (B, T, h, w) logits, above 0 = forged.
        label: (B,), 1 = fake.
        true_mask: (B, T, H, W) in 0..1, 1 = forged.

    Returns:
        A scalar.

    >>> import torch
    >>> nothing, white = torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2)
    >>> manipulation_loss(torch.zeros(1), nothing, torch.ones(1), white)
    tensor(1.3863)
    """
    return binary_loss(logit, label) + segmentation_loss(mask, true_mask)
