"""Attention transfer: two attention maps that should agree, one of which knows the truth."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

_MASK_THRESHOLD = 0.1


def attention_transfer_loss(high: Tensor, low: Tensor, truth: Tensor) -> Tensor:
    """|M_H - M_L| + |M_H - M_gt|, each the mean over all pixels (Cao et al. 2021, Eq. 5).

    The first term moves the worse branch alone: it hands the better one's map down. The paper
    writes L1 norms; the mean keeps the weight independent of the map's size.

    Args:
        high: (B, 1, h, w) map of the better compressed pictures, in 0..1; 1 = forged.
        low: (B, 1, h, w) of the worse compressed ones.
        truth: (B, 1, h, w) from ``attention_target``.

    Returns:
        A scalar.

    >>> import torch
    >>> high, low = torch.tensor([[[[0.5, 1.0]]]]), torch.tensor([[[[0.0, 0.5]]]])
    >>> attention_transfer_loss(high, low, torch.tensor([[[[0.0, 1.0]]]]))
    tensor(0.7500)
    """
    return (high.detach() - low).abs().mean() + (high - truth).abs().mean()


def attention_target(mask: Tensor, label: Tensor, size: tuple[int, int]) -> Tensor:
    """What an attention map should be: M_gt of Eq. 5.

    Each place of the map gets the mean of the mask's pixels there, and is forged from 0.1 on
    (section 4.2). Real pictures have zeros, whatever their mask says.

    Args:
        mask: (B, 1, H, W) in 0..1, 1 = forged.
        label: (B,), 1 = fake.
        size: (h, w) of the map.

    Returns:
        (B, 1, h, w), 0 or 1.
    """
    forged = functional.adaptive_avg_pool2d(mask, size) >= _MASK_THRESHOLD
    return forged.to(label.dtype) * label[:, None, None, None]
