"""The loss of detectors that say where one picture was blended into another (Face X-ray)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from unmask.losses.binary import binary_loss


def boundary_map(mask: Tensor) -> Tensor:
    """4 m (1 - m): 1 where both pictures weigh alike, 0 where one is alone (Face X-ray, Eq. 2).

    Args:
        mask: weights m of the pasted picture, in 0..1, of any shape.

    >>> import torch
    >>> boundary_map(torch.tensor([0.0, 0.25, 0.5, 1.0]))
    tensor([0.0000, 0.7500, 1.0000, 0.0000])
    """
    return 4 * mask * (1 - mask)


def boundary_loss(
    logit: Tensor, boundary: Tensor, label: Tensor, true_mask: Tensor, *, weight: float = 100.0
) -> Tensor:
    """Cross entropy of the picture plus ``weight`` times that of every pixel of the boundary map.

    Args:
        logit: (B,), above 0 = fake.
        boundary: (B, T, h, w) logits, above 0 = boundary; enlarged bilinearly if it is smaller.
        label: (B,), 1 = fake.
        true_mask: (B, T, H, W) in 0..1, the weight of the pasted picture; 0 in real ones.
        weight: lambda of the paper, section 3.3.

    Returns:
        A scalar.

    >>> import torch
    >>> nothing, half = torch.zeros(1, 1, 8, 8), torch.full((1, 1, 8, 8), 0.5)
    >>> boundary_loss(torch.zeros(1), nothing, torch.ones(1), half, weight=1)
    tensor(1.3863)
    """
    size = (true_mask.shape[-2], true_mask.shape[-1])
    full = functional.interpolate(boundary, size, mode="bilinear")
    pixels = functional.binary_cross_entropy_with_logits(full, boundary_map(true_mask))
    return binary_loss(logit, label) + weight * pixels
