"""Latent maps in two halves, one that answers to forged pictures and one to real ones.

The idea of ForensicTransfer (Cozzolino et al. 2018) and of its descendants: how strongly a half
is activated says what the picture is, and only that half goes on to the decoder.
"""

from __future__ import annotations

import torch
from torch import Tensor


def half_activations(latent: Tensor) -> tuple[Tensor, Tensor]:
    """How strongly each half is activated: the mean of its absolute values.

    Args:
        latent: (B, 2 K, ...): K maps for forged pictures, then K for real ones.

    Returns:
        Of the forged and of the real half, each (B,).

    >>> forged, real = half_activations(torch.tensor([[1.0, -3.0, 0.5, 0.5]]))
    >>> forged.item(), real.item()
    (2.0, 0.5)
    """
    forged, real = latent.abs().chunk(2, dim=1)
    return forged.flatten(1).mean(dim=1), real.flatten(1).mean(dim=1)


def keep_half(latent: Tensor, is_forged: Tensor) -> Tensor:
    """Sets the half to 0 that does not belong to the picture's class.

    Args:
        latent: (B, 2 K, h, w), forged maps first.
        is_forged: (B,) bool.

    >>> keep_half(torch.ones(2, 2, 1, 1), torch.tensor([True, False])).flatten(1).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    gate = torch.stack([is_forged, ~is_forged], dim=1).to(latent.dtype)
    gates = gate.repeat_interleave(latent.shape[1] // 2, dim=1)
    return latent * gates[:, :, None, None]
