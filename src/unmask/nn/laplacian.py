"""Laplacian of Gaussian on feature maps: what is coarse is taken away, edges and traces stay."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

_REACH = 3.0
"""Radius at which the Gaussian is cut off, in standard deviations."""


class LaplacianOfGaussian(nn.Module):
    """Band-pass copies of every map at several scales, mixed by one 1x1 convolution.

    Masi et al. 2020 (Two-branch Recurrent Network), Eq. 1: w * (x - up(down(G x))). G is a fixed
    Gaussian; at scale s (from 1 on) down and up are bilinear by 2 ** s. The 1x1 convolution goes
    from S * K maps to K' and has no bias: a constant map gives 0. Where K' = K, it starts as the
    mean of a map's scales, so that maps keep the meaning that earlier layers gave them.

    Args:
        planes: K, maps that come in.
        out_planes: K', maps that go out.
        sigmas: standard deviation of each scale's Gaussian, in pixels of the input map.
    """

    def __init__(self, planes: int, out_planes: int, sigmas: Sequence[float]) -> None:
        super().__init__()
        self.scales = len(sigmas)
        for scale, sigma in enumerate(sigmas):
            # Not in the state dict: they follow from the sigmas and are never learned.
            self.register_buffer(f"kernel{scale}", gaussian_kernel(sigma), persistent=False)
        self.reduce = nn.Conv2d(self.scales * planes, out_planes, 1, bias=False)
        if planes == out_planes:
            mean = torch.eye(planes).repeat(1, self.scales) / self.scales
            self.reduce.weight.data = mean[:, :, None, None]

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (B, K, H, W) to (B, K', H, W)."""
        mixed: Tensor = self.reduce(self.bands(maps))
        return mixed

    def bands(self, maps: Tensor) -> Tensor:
        """What each scale leaves of (B, K, H, W): (B, S * K, H, W), a scale's maps together."""
        size = (maps.shape[-2], maps.shape[-1])
        found = []
        for scale in range(self.scales):
            blurred = blur(maps, self.get_buffer(f"kernel{scale}"))
            small = (max(1, size[0] >> scale + 1), max(1, size[1] >> scale + 1))
            coarse = functional.interpolate(blurred, small, mode="bilinear")
            found.append(maps - functional.interpolate(coarse, size, mode="bilinear"))
        return torch.cat(found, dim=1)


def gaussian_kernel(sigma: float) -> Tensor:
    """A Gaussian along one axis, (2 * radius + 1,), of sum 1, cut off at 3 sigma.

    >>> kernel = gaussian_kernel(1.0)
    >>> len(kernel), round(float(kernel.sum()), 6)
    (7, 1.0)
    """
    radius = math.ceil(_REACH * sigma)
    offset = torch.arange(-radius, radius + 1, dtype=torch.float64)
    weight = torch.exp(-(offset**2) / (2 * sigma**2))
    return (weight / weight.sum()).float()


def blur(maps: Tensor, kernel: Tensor) -> Tensor:
    """Maps (B, K, H, W) blurred along both axes by one kernel (n,), borders repeated."""
    planes, radius = maps.shape[1], len(kernel) // 2
    weight = kernel.to(maps.dtype).expand(planes, 1, 1, -1)
    wide = functional.pad(maps, (radius, radius, 0, 0), mode="replicate")
    blurred = functional.conv2d(wide, weight, groups=planes)
    high = functional.pad(blurred, (0, 0, radius, radius), mode="replicate")
    return functional.conv2d(high, weight.transpose(2, 3), groups=planes)
