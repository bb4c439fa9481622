"""Losses of detectors whose latent halves answer to forged and to real pictures."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def activation_loss(forged: Tensor, real: Tensor, label: Tensor) -> Tensor:
    """Mean of |a_forged - y| + |a_real - (1 - y)|: one half at 1, the other one at 0.

    Cozzolino et al. 2018 (ForensicTransfer); Nguyen et al. 2019 take the same.

    Args:
        forged: (B,), activation of the half for forged pictures, at least 0.
        real: (B,), of the other half.
        label: (B,), y: 1 = fake.

    Returns:
        A scalar.

    >>> activation_loss(torch.tensor([0.25]), torch.tensor([0.5]), torch.tensor([1.0]))
    tensor(1.2500)
    """
    return ((forged - label).abs() + (real - (1 - label)).abs()).mean()


def locality_loss(forged_map: Tensor, true_mask: Tensor) -> Tensor:
    """Mean squared difference of where the forged half is active from where it may be.

    The idea of Du et al. 2020 (LAE), in a form of ours: the map is first multiplied by the share
    of the picture that is forged, so that a map of mean 1, which ``activation_loss`` asks for,
    can be the mask. Of a picture without a forged pixel the map itself shall be 0.

    Args:
        forged_map: (B, 1, h, w), at least 0.
        true_mask: (B, 1, H, W) in 0..1, 1 = forged; averaged down to the map's size.

    Returns:
        A scalar.

    >>> half = torch.tensor([[[[1.0, 0.0]]]])
    >>> locality_loss(2 * half, half), locality_loss(1 - half, half)
    (tensor(0.), tensor(0.6250))
    """
    places = functional.adaptive_avg_pool2d(true_mask, (forged_map.shape[-2], forged_map.shape[-1]))
    share = places.mean(dim=(1, 2, 3), keepdim=True)
    scaled = forged_map * torch.where(share > 0, share, torch.ones_like(share))
    return (scaled - places).square().mean()
