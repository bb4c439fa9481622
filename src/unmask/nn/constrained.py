"""The constrained convolution of Bayar and Stamm: pixels predicted from their neighbors."""

from __future__ import annotations

import torch
from torch import nn


class ConstrainedConv2d(nn.Conv2d):
    """A convolution without bias whose filters tell a pixel from what its neighbors foretell.

    In every filter the middle weight is -1 and all others add up to 1. ``project`` makes it so; it
    has to be called after every step of an optimizer, which knows nothing of it.

    Args:
        inputs: channels.
        outputs: filters.
        kernel: odd side of a filter.
        padding: zeros on every side.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, padding: int = 0) -> None:
        super().__init__(inputs, outputs, kernel, padding=padding, bias=False)
        self.project()

    @torch.no_grad()
    def project(self) -> None:
        """Middle to 0, each filter divided by its sum, middle to -1 (2018, Alg. 1; 2016, Eq. 2)."""
        middle = self.kernel_size[0] // 2
        weight = self.weight
        weight[:, :, middle, middle] = 0
        total = weight.sum(dim=(2, 3), keepdim=True)
        # Of a filter whose sum is 0 nothing can be kept: it becomes a plain mean.
        even = torch.full_like(weight, 1 / (weight[0, 0].numel() - 1))
        weight.copy_(torch.where(total == 0, even, weight / total))
        weight[:, :, middle, middle] = -1
