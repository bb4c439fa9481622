"""Overlapping square patches of a picture."""

from __future__ import annotations

from torch import Tensor


def patches_of(pictures: Tensor, side: int, step: int) -> Tensor:
    """(B, C, H, W) to (B, N, C, side, side), row by row; what is left at the edges is dropped.

    >>> import torch
    >>> patches_of(torch.zeros(2, 3, 9, 7), 4, 2).shape
    torch.Size([2, 6, 3, 4, 4])
    """
    windows = pictures.unfold(2, side, step).unfold(3, side, step)
    return windows.permute(0, 2, 3, 1, 4, 5).flatten(1, 2)
